use martlet_policy::{Grant, RowRule};

fn widen(grant: &mut Grant) {
    grant.rows = RowRule::All;
}

fn main() {
    let _ = widen;
}
