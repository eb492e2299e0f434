//! What an operator chose by hand for a table's indexes: kinds that are always built over a
//! column, and kinds that never are, whatever the statistics call for.
//!
//! Kept with the table (the store calls it settings), so that later loads build the same kinds.
//! A column is known by its name, because a table that is replaced may have its columns in
//! another order. Owns the bytes; what a load file says of a column by name of kinds is weightier
//! and is decided where loads are planned.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use martlet_core::{ColumnName, TableSchema};
use martlet_proto::index as stored;
use prost::Message;

use crate::choose::IndexChoice;
use crate::error::IndexError;
use crate::kind::IndexKind;

const FORMAT_VERSION: u32 = 1;

/// What was chosen by hand for one column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandChoice {
    /// Kinds that are always built.
    pub added: BTreeSet<IndexKind>,
    /// Kinds that are never built.
    pub dropped: BTreeSet<IndexKind>,
}

/// What was chosen by hand for a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandChoices {
    columns: BTreeMap<ColumnName, HandChoice>,
}

impl HandChoices {
    /// Reads what a table's settings hold; empty settings are no choice.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] if the bytes are not what was written,
    /// [`IndexError::UnknownFormat`] if a later version wrote them.
    pub fn decode(settings: &[u8]) -> Result<Self, IndexError> {
        if settings.is_empty() {
            return Ok(Self::default());
        }
        let message = stored::TableChoices::decode(settings)
            .map_err(|_| IndexError::damaged("the choice of indexes is not well formed"))?;
        if message.format_version != FORMAT_VERSION {
            return Err(IndexError::UnknownFormat { version: message.format_version });
        }
        let columns = message.columns.iter().map(checked_column).collect::<Result<_, _>>()?;
        Ok(Self { columns })
    }

    /// The bytes to keep with the table; none where nothing is chosen.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let names =
            |kinds: &BTreeSet<IndexKind>| kinds.iter().map(|kind| kind.name().to_owned()).collect();
        let columns: Vec<stored::ColumnChoice> = self
            .columns
            .iter()
            .map(|(column, choice)| stored::ColumnChoice {
                column: column.to_string(),
                added: names(&choice.added),
                dropped: names(&choice.dropped),
            })
            .collect();
        if columns.is_empty() {
            return Bytes::new();
        }
        stored::TableChoices { format_version: FORMAT_VERSION, columns }.encode_to_vec().into()
    }

    /// From now on the kinds are built over the column.
    pub fn add(&mut self, column: &ColumnName, kinds: &[IndexKind]) {
        let choice = self.columns.entry(column.clone()).or_default();
        for kind in kinds {
            choice.dropped.remove(kind);
            choice.added.insert(*kind);
        }
    }

    /// From now on the kinds are not built over the column.
    pub fn drop_kinds(&mut self, column: &ColumnName, kinds: &[IndexKind]) {
        let choice = self.columns.entry(column.clone()).or_default();
        for kind in kinds {
            choice.added.remove(kind);
            choice.dropped.insert(*kind);
        }
    }

    /// What was chosen for a column, if anything was.
    #[must_use]
    pub fn of(&self, column: &ColumnName) -> Option<&HandChoice> {
        self.columns.get(column)
    }

    /// Puts the choice made by hand in the place of every `auto` of these choices, which are one
    /// per column of the schema. A load file that names kinds, or none, was written by a hand
    /// too, and keeps its word.
    pub fn apply(&self, schema: &TableSchema, choices: &mut [IndexChoice]) {
        for (column, choice) in schema.columns().iter().zip(choices) {
            if let (IndexChoice::Auto, Some(by_hand)) = (&*choice, self.of(&column.name)) {
                *choice = IndexChoice::AutoBut(by_hand.clone());
            }
        }
    }
}

fn checked_column(column: &stored::ColumnChoice) -> Result<(ColumnName, HandChoice), IndexError> {
    let name = ColumnName::new(&column.column)
        .map_err(|_| IndexError::damaged("the choice of indexes names no column"))?;
    let unknown = || IndexError::damaged("the choice of indexes names an unknown kind");
    let kinds = |names: &[String]| {
        names
            .iter()
            .map(|name| IndexKind::parse(name).ok_or_else(unknown))
            .collect::<Result<BTreeSet<_>, _>>()
    };
    Ok((name, HandChoice { added: kinds(&column.added)?, dropped: kinds(&column.dropped)? }))
}

#[cfg(test)]
#[path = "by_hand_tests.rs"]
mod tests;
