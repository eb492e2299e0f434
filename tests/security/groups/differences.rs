//! What is told of one group beside others, in one statement and in several: no difference and no
//! other combination speaks of few persons.

use martlet_query::AccessPath;

use super::bank::{answer, bank, engine};
use crate::support::Client;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn totals_take_the_smallest_of_their_parts_with_them() {
    let mart = bank().await;
    // Five persons are the total less the others: so the next smallest, 15, is left out too.
    let rolled_up = "SELECT outlet, count(*) FROM customer GROUP BY ROLLUP (outlet)";
    let expected = ["a|100", "b|80", "|200"];
    let groups = "SELECT outlet, gender, count(*) FROM customer GROUP BY CUBE (outlet, gender)";
    let sets = "SELECT outlet, count(*) FROM customer GROUP BY GROUPING SETS ((outlet), ())";
    for path in AccessPath::ALL {
        for sql in [rolled_up, sets] {
            let engine = engine(&mart, path).await;
            assert_eq!(answer(&engine, "stan", sql).await, expected, "{path:?}: {sql}");
        }
        let engine = engine(&mart, path).await;
        let cube = answer(&engine, "stan", groups).await;
        assert!(cube.contains(&"||200".to_owned()), "{cube:?}");
        assert!(cube.contains(&"a|f|50".to_owned()), "{cube:?}");
        assert!(cube.iter().all(|row| !row.starts_with('c') && !row.starts_with('d')), "{cube:?}");
    }
}

