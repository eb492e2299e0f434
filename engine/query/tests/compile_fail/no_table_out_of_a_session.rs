use martlet_query::Session;

fn tables(session: &Session) {
    let _ = &session.tables;
}

fn main() {
    let _ = tables;
}
