//! Leaks that are planted where the oracles look: each has to be found.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use base64::Engine as _;
use martlet_query::AccessPath;
use martlet_tests::doors::record::Expected;
use martlet_tests::doors::{Answer, Door, Outcome};
use martlet_tests::grammar::sql::{Sql, expression, optional, text};
use martlet_tests::grammar::{Asker, Closeness, Judged, Statement, Tail};
use martlet_tests::lab::Lab;
use martlet_tests::oracles::Oracle;
use martlet_tests::oracles::canary::Watch;
use martlet_tests::oracles::logs::Logged;
use martlet_tests::oracles::remnants;
use martlet_tests::oracles::same::{Between, difference};
use martlet_tests::seq;
use martlet_tests::shrink::shrunk;
use martlet_tests::worlds::canaries::Canaries;
use martlet_tests::worlds::policy::OTHER;
use martlet_tests::worlds::tables::READER;

fn statement(order: Option<&str>, closeness: Closeness) -> Statement {
    let tail = order.map(|order_by| Tail { order_by: order_by.into(), limit: None });
    Statement {
        body: text("SELECT 1"),
        tail,
        judged: Judged::Answer,
        closeness,
        may_fail: false,
        in_any_order: false,
        parameter: None,
        asker: Asker::Reader,
        before: Vec::new(),
    }
}

fn rows(columns: Vec<ArrayRef>) -> Answer {
    let fields = columns.iter().enumerate();
    let fields: Vec<Field> = fields
        .map(|(at, column)| Field::new(format!("c{at}"), column.data_type().clone(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    let told = Outcome::Rows { schema, batches: vec![batch], messages: vec![vec![1, 2, 3]] };
    Answer { told, beside: Vec::new(), left: Vec::new() }
}

fn numbers(values: &[i64]) -> Answer {
    rows(vec![Arc::new(Int64Array::from(values.to_vec()))])
}

fn differ(first: &Answer, second: &Answer, statement: &Statement) -> bool {
    difference(first, second, statement, Between::Worlds).is_some()
}

#[test]
fn a_canary_is_found_in_every_spelling_and_nothing_else_is() {
    let mut canaries = Canaries::numbered(1);
    let watch = Watch::default();
    let (hidden, number) = (canaries.text(), canaries.number());
    let raw = canaries.digits("110101199003070011".to_owned());
    let wide: Vec<u8> = hidden.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let hex: String = hidden.bytes().map(|byte| format!("{byte:02x}")).collect();
    let base64 = |before: &str| {
        base64::engine::general_purpose::STANDARD.encode(format!("{before}{hidden}."))
    };
    let planted: Vec<Vec<u8>> = vec![
        format!("the value {hidden} cannot be cast").into_bytes(),
        hidden.to_uppercase().into_bytes(),
        hidden.chars().rev().collect::<String>().into_bytes(),
        [b"..".to_vec(), wide].concat(),
        hex.into_bytes(),
        base64("").into_bytes(),
        base64("x").into_bytes(),
        base64("xy").into_bytes(),
        [vec![7; 3], number.to_le_bytes().to_vec()].concat(),
        [vec![7; 5], i128::from(number).to_le_bytes().to_vec()].concat(),
        format!("1{raw}2").into_bytes(),
    ];
    for bytes in &planted {
        assert!(watch.found(bytes, &canaries).is_some(), "{}", String::from_utf8_lossy(bytes));
    }
    for clean in ["", "110101199003******", "138****5678", "Ann **", "1101011990030700", "Zqkanar"]
    {
        assert_eq!(watch.found(clean.as_bytes(), &canaries), None, "{clean}");
    }
}

/// An answer whose bytes are those of its column of texts, and some more.
fn told(texts: &[&str], more: &str) -> Answer {
    let joined = texts.concat().into_bytes();
    let column: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let left = vec![[b"\0\0".to_vec(), joined, more.as_bytes().to_vec()].concat()];
    Answer { left, ..rows(vec![column]) }
}

#[test]
fn a_raw_value_is_found_in_one_text_or_beside_them_and_not_across_two() {
    let mut canaries = Canaries::numbered(1);
    let watch = Watch::default();
    let hidden = canaries.text();
    canaries.digits("13714178415".to_owned());
    let found =
        |texts: &[&str], more: &str| watch.found_in(&told(texts, more), &canaries).is_some();
    assert!(!found(&["21", "371", "41784", "159"], ""), "none of them is it");
    assert!(found(&["21", "x13714178415", "9"], ""));
    assert!(found(&["21", "371", "41784", "159"], "\u{0}13714178415"), "beside the same by chance");
    assert!(found(&["1", "3"], "13714178415"), "short ones hide nothing that is beside them");
    assert!(found(&["21", "371", "41784", "159"], &hidden));
}

#[test]
fn bytes_beside_the_visible_values_are_found() {
    let kept: ArrayRef = Arc::new(StringArray::from(vec![Some("shown"), None, Some("more")]));
    let clean = [kept, Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])) as ArrayRef];
    assert_eq!(remnants::found(&rows(clean.to_vec())), None);
    let sliced = StringArray::from(vec!["hidden", "shown"]).slice(1, 1);
    assert!(remnants::found(&rows(vec![Arc::new(sliced)])).is_some(), "a slice's other rows");
    let numbers = Int64Array::from(vec![7, 8, 9]);
    let under_null =
        Int64Array::new(numbers.values().clone(), Some(vec![true, false, true].into()));
    assert!(remnants::found(&rows(vec![Arc::new(under_null)])).is_some(), "a number under a null");
    let texts = StringArray::from(vec!["shown", "hidden"]);
    let under_null = StringArray::new(
        texts.offsets().clone(),
        texts.values().clone(),
        Some(vec![true, false].into()),
    );
    assert!(remnants::found(&rows(vec![Arc::new(under_null)])).is_some(), "a text under a null");
}

