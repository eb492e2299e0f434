use martlet_query::Statement;

fn plan(statement: Statement) {
    let _ = statement.plan;
}

fn main() {
    let _ = plan;
}
