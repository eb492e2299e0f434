//! Attacks that worked elsewhere, each by its name and with the case it comes from.
//!
//! Each is asked at every door, in two worlds that differ in all that its reader must not see, and
//! of the filtered and masked copy (`prove`): what an attack is answered must be the same in
//! both, and the copy's. Beyond that it says what it has to come to, so that an attack that is
//! refused for a wrong reason is not taken for one that failed.

mod derived;
mod errors;
mod inference;
mod metadata;
mod remnants;
mod shapes;

use std::sync::OnceLock;

use martlet_query::AccessPath;
use martlet_tests::doors::{Door, Outcome};
use martlet_tests::grammar::sql::text;
use martlet_tests::grammar::{Asker, Closeness, Judged, Statement};
use martlet_tests::lab::{Lab, When};
use martlet_tests::oracles::logs::Logged;
use martlet_tests::worlds::policy::OTHER;
use martlet_tests::worlds::tables::READER;
use tokio::runtime::{Builder, Runtime};

use crate::support::Client;

/// What an attack has to come to.
#[derive(Debug, Clone, Copy)]
enum Comes {
    /// It is answered, out of what is visible.
    Answered,
    /// It is answered, and no row comes.
    ToNothing,
    /// It is refused.
    Refused,
    /// It is answered or fails, as the visible rows have it.
    ToEither,
    /// It tells names and types of what is visible.
    ToNames,
    /// It is refused as a plan that the reader may not see.
    ToNoPlan,
    /// It names something hidden, and is refused in the words for something that there is not.
    ToUnknown { forbidden: &'static str, missing: &'static str },
}

/// The lab lives as long as the process, and so does the runtime that its servers live on.
fn lab() -> &'static (Runtime, Lab) {
    static LAB: OnceLock<(Runtime, Lab)> = OnceLock::new();
    LAB.get_or_init(|| {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let lab = runtime.block_on(Lab::open(20_261_123, 400, Logged::listen(), READER)).unwrap();
        (runtime, lab)
    })
}

/// Tries each statement at every door.
fn attack(comes: Comes, statements: &[&str]) {
    let (runtime, lab) = lab();
    runtime.block_on(async {
        let mut sessions = lab.sign_in().await;
        for sql in statements {
            let statement = judged(comes, sql);
            for door in doors(comes) {
                let (verdicts, outcome) = lab.judge_and_tell(&mut sessions, &statement, door).await;
                let said: Vec<String> = verdicts
                    .iter()
                    .map(|verdict| format!("{}: {}", verdict.oracle.name(), verdict.what))
                    .collect();
                assert!(said.is_empty(), "{sql}\nat {door:?}\n{}", said.join("\n"));
                assert_came(comes, &outcome, sql, door);
            }
        }
        let unrecorded = lab.unrecorded(When::AtTheEnd).await;
        assert!(unrecorded.is_empty(), "{unrecorded:?}");
    });
}

/// Lets somebody else, who sees other rows, ask the same before.
fn ask_as_somebody_else(statements: &[&str]) {
    let (runtime, lab) = lab();
    runtime.block_on(async {
        for world in 0..2 {
            let mut other = Client::sign_in(lab.address(world), OTHER).await;
            for sql in statements {
                other.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
        }
    });
}

fn judged(comes: Comes, sql: &str) -> Statement {
    let judged = match comes {
        Comes::ToNames => Judged::Metadata,
        Comes::ToNoPlan => Judged::Plan { timed: false },
        Comes::ToUnknown { forbidden, missing } => Judged::Denied { forbidden, missing },
        Comes::Answered | Comes::ToNothing | Comes::Refused | Comes::ToEither => Judged::Answer,
    };
    Statement {
        body: text(sql),
        tail: None,
        judged,
        closeness: Closeness::Exact,
        may_fail: matches!(comes, Comes::ToEither),
        in_any_order: true,
        parameter: None,
        asker: Asker::Reader,
        before: Vec::new(),
    }
}

/// Every access path of the engine, another one in the second world too, and the ways of the wire.
fn doors(comes: Comes) -> Vec<Door> {
    let paths = AccessPath::ALL;
    let mut doors: Vec<Door> = paths.iter().map(|path| Door::InProcess([*path; 2])).collect();
    if !matches!(comes, Comes::ToNoPlan) {
        doors.push(Door::InProcess([paths[0], paths[paths.len() - 1]]));
    }
    doors.extend([Door::Statement, Door::Prepared, Door::OldTicket, Door::Described]);
    doors
}

fn assert_came(comes: Comes, outcome: &Outcome, sql: &str, door: Door) {
    let rows = match outcome {
        Outcome::Rows { batches, .. } => {
            Some(batches.iter().map(|batch| batch.num_rows()).sum::<usize>())
        }
        Outcome::Refused { .. } => None,
    };
    let is_told = !matches!(door, Door::Described);
    match comes {
        Comes::Answered | Comes::ToNames => {
            let more = rows.is_some_and(|rows| rows > 0 || !is_told);
            assert!(more, "nothing was answered to {sql} at {door:?}: {outcome:?}");
        }
        Comes::ToNothing => assert_eq!(rows, Some(0), "{sql} at {door:?}: {outcome:?}"),
        Comes::Refused | Comes::ToNoPlan | Comes::ToUnknown { .. } => {
            assert_eq!(rows, None, "{sql} was answered at {door:?}");
        }
        Comes::ToEither => {}
    }
}

/// What keeps the tests from passing for the wrong reason: with other eyes they do not.
#[test]
#[should_panic(expected = "two worlds")]
fn an_attack_that_works_is_noticed() {
    let (runtime, _) = lab();
    let lab = runtime.block_on(Lab::open(20_261_124, 100, Logged::listen(), OTHER)).unwrap();
    let statement = judged(Comes::Answered, "SELECT count(*), max(big) FROM customer");
    let verdicts = runtime.block_on(async {
        let mut sessions = lab.sign_in().await;
        lab.judge(&mut sessions, &statement, Door::Statement).await
    });
    let said: Vec<&str> = verdicts.iter().map(|verdict| verdict.oracle.name()).collect();
    assert!(said.is_empty(), "{}", said.join(", "));
}
