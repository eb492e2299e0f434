//! Semi-joins above joins that stay, over several segments in several partitions: the filter goes
//! down to the side that has the column. The same questions with a plain join give the answers.

use martlet_query::AccessPath;

use super::best_groups::{PART, WHOLE, answer, engine, mart};

/// What is asked with a semi-join, and the same without one.
const ASKED: [(&str, &str); 5] = [
    (
        "SELECT a.line, b.kind FROM fact a JOIN fact b ON a.line = b.line
         WHERE a.line IN (SELECT line FROM fact WHERE points = 4) ORDER BY a.line",
        "SELECT a.line, b.kind FROM fact a JOIN fact b ON a.line = b.line
         JOIN (SELECT DISTINCT line FROM fact WHERE points = 4) k ON k.line = a.line ORDER BY a.line",
    ),
    (
        "SELECT a.line, b.kind, c.outlet FROM fact a JOIN fact b ON a.line = b.line
         JOIN fact c ON c.line = b.line
         WHERE b.line IN (SELECT line FROM fact WHERE points = 4) ORDER BY a.line",
        "SELECT a.line, b.kind, c.outlet FROM fact a JOIN fact b ON a.line = b.line
         JOIN fact c ON c.line = b.line
         JOIN (SELECT DISTINCT line FROM fact WHERE points = 4) k ON k.line = b.line ORDER BY a.line",
    ),
    (
        "SELECT a.line, b.amount FROM fact a JOIN fact b ON a.line = b.line + 1
         AND a.points > b.points WHERE a.customer IN (SELECT customer FROM fact WHERE kind = 'k3'
         AND points = -4) ORDER BY a.line",
        "SELECT a.line, b.amount FROM fact a JOIN fact b ON a.line = b.line + 1
         AND a.points > b.points JOIN (SELECT DISTINCT customer FROM fact WHERE kind = 'k3'
         AND points = -4) k ON k.customer = a.customer ORDER BY a.line",
    ),
    (
        "SELECT a.line, b.kind FROM fact a JOIN fact b ON a.line = b.line WHERE NOT EXISTS
         (SELECT 1 FROM fact k WHERE k.customer = b.customer AND k.points = 4) ORDER BY a.line",
        "SELECT a.line, b.kind FROM fact a JOIN fact b ON a.line = b.line LEFT JOIN (SELECT DISTINCT
         customer FROM fact WHERE points = 4) k ON k.customer = b.customer
         WHERE k.customer IS NULL ORDER BY a.line",
    ),
    (
        "SELECT s.kind, s.n, a.line FROM (SELECT kind, count(*) AS n FROM fact GROUP BY kind) s
         JOIN fact a ON a.kind = s.kind WHERE a.line IN (SELECT line FROM fact WHERE points = 4)
         ORDER BY a.line",
        "SELECT s.kind, s.n, a.line FROM (SELECT kind, count(*) AS n FROM fact GROUP BY kind) s
         JOIN fact a ON a.kind = s.kind
         JOIN (SELECT DISTINCT line FROM fact WHERE points = 4) k ON k.line = a.line ORDER BY a.line",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_below_joins_keeps_the_rows_of_one_above_them() {
    let mart = mart().await;
    for path in AccessPath::ALL {
        let engine = engine(&mart, path).await;
        for (asked, plain) in ASKED {
            for user in [WHOLE, PART] {
                let expected = answer(&engine, user, plain).await;
                assert!(!expected.is_empty(), "{plain}");
                assert_eq!(answer(&engine, user, asked).await, expected, "{user}: {asked}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_shows_the_filter_at_the_scan() {
    let mart = mart().await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    for (asked, _) in ASKED {
        // A sort may be put below the semi-join, and then stays there.
        let asked = asked.replace("ORDER BY a.line", "");
        let plan = answer(&engine, WHOLE, &format!("EXPLAIN {asked}")).await.concat();
        let physical = plan.split("physical_plan").nth(1).unwrap();
        assert!(!physical.contains("Semi") && !physical.contains("Anti"), "{asked}\n{plan}");
    }
}
