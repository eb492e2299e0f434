use martlet_policy::Principal;

fn principal() -> Principal {
    Principal { name: "head".into(), roles: Default::default(), attributes: Default::default() }
}

fn main() {
    let _ = principal;
}
