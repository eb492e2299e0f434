//! What a statement's tables show who asked, kept to be held against later decisions.
//!
//! Owns the comparison alone. A sight reads nothing and grants nothing: who holds one can learn
//! whether the rules in force would still decide the same, so that what is being delivered can
//! be ended where they would not.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use martlet_core::TableName;
use martlet_policy::Grant;

use crate::session::Session;

/// The grants under which one statement was planned.
#[derive(Clone)]
pub struct Sights(Vec<Arc<Grant>>);

impl fmt::Debug for Sights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sights({} tables)", self.0.len())
    }
}

impl Sights {
    pub(crate) fn of(session: &Session, tables: &BTreeSet<TableName>) -> Self {
        Self(tables.iter().filter_map(|table| session.shared_grant(table)).collect())
    }

    /// Whether a session is shown the same of each of these tables.
    #[must_use]
    pub fn hold_in(&self, session: &Session) -> bool {
        self.0.iter().all(|before| {
            session.grant(before.table()).is_some_and(|now| now.shows_the_same_as(before))
        })
    }
}
