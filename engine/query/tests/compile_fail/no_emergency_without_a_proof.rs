use martlet_policy::{Emergency, EmergencyRequest, RoleName};

fn unproven(request: EmergencyRequest, role: RoleName) -> Emergency {
    Emergency { request, role, rules: [0; 32], approved_by: Vec::new() }
}

fn main() {
    let _ = unproven;
}
