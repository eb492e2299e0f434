//! Three marts with their doors open, and one statement after the other through them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use martlet_query::{AccessPath, QueryError};

use crate::doors::in_process::{Engines, serve_another_mask};
use crate::doors::record::Expected;
use crate::doors::wire::Wire;
use crate::doors::{Answer, Door, Outcome};
use crate::grammar::small_groups::ROWS;
use crate::grammar::{Asker, Grammar, Judged, Statement};
use crate::oracles::Oracle;
use crate::oracles::canary::Watch;
use crate::oracles::logs::Logged;
use crate::oracles::remnants;
use crate::oracles::same::{Between, difference};
use crate::random::Random;
use crate::support::mart::Server;
use crate::worlds::tables::READER;
use crate::worlds::{SeenTable, Worlds, policy};

/// Something that an oracle says.
#[derive(Debug, Clone)]
pub struct Verdict {
    pub oracle: Oracle,
    pub what: String,
}

/// One mart with all its doors.
struct Place {
    engines: Engines,
    server: Server,
    expected: Mutex<Expected>,
}

/// The worlds of one round, open.
pub struct Lab {
    worlds: Worlds,
    places: [Place; 2],
    reference: Engines,
    watch: Watch,
    logged: Logged,
    reader: &'static str,
    /// Of two workers who publish at once one would be refused.
    publishing: tokio::sync::Mutex<()>,
}

/// One worker's sessions: the reader's on both servers, and somebody else's.
#[derive(Debug)]
pub struct Sessions {
    reader: [Wire; 2],
    other: [Wire; 2],
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Lab(..)")
    }
}

impl Lab {
    /// Builds the worlds of a seed and opens their doors to a reader. The worlds are alike to
    /// [`READER`] only: anybody else has to be told apart.
    ///
    /// # Errors
    /// If the rules of the worlds, which are sound, are not accepted or judged wrongly.
    pub async fn open(
        seed: u64,
        scale: usize,
        logged: Logged,
        reader: &'static str,
    ) -> Result<Self, QueryError> {
        let worlds = Worlds::build(seed, scale).await;
        let mut places = Vec::new();
        for mart in &worlds.pair {
            let engines = Engines::open(mart, reader).await?;
            engines.serve_another_mask().await?;
            let server = mart.serve().await;
            serve_another_mask(&server.engine).await?;
            places.push(Place { engines, server, expected: Mutex::default() });
        }
        let reference = Engines::open(&worlds.reference, READER).await?;
        let Ok(places) = <[Place; 2]>::try_from(places) else { panic!("there are two worlds") };
        let (watch, publishing) = (Watch::default(), tokio::sync::Mutex::default());
        Ok(Self { worlds, places, reference, watch, logged, reader, publishing })
    }

    /// What the reader sees of both worlds.
    #[must_use]
    pub fn seen(&self) -> &Arc<Vec<SeenTable>> {
        &self.worlds.seen
    }

    /// Signs one worker in.
    pub async fn sign_in(&self) -> Sessions {
        let address = |world: usize| self.address(world);
        Sessions {
            reader: [
                Wire::sign_in(address(0), self.reader).await,
                Wire::sign_in(address(1), self.reader).await,
            ],
            other: [
                Wire::sign_in(address(0), policy::OTHER).await,
                Wire::sign_in(address(1), policy::OTHER).await,
            ],
        }
    }

    /// Where a world's server listens.
    #[must_use]
    pub fn address(&self, world: usize) -> SocketAddr {
        self.places[world].server.address
    }

    /// The statement of that number and the door it takes.
    #[must_use]
    pub fn statement(&self, seed: u64, number: u64) -> (Statement, Door) {
        let statement = Grammar::statement_of(seed, number, &self.worlds.seen);
        let mut random = Random::of(seed, 3_000_000_000 + number);
        let door = Door::pick(&statement, &mut random);
        (statement, door)
    }

    /// What the oracles say of a statement through a door.
    pub async fn judge(
        &self,
        sessions: &mut Sessions,
        statement: &Statement,
        door: Door,
    ) -> Vec<Verdict> {
        self.judge_and_tell(sessions, statement, door).await.0
    }

