//! Each path that an operator forces is the one that is taken, and gives the answer of all others.

use martlet_query::AccessPath;

use super::best_groups::{PART, WHOLE, answer, engine, mart};

/// What tells a path in a plan: totals from indexes, only the best of them, a scan of only the
/// first rows, a filter by keys, indexes for conditions.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    totals: bool,
    best: bool,
    top: bool,
    keys: bool,
    indexes: bool,
}

impl Shown {
    const NOTHING: Self =
        Self { totals: false, best: false, top: false, keys: false, indexes: false };

    fn of(plan: &str) -> Self {
        let physical = plan.split("physical_plan").nth(1).unwrap();
        let has_some = |list: &str| {
            let lists = physical.split(list).skip(1);
            lists.into_iter().any(|rest| !rest.starts_with(']'))
        };
        Self {
            totals: physical.contains("IndexAggregate"),
            best: physical.contains(", best="),
            top: physical.contains(", top="),
            keys: has_some("key filters=["),
            indexes: has_some("indexes=["),
        }
    }
}

/// A question, and what its plan shows by cost, with totals wherever they are possible, and with
/// rows gathered. A scan shows none of it.
struct Asked {
    sql: &'static str,
    by_cost: Shown,
    totals: Shown,
    gather: Shown,
}

fn asked() -> [Asked; 8] {
    let nothing = || Shown::NOTHING;
    let totals = || Shown { totals: true, indexes: true, ..Shown::NOTHING };
    let indexes = || Shown { indexes: true, ..Shown::NOTHING };
    let best = || Shown { best: true, ..totals() };
    let top = || Shown { top: true, ..Shown::NOTHING };
    let keys = || Shown { keys: true, ..Shown::NOTHING };
    let asked = |sql, by_cost, totals, gather| Asked { sql, by_cost, totals, gather };
    [
        asked(
            "SELECT kind, count(*) AS n, sum(amount) AS total FROM fact
             WHERE outlet = 'v3' GROUP BY kind",
            totals(),
            totals(),
            indexes(),
        ),
        asked(
            "SELECT median(amount), count(DISTINCT customer) FROM fact",
            totals(),
            totals(),
            nothing(),
        ),
        asked(
            "SELECT customer, sum(amount) AS total FROM fact GROUP BY customer
             ORDER BY total DESC NULLS LAST, customer LIMIT 5",
            best(),
            best(),
            nothing(),
        ),
        // A group for each row is better left to the plain operator.
        asked("SELECT line, count(*) AS n FROM fact GROUP BY line", nothing(), totals(), nothing()),
        // So are expressions over a column of nearly as many values.
        asked(
            "SELECT line % 7 AS week, count(*) AS n FROM fact GROUP BY week",
            nothing(),
            totals(),
            nothing(),
        ),
        asked(
            "SELECT line, amount FROM fact ORDER BY amount DESC NULLS LAST, line LIMIT 7",
            top(),
            top(),
            nothing(),
        ),
        asked(
            "SELECT * FROM (SELECT kind, line, row_number() OVER
             (PARTITION BY kind ORDER BY line) AS place FROM fact) r WHERE place <= 2",
            top(),
            top(),
            nothing(),
        ),
        asked(
            "SELECT line, points FROM fact WHERE customer IN
             (SELECT customer FROM fact WHERE points = 4)",
            Shown { indexes: true, ..keys() },
            Shown { indexes: true, ..keys() },
            Shown { indexes: true, ..keys() },
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_is_taken_and_gives_the_same_answer() {
    let mart = mart().await;
    let plain = engine(&mart, AccessPath::Scan).await;
    for path in AccessPath::ALL {
        let engine = engine(&mart, path).await;
        for Asked { sql, by_cost, totals, gather } in asked() {
            let plan = answer(&engine, WHOLE, &format!("EXPLAIN {sql}")).await.concat();
            let expected = match path {
                AccessPath::ByCost => by_cost,
                AccessPath::Totals => totals,
                AccessPath::Gather => gather,
                AccessPath::Scan => Shown::NOTHING,
            };
            assert_eq!(Shown::of(&plan), expected, "{path:?}: {sql}\n{plan}");
            for user in [WHOLE, PART] {
                let sorted = async |of| {
                    let mut rows = answer(of, user, sql).await;
                    rows.sort();
                    rows
                };
                let found = sorted(&engine).await;
                assert!(!found.is_empty(), "{user}: {sql}");
                assert_eq!(found, sorted(&plain).await, "{path:?}, {user}: {sql}");
            }
        }
    }
}

/// What a greatest value of a column lets a scan leave out is needed by others beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extremes_of_a_column_leave_those_of_an_expression_alone() {
    let mart = mart().await;
    for path in AccessPath::ALL {
        let engine = engine(&mart, path).await;
        for user in [WHOLE, PART] {
            let alone = answer(&engine, user, "SELECT min(0 - line) FROM fact").await;
            let beside = "SELECT low FROM (SELECT max(amount), min(0 - line) AS low FROM fact) e";
            let written = "SELECT max(amount), min(0 - line) FROM fact";
            let both = answer(&engine, user, written).await;
            assert!(both[0].ends_with(&alone[0]), "{path:?}, {user}: {both:?} and {alone:?}");
            assert_eq!(answer(&engine, user, beside).await, alone, "{path:?}, {user}");
        }
    }
}
