use martlet_query::{QueryError, Statement};

async fn twice(statement: Statement) -> Result<(), QueryError> {
    statement.execute(None).await?;
    statement.execute(None).await?;
    Ok(())
}

fn main() {
    let _ = twice;
}
