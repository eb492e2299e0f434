//! The grammar's promise: a statement that is compared determines its answer.

use std::sync::Arc;

use martlet_query::AccessPath;
use martlet_tests::doors::{Door, Outcome};
use martlet_tests::grammar::{Closeness, Grammar, Statement};
use martlet_tests::lab::Lab;
use martlet_tests::oracles::logs::Logged;
use martlet_tests::worlds::tables::READER;
use martlet_tests::worlds::{SeenTable, Worlds};

const SEED: u64 = 9;
/// Answers of a kind that are looked at.
const WANTED: usize = 5;

fn statements(seen: &Arc<Vec<SeenTable>>) -> impl Iterator<Item = Statement> {
    let seen = Arc::clone(seen);
    (0..60_000).map(move |number| Grammar::statement_of(SEED, number, &seen))
}

/// How many columns an order names.
fn places(statement: &Statement) -> Option<usize> {
    Some(statement.tail.as_ref()?.order_by.split(", ").count())
}

#[tokio::test]
async fn of_rows_that_are_ordered_by_what_rounds_all_are_wanted() {
    let seen = Worlds::build(SEED, 50).await.seen;
    let close: Vec<Statement> = statements(&seen)
        .take(4_000)
        .filter(|statement| statement.closeness == Closeness::Close && statement.tail.is_some())
        .collect();
    assert!(close.len() > 50, "{}", close.len());
    let cut = close
        .iter()
        .find(|statement| statement.tail.as_ref().is_some_and(|tail| tail.limit.is_some()));
    assert!(cut.is_none(), "{}", cut.unwrap().sql());
}

/// Two rows that differ in a column which the order leaves out could stand either way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_over_all_columns_names_each_of_them() {
    let lab = Lab::open(SEED, 50, Logged::listen(), READER).await;
    let mut sessions = lab.sign_in().await;
    let all = |statement: &Statement| {
        statement.tail.is_some() && statement.sql().starts_with("SELECT * FROM")
    };
    let mut told = [0, 0];
    for statement in statements(lab.seen()).filter(all) {
        let of_which = usize::from(!statement.sql().contains("CROSS JOIN"));
        if told[of_which] >= WANTED {
            continue;
        }
        let door = Door::InProcess([AccessPath::ByCost; 2]);
        let (_, outcome) = lab.judge_and_tell(&mut sessions, &statement, door).await;
        let Outcome::Rows { schema, .. } = outcome else { continue };
        assert_eq!(places(&statement), Some(schema.fields().len()), "{}", statement.sql());
        told[of_which] += 1;
        if told == [WANTED; 2] {
            return;
        }
    }
    panic!("too few of them: {told:?}");
}
