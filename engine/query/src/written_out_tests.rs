use datafusion::prelude::SessionContext;

use super::has_short_expressions;
use crate::error::QueryError;
use crate::parse::parse;

/// `n` names, each of which reads the one before it so often.
fn chain(n: usize, from: &str) -> String {
    let names = (1..=n).map(|at| {
        let from = from.replace("LAST", &format!("a{}", at - 1));
        format!(", a{at} AS (SELECT l.x FROM {from})")
    });
    format!("WITH a0 AS (SELECT 1 AS x){} SELECT x FROM a{n}", names.collect::<String>())
}

fn is_refused(sql: &str) -> bool {
    match parse(sql) {
        Ok(_) => false,
        Err(QueryError::Syntax { reason }) if reason.contains("more than 1000 tables") => true,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn names_that_double_what_they_read_are_counted() {
    assert!(!is_refused(&chain(9, "LAST l, LAST r")));
    assert!(is_refused(&chain(10, "LAST l, LAST r")));
    assert!(is_refused(&chain(60, "LAST l, LAST r")));
    assert!(is_refused(&chain(40, "LAST l JOIN (SELECT * FROM LAST) r ON l.x = r.x")));
    assert!(is_refused(&chain(40, "LAST l WHERE l.x IN (SELECT x FROM LAST)")));
    let explained = format!("EXPLAIN {}", chain(40, "LAST l, LAST r"));
    assert!(is_refused(&explained));
}

#[test]
fn a_small_query_under_a_name_that_looks_alike_is_not_taken_for_the_large_one() {
    for (large, small) in [("\"A\"", "a"), ("\"x.a\"", "a"), ("\"É\"", "é")] {
        let read = if large.contains('.') { "x.a" } else { large };
        let mut sql = String::from("WITH b0 AS (SELECT 1 AS x)");
        for at in 0..2 {
            let (large, small, read) = (at_end(large, at), at_end(small, at), at_end(read, at));
            let of = vec![format!("b{at}"); 400].join(", ");
            let next = at + 1;
            sql += &format!(", {large} AS (SELECT 1 AS x FROM {of}), {small} AS (SELECT 1 AS x)");
            sql += &format!(", b{next} AS (SELECT 1 AS x FROM {read} l, {read} r)");
        }
        assert!(is_refused(&format!("{sql} SELECT x FROM b2")), "{large}");
    }
}

/// A name with a number at its end, within the quotes where there are some.
fn at_end(name: &str, at: usize) -> String {
    match name.strip_suffix('"') {
        Some(quoted) => format!("{quoted}{at}\""),
        None => format!("{name}{at}"),
    }
}

#[test]
fn what_stands_too_deep_is_refused() {
    assert!(!is_refused(&chain(90, "LAST l")));
    assert!(is_refused(&chain(110, "LAST l")));
    assert!(is_refused(&chain(20_000, "LAST l")));
}

#[test]
fn many_tables_beside_each_other_are_counted() {
    let beside = |n: usize| vec!["t"; n].join(", ");
    assert!(!is_refused(&format!("SELECT 1 FROM {}", beside(1_000))));
    assert!(is_refused(&format!("SELECT 1 FROM {}", beside(1_001))));
}

#[test]
fn a_name_within_hides_one_without_and_one_that_nobody_reads_is_nothing() {
    let large = chain(9, "LAST l, LAST r").replace("SELECT x FROM a9", "");
    assert!(!is_refused(&format!("{large} SELECT 1 AS x")));
    let hidden = "SELECT x FROM (WITH a9 AS (SELECT 1 AS x) SELECT l.x FROM a9 l, a9 r, a9 s) t";
    assert!(!is_refused(&format!("{large} {hidden}")));
    assert!(is_refused(&format!("{large} SELECT l.x FROM a9 l, a9 r, a9 s")));
}

/// Selects within each other, and what stands around them.
async fn too_long(expression: &str, levels: usize, around: &str) -> bool {
    let mut within = "SELECT x FROM (VALUES (1)) AS v(x)".to_owned();
    for level in 0..levels {
        within = format!("SELECT {expression} AS x FROM ({within}) t{level}");
    }
    let sql = around.replace("WITHIN", &format!("({within}) z"));
    let plan = SessionContext::new().state().create_logical_plan(&sql).await.unwrap();
    match has_short_expressions(&plan) {
        Ok(()) => false,
        Err(QueryError::Syntax { reason }) if reason.contains("more than 50000 parts") => true,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn expressions_that_double_are_counted_written_out() {
    let around = "SELECT count(*) FROM WITHIN WHERE x > 1";
    assert!(!too_long("x + x", 12, around).await);
    for expression in
        ["x + x", "CASE WHEN x > 1 THEN x ELSE 2 END", "coalesce(x, x)", "nullif(x, 1)"]
    {
        assert!(too_long(expression, 20, around).await, "{expression}");
    }
    for around in [
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM WITHIN WHERE x > 1)",
        "SELECT a.x FROM WITHIN JOIN (VALUES (1)) AS a(x) ON a.x = z.x",
        "SELECT x FROM WITHIN UNION ALL SELECT 1",
        "SELECT x, count(*) FROM WITHIN GROUP BY x",
    ] {
        assert!(too_long("x + x", 20, around).await, "{around}");
    }
}

#[tokio::test]
async fn what_is_long_and_does_not_double_is_planned() {
    assert!(!too_long("x + 1", 20, "SELECT x FROM WITHIN WHERE x > 1").await);
    let long = vec!["x"; 300].join(" + ");
    assert!(!too_long(&long, 1, "SELECT x FROM WITHIN WHERE x > 1").await);
}
