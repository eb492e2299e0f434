use martlet_policy::CheckedBundle;

fn rules() -> CheckedBundle {
    CheckedBundle::default()
}

fn main() {
    let _ = rules;
}
