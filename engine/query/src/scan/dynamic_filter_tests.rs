//! Filters that are accepted, what they keep, and when they are passed by.

use datafusion::arrow::array::Int64Array;
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, lit};

use super::*;

fn column(name: &str, at: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(name, at))
}

fn dynamic(children: Vec<Arc<dyn PhysicalExpr>>) -> Arc<DynamicFilterPhysicalExpr> {
    Arc::new(DynamicFilterPhysicalExpr::new(children, lit(true)))
}

/// Output columns 0 and 1 are stored columns 7 and 3; others are not granted as stored.
fn stored(output: usize) -> Option<usize> {
    [7, 3].get(output).copied()
}

fn numbers(values: impl IntoIterator<Item = i64>) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("b", DataType::Int64, true)]);
    let values: Int64Array = values.into_iter().map(Some).collect();
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(values)]).unwrap()
}

/// `b` (output 1) is at least this.
fn at_least(low: i64) -> Arc<dyn PhysicalExpr> {
    Arc::new(BinaryExpr::new(column("b", 1), Operator::GtEq, lit(low)))
}

#[test]
fn only_changing_filters_over_stored_columns_are_taken() {
    let as_filter = |filter: Arc<DynamicFilterPhysicalExpr>| filter as Arc<dyn PhysicalExpr>;
    let both = as_filter(dynamic(vec![column("a", 0), column("b", 1)]));
    assert_eq!(DynamicFilter::of(&both, stored).unwrap().columns(), [3, 7]);
    let masked = as_filter(dynamic(vec![column("a", 0), column("c", 2)]));
    assert!(DynamicFilter::of(&masked, stored).is_none(), "a column is masked");
    assert!(DynamicFilter::of(&at_least(5), stored).is_none(), "the user's own condition");
    let computed = as_filter(dynamic(vec![at_least(5)]));
    assert!(DynamicFilter::of(&computed, stored).is_none(), "an expression of the user's");
}

#[test]
fn keeps_what_the_operator_above_may_need() {
    let filter = dynamic(vec![column("b", 1)]);
    let scan = DynamicFilter::of(&(Arc::clone(&filter) as Arc<dyn PhysicalExpr>), stored).unwrap();
    assert!(!scan.is_worth_asking(), "nothing is known yet");
    filter.update(at_least(5)).unwrap();
    assert!(scan.is_worth_asking());
    let kept = scan.kept(&numbers([1, 5, 9, 4])).unwrap();
    assert_eq!(kept.iter().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_filter_that_keeps_nearly_everything_is_passed_by_but_tried_again() {
    let filter = dynamic(vec![column("b", 1)]);
    let scan = DynamicFilter::of(&(Arc::clone(&filter) as Arc<dyn PhysicalExpr>), stored).unwrap();
    filter.update(at_least(5)).unwrap();
    scan.kept(&numbers(0..i64::try_from(JUDGED_FROM_ROWS).unwrap())).unwrap();
    let asked: Vec<bool> = (0..2 * TRIED_AGAIN_EVERY).map(|_| scan.is_worth_asking()).collect();
    assert_eq!(asked.iter().filter(|asked| **asked).count(), 2, "{asked:?}");
    filter.update(at_least(i64::MAX)).unwrap();
    for _ in 0..4 {
        scan.kept(&numbers(0..i64::try_from(JUDGED_FROM_ROWS).unwrap())).unwrap();
    }
    assert!(scan.is_worth_asking(), "it has learned");
}
