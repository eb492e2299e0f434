use std::sync::Arc;

use martlet_policy::{Emergency, Principal};

fn elevate(principal: &mut Principal, of_another: &Arc<Emergency>) {
    principal.emergency = Some(Arc::clone(of_another));
}

fn main() {
    let _ = elevate;
}
