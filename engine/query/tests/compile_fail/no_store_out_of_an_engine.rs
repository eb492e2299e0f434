use martlet_query::Engine;

fn store(engine: &Engine) {
    let _ = &engine.shared;
}

fn main() {
    let _ = store;
}
