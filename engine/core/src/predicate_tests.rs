//! Parts of a condition.

use super::*;

fn compared(column: &str, comparison: Comparison, value: i64) -> Predicate {
    Predicate::Compare {
        column: ColumnName::new(column).unwrap(),
        comparison,
        value: Value::Int(value),
    }
}

#[test]
fn comparisons_of_one_column_are_one_part() {
    let low = compared("a", Comparison::Greater, 1);
    let high = compared("a", Comparison::Less, 9);
    let other = compared("b", Comparison::Equal, 5);
    let null = Predicate::IsNull { column: ColumnName::new("a").unwrap() };
    let all =
        Predicate::And(vec![low.clone(), other.clone(), null.clone(), high.clone(), null.clone()]);
    let parts = all.conjuncts_by_column();
    assert_eq!(parts, [vec![&low, &high], vec![&other], vec![&null], vec![&null]]);
    assert_eq!(low.conjuncts_by_column(), [vec![&low]]);
}
