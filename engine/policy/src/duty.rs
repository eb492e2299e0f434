//! Separation of duties: what nobody may hold together, whoever gives it to them.
//!
//! Who writes the rules reads no data, who loads data writes no rules, who audits does neither;
//! and a bundle names roles that conflict for reasons of its own. The same question is asked when
//! rules are checked, when people are, and in every decision: whoever breaks a duty is denied.

use std::collections::BTreeSet;
use std::fmt;

use martlet_core::TableName;

use crate::checked::{CheckedBundle, Role};
use crate::names::RoleName;
use crate::officers::Officers;

/// What the holder of a role is there for, beside reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Duty {
    /// They write or approve the rules.
    Rules,
    /// They load data and keep the mart.
    Load,
    /// They read the record and judge.
    Audit,
}

impl Duty {
    /// Every duty.
    pub const ALL: [Self; 3] = [Self::Rules, Self::Load, Self::Audit];

    /// The word for it in `roles.toml`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Load => "load",
            Self::Audit => "audit",
        }
    }

    /// Reads the word; `None` if it is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|duty| duty.word() == word)
    }
}

/// Roles of which nobody may hold two, be it by inheritance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The roles; at least two.
    pub roles: BTreeSet<RoleName>,
}

/// Why someone counts as a writer of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// A role says so.
    ByRole,
    /// The bundle names them as an officer.
    Officer,
}

/// What breaks the separation of duties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// A writer of rules would read data.
    WriterReads {
        /// Why they count as one.
        writer: Writer,
        /// The role that grants it.
        role: RoleName,
        /// A table with data.
        table: TableName,
    },
    /// Two duties that do not go together.
    Duties(Duty, Duty),
    /// Two roles that the bundle keeps apart.
    Roles(RoleName, RoleName),
    /// A role that is for emergencies alone.
    Reserved(RoleName),
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WriterReads { writer, role, table } => {
                let who = match writer {
                    Writer::ByRole => "who has the duty `rules`",
                    Writer::Officer => "an officer of the rules",
                };
                write!(formatter, "{who} reads no data, but the role `{role}` grants `{table}`")
            }
            Self::Duties(one, other) => write!(
                formatter,
                "the duties `{}` and `{}` do not go together",
                one.word(),
                other.word()
            ),
            Self::Roles(one, other) => {
                write!(formatter, "nobody may hold the roles `{one}` and `{other}` together")
            }
            Self::Reserved(role) => {
                write!(
                    formatter,
                    "the role `{role}` is for emergencies: nobody holds it by the feed"
                )
            }
        }
    }
}

/// Everything that the holder of these roles breaks; `name` is the holder's, if it is somebody.
pub(crate) fn breaches(
    name: Option<&str>,
    held: &[&Role],
    officers: &Officers,
    conflicts: &[Conflict],
) -> Vec<Breach> {
    let is_officer = name.is_some_and(|name| officers.named(name).is_some());
    let mut duties: BTreeSet<Duty> =
        held.iter().flat_map(|role| role.duties.iter().copied()).collect();
    let writer = match (duties.contains(&Duty::Rules), is_officer) {
        (_, true) => Some(Writer::Officer),
        (true, false) => Some(Writer::ByRole),
        (false, false) => None,
    };
    if is_officer {
        duties.insert(Duty::Rules);
    }
    let mut breaches: Vec<Breach> =
        writer.into_iter().filter_map(|writer| reads_data(writer, held)).collect();
    let duties: Vec<Duty> = duties.into_iter().collect();
    breaches.extend(duties.windows(2).map(|pair| Breach::Duties(pair[0], pair[1])));
    breaches.extend(conflicts.iter().filter_map(|conflict| broken(conflict, held)));
    breaches
}

/// Everything that the holder of these roles breaks to whom a feed gives them.
pub(crate) fn breaches_by_feed(
    name: Option<&str>,
    held: &[&Role],
    bundle: &CheckedBundle,
) -> Vec<Breach> {
    let reserved = bundle.emergencies().iter().map(|emergency| &emergency.role);
    let mut broken = breaches(name, held, bundle.officers(), bundle.conflicts());
    broken.extend(
        reserved
            .filter(|reserved| held.iter().any(|role| role.family.contains(*reserved)))
            .map(|reserved| Breach::Reserved(reserved.clone())),
    );
    broken
}

/// The first table with data that one of the roles grants. Martlet's own tables have the rules
/// and the record, which their writers and auditors need.
fn reads_data(writer: Writer, held: &[&Role]) -> Option<Breach> {
    held.iter().find_map(|role| {
        let table = role.tables.iter().find(|table| !table.is_system())?;
        Some(Breach::WriterReads { writer, role: role.name.clone(), table: table.clone() })
    })
}

fn broken(conflict: &Conflict, held: &[&Role]) -> Option<Breach> {
    let mut together = conflict
        .roles
        .iter()
        .filter(|name| held.iter().any(|role| role.family.contains(name.as_str())));
    Some(Breach::Roles(together.next()?.clone(), together.next()?.clone()))
}

#[cfg(test)]
mod tests;