/// What is asked first, one after the other, and then what would tell of few persons beside it.
const ATTACKS: [(&[&str], &str); 17] = [
    (
        &["SELECT count(*) FROM customer"],
        "SELECT count(*) FROM customer WHERE segment IS NULL OR segment <> 'private'",
    ),
    (&["SELECT count(*) FROM customer"], "SELECT count(*) FROM customer WHERE outlet <> 'd'"),
    (&["SELECT count(*) FROM customer WHERE outlet <> 'd'"], "SELECT count(*) FROM customer"),
    (&["SELECT outlet, count(*) FROM customer GROUP BY outlet"], "SELECT count(*) FROM customer"),
    (
        &["SELECT outlet, count(*) FROM customer GROUP BY outlet"],
        "SELECT count(*) FROM customer WHERE outlet IN ('c', 'd')",
    ),
    (
        &["SELECT avg(score) FROM customer WHERE outlet = 'a'"],
        "SELECT avg(score) FROM customer WHERE outlet = 'a' AND NOT (born = DATE '1963-02-15')",
    ),
    (
        &["SELECT count(*) FROM customer WHERE outlet = 'a'"],
        "SELECT count(*) FROM customer WHERE outlet = 'a' AND NOT (born = DATE '1963-02-15' AND balance > 1000)",
    ),
    // One for another: neither contains the other.
    (
        &["SELECT count(*) FROM customer WHERE born <> DATE '1963-02-15'"],
        "SELECT count(*) FROM customer WHERE born <> DATE '1964-03-15'",
    ),
    // Two that are told, and what they have in common.
    (
        &[
            "SELECT count(*) FROM customer WHERE outlet = 'a'",
            "SELECT count(*) FROM customer WHERE outlet = 'b'",
        ],
        "SELECT count(*) FROM customer WHERE outlet = 'b' OR born = DATE '1963-02-15'",
    ),
    // The whole less two parts.
    (
        &[
            "SELECT count(*) FROM customer",
            "SELECT count(*) FROM customer WHERE outlet = 'a'",
            "SELECT count(*) FROM customer WHERE outlet = 'b'",
        ],
        "SELECT count(*) FROM customer WHERE outlet = 'c'",
    ),
    // Parts of parts: 15 of `c` are told, and of its seven women nothing follows.
    (
        &["SELECT outlet, count(*) FROM customer GROUP BY outlet"],
        "SELECT count(*) FROM customer WHERE outlet = 'a' OR outlet = 'c' AND gender = 'f'",
    ),
    // The same persons, but for a row of one.
    (
        &["SELECT sum(amount) FROM account WHERE kind <> 'vault'"],
        "SELECT sum(amount) FROM account WHERE kind <> 'vault' AND account_id <> 7",
    ),
    (&["SELECT count(*) FROM account WHERE kind <> 'vault'"], "SELECT count(*) FROM account"),
    // Through groups, orders and conditions that are asked of what is told.
    (
        &["SELECT max(n) FROM (SELECT outlet, count(*) AS n FROM customer GROUP BY outlet) x"],
        "SELECT count(*) FROM customer WHERE outlet = 'd' OR outlet = 'a'",
    ),
    (
        &["SELECT outlet FROM customer GROUP BY outlet LIMIT 1"],
        "SELECT count(*) FROM customer WHERE outlet = 'd' OR outlet = 'b'",
    ),
    // Persons who have both.
    (
        &["SELECT count(DISTINCT customer_id) FROM account WHERE account_id <= 99"],
        "SELECT count(DISTINCT customer_id) FROM account WHERE account_id >= 100",
    ),
    // Columns without values: who has none follows from what is told.
    (
        &["SELECT count(*) FROM customer WHERE outlet = 'c'"],
        "SELECT count(*) FROM customer WHERE outlet = 'c' AND score IS NOT NULL",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_later_question_tells_of_few_beside_the_earlier_ones() {
    let mart = bank().await;
    for path in [AccessPath::ByCost, AccessPath::Scan] {
        for (first, last) in ATTACKS {
            let engine = engine(&mart, path).await;
            assert_eq!(answer(&engine, "sue", last).await.len(), 1, "told by itself: {last}");
            for sql in first {
                assert!(!answer(&engine, "stan", sql).await.is_empty(), "told by itself: {sql}");
            }
            let told = answer(&engine, "stan", last).await;
            assert_eq!(told, Vec::<String>::new(), "{path:?}: {last} after {first:?}");
        }
    }
}

/// What a total leaves behind is judged like a sum of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sum_is_one_persons_by_subtraction() {
    let mart = bank().await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    // The vault's 45050 are one person's, beside nine who have 30 to 190 each.
    let sql = "SELECT g, sum(amount) FROM (SELECT amount, CASE WHEN kind = 'vault' OR \
               amount IN (30, 50, 70, 90, 110, 130, 150, 170, 190) THEN 1 ELSE 0 END AS g FROM account) x \
               GROUP BY ROLLUP (g)";
    assert_eq!(answer(&engine, "pia", sql).await, ["0|801010", "1|46040", "|847050"]);
    assert_eq!(answer(&engine, "stan", sql).await, ["|847050"], "either part would tell the other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_come_in_the_order_of_what_is_shown() {
    let mart = bank().await;
    for path in AccessPath::ALL {
        let engine = engine(&mart, path).await;
        let first = "SELECT gender FROM customer GROUP BY gender LIMIT 1";
        assert_eq!(
            answer(&engine, "stan", first).await,
            ["f"],
            "{path:?}: the first customer is a man"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fits_with_the_earlier_questions_is_answered() {
    let mart = bank().await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    for (sql, expected) in [
        ("SELECT count(*) FROM customer", "200"),
        ("SELECT count(*) FROM customer WHERE outlet = 'a'", "100"),
        ("SELECT count(*) FROM customer WHERE outlet <> 'a'", "100"),
        ("SELECT count(*) FROM customer WHERE gender = 'f'", "100"),
        ("SELECT count(*) FROM customer WHERE outlet = 'a' AND gender = 'm'", "50"),
        ("SELECT count(*), count(DISTINCT customer_id) FROM customer", "200|200"),
    ] {
        assert_eq!(answer(&engine, "stan", sql).await, [expected], "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_is_the_persons_and_not_the_sessions() {
    let mart = bank().await;
    let server = mart.serve().await;
    let (all, but_few) =
        ("SELECT count(*) FROM customer", "SELECT count(*) FROM customer WHERE outlet <> 'd'");
    let mut stan = Client::sign_in(server.address, "stan").await;
    assert_eq!(stan.number(all).await, 200);
    let mut again = Client::sign_in(server.address, "stan").await;
    assert!(again.texts(but_few).await.is_empty());
    let mut prepared = again.inner.prepare(but_few.into(), None).await.unwrap();
    let info = prepared.execute().await.unwrap();
    assert!(again.fetch(info).await.unwrap().iter().all(|batch| batch.num_rows() == 0));
    // Of a table as it was before, under the ticket of then, nothing else is told.
    let kept = stan.inner.execute(but_few.into(), None).await.unwrap();
    assert!(stan.fetch(kept).await.unwrap().iter().all(|batch| batch.num_rows() == 0));
    let mut sue = Client::sign_in(server.address, "sue").await;
    assert_eq!(sue.number(but_few).await, 195, "hers begins with her");
}
