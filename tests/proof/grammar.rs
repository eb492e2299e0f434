//! The grammar's promise: a statement that is compared determines its answer.

use std::sync::Arc;

use martlet_query::AccessPath;
use martlet_tests::doors::{Door, Outcome};
use martlet_tests::grammar::{Asker, Closeness, Grammar, Judged, Statement};
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
    let lab = Lab::open(SEED, 50, Logged::listen(), READER).await.unwrap();
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

/// What a kind of statement is called, what is of it, and how many of 40 have to tell rows at least.
type Kind = (&'static str, fn(&Statement) -> bool, usize);

/// A kind of statement that is mostly refused, or finds nothing, proves nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_of_each_kind_tell_rows() {
    let kinds: [Kind; 4] = [
        // Whether they fail is most of what they tell.
        ("what fails below something", |statement| statement.judged == Judged::Worlds, 5),
        // Half of them ask for what nobody sees.
        ("look-ups", |statement| statement.sql() != statement.sql_of_copy(), 10),
        ("groups", |statement| is_answer(statement) && statement.asker != Asker::Reader, 20),
        (
            "conditions only",
            |statement| {
                let sql = statement.sql();
                is_answer(statement) && (sql.contains(".borrower") || sql.contains(".income"))
            },
            20,
        ),
    ];
    // As many rows as the proof has: of fewer, most groups are too small to be told.
    let lab = Lab::open(SEED, 2_000, Logged::listen(), READER).await.unwrap();
    let mut sessions = lab.sign_in().await;
    for (kind, is_of_kind, least) in kinds {
        let mut told = 0;
        for statement in statements(lab.seen()).filter(is_of_kind).take(40) {
            let door = Door::InProcess([AccessPath::ByCost; 2]);
            let (verdicts, outcome) = lab.judge_and_tell(&mut sessions, &statement, door).await;
            assert!(verdicts.is_empty(), "{}: {verdicts:?}", statement.sql());
            let Outcome::Rows { batches, .. } = outcome else { continue };
            told += usize::from(batches.iter().any(|batch| batch.num_rows() > 0));
        }
        assert!(told >= least, "of 40 {kind} {told} told rows");
    }
}

fn is_answer(statement: &Statement) -> bool {
    statement.judged == Judged::Answer
}
