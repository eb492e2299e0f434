//! Filters that are accepted, what they keep, and when they are passed by.

use datafusion::arrow::array::Int64Array;
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, in_list, lit};
use martlet_core::{ColumnName, ColumnSchema, ColumnType, TableName, Value};

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
    let rows = i64::try_from(JUDGED_FROM_ROWS).unwrap();
    scan.note(JUDGED_FROM_ROWS, scan.kept(&numbers(0..rows)).unwrap().count());
    let asked: Vec<bool> = (0..2 * TRIED_AGAIN_EVERY).map(|_| scan.is_worth_asking()).collect();
    assert_eq!(asked.iter().filter(|asked| **asked).count(), 2, "{asked:?}");
    filter.update(at_least(i64::MAX)).unwrap();
    for _ in 0..4 {
        scan.note(JUDGED_FROM_ROWS, scan.kept(&numbers(0..rows)).unwrap().count());
    }
    assert!(scan.is_worth_asking(), "it has learned");
}

/// Eight columns of whole numbers, `c0` to `c7`.
fn table() -> TableSchema {
    let column = |at| ColumnSchema {
        name: ColumnName::new(&format!("c{at}")).unwrap(),
        column_type: ColumnType::Int64,
        nullable: true,
        class: None,
    };
    TableSchema::new(TableName::new("t").unwrap(), (0..8).map(column).collect(), &[], &[]).unwrap()
}

#[test]
fn few_keys_are_a_condition_on_their_column_and_nothing_else_is() {
    let of_b = || column("b", 1);
    let filter = dynamic(vec![of_b()]);
    let scan = DynamicFilter::of(&(Arc::clone(&filter) as Arc<dyn PhysicalExpr>), stored).unwrap();
    let outputs = ["a", "b"].map(|name| Field::new(name, DataType::Int64, true)).to_vec();
    let outputs = Schema::new(outputs);
    let among = |values: Vec<Arc<dyn PhysicalExpr>>, negated| {
        in_list(of_b(), values, &negated, &outputs).unwrap()
    };
    filter.update(at_least(5)).unwrap();
    assert!(scan.conditions(&table()).is_empty(), "a bound is evaluated");

    let keys = among(vec![lit(7_i64), lit(9_i64)], false);
    let bound: Arc<dyn PhysicalExpr> =
        Arc::new(BinaryExpr::new(at_least(5), Operator::And, Arc::clone(&keys)));
    filter.update(bound).unwrap();
    let column = ColumnName::new("c3").unwrap();
    let values = [7, 9].map(Value::Int).into_iter().collect();
    assert_eq!(scan.conditions(&table()), [Predicate::In { column, values }]);

    filter.update(among(vec![lit(7_i64)], true)).unwrap();
    assert!(scan.conditions(&table()).is_empty(), "all but some are not few");
    filter.update(among(vec![lit(7_i64), lit(ScalarValue::Int64(None))], false)).unwrap();
    assert!(scan.conditions(&table()).is_empty(), "null is no value to look up");
}
