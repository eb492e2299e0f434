use martlet_policy::Grant;

fn grant() -> Grant {
    Grant::default()
}

fn main() {
    let _ = grant;
}
