use martlet_policy::Principal;

fn principal() -> Principal {
    let (roles, attributes) = Default::default();
    Principal { name: "head".into(), roles, attributes, emergency: None }
}

fn main() {
    let _ = principal;
}
