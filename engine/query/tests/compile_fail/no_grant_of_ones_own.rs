use martlet_policy::Grant;

fn main() {
    let _ = Grant::new;
}
