//! A whole run: rounds of worlds, workers that draw statements, findings made small.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use martlet_query::QueryError;
use tokio::task::JoinSet;

use crate::grammar::Statement;
use crate::lab::{Lab, Sessions, When};
use crate::oracles::Oracle;
use crate::oracles::logs::Logged;
use crate::report::{Finding, Report};
use crate::shrink::shrunk;
use crate::worlds::tables::READER;

/// Statements that are asked of the same worlds.
pub const IN_ONE_ROUND: u64 = 5_000;
/// After so many statements a worker publishes a snapshot, so that tickets become old.
const PUBLISHED_EVERY: u64 = 500;
/// Findings that are made small; of more than these the cause is hardly another.
const SHRUNK_MAX: usize = 12;

/// When a run ends before all statements are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    Never,
    /// Whoever asks whether anything can be found needs no more, and not in small.
    AtTheFirstFinding,
}

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    /// The number of the first statement: a finding is asked again by it alone.
    pub first: u64,
    pub statements: u64,
    /// Visible rows of the largest table.
    pub scale: usize,
    pub workers: usize,
    pub ends: Ends,
}

/// Who is told while a run goes on.
pub trait Watcher: Send + Sync {
    /// One more statement was judged.
    fn judged(&self);
    /// Something was found.
    fn found(&self, finding: &Finding);
}

struct Round {
    lab: Lab,
    plan: Plan,
    /// The seed of the round's worlds.
    seed: u64,
    next: AtomicU64,
    until: u64,
    report: Arc<Mutex<Report>>,
    watcher: Arc<dyn Watcher>,
}

/// Runs a plan, each worker as a task of its own.
///
/// # Panics
/// If a worker does: what is asked is caught where it is asked, so the proof itself is at fault.
pub async fn run(plan: Plan, watcher: Arc<dyn Watcher>) -> Report {
    let logged = Logged::listen();
    let nothing_yet = Report { seed: plan.seed, first: plan.first, ..Report::default() };
    let report = Arc::new(Mutex::new(nothing_yet));
    let end = plan.first + plan.statements;
    let mut at = plan.first;
    while at < end && !plan.has_enough(&report) {
        let number = at / IN_ONE_ROUND;
        let until = end.min((number + 1) * IN_ONE_ROUND);
        let seed = plan.seed.wrapping_add(number.wrapping_mul(1_000_003));
        let lab = match Lab::open(seed, plan.scale, logged.clone(), READER).await {
            Ok(lab) => lab,
            Err(error) => {
                let finding = not_opened(plan.seed, at, &error);
                watcher.found(&finding);
                report.lock().unwrap_or_else(PoisonError::into_inner).findings.push(finding);
                break;
            }
        };
        let round = Arc::new(Round {
            lab,
            plan,
            seed,
            next: AtomicU64::new(at),
            until,
            report: Arc::clone(&report),
            watcher: Arc::clone(&watcher),
        });
        let mut workers = JoinSet::new();
        for _ in 0..plan.workers.max(1) {
            let round = Arc::clone(&round);
            workers.spawn(async move { round.work().await });
        }
        workers.join_all().await;
        round.record(When::AtTheEnd, until).await;
        at = until;
    }
    let mut report = std::mem::take(&mut *report.lock().unwrap_or_else(PoisonError::into_inner));
    // Which worker was faster does not matter.
    report.findings.sort_by_key(|finding| finding.number);
    report
}

impl Plan {
    fn has_enough(&self, report: &Mutex<Report>) -> bool {
        let has_found =
            || !report.lock().unwrap_or_else(PoisonError::into_inner).findings.is_empty();
        self.ends == Ends::AtTheFirstFinding && has_found()
    }
}

impl Round {
    async fn work(&self) {
        let mut sessions = self.lab.sign_in().await;
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.until || self.plan.has_enough(&self.report) {
                return;
            }
            self.one(&mut sessions, number).await;
            if number % PUBLISHED_EVERY == PUBLISHED_EVERY - 1 {
                self.lab.publish_again().await;
            }
            self.record(When::NowAndThen, number).await;
        }
    }

    async fn one(&self, sessions: &mut Sessions, number: u64) {
        let (statement, door) = self.lab.statement(self.seed, number);
        let (verdicts, outcome) = self.lab.judge_and_tell(sessions, &statement, door).await;
        self.with_report(|report| report.count_in(&statement, outcome));
        for verdict in verdicts {
            let many = self.with_report(|report| report.findings.len()) >= SHRUNK_MAX;
            let is_as_it_is = many || verdict.oracle == Oracle::Log;
            let (small, said) = if is_as_it_is || self.plan.ends == Ends::AtTheFirstFinding {
                (statement.clone(), None)
            } else {
                shrunk(&self.lab, sessions, statement.clone(), door, verdict.oracle).await
            };
            self.found(Finding {
                oracle: verdict.oracle,
                seed: self.plan.seed,
                number,
                door: Some(door),
                sql: told(&small),
                what: said.unwrap_or(verdict.what),
            });
        }
        self.watcher.judged();
    }

    async fn record(&self, when: When, number: u64) {
        for verdict in self.lab.unrecorded(when).await {
            self.found(Finding {
                oracle: verdict.oracle,
                seed: self.plan.seed,
                number,
                door: None,
                sql: "in the audit record".into(),
                what: verdict.what,
            });
        }
    }

    fn found(&self, finding: Finding) {
        self.watcher.found(&finding);
        self.with_report(|report| report.findings.push(finding));
    }

    fn with_report<T>(&self, act: impl FnOnce(&mut Report) -> T) -> T {
        act(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// All that was asked one after the other.
fn told(statement: &Statement) -> String {
    let all: Vec<String> = statement.conversation().iter().map(Statement::sql).collect();
    all.join(";\n  ")
}

/// Rules that were accepted as long as they were judged rightly.
fn not_opened(seed: u64, number: u64, error: &QueryError) -> Finding {
    let what = format!("the worlds' rules are refused or judged wrongly: {error}");
    let sql = "before any statement".into();
    Finding { oracle: Oracle::Broken, seed, number, door: None, sql, what }
}
