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
        Err(QueryError::Syntax { reason }) if reason.contains("more than 100 tables") => true,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn names_that_double_what_they_read_are_counted() {
    assert!(!is_refused(&chain(6, "LAST l, LAST r")));
    assert!(is_refused(&chain(7, "LAST l, LAST r")));
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
            let of = vec![format!("b{at}"); 40].join(", ");
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
    assert!(!is_refused(&format!("SELECT 1 FROM {}", beside(100))));
    let rows =
        |n: usize| (0..n).map(|at| format!("(VALUES (1)) v{at}")).collect::<Vec<_>>().join(", ");
    assert!(!is_refused(&format!("SELECT 1 FROM {}", rows(100))));
    assert!(is_refused(&format!("SELECT 1 FROM {}", rows(101))));
    assert!(is_refused(&format!("SELECT 1 FROM {}", beside(101))));
}

#[test]
fn named_columns_are_counted_all_together() {
    let ones = |n: usize| vec!["1"; n].join(", ");
    let refused = |sql: &str| match parse(sql) {
        Ok(_) => false,
        Err(error) => error.to_string().contains("name more than 4096 columns"),
    };
    assert!(!refused(&format!("SELECT {}", ones(4_096))));
    for large in [
        format!("SELECT {}", ones(4_097)),
        format!("SELECT 1 FROM (VALUES ({}))", ones(4_096)),
        format!("SELECT {} UNION ALL SELECT {}", ones(2_000), ones(2_097)),
        format!("WITH a AS (SELECT {}) SELECT {} FROM a", ones(2_000), ones(2_097)),
    ] {
        assert!(refused(&large), "{}", &large[..40]);
    }
}

#[test]
fn a_name_within_hides_one_without_and_one_that_nobody_reads_is_nothing() {
    let large = chain(6, "LAST l, LAST r").replace("SELECT x FROM a6", "");
    assert!(!is_refused(&format!("{large} SELECT 1 AS x")));
    let hidden = "SELECT x FROM (WITH a6 AS (SELECT 1 AS x) SELECT l.x FROM a6 l, a6 r, a6 s) t";
    assert!(!is_refused(&format!("{large} {hidden}")));
    assert!(is_refused(&format!("{large} SELECT l.x FROM a6 l, a6 r, a6 s")));
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
        Err(QueryError::Syntax { reason }) if reason.contains("written out as what it is") => true,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn expressions_that_double_are_counted_written_out() {
    let around = "SELECT count(*) FROM WITHIN WHERE x > 1";
    assert!(!too_long("x + x", 12, around).await);
    for expression in [
        "x + x",
        "CASE WHEN x > 1 THEN x ELSE 2 END",
        "CASE WHEN x > 1 THEN 1 WHEN x = 5 THEN 2 END",
        "coalesce(x, x)",
        "nullif(x, 1)",
        "CAST(floor(x) = 1.0 AS int)",
        "CAST(CAST(x AS varchar) ~ '1|2|3|4' AS int)",
        "CAST(regexp_like(CAST(x AS varchar), '1|2|3|4') AS int)",
    ] {
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

/// The columns of a side that hands on its own only are its own, whatever stands beside it.
#[tokio::test]
async fn a_join_does_not_hide_how_long_its_columns_are() {
    for join in [
        "(VALUES (1)) l(k) RIGHT SEMI JOIN LAST r ON l.k = r.k",
        "(VALUES (2)) l(k) RIGHT ANTI JOIN LAST r ON l.k = r.k",
        "LAST r LEFT SEMI JOIN (VALUES (1)) l(k) ON l.k = r.k",
        "(VALUES (1)) l(k) JOIN LAST r ON l.k = r.k",
        "LAST r, LATERAL (SELECT 1 AS y) l",
    ] {
        let mut within = "(SELECT 1 AS k, 1 AS x)".to_owned();
        for _ in 0..20 {
            let from = join.replace("LAST", &within);
            within = format!("(SELECT r.k, r.x + r.x AS x FROM {from})");
        }
        let sql = format!("SELECT count(*) FROM {within} z WHERE x > 1");
        let plan = SessionContext::new().state().create_logical_plan(&sql).await.unwrap();
        let refused = has_short_expressions(&plan).unwrap_err().to_string();
        assert!(refused.contains("more than 50000 parts"), "{join}: {refused}");
    }
}

#[tokio::test]
async fn texts_are_counted_as_often_as_they_are_written_out() {
    let text = |bytes: usize| "x".repeat(bytes);
    for (sql, is_refused) in [
        (format!("SELECT '{}'", text(16_000)), false),
        (format!("SELECT '{}'", text(17_000)), true),
        (format!("SELECT '{0}', '{0}' || 'x'", text(9_000)), true),
        (format!("SELECT x, x AS y, x AS z FROM (SELECT '{}' AS x)", text(9_000)), true),
        (format!("SELECT column1 FROM (VALUES ('{0}'), ('{0}'))", text(9_000)), false),
        (format!("SELECT count(*) FROM (VALUES ('a')) v(c) WHERE c <> '{}'", text(17_000)), true),
        (
            format!(
                "SELECT 1 FROM (VALUES ('a')) v(c) WHERE c IN ({})",
                vec!["'abc'"; 20_000].join(",")
            ),
            false,
        ),
        (format!("SELECT 1 FROM (VALUES ('a')) v(c) WHERE c IN (c, '{}')", text(17_000)), true),
    ] {
        let plan = SessionContext::new().state().create_logical_plan(&sql).await.unwrap();
        let told = has_short_expressions(&plan);
        assert_eq!(told.is_err(), is_refused, "{}", &sql[..60.min(sql.len())]);
        if let Err(error) = told {
            assert!(error.to_string().contains("texts of more than 16384 bytes"), "{error}");
        }
    }
}
