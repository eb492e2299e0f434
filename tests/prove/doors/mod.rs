//! The doors through which a statement is asked, and what comes out of them.

pub mod in_process;
pub mod record;
pub mod wire;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use martlet_query::AccessPath;

use crate::grammar::{Asker, Judged, Statement};
use crate::random::Random;
use crate::worlds::policy::statistician;

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The engine's own interface, on a path for each world.
    InProcess([AccessPath; 2]),
    /// `GetFlightInfo` and `DoGet` of a statement.
    Statement,
    /// A prepared statement, executed twice.
    Prepared,
    /// A ticket that is used after other statements and a newer snapshot.
    OldTicket,
    /// `GetSchema` and `PollFlightInfo`.
    Described,
    /// A ticket that somebody else brings.
    ForeignTicket,
    /// A metadata command instead of the statement.
    Catalog(usize),
}

impl Door {
    /// A door for a statement.
    pub fn pick(statement: &Statement, random: &mut Random) -> Self {
        if statement.parameter.is_some() && random.chance(50) {
            return Self::Prepared;
        }
        if statement.asker != Asker::Reader && random.chance(20) {
            return Self::Statement;
        }
        let may_take_any = statement.parameter.is_none() && statement.asker == Asker::Reader;
        if may_take_any && random.chance(30) {
            return match (random.below(20), statement.judged) {
                (0..=2, Judged::Metadata) => Self::Catalog(random.below(wire::CATALOGS)),
                (3..=6, _) => Self::Prepared,
                (7..=9, _) => Self::OldTicket,
                (10..=11, _) => Self::Described,
                (12..=13, _) => Self::ForeignTicket,
                _ => Self::Statement,
            };
        }
        let first = random.draw(&AccessPath::ALL);
        // Plans are another on each path, and so is what is computed of rows that nobody wants.
        let may_differ = !matches!(statement.judged, Judged::Plan { .. } | Judged::Worlds);
        let second =
            if may_differ && random.chance(25) { random.draw(&AccessPath::ALL) } else { first };
        Self::InProcess([first, second])
    }
}

/// Whose name a statement is asked in, where the reader's is that.
fn asker_of(statement: &Statement, reader: &str) -> String {
    match statement.asker {
        Asker::Reader => reader.to_owned(),
        Asker::Statistician { number } => statistician(number),
    }
}

/// What refusals are called that should be impossible: by the engine, by the wire, by a panic.
const BROKEN: [&str; 3] = ["Bug", "Internal", PANICKED];
/// What a refusal is called that was a panic.
const PANICKED: &str = "Panicked";

/// What came out of a door.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Rows or a refusal.
    pub told: Outcome,
    /// Everything else that came, such as what a `FlightInfo` says; without what is drawn anew
    /// each time.
    pub beside: Vec<String>,
    /// Every byte that left: messages, headers, texts of errors.
    pub left: Vec<Vec<u8>>,
}

/// Rows or a refusal.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Rows, and the messages that carried them.
    Rows { schema: SchemaRef, batches: Vec<RecordBatch>, messages: Vec<Vec<u8>> },
    /// A refusal: its sort, and its words.
    Refused { sort: String, words: String },
}

impl Default for Outcome {
    fn default() -> Self {
        Self::Refused { sort: "nothing was asked".into(), words: String::new() }
    }
}

impl Answer {
    /// A refusal.
    #[must_use]
    pub fn refused(sort: impl Into<String>, words: impl Into<String>) -> Self {
        let (sort, words) = (sort.into(), words.into());
        let left = vec![words.clone().into_bytes()];
        Self { told: Outcome::Refused { sort, words }, beside: Vec::new(), left }
    }

    /// The words of a refusal that should be impossible.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        match &self.told {
            Outcome::Refused { sort, words } if BROKEN.contains(&sort.as_str()) => Some(words),
            _ => None,
        }
    }

    /// Whether rows came.
    #[must_use]
    pub const fn is_told(&self) -> bool {
        matches!(self.told, Outcome::Rows { .. })
    }
}
