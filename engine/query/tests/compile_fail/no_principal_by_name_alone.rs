use martlet_policy::{Directory, Principal};

fn find(directory: &Directory) -> Option<Principal> {
    directory.principal("head")
}

fn main() {
    let _ = find;
}
