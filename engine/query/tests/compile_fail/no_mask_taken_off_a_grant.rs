use martlet_policy::{Access, Grant};

fn unmask(grant: &mut Grant) {
    grant.columns()[0].access = Access::Clear;
}

fn main() {
    let _ = unmask;
}