#[test]
fn answers_are_told_apart_by_a_cell_a_row_a_type_and_a_word() {
    let (any, ordered) =
        (statement(None, Closeness::Exact), statement(Some("ORDER BY 1"), Closeness::Exact));
    let first = numbers(&[1, 2, 3]);
    assert!(!differ(&first, &numbers(&[1, 2, 3]), &ordered));
    assert!(!differ(&first, &numbers(&[3, 1, 2]), &any), "no order was asked for");
    assert!(differ(&first, &numbers(&[3, 1, 2]), &ordered));
    assert!(differ(&first, &numbers(&[1, 2, 4]), &any), "a cell");
    assert!(differ(&first, &numbers(&[1, 2, 3, 3]), &any), "a row");
    assert!(
        differ(&first, &rows(vec![Arc::new(StringArray::from(vec!["1", "2", "3"]))]), &any),
        "a type"
    );
    assert!(differ(&first, &Answer::refused("Invalid", "no"), &any));
    assert!(differ(&Answer::refused("Invalid", "no"), &Answer::refused("Invalid", "no 7"), &any));
    assert!(differ(&Answer::refused("Invalid", "no"), &Answer::refused("Denied", "no"), &any));
    assert!(!differ(&Answer::refused("Invalid", "no"), &Answer::refused("Invalid", "no"), &any));
    let mut headed = numbers(&[1, 2, 3]);
    headed.beside.push("rows 3".into());
    assert!(differ(&first, &headed, &any), "what stands beside the rows");
    let mut longer = numbers(&[1, 2, 3]);
    if let Outcome::Rows { messages, .. } = &mut longer.told {
        messages[0].push(9);
    }
    assert!(differ(&first, &longer, &ordered), "a byte behind equal rows");
}

#[test]
fn only_what_rounds_may_differ_in_its_last_digits() {
    let floats = |last: f64| rows(vec![Arc::new(Float64Array::from(vec![1.0, 2.5, last]))]);
    let (exact, close) = (statement(None, Closeness::Exact), statement(None, Closeness::Close));
    let (told, nearly, other) = (floats(0.1 + 0.2), floats(0.3), floats(0.31));
    assert!(differ(&told, &nearly, &exact));
    assert!(!differ(&nearly, &told, &close));
    assert!(differ(&other, &nearly, &close));
    assert!(differ(&nearly, &rows(vec![Arc::new(Float64Array::from(vec![1.0, 2.5]))]), &close));
}

