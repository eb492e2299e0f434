//! What statisticians are told: the plain answer without groups of few persons.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use martlet_query::AccessPath;

use super::bank::{answer, ask, bank, engine};
use crate::support::Client;

/// Statements, and what gives the same answer to who sees single rows (empty: the statement itself).
const USEFUL: [(&str, &str); 32] = [
    ("SELECT count(*) FROM customer", ""),
    ("SELECT count(1), count(score), avg(score) FROM customer", ""),
    (
        "SELECT outlet, count(*) FROM customer GROUP BY outlet",
        "SELECT outlet, count(*) FROM customer WHERE outlet <> 'd' GROUP BY outlet",
    ),
    (
        "SELECT segment, count(*), sum(balance) FROM customer WHERE gender = 'f' AND outlet <> 'c' GROUP BY segment",
        "SELECT segment, count(*), sum(balance) FROM customer WHERE gender = 'f' AND outlet <> 'c' \
         GROUP BY segment HAVING count(*) >= 10",
    ),
    (
        "SELECT segment, gender, count(*) AS n FROM customer GROUP BY segment, gender ORDER BY n DESC",
        "SELECT segment, gender, count(*) AS n FROM customer GROUP BY 1, 2 HAVING count(*) >= 10",
    ),
    ("SELECT count(DISTINCT customer_id), count(*) FROM customer", ""),
    (
        "SELECT CASE WHEN score < 3 THEN 'low' WHEN score >= 3 THEN 'high' ELSE 'none' END AS band, count(*) \
         FROM customer GROUP BY 1",
        "",
    ),
    ("SELECT quarter(born), count(*) FROM customer GROUP BY quarter(born)", ""),
    ("SELECT date_part('month', born) AS m, count(*) FROM customer GROUP BY m", ""),
    (
        "SELECT outlet, count(*) FROM customer GROUP BY outlet HAVING count(*) < 50",
        "SELECT outlet, count(*) FROM customer WHERE outlet <> 'd' GROUP BY outlet HAVING count(*) < 50",
    ),
    ("SELECT outlet FROM customer GROUP BY outlet ORDER BY count(*) LIMIT 1", "SELECT 'c'"),
    (
        "SELECT outlet FROM customer GROUP BY outlet ORDER BY count(*) DESC LIMIT 5 OFFSET 2",
        "SELECT 'c'",
    ),
    (
        "SELECT sum(n), count(*), max(n) FROM (SELECT outlet, count(*) AS n FROM customer GROUP BY outlet) t",
        "SELECT sum(n), count(*), max(n) FROM (SELECT outlet, count(*) AS n FROM customer WHERE outlet <> 'd' \
         GROUP BY outlet) t",
    ),
    (
        "SELECT outlet, 100.0 * count(*) / sum(count(*)) OVER () FROM customer GROUP BY outlet",
        "SELECT outlet, 100.0 * count(*) / sum(count(*)) OVER () FROM customer WHERE outlet <> 'd' GROUP BY outlet",
    ),
    (
        "WITH by_segment AS (SELECT segment, avg(balance) AS mean FROM customer WHERE outlet = 'a' GROUP BY segment) \
         SELECT segment, mean FROM by_segment WHERE mean > 0",
        "SELECT segment, avg(balance) FROM customer WHERE outlet = 'a' GROUP BY segment HAVING count(*) >= 10",
    ),
    ("SELECT count(*) FROM customer WHERE segment LIKE 'ma%' OR segment IN ('affluent', 'x')", ""),
    ("SELECT count(*) FROM customer WHERE segment ILIKE 'MA%' AND NOT score IS NULL", ""),
    (
        "SELECT count(*) FROM customer WHERE born BETWEEN DATE '1960-01-01' AND DATE '1979-12-31'",
        "",
    ),
    ("SELECT count(*) FROM customer WHERE balance > 1100 AND born < current_date", ""),
    ("SELECT count(*) FROM customer WHERE year(born) >= 1975 AND month(born) <= 6", ""),
    (
        "SELECT o.name, s.n FROM (SELECT outlet, count(*) AS n FROM customer GROUP BY outlet) s \
         JOIN outlet o ON o.code = s.outlet",
        "SELECT o.name, s.n FROM (SELECT outlet, count(*) AS n FROM customer WHERE outlet <> 'd' GROUP BY outlet) s \
         JOIN outlet o ON o.code = s.outlet",
    ),
    (
        "SELECT o.name, count(*) FROM customer c JOIN outlet o ON o.code = c.outlet GROUP BY o.name",
        "SELECT o.name, count(*) FROM customer c JOIN outlet o ON o.code = c.outlet WHERE o.code <> 'd' GROUP BY o.name",
    ),
    (
        "SELECT o.name, count(*) FROM outlet o RIGHT JOIN customer c ON c.outlet = o.code AND o.name <> 'Futian' \
         WHERE c.gender = 'f' AND (o.name IS NULL OR o.name = 'Nanshan') GROUP BY o.name",
        "",
    ),
    (
        "SELECT outlet, count(*) FROM customer GROUP BY outlet UNION ALL SELECT code, 0 FROM outlet",
        "SELECT outlet, count(*) FROM customer WHERE outlet <> 'd' GROUP BY outlet UNION ALL SELECT code, 0 FROM outlet",
    ),
    (
        "SELECT kind, count(*), sum(amount), count(DISTINCT customer_id) FROM account GROUP BY kind",
        "SELECT kind, count(*), sum(amount), count(DISTINCT customer_id) FROM account WHERE kind <> 'vault' GROUP BY kind",
    ),
    (
        "SELECT segment FROM customer GROUP BY segment",
        "SELECT segment FROM customer WHERE segment IS NULL OR segment <> 'private' GROUP BY segment",
    ),
    ("SELECT gender, count(*), grouping(gender) FROM customer GROUP BY ROLLUP (gender)", ""),
    (
        "SELECT gender, score IS NULL AS unknown, count(*) FROM customer GROUP BY CUBE (gender, score IS NULL)",
        "SELECT gender, score IS NULL AS unknown, count(*) FROM customer GROUP BY CUBE (gender, score IS NULL)",
    ),
    (
        "SELECT s, count(*) FROM (SELECT segment AS s, score AS p FROM customer WHERE outlet = 'a') x \
         WHERE p > 1 GROUP BY s",
        "SELECT segment, count(*) FROM customer WHERE outlet = 'a' AND score > 1 GROUP BY 1 HAVING count(*) >= 10",
    ),
    (
        "SELECT g, count(*) FROM (SELECT CASE WHEN gender = 'f' THEN 1 ELSE 2 END AS g FROM customer) x GROUP BY g",
        "",
    ),
    (
        "SELECT DISTINCT n > 50 FROM (SELECT count(*) AS n FROM customer GROUP BY outlet) x",
        "SELECT DISTINCT n > 50 FROM (SELECT count(*) AS n FROM customer WHERE outlet <> 'd' GROUP BY outlet) x",
    ),
    ("SELECT count(customer_id), avg(balance) FROM customer WHERE outlet = 'b'", ""),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn useful_questions_are_answered_as_they_would_be_without_small_groups() {
    let mart = bank().await;
    let plain = engine(&mart, AccessPath::Scan).await;
    for path in AccessPath::ALL {
        for (asked, same) in USEFUL {
            let same = if same.is_empty() { asked } else { same };
            let expected = answer(&plain, "pia", same).await;
            assert!(!expected.is_empty(), "{same} has an answer");
            // Nothing was told before: every question is the first.
            let engine = engine(&mart, path).await;
            assert_eq!(answer(&engine, "stan", asked).await, expected, "{path:?}: {asked}");
            // To him persons are counted by a column that is never shown.
            if !asked.contains("customer_id") {
                assert_eq!(answer(&engine, "carl", asked).await, expected, "{asked}");
            }
            assert_eq!(answer(&engine, "stan", asked).await, expected, "asked again: {asked}");
        }
    }
}

/// Statements that are understood, and whose answer tells nothing.
const HIDDEN: [&str; 24] = [
    "SELECT count(*) FROM customer WHERE outlet = 'd'",
    "SELECT count(*) FROM customer WHERE segment = 'private'",
    "SELECT count(*) FROM customer WHERE outlet = 'nowhere'",
    "SELECT count(*), sum(balance) FROM customer WHERE false",
    "SELECT count(*) FROM customer WHERE score > NULL",
    "SELECT count(*) FROM customer WHERE born = DATE '1963-02-15'",
    "SELECT born, count(*) FROM customer GROUP BY born",
    "SELECT balance, count(*) FROM customer GROUP BY balance",
    "SELECT year(born), month(born), count(*) FROM customer GROUP BY 1, 2",
    "SELECT outlet, segment, gender, born, score, count(*) FROM customer GROUP BY 1, 2, 3, 4, 5",
    "SELECT outlet FROM customer GROUP BY outlet HAVING count(*) < 10",
    "SELECT outlet FROM customer GROUP BY outlet HAVING count(*) = 5",
    "SELECT outlet FROM customer GROUP BY outlet HAVING outlet = 'd'",
    "SELECT outlet FROM customer GROUP BY outlet ORDER BY count(*) LIMIT 1 OFFSET 3",
    "SELECT 1 FROM customer GROUP BY outlet HAVING 1 / (count(*) - 5) > 0",
    "SELECT 1 / (count(*) - 5) FROM customer WHERE outlet = 'd'",
    "SELECT CAST('x' || count(*) AS INT) FROM customer WHERE outlet = 'd'",
    "SELECT s.n FROM (SELECT outlet, count(*) AS n FROM customer WHERE outlet = 'd' GROUP BY outlet) s \
     JOIN outlet o ON o.code = s.outlet",
    "SELECT * FROM (SELECT outlet, count(*) AS n FROM customer WHERE outlet = 'd' GROUP BY outlet) s \
     WHERE 1 / (n - 5) = 1",
    // One person has all of it, or nearly all.
    "SELECT kind, sum(amount), count(*) FROM account WHERE kind = 'vault' GROUP BY kind",
    "SELECT sum(balance) FROM customer WHERE outlet = 'c'",
    "SELECT outlet, avg(balance) FROM customer WHERE outlet = 'c' GROUP BY outlet",
    // 3 of outlet `c` have no score.
    "SELECT count(score) FROM customer WHERE outlet = 'c'",
    "SELECT count(*), avg(score) FROM customer WHERE outlet = 'c'",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_groups_are_absent_whatever_is_asked_of_them() {
    let mart = bank().await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    for sql in HIDDEN {
        for user in ["stan", "carl", "both"] {
            assert_eq!(answer(&engine, user, sql).await, Vec::<String>::new(), "{user}: {sql}");
        }
    }
    // The plain reader is told of them, or meets the error.
    assert_eq!(answer(&engine, "pia", HIDDEN[0]).await, ["5"]);
    assert!(
        ask(&engine, "pia", "SELECT 1 / (count(*) - 5) FROM customer WHERE outlet = 'd'")
            .await
            .is_err()
    );
    // Without a word about a column that has no values for some, and without its sum, `c` is told of.
    assert_eq!(
        answer(&engine, "stan", "SELECT count(*) FROM customer WHERE outlet = 'c'").await,
        ["15"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_are_made_of_visible_rows() {
    let mart = bank().await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    assert_eq!(answer(&engine, "lea", "SELECT count(*) FROM customer").await, ["100"]);
    let by_outlet = "SELECT outlet, count(*) FROM customer GROUP BY outlet";
    assert_eq!(answer(&engine, "lea", by_outlet).await, ["a|100"]);
    assert!(
        answer(&engine, "dan", "SELECT count(*) FROM customer").await.is_empty(),
        "five are visible"
    );
    assert!(answer(&engine, "dan", by_outlet).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_count_where_no_column_tells_persons_apart() {
    let mart = bank().await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    let by_kind = "SELECT kind, count(*) FROM account GROUP BY kind";
    assert_eq!(answer(&engine, "rob", by_kind).await, ["loan|100", "saving|300", "vault|100"]);
    let few = "SELECT kind, count(*) FROM account WHERE amount <= 360 GROUP BY kind";
    assert_eq!(answer(&engine, "rob", few).await, ["saving|27"], "nine loans");
    assert_eq!(
        answer(&engine, "stan", by_kind).await,
        ["loan|100", "saving|300"],
        "one person's vault"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_wire_nothing_else_is_told() {
    let mart = bank().await;
    let server = mart.serve().await;
    let mut stan = Client::sign_in(server.address, "stan").await;
    let hidden = "SELECT count(*) FROM customer WHERE outlet = 'd'";
    let told = "SELECT count(*) FROM customer WHERE outlet = 'a'";
    for sql in [hidden, told] {
        let info = stan.inner.execute(sql.into(), None).await.unwrap();
        assert_eq!((info.total_records, info.total_bytes), (-1, -1));
        for explained in [format!("EXPLAIN {sql}"), format!("EXPLAIN ANALYZE {sql}")] {
            let refused = stan.query(&explained).await.unwrap_err().to_string();
            assert!(refused.contains("explain is not granted"), "{refused}");
        }
    }
    assert_eq!(stan.number(told).await, 100);
    assert!(stan.texts(hidden).await.is_empty());
    assert!(
        stan.texts("SELECT table_name FROM system.table_index WHERE table_name = 'customer'")
            .await
            .is_empty()
    );

    let sql = "SELECT count(*) FROM customer WHERE outlet = $1 AND score > $2";
    let mut prepared = stan.inner.prepare(sql.into(), None).await.unwrap();
    for (outlet, score, expected) in [("a", 2, 1), ("d", 0, 0), ("b", 2, 1), ("a", 100, 0)] {
        let outlet: ArrayRef = Arc::new(StringArray::from(vec![outlet]));
        let score: ArrayRef = Arc::new(Int32Array::from(vec![score]));
        let row = RecordBatch::try_from_iter([("1", outlet), ("2", score)]).unwrap();
        prepared.set_parameters(row).unwrap();
        let info = prepared.execute().await.unwrap();
        let batches = stan.fetch(info).await.unwrap();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), expected);
    }
    // A parameter that cannot be computed with does not wait for a row to fail on.
    let sql = "SELECT count(*) FROM customer WHERE outlet = 'nowhere' AND born = CAST($1 AS DATE)";
    let mut prepared = stan.inner.prepare(sql.into(), None).await.unwrap();
    let day: ArrayRef = Arc::new(StringArray::from(vec!["no day"]));
    prepared.set_parameters(RecordBatch::try_from_iter([("1", day)]).unwrap()).unwrap();
    let failed = match prepared.execute().await {
        Ok(info) => stan.fetch(info).await.is_err(),
        Err(_) => true,
    };
    assert!(failed);
}
