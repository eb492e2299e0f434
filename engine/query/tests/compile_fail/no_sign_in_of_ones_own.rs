use martlet_policy::SignedIn;

fn signed_in() -> SignedIn {
    SignedIn { name: "head".into() }
}

fn main() {
    let _ = signed_in;
}