    /// The same, and what the first world answered to the last of it.
    pub async fn judge_and_tell(
        &self,
        sessions: &mut Sessions,
        statement: &Statement,
        door: Door,
    ) -> (Vec<Verdict>, Outcome) {
        let (mut verdicts, mut told) = (Vec::new(), Outcome::default());
        for statement in statement.conversation() {
            let (more, outcome) = self.judge_one(sessions, &statement, door).await;
            verdicts.extend(more);
            told = outcome;
        }
        (verdicts, told)
    }

    async fn judge_one(
        &self,
        sessions: &mut Sessions,
        statement: &Statement,
        door: Door,
    ) -> (Vec<Verdict>, Outcome) {
        let sql = statement.sql();
        let first = self.ask(sessions, 0, statement, door, &sql).await;
        let second = self.ask(sessions, 1, statement, door, &sql).await;
        let mut verdicts = self.in_log();
        for (world, answer) in [&first, &second].into_iter().enumerate() {
            verdicts.extend(self.canaries(world, answer));
            let broken = answer.broken().map(|words| words.to_owned());
            verdicts.extend(broken.map(|what| Verdict { oracle: Oracle::Broken, what }));
        }
        let timed = matches!(statement.judged, Judged::Plan { timed: true }) && first.is_told();
        let told_apart = difference(&first, &second, statement, Between::Worlds).filter(|_| !timed);
        verdicts.extend(told_apart.map(|what| Verdict { oracle: Oracle::Worlds, what }));
        if statement.judged == Judged::Answer && asks_for_rows(door) {
            let of_copy = statement.sql_of_copy();
            let copy = self.reference.ask(AccessPath::ByCost, statement, &of_copy).await;
            let broken = copy.broken().map(|words| format!("asked of the copy: {words}"));
            verdicts.extend(broken.map(|what| Verdict { oracle: Oracle::Broken, what }));
            verdicts.extend(against_reference(&first, &copy, statement, door));
        }
        if let Judged::Denied { forbidden, missing } = statement.judged {
            let absent =
                self.ask(sessions, 0, statement, door, &sql.replace(forbidden, missing)).await;
            verdicts.extend(not_uniform(&first, &absent, (forbidden, missing), door));
        }
        verdicts.extend(not_refused_so(&first, statement));
        if statement.asker != Asker::Reader {
            verdicts.extend(too_small(&first));
        }
        (verdicts, first.told)
    }

    async fn ask(
        &self,
        sessions: &mut Sessions,
        world: usize,
        statement: &Statement,
        door: Door,
        sql: &str,
    ) -> Answer {
        let place = &self.places[world];
        if let Door::InProcess(paths) = door {
            return place.engines.ask(paths[world], statement, sql).await;
        }
        let expected = || place.expected.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, marked) = expected().marked(sql);
        let other = &mut sessions.other[world];
        let answer = match statement.asker {
            Asker::Reader => sessions.reader[world].ask(door, statement, &marked, other).await,
            Asker::Statistician { number } => {
                let asker = policy::statistician(number);
                let mut session = Wire::sign_in(self.address(world), &asker).await;
                session.ask(door, statement, &marked, other).await
            }
        };
        expected().note(number, door, &answer, sql);
        answer
    }

    fn canaries(&self, world: usize, answer: &Answer) -> Option<Verdict> {
        let canaries = &self.worlds.canaries[world];
        let found = self.watch.found_in(answer, canaries);
        let found = found.or_else(|| remnants::found(answer))?;
        Some(Verdict { oracle: Oracle::Canary, what: format!("world {}: {found}", world + 1) })
    }

    /// What was logged since the last time, by whichever statement of either world.
    fn in_log(&self) -> Vec<Verdict> {
        let logged = self.logged.take();
        let found = self.worlds.canaries.iter().filter_map(|of| self.watch.found(&logged, of));
        found.map(|what| Verdict { oracle: Oracle::Log, what }).collect()
    }

    /// Statements whose records are missing; looks only now and then unless it `must`.
    pub async fn unrecorded(&self, when: When) -> Vec<Verdict> {
        let mut verdicts = self.in_log();
        for (world, place) in self.places.iter().enumerate() {
            let due = {
                let mut expected = place.expected.lock().unwrap_or_else(PoisonError::into_inner);
                let is_due = when == When::AtTheEnd || expected.is_worth_looking();
                is_due.then(|| expected.handed_over())
            };
            let Some(mut due) = due else { continue };
            let missing = due.missing(self.address(world)).await;
            verdicts
                .extend(missing.into_iter().map(|what| Verdict { oracle: Oracle::Record, what }));
        }
        verdicts
    }

    /// Publishes a snapshot that changes nothing, so that tickets become old.
    pub async fn publish_again(&self) {
        let _alone = self.publishing.lock().await;
        for (mart, place) in self.worlds.pair.iter().zip(&self.places) {
            mart.apply_people(&policy::of_worlds()).await;
            place.server.engine.refresh().await.expect("a snapshot that fits");
        }
    }

    /// What must not leave one of the worlds.
    #[must_use]
    pub fn watched(&self, world: usize) -> Arc<crate::worlds::canaries::Canaries> {
        Arc::clone(&self.worlds.canaries[world])
    }
}

