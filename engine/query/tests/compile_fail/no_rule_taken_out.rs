use martlet_policy::CheckedBundle;

fn loosen(bundle: &mut CheckedBundle) {
    bundle.rules.clear();
}

fn main() {
    let _ = loosen;
}
