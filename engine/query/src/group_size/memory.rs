//! What an engine remembers of what each reader was told in groups.
//!
//! One memory for each reader, table, state of the table and grant. Holds nothing of a row but
//! numbers. It begins anew with the engine, the table's next state and the reader's next grant:
//! what changed between two of these is not compared.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use martlet_core::TableName;

use super::budget::Budget;
use super::rows::RowNames;
use super::told::{Asked, Persons, Told};
use crate::error::QueryError;

/// So many states of a table, or grants on it, are remembered for each reader: nobody but the bank
/// makes new ones, and a ticket for an older one lives an hour.
const STATES_KEPT: usize = 4;

/// A table's rows as a grant shows them: who holds equal grants sees the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shown {
    pub(crate) table: TableName,
    /// The digest of the table's content.
    pub(crate) content: [u8; 32],
    /// What the grant shows, under whichever policy.
    pub(crate) grant: [u8; 32],
}

/// What one reader was told, and the numbers of the rows that it speaks of.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    pub(super) names: Arc<RowNames>,
    pub(super) told: Arc<Mutex<AllTold>>,
}

/// What adds up by itself, so that combinations of it are to be feared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// How many rows there are.
    Rows,
    /// How many different persons.
    Persons,
    /// The sum of the column at this position of the grant.
    Sum(usize),
}

/// Whether a group may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Told,
    Hidden,
}

/// What one reader was told of a table, of each subject.
#[derive(Debug)]
pub(super) struct AllTold {
    budget: Budget,
    of: HashMap<Subject, Told>,
}

impl AllTold {
    /// Tells of a group what is asked, all of it or nothing.
    ///
    /// # Errors
    /// [`QueryError::Exhausted`] if there is no room to remember it.
    pub(super) fn tell(
        &mut self,
        asked: &[(Subject, Asked<'_>)],
        persons: Persons<'_>,
    ) -> Result<Verdict, QueryError> {
        let mut changes = Vec::with_capacity(asked.len());
        for (subject, asked) in asked {
            let told = self.of.entry(*subject).or_insert_with(|| Told::new(&self.budget));
            let Some(change) = told.change(asked, persons)? else { return Ok(Verdict::Hidden) };
            changes.push((*subject, change));
        }
        for (subject, change) in changes {
            if let Some(told) = self.of.get_mut(&subject) {
                told.apply(change);
            }
        }
        Ok(Verdict::Told)
    }
}

/// The memories of all readers.
#[derive(Debug, Default)]
pub(crate) struct GroupMemory {
    budget: Budget,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    names: HashMap<Shown, Weak<RowNames>>,
    told: HashMap<(String, TableName), VecDeque<(Shown, Memory)>>,
}

impl GroupMemory {
    /// The memory of a reader.
    pub(crate) fn of(&self, reader: &str, shown: Shown) -> Memory {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { names, told } = &mut *open;
        let own = told.entry((reader.to_owned(), shown.table.clone())).or_default();
        if let Some((_, memory)) = own.iter().find(|(known, _)| *known == shown) {
            return memory.clone();
        }
        names.retain(|_, names| names.strong_count() > 0);
        let known = names.get(&shown).and_then(Weak::upgrade);
        let rows = known.unwrap_or_else(|| Arc::new(RowNames::new(&self.budget)));
        names.insert(shown.clone(), Arc::downgrade(&rows));
        let told = AllTold { budget: self.budget.clone(), of: HashMap::new() };
        let memory = Memory { names: rows, told: Arc::new(Mutex::new(told)) };
        own.push_back((shown, memory.clone()));
        if own.len() > STATES_KEPT {
            own.pop_front();
        }
        memory
    }
}
