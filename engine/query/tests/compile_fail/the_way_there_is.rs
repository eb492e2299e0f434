//! The one way to rows: a sign-in, the directory's principal, a session.

use martlet_query::{Engine, QueryError, RowStream};

async fn rows(engine: &Engine, name: &str, password: &str) -> Result<Option<RowStream>, QueryError> {
    let mart = engine.mart();
    let Ok(signed_in) = mart.directory().sign_in(name, password) else { return Ok(None) };
    let Some(principal) = mart.directory().principal(&signed_in) else { return Ok(None) };
    let statement = engine.session(&principal, &mart).prepare("SELECT 1").await?;
    statement.execute(None).await.map(Some)
}

fn main() {
    let _ = rows;
}