#[test]
fn statements_become_smaller_and_never_lose_an_order_but_not_its_limit() {
    let filter =
        optional(Sql::Seq(seq!["WHERE", expression(seq!["a", "=", "1"], vec![text("true")])]));
    let body = Sql::Seq(seq!["SELECT", Sql::List(seq!["a", "b"], ","), "FROM t", filter]);
    let tail = Some(Tail { order_by: "ORDER BY 1".into(), limit: Some("LIMIT 2".into()) });
    let whole = Statement { body, tail, ..statement(None, Closeness::Exact) };
    assert_eq!(whole.sql(), "SELECT a, b FROM t WHERE a = 1 ORDER BY 1 LIMIT 2");
    let smaller: HashSet<String> = whole.smaller().iter().map(Statement::sql).collect();
    let expected = [
        "SELECT a, b FROM t WHERE a = 1",
        "SELECT a, b FROM t WHERE a = 1 ORDER BY 1",
        "SELECT a, b FROM t ORDER BY 1 LIMIT 2",
        "SELECT a FROM t WHERE a = 1 ORDER BY 1 LIMIT 2",
        "SELECT b FROM t WHERE a = 1 ORDER BY 1 LIMIT 2",
        "SELECT a, b FROM t WHERE true ORDER BY 1 LIMIT 2",
    ];
    assert_eq!(smaller, expected.map(String::from).into());
}

/// The worlds differ in everything that somebody else sees, canaries and all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_to_whom_the_worlds_differ_is_told_apart_at_every_door() {
    let lab = Lab::open(5, 200, Logged::listen(), OTHER).await.unwrap();
    let mut sessions = lab.sign_in().await;
    let seen = |sql: &str| Statement { body: text(sql), ..statement(None, Closeness::Exact) };
    let paths = AccessPath::ALL.map(|path| Door::InProcess([path; 2]));
    for door in
        paths.into_iter().chain([Door::Statement, Door::Prepared, Door::OldTicket, Door::Described])
    {
        let verdicts =
            lab.judge(&mut sessions, &seen("SELECT count(*), max(big) FROM customer"), door).await;
        let found: Vec<Oracle> = verdicts.iter().map(|verdict| verdict.oracle).collect();
        assert!(
            found.contains(&Oracle::Worlds) && found.contains(&Oracle::Reference),
            "{door:?}: {found:?}"
        );
        let verdicts =
            lab.judge(&mut sessions, &seen("SELECT txt, amount FROM customer"), door).await;
        assert!(verdicts.iter().any(|verdict| verdict.oracle == Oracle::Canary), "{door:?}");
    }
    let long = Sql::Seq(seq![
        "SELECT",
        Sql::List(seq!["1 AS a", "txt", "2 AS b"], ","),
        "FROM customer",
        optional(text("WHERE true"))
    ]);
    let long = Statement { body: long, ..statement(None, Closeness::Exact) };
    let (small, _) = shrunk(&lab, &mut sessions, long, paths[0], Oracle::Canary).await;
    assert_eq!(small.sql(), "SELECT txt FROM customer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_is_not_on_record_is_told() {
    let lab = Lab::open(6, 100, Logged::listen(), READER).await.unwrap();
    let mut expected = Expected::default();
    let (number, _) = expected.marked("SELECT 1");
    expected.note(number, Door::Statement, &Answer::refused("Invalid", "no"), "SELECT 1");
    assert_eq!(expected.missing(lab.address(0)).await, ["0 of 1 records: SELECT 1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_answer_is_found_wherever_it_stands() {
    let lab = Lab::open(7, 100, Logged::listen(), READER).await.unwrap();
    let mut sessions = lab.sign_in().await;
    let exact = || statement(None, Closeness::Exact);
    let differs = Sql::Copied { asked: "SELECT 1 AS n".into(), of_copy: "SELECT 2 AS n".into() };
    let asker = Asker::Statistician { number: 1 };
    let small = "SELECT count(*) AS rows_told FROM (VALUES (1), (2)) AS v(x)";
    for (wrong, oracle) in [
        (Statement { judged: Judged::Refused { words: "no" }, ..exact() }, Oracle::Denial),
        (Statement { body: differs.clone(), ..exact() }, Oracle::Reference),
        (Statement { asker, before: vec![differs], ..exact() }, Oracle::Reference),
        (Statement { asker, body: text(small), ..exact() }, Oracle::Reference),
    ] {
        let door = Door::InProcess([AccessPath::ByCost; 2]);
        let verdicts = lab.judge(&mut sessions, &wrong, door).await;
        let found: Vec<Oracle> = verdicts.iter().map(|verdict| verdict.oracle).collect();
        assert_eq!(found, [oracle], "{}: {verdicts:?}", wrong.sql());
    }
    let refused = Statement {
        body: text("SELEC 1"),
        judged: Judged::Refused { words: "in conditions only" },
        ..exact()
    };
    let verdicts = lab.judge(&mut sessions, &refused, Door::Statement).await;
    assert_eq!(verdicts.len(), 1, "refused for another reason: {verdicts:?}");
}
