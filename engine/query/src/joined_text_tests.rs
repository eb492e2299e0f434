//! What is joined is what the operator of the engine below joins, and no more than may be made.

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::SessionContext;

use super::*;

fn sessions() -> [SessionContext; 2] {
    let plain = SessionContext::new();
    let mut builder = SessionStateBuilder::new().with_default_features();
    builder.expr_planners().get_or_insert_default().push(JoinedTexts::planner());
    [plain, SessionContext::new_with_state(builder.build())]
}

async fn rows(session: &SessionContext, sql: &str) -> DataFusionResult<Vec<RecordBatch>> {
    session.sql(sql).await?.collect().await
}

fn texts(batches: &[RecordBatch]) -> Vec<Option<String>> {
    let columns = batches.iter().map(|batch| batch.column(0));
    let arrays =
        columns.map(|column| datafusion::arrow::compute::cast(column, &DataType::Utf8).unwrap());
    let texts = arrays.map(|texts| {
        let texts = texts.as_string::<i32>().clone();
        texts.iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
    });
    texts.flatten().collect()
}

#[tokio::test]
async fn texts_are_joined_as_ever_and_so_are_their_columns_called() {
    let from = "FROM (VALUES ('a', 1, 1.5), (NULL, 2, NULL), ('', NULL, 0.25)) AS v(t, n, f)";
    let [plain, ours] = sessions();
    for expression in [
        "t || 'x'",
        "'x' || t",
        "t || t",
        "t || n",
        "n || t",
        "t || f || n",
        "t || 'a' || 'b'",
        "'a' || 'b'",
        "t || NULL",
        "upper(t || 'x')",
        "(t || 'x') = 'ax'",
        "t || true",
    ] {
        let sql = format!("SELECT {expression} {from}");
        let (expected, found) =
            (rows(&plain, &sql).await.unwrap(), rows(&ours, &sql).await.unwrap());
        assert_eq!(texts(&found), texts(&expected), "{expression}");
        let named = |batches: &[RecordBatch]| batches[0].schema().field(0).name().clone();
        assert_eq!(named(&found), named(&expected), "{expression}");
    }
    assert!(rows(&ours, "SELECT 1 || 2").await.is_err(), "as ever");
}

#[tokio::test]
async fn no_more_is_joined_than_may_be_made_of_a_batch() {
    let [_, ours] = sessions();
    let of = |bytes: usize| {
        format!(
            "SELECT v || '{}' FROM (SELECT CAST(value AS varchar) AS v FROM generate_series(1, 8192))",
            "x".repeat(bytes)
        )
    };
    assert!(rows(&ours, &of(1_000)).await.is_ok());
    let refused = rows(&ours, &of(4_000)).await.unwrap_err().to_string();
    assert!(refused.contains("bytes in one function"), "{refused}");
    let mut doubled = "SELECT CAST(value AS varchar) AS v FROM generate_series(1, 8192)".to_owned();
    for level in 0..14 {
        doubled = format!("SELECT v || v AS v FROM ({doubled}) t{level}");
    }
    assert!(rows(&ours, &doubled).await.is_err());
}
