use crate::parse::parse;

fn text(sql: &str) -> String {
    parse(sql).unwrap().statement.to_string()
}

#[test]
fn an_order_that_can_be_mistaken_is_by_outputs_alone() {
    for (order, by) in [
        ("1, 2", "1, 2"),
        ("a DESC NULLS LAST, d", "1 DESC NULLS LAST, 2"),
        ("A, count(*), \"a\"", "1, 3, 1"),
        ("count(*), 1", "3, 1"),
    ] {
        for cast in ["CAST(t.a AS DATE)", "TRY_CAST(a AS DATE)", "(t.a)::DATE", "\"a\"::INT::TEXT"]
        {
            let query = format!("SELECT t.b AS a, {cast} AS d, count(*) FROM t GROUP BY 1, 2");
            let sql = format!("{query} ORDER BY {order} LIMIT 3");
            let expected = format!("SELECT * FROM ({query}) AS outputs ORDER BY {by} LIMIT 3");
            assert_eq!(text(&sql), expected, "{sql}");
        }
    }
}

#[test]
fn other_queries_stay_as_they_are() {
    for sql in [
        "SELECT t.b AS a, CAST(t.a AS DATE) AS d FROM t ORDER BY 1",
        "SELECT DISTINCT t.b AS a, CAST(t.a AS DATE) AS d FROM t GROUP BY 1, 2 ORDER BY a",
        "SELECT CAST(t.a AS DATE) AS a, count(*) FROM t GROUP BY 1 ORDER BY a, 1",
        "SELECT t.b AS a, upper(t.a) AS d FROM t GROUP BY 1, 2 ORDER BY a",
        "SELECT t.b AS a, CAST(a + 1 AS INT) AS d FROM t GROUP BY 1, 2 ORDER BY a",
        "SELECT t.b AS a, CAST(t.a AS DATE) AS d FROM t GROUP BY 1, 2 ORDER BY d, \"A\", t.b",
        "SELECT t.b, CAST(t.a AS DATE) AS d FROM t GROUP BY 1, 2 ORDER BY 1",
        "SELECT 1 AS a UNION ALL SELECT CAST(a AS INT) FROM t GROUP BY 1 ORDER BY a",
    ] {
        assert_eq!(text(sql), sql);
    }
}

#[test]
fn queries_within_queries_and_explained_ones_are_ordered_so_too() {
    let inner = "SELECT 5 AS a, CAST(t.a AS DATE) AS d FROM t GROUP BY 2 ORDER BY a";
    for sql in [
        format!("EXPLAIN {inner}"),
        format!("WITH x AS ({inner}) SELECT * FROM x"),
        format!("SELECT * FROM ({inner}) AS x"),
        format!("SELECT (SELECT d FROM ({inner}) AS x)"),
    ] {
        assert!(text(&sql).contains("AS outputs ORDER BY 1"), "{sql}");
    }
}

#[test]
fn what_is_no_output_cannot_stand_beside_it() {
    let sql = "SELECT t.b AS a, CAST(t.a AS DATE) AS d FROM t GROUP BY 1, 2 ORDER BY a, sum(t.c)";
    let refused = parse(sql).expect_err("must be refused").to_string();
    assert!(refused.contains("give the output another name"), "{refused}");
}
