use martlet_query::{Engine, Session};

fn open(engine: &Engine) -> Session {
    engine.session(&engine.mart())
}

fn main() {
    let _ = open;
}
