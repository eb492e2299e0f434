use martlet_query::Statement;

fn copy(statement: &Statement) -> Statement {
    statement.clone()
}

fn main() {
    let _ = copy;
}
