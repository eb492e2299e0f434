//! Fewer rules, the same plan.

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionContext;

use super::*;

/// Questions to one table, of every shape.
const OF_ONE: [&str; 23] = [
    "SELECT 1 FROM t",
    "SELECT * FROM t",
    "SELECT count(*) FROM t",
    "SELECT a, b FROM t WHERE a = 5 AND b > 2 + 3",
    "SELECT a + 1 AS c FROM t WHERE a + 1 > 5 ORDER BY c DESC LIMIT 10 OFFSET 3",
    "SELECT * FROM t WHERE 1 = 0",
    "SELECT * FROM t WHERE a = 1 OR a = 2 OR a = 3 OR a = 4",
    "SELECT b, count(*), sum(a) FROM t GROUP BY b",
    "SELECT b, b AS c, count(*) FROM t GROUP BY b, b HAVING count(*) > 1 AND b > 'x' ORDER BY 3",
    "SELECT b, count(DISTINCT a) FROM t GROUP BY b",
    "SELECT count(DISTINCT a), count(DISTINCT b) FROM t",
    "SELECT DISTINCT a, b FROM t WHERE d > DATE '2026-01-01'",
    "SELECT extract(year FROM d) AS y, avg(a) FROM t WHERE extract(month FROM d) = 3 GROUP BY y",
    "SELECT date_trunc('month', d) AS m, sum(a) FROM t WHERE d >= '2026-01-01' GROUP BY m",
    "SELECT s.a FROM (SELECT a, b FROM t WHERE b LIKE 'x%') s WHERE s.a > 5",
    "SELECT * FROM (SELECT b, sum(a) AS s FROM t GROUP BY b) WHERE s > 5 AND b <> 'y'",
    "SELECT a * 2 + 1, a * 2 + 2, upper(b) FROM t WHERE upper(b) = 'X' OR upper(b) = 'Y'",
    "SELECT b, 'k' AS k, sum(a) FROM t GROUP BY b, 'k'",
    "SELECT b, sum(a) FILTER (WHERE d IS NULL) FROM t GROUP BY ROLLUP (b, d)",
    "SELECT max(a) FROM t WHERE a BETWEEN 1 AND 5 AND NOT (b IN ('x', 'y'))",
    "SELECT CASE WHEN a > 0 THEN b END FROM t WHERE coalesce(a, 0) > 5",
    "SELECT * FROM t WHERE b = 'x' AND b = 'x' AND (a = 1 OR (a = 1 AND d IS NULL))",
    "SELECT b FROM t GROUP BY b ORDER BY max(a) DESC, b LIMIT 3",
];

const OF_SEVERAL: [&str; 6] = [
    "SELECT * FROM (SELECT * FROM t ORDER BY a LIMIT 5) WHERE a > 3 ORDER BY b",
    "SELECT * FROM t x JOIN t y ON x.a = y.a",
    "SELECT a FROM t UNION ALL SELECT a FROM t",
    "SELECT a FROM t WHERE a IN (SELECT a FROM t)",
    "SELECT a, (SELECT max(a) FROM t) FROM t",
    "EXPLAIN SELECT a FROM t",
];

/// The plan as text, without the running numbers of expressions that are computed once.
fn unnumbered(plan: &LogicalPlan) -> String {
    const NAME: &str = "__common_expr_";
    let text = plan.display_indent().to_string();
    let mut parts = text.split(NAME);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + NAME + part.trim_start_matches(|digit: char| digit.is_ascii_digit())
    })
}

async fn planned(context: &SessionContext, sql: &str) -> LogicalPlan {
    context.state().create_logical_plan(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

async fn context() -> SessionContext {
    let state = SessionStateBuilder::new_with_default_features();
    let state = state.with_optimizer_rules(of_any_tables()).build();
    let context = SessionContext::new_with_state(state);
    let table = "CREATE TABLE t (a INT, b VARCHAR, d DATE) AS VALUES (1, 'x', DATE '2026-01-01')";
    context.sql(table).await.unwrap();
    context
}

#[tokio::test]
async fn fewer_rules_in_one_pass_give_the_same_plan() {
    let context = context().await;
    for sql in OF_ONE {
        let plan = planned(&context, sql).await;
        assert!(asks_one_table(&plan).unwrap(), "{sql}");
        let state = context.state();
        let whole = unnumbered(&state.optimize(&plan).unwrap());
        let short = unnumbered(&optimized(plan, &state).unwrap());
        assert_eq!(short, whole, "{sql}");
    }
}

#[tokio::test]
async fn what_asks_several_tables_or_limits_within_gets_every_rule() {
    let context = context().await;
    for sql in OF_SEVERAL {
        assert!(!asks_one_table(&planned(&context, sql).await).unwrap(), "{sql}");
    }
}

#[test]
fn every_rule_that_is_left_out_exists() {
    let known = Optimizer::new();
    let names: Vec<&str> = known.rules.iter().map(|rule| rule.name()).collect();
    for name in OF_SEVERAL_TABLES.into_iter().chain([SPLITS_DISTINCT_COUNTS]) {
        assert!(names.contains(&name), "{name}");
    }
}
