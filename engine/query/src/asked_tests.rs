//! Constants are found beside their columns, however the comparison is spelled.

use proptest::prelude::*;

use super::*;

fn told(sql: &str, parameters: Option<&str>) -> Vec<(String, String, How)> {
    asked(sql, parameters, 100)
        .into_iter()
        .map(|asked| (asked.column, asked.constant, asked.how))
        .collect()
}

fn equal(column: &str, constant: &str) -> (String, String, How) {
    (column.into(), constant.into(), How::Equal)
}

#[test]
fn every_spelling_of_equality_is_seen() {
    for sql in [
        "SELECT * FROM customer WHERE customer_id = 'C1'",
        "SELECT * FROM customer c WHERE c.Customer_ID='C1'",
        "SELECT * FROM customer WHERE 'C1' = customer_id",
        "SELECT * FROM customer WHERE customer_id = ('C1')",
        "SELECT * FROM customer WHERE (((customer_id) = 'C2')) OR customer_id IN ('C1')",
        "SELECT * FROM customer WHERE customer_id LIKE 'C1'",
        "SELECT * FROM customer WHERE customer_id IS NOT DISTINCT FROM 'C1'",
        "SELECT * FROM customer WHERE customer_id /* a comment */ = -- another\n 'C1'",
        "SELECT * FROM customer WHERE customer_id = varchar 'C1'",
        "SELECT * FROM customer WHERE customer_id::text = 'C1'",
        "SELECT * FROM customer WHERE customer_id::varchar(20)::text IN ('C1')",
        "SELECT * FROM customer WHERE CAST(customer_id AS varchar(20)) = 'C1'",
        "SELECT * FROM customer WHERE (SELECT customer_id AS c) = 'C1'",
    ] {
        assert!(told(sql, None).contains(&equal("customer_id", "C1")), "{sql}");
    }
}

#[test]
fn lists_look_ups_and_exclusions_are_told_apart() {
    let sql = "SELECT count(*) FROM a WHERE k IN (1, 2, -3.0) AND lookup(a.mobile, '138') \
               AND k <> 7 AND k NOT IN (8) AND born = DATE '1960-01-02'";
    let expected = [
        equal("k", "1"),
        equal("k", "2"),
        equal("k", "-3"),
        ("mobile".into(), "138".into(), How::LookedUp),
        ("k".into(), "7".into(), How::Unequal),
        ("k".into(), "8".into(), How::Unequal),
        equal("born", "1960-01-02"),
    ];
    assert_eq!(told(sql, None), expected);
}

#[test]
fn nothing_in_a_list_hides_what_stands_behind_it() {
    for list in [
        "NULL, 'C1'",
        "('C2'), 'C1'",
        "(('C2')), ('C1')",
        "'C2'::text, 'C1'::text",
        "lower('C2'), upper(concat('C', '2')), 'C1'",
        "CASE WHEN true THEN 'C2' END, 'C1'",
    ] {
        let sql = format!("SELECT * FROM customer WHERE customer_id IN ({list}) AND l = 5");
        let told = told(&sql, None);
        assert!(told.contains(&equal("customer_id", "C1")), "{list}: {told:?}");
        assert!(told.contains(&equal("l", "5")), "{list}: {told:?}");
    }
    let within = "SELECT * FROM a WHERE k IN ('C2', (SELECT k FROM a WHERE k = 'C1' AND l IN (5)))";
    assert_eq!(told(within, None), [equal("k", "C2"), equal("k", "C1"), equal("l", "5")]);
    let sql = "SELECT * FROM a WHERE k IN (?, ?, lower(?), ?) AND l = ?";
    let expected = [equal("k", "C1"), equal("k", "C2"), equal("l", "C3")];
    assert_eq!(told(sql, Some("(NULL, 'C1', 'x', 'C2', 'C3')")), expected);
}

#[test]
fn a_number_is_one_however_it_is_spelled() {
    for spelled in ["42", "0042", "+42", "42.0", "042.00", "4.2e1", "420E-1"] {
        let sql = format!("SELECT * FROM a WHERE k = {spelled}");
        assert_eq!(told(&sql, None), [equal("k", "42")], "{spelled}");
    }
    for (spelled, as_is) in [("0", "0"), ("00", "0"), ("4.25", "4.25"), ("-007", "-7")] {
        let sql = format!("SELECT * FROM a WHERE k = {spelled}");
        assert_eq!(told(&sql, None), [equal("k", as_is)], "{spelled}");
    }
}

#[test]
fn bound_values_stand_in_their_places() {
    let sql = "SELECT * FROM a WHERE k = $2 AND l IN ($1, $3)";
    assert_eq!(told(sql, Some("('it''s', 5, NULL)")), [equal("k", "5"), equal("l", "it's")]);
    assert_eq!(told("SELECT * FROM a WHERE k = ? AND l = ?", Some("(1, 2)")).len(), 2);
    assert!(told("SELECT * FROM a WHERE k = $1", None).is_empty());
}

#[test]
fn ranges_patterns_and_expressions_are_not_seen() {
    for sql in [
        "SELECT * FROM a WHERE k > 5 AND k < 7",
        "SELECT * FROM a WHERE k LIKE 'C%'",
        "SELECT * FROM a WHERE k = l",
        "SELECT * FROM a WHERE k = concat('C', '1')",
        "SELECT 'open",
    ] {
        assert!(told(sql, None).is_empty(), "{sql}");
    }
}

#[test]
fn a_long_list_is_bounded() {
    let list: Vec<String> = (0..5_000).map(|number| number.to_string()).collect();
    let sql = format!("SELECT * FROM a WHERE k IN ({})", list.join(","));
    assert_eq!(asked(&sql, None, 64).len(), 64);
}

proptest! {
    #[test]
    fn nothing_breaks_it(sql in "(SELECT|WHERE|k|=|<>|IN|NOT|\\(|\\)|,|'a'|\\?|\\$1|[0-9.]{1,3}|lookup|IS|LIKE|\\PC| ){0,40}") {
        prop_assert!(asked(&sql, Some(&sql), 8).len() <= 8);
        prop_assert!(asked(&sql, Some("(1, 'x')"), 8).len() <= 8);
    }
}