/// When a record is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Once enough has come together.
    NowAndThen,
    /// In any case.
    AtTheEnd,
}

/// Whether a door tells the statement's own rows, if it tells any.
const fn asks_for_rows(door: Door) -> bool {
    !matches!(door, Door::Catalog(_) | Door::ForeignTicket)
}

/// O3. The words of the wire and of the engine are of different sorts; that both refuse counts.
fn against_reference(
    answer: &Answer,
    copy: &Answer,
    statement: &Statement,
    door: Door,
) -> Option<Verdict> {
    let both_refuse = !answer.is_told() && !copy.is_told();
    if both_refuse && !matches!(door, Door::InProcess(_)) {
        return None;
    }
    let what = difference(answer, copy, statement, Between::Reference)?;
    Some(Verdict { oracle: Oracle::Reference, what: format!("not the copy's answer: {what}") })
}

/// What has to be refused, and for which reason.
fn not_refused_so(answer: &Answer, statement: &Statement) -> Option<Verdict> {
    let Judged::Refused { words: expected } = statement.judged else { return None };
    let what = match &answer.told {
        Outcome::Refused { words, .. } if words.contains(expected) => return None,
        Outcome::Refused { words, .. } => format!("not refused by `{expected}`: {words}"),
        Outcome::Rows { .. } => "it was answered".to_owned(),
    };
    Some(Verdict { oracle: Oracle::Denial, what })
}

/// The copy's groups are made by the same engine; that they are large enough is looked at here.
fn too_small(answer: &Answer) -> Option<Verdict> {
    let Outcome::Rows { batches, .. } = &answer.told else { return None };
    let counts = batches.iter().filter_map(|batch| batch.column_by_name(ROWS));
    let mut counts = counts.flat_map(|counts| counts.as_primitive::<Int64Type>().iter().flatten());
    let small = counts.find(|rows| *rows < policy::MINIMUM_GROUP)?;
    let what = format!("a group of {small} rows is told");
    Some(Verdict { oracle: Oracle::Reference, what })
}

/// O4.
fn not_uniform(
    forbidden: &Answer,
    missing: &Answer,
    (name, absent): (&str, &str),
    door: Door,
) -> Option<Verdict> {
    if matches!(door, Door::Catalog(_)) {
        return None;
    }
    let verdict = |what: String| Some(Verdict { oracle: Oracle::Denial, what });
    match (&forbidden.told, &missing.told) {
        (Outcome::Refused { sort: a, words: x }, Outcome::Refused { sort: b, words: y }) => {
            let y = y.replace(absent, name);
            (a != b || *x != y)
                .then_some(())
                .and_then(|()| verdict(format!("{a}, {x} and {b}, {y}")))
        }
        _ => verdict(format!("`{name}` or `{absent}` was not refused")),
    }
}
