//! martlet
fn main() {}
