use super::*;
use crate::testing::{MONEY, customer, example, principal};

fn text(text: &str) -> Literal {
    Literal::Text(text.to_owned())
}

#[test]
fn constants_have_a_meaning_only_where_they_fit() {
    let integer = |digits: &str| Literal::Integer(digits.to_owned());
    let day: BatchDate = "2026-11-22".parse().unwrap();
    assert_eq!(text("2026-11-22").value(ColumnType::Date), Some(day.into()));
    assert_eq!(integer("5").value(ColumnType::Int32), Some(Value::Int(5)));
    assert_eq!(integer("5").value(MONEY), Some(Value::Decimal(500)));
    assert_eq!(integer("3000000000").value(ColumnType::Int32), None);
    assert_eq!(integer("5").value(ColumnType::Text), None, "a number is not a text");
    assert_eq!(text("5").value(ColumnType::Int32), None, "a text is not a number");
    assert_eq!(text("2026-02-30").value(ColumnType::Date), None);
    assert_eq!(Literal::Float("nan".into()).value(ColumnType::Float64), None);
}

#[test]
fn decimals_are_read_exactly_or_not_at_all() {
    let read = |text: &str| read_decimal(text, 5, 2);
    assert_eq!(read("12.5"), Some(1250));
    assert_eq!(read("-0.01"), Some(-1));
    assert_eq!(read("999.99"), Some(99_999));
    for refused in ["1000", "1.005", "1e3", "", "-", ".5", "+1", "1,5", "１"] {
        assert_eq!(read(refused), None, "{refused}");
    }
}

#[test]
fn the_root_gives_every_known_node_and_not_all_rows() {
    let bundle = example();
    let rule = bundle.rules().iter().find(|r| r.name.as_str() == "outlets-below-my-node").unwrap();
    let rows = rule.rows(&principal("teller", "00", "1"), &customer(), bundle.organization());
    let Ok(Rows::In { values, .. }) = rows else { panic!("a set of nodes") };
    assert_eq!(values.len(), bundle.organization().len());
}

#[test]
fn an_unknown_node_or_an_absent_attribute_means_nothing() {
    let bundle = example();
    let rule = bundle.rules().iter().find(|r| r.name.as_str() == "outlets-below-my-node").unwrap();
    let rows =
        |node| rule.rows(&principal("teller", node, "1"), &customer(), bundle.organization());
    assert!(matches!(rows("99"), Err(Meaningless::Node(_))));
    assert!(matches!(rows(""), Err(Meaningless::Attribute(_))));
}

#[test]
fn combining_is_canonical_and_closes_on_contradiction() {
    let rows = |name: &str, values: &[&str]| Rows::In {
        column: ColumnName::new(name).unwrap(),
        values: values.iter().map(|value| Value::text(value)).collect(),
    };
    let (a, b) = (rows("outlet", &["1", "2"]), rows("desk", &["x"]));
    let one_way = RowRule::combine(vec![a.clone(), b.clone()], vec![a.clone(), b.clone()]);
    let other_way = RowRule::combine(vec![b.clone(), a.clone()], vec![b, a.clone()]);
    assert_eq!(one_way, other_way);
    assert_eq!(RowRule::combine(vec![], vec![]), RowRule::None, "no permit, no row");
    assert_eq!(RowRule::combine(vec![Rows::All, a.clone()], vec![]), RowRule::All);
    let apart = vec![a, rows("outlet", &["3"])];
    assert_eq!(RowRule::combine(vec![Rows::All], apart), RowRule::None);
}
