//! Groups that an expression makes one, against the same from the values; which expressions
//! are given which values.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, lit};
use martlet_core::{ColumnType, Value};
use proptest::prelude::*;

use super::*;
use crate::optimizer::index_aggregate::bucket::Bucket;
use crate::optimizer::index_aggregate::condition::Slice;
use crate::optimizer::index_aggregate::spec::{Key, Stage};

const KEY: Key = Key { column: 0, column_type: ColumnType::Int64, bucket: Bucket::Value };

/// Grouped by an expression over one number, with the distinct values of another.
fn spec(expression: Arc<dyn PhysicalExpr>) -> Spec {
    Spec {
        stage: Stage::Only,
        keys: vec![KEY],
        dimensions: Vec::new(),
        groupings: vec![Grouping { place: Place::Key(0), shows: Shown::Computed(expression) }],
        functions: Vec::new(),
        slices: vec![Slice::WHOLE],
        measures: Vec::new(),
        distincts: vec![Key { column: 1, ..KEY }],
        ranked: Vec::new(),
    }
}

fn value() -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new("value", 0))
}

fn binary(operator: Operator, left: Arc<dyn PhysicalExpr>, right: i64) -> Arc<dyn PhysicalExpr> {
    Arc::new(BinaryExpr::new(left, operator, lit(right)))
}

/// The groups of rows of a number and another whose distinct values are counted.
fn merged(spec: &Spec, rows: &[(Option<i64>, i64)]) -> Merged {
    let mut merged = Merged::new(spec, Vec::new());
    for (key, other) in rows {
        let number = merged.number(0, key.map(Value::Int));
        let group = merged.group([number, 0, 0, 0]);
        merged.counts[group] += 1;
        let prepared = merged.distincts[0].prepared(&Value::Int(*other));
        merged.distincts[0].add(group, &prepared);
    }
    merged
}

proptest! {
    #[test]
    fn groups_of_one_result_are_one(
        rows in proptest::collection::vec((proptest::option::of(-9_i64..9), 0_i64..5), 0..60),
    ) {
        let spec = spec(binary(Operator::Modulo, value(), 3));
        let shown = shown(&spec, merged(&spec, &rows)).unwrap();
        let mut plain: BTreeMap<Option<i64>, (u64, BTreeSet<i64>)> = BTreeMap::new();
        for (key, other) in &rows {
            let group = plain.entry(key.map(|key| key % 3)).or_default();
            group.0 += 1;
            group.1.insert(*other);
        }
        let mut found: BTreeMap<Option<i64>, (u64, u64)> = BTreeMap::new();
        for (group, key) in shown.keys.iter().enumerate() {
            let array = shown.shown[0].as_ref().unwrap().as_primitive::<Int64Type>();
            let at = key[0] as usize;
            let of = array.is_valid(at).then(|| array.value(at));
            let known = found.insert(of, (shown.counts[group], shown.distincts[0].count(group)));
            prop_assert_eq!(known, None);
        }
        let plain: BTreeMap<Option<i64>, (u64, u64)> = plain
            .into_iter()
            .map(|(key, (count, others))| (key, (count, others.len() as u64)))
            .collect();
        prop_assert_eq!(found, plain);
    }
}

proptest! {
    #[test]
    fn groups_are_united_that_will_be_one(
        rows in proptest::collection::vec((proptest::option::of(-9_i64..9), 0_i64..5), 0..60),
        left_out in 0_usize..4,
    ) {
        let spec = spec(binary(Operator::Modulo, value(), 3));
        let merged = merged(&spec, &rows);
        let groups: Vec<usize> =
            (0..merged.keys.len()).rev().filter(|group| group % 4 != left_out).collect();
        let values = merged.values(0);
        let result = |group: usize| match &values[group] {
            Some(Value::Int(key)) => Some(key % 3),
            _ => None,
        };
        let firsts = united(&spec, &merged, &groups).unwrap();
        for (group, first) in groups.iter().zip(&firsts) {
            let plain = groups.iter().find(|other| result(**other) == result(*group));
            prop_assert_eq!(Some(first), plain);
        }
    }
}

#[test]
fn a_value_of_another_group_is_not_computed_to_unite_some() {
    let by_zero: Arc<dyn PhysicalExpr> =
        Arc::new(BinaryExpr::new(lit(6_i64), Operator::Divide, value()));
    let spec = spec(by_zero);
    let merged = merged(&spec, &[(Some(4), 0), (Some(0), 0), (Some(5), 0), (Some(2), 0)]);
    assert_eq!(united(&spec, &merged, &[0, 2, 3]).unwrap(), [0, 0, 3]);
    assert!(united(&spec, &merged, &[0, 1]).is_err());
    assert!(united(&spec, &merged, &[]).unwrap().is_empty());
}

#[test]
fn a_value_that_no_group_has_is_not_computed() {
    let by_zero: Arc<dyn PhysicalExpr> =
        Arc::new(BinaryExpr::new(lit(6_i64), Operator::Divide, value()));
    let spec = spec(by_zero);
    let mut without = merged(&spec, &[(Some(2), 0), (Some(3), 0)]);
    // As a row without a partner leaves it: the value was met, but is in no group.
    without.number(0, Some(Value::Int(0)));
    assert_eq!(shown(&spec, without).unwrap().keys.len(), 2);
    assert!(shown(&spec, merged(&spec, &[(Some(2), 0), (Some(0), 0)])).is_err());
    // Nothing is computed of no row at all.
    assert!(shown(&spec, merged(&spec, &[])).unwrap().keys.is_empty());
}

#[test]
fn columns_move_wherever_they_stand() {
    let at = |position| Arc::new(Column::new("c", position)) as Arc<dyn PhysicalExpr>;
    let both: Arc<dyn PhysicalExpr> =
        Arc::new(BinaryExpr::new(binary(Operator::Plus, at(7), 1), Operator::Multiply, at(9)));
    let moved = Computed::moved(&both, &mut |position| position.checked_sub(6)).unwrap();
    assert_eq!(moved.to_string(), "(c@1 + 1) * c@3");
    assert!(Computed::moved(&both, &mut |_| None).is_none());
}
