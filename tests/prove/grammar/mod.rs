//! Random statements over all SQL that Martlet accepts, and much that it refuses.
//!
//! A statement's answer is determined: where rows have no order, they are compared as a
//! multiset; where only some are wanted, the order tells any two different rows apart; what may
//! fail on a row fails in every plan alike.

mod conditions_only;
mod expressions;
mod failing;
mod look_ups;
mod others;
mod queries;
pub mod scope;
pub mod small_groups;
pub mod sql;
mod totals;

use std::sync::Arc;

use martlet_core::ColumnType;

use crate::random::Random;
use crate::worlds::SeenTable;
use crate::worlds::cell::Cell;
use sql::{Of, Sql};
pub use totals::Closeness;

/// What is asked of a statement's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// Equal in both worlds, and what the reference says.
    Answer,
    /// Equal in both worlds; the reference has other metadata.
    Metadata,
    /// Equal in both worlds on the same path; the reference may fail on a row where they do not,
    /// and the other way round.
    Worlds,
    /// As metadata; with measured times nothing but canaries can be looked for.
    Plan { timed: bool },
    /// Refused, in the same words as a name that there is not.
    Denied { forbidden: &'static str, missing: &'static str },
    /// Refused in words that hold these; a refusal for another reason proves nothing.
    Refused { words: &'static str },
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    Reader,
    /// One who is told groups only, and asks nothing else.
    Statistician {
        number: u64,
    },
}

/// The order of an answer's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    pub order_by: String,
    pub limit: Option<String>,
}

/// One statement, and how to judge its answers.
#[derive(Debug, Clone)]
pub struct Statement {
    pub body: Sql,
    pub tail: Option<Tail>,
    pub judged: Judged,
    pub closeness: Closeness,
    /// Whether a visible row may make it fail.
    pub may_fail: bool,
    /// Whether an ORDER BY of its own leaves ties.
    pub in_any_order: bool,
    /// The value of its one parameter.
    pub parameter: Option<(Cell, ColumnType)>,
    pub asker: Asker,
    /// What the same person asks before, where that has to do with the answer.
    pub before: Vec<Sql>,
}

impl Statement {
    /// The text.
    #[must_use]
    pub fn sql(&self) -> String {
        self.written(Of::Worlds)
    }

    /// The text that asks the same of the copy.
    #[must_use]
    pub fn sql_of_copy(&self) -> String {
        self.written(Of::Copy)
    }

    fn written(&self, of: Of) -> String {
        let body = self.body.written(of);
        match &self.tail {
            Some(Tail { order_by, limit: Some(limit) }) => format!("{body} {order_by} {limit}"),
            Some(Tail { order_by, limit: None }) => format!("{body} {order_by}"),
            None => body,
        }
    }

    /// Whether the order of its rows is part of its answer.
    #[must_use]
    pub const fn is_ordered(&self) -> bool {
        self.tail.is_some() && !self.in_any_order
    }

    /// The statements that are asked one after the other: those before, and this one.
    #[must_use]
    pub fn conversation(&self) -> Vec<Self> {
        let alone = Self { before: Vec::new(), ..self.clone() };
        let before = self.before.iter().cloned();
        let before = before.map(|body| Self { body, tail: None, ..alone.clone() });
        before.chain(std::iter::once(alone.clone())).collect()
    }

    /// Every statement that is smaller by one step.
    #[must_use]
    pub fn smaller(&self) -> Vec<Self> {
        // What was told counts: nothing can be asked a second time as if it were the first.
        if self.asker != Asker::Reader {
            return Vec::new();
        }
        let mut all = Vec::new();
        if let Some(tail) = &self.tail {
            all.push(Self { tail: None, ..self.clone() });
            if tail.limit.is_some() {
                let tail = Some(Tail { limit: None, ..tail.clone() });
                all.push(Self { tail, ..self.clone() });
            }
        }
        all.extend(self.body.smaller().into_iter().map(|body| Self { body, ..self.clone() }));
        all
    }
}

/// Writes statements.
#[derive(Debug)]
pub struct Grammar {
    random: Random,
    seen: Arc<Vec<SeenTable>>,
    aliases: usize,
    closeness: Closeness,
}

impl Grammar {
    /// The statement of that number under a seed, about these tables.
    #[must_use]
    pub fn statement_of(seed: u64, number: u64, seen: &Arc<Vec<SeenTable>>) -> Statement {
        let random = Random::of(seed, 1_000_000 + number);
        let seen = Arc::clone(seen);
        let closeness = Closeness::Exact;
        let mut grammar = Self { random, seen, aliases: 0, closeness };
        grammar.any(number)
    }

    fn any(&mut self, number: u64) -> Statement {
        match self.random.below(100) {
            0..=5 => self.metadata(),
            6..=10 => self.explain(),
            11..=16 => self.forbidden(),
            17..=18 => self.refused(),
            19..=20 => self.mistaken(),
            21..=25 => self.failing(),
            26..=29 => self.failing_below(),
            30..=35 => self.prepared(),
            36..=41 => self.in_conditions(),
            42..=43 => self.showing(),
            44..=47 => self.look_up(),
            48..=51 => self.groups_of_persons(number),
            _ => {
                let depth = self.random.below(3);
                let body = self.body(depth);
                let tail = self.tail(body.kinds.len());
                self.statement(body.sql, tail, Judged::Answer)
            }
        }
    }

    fn statement(&self, body: Sql, tail: Option<Tail>, judged: Judged) -> Statement {
        let closeness = self.closeness;
        Statement {
            body,
            tail,
            judged,
            closeness,
            may_fail: false,
            in_any_order: false,
            parameter: None,
            asker: Asker::Reader,
            before: Vec::new(),
        }
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }

    /// Any table; the large ones more often.
    fn table(&mut self) -> SeenTable {
        let name = self.random.draw(&[
            "customer", "customer", "customer", "customer", "entry", "entry", "entry", "product",
            "outlet", "vault", "limbo",
        ]);
        self.table_named(name)
    }

    fn table_named(&self, name: &str) -> SeenTable {
        let found = self.seen.iter().find(|table| table.name == name);
        found.unwrap_or(&self.seen[0]).clone()
    }
}
