use martlet_policy::{Principal, RoleName};

fn promote(principal: &mut Principal, role: RoleName) {
    principal.roles.insert(role);
}

fn main() {
    let _ = promote;
}
