//! Which indexes might help a question, from what it does with columns.
//!
//! Proposes generously: what does not help is found out by measuring. Never proposes what every
//! segment has already.

use std::collections::BTreeSet;

use martlet_core::{ColumnType, TableName};
use martlet_index::{Descriptor, IndexKind};
use martlet_query::column_use::{ColumnUse, UseKind};
use martlet_store::{Snapshot, TableVersion};

/// An index of a mart: the column by its position.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) table: TableName,
    pub(super) column: usize,
    pub(super) kind: IndexKind,
}

/// The indexes that might help with this use and are not there.
pub(super) fn candidates(snapshot: &Snapshot, one: &ColumnUse) -> BTreeSet<Place> {
    let Some(table) = snapshot.table(one.table.as_str()) else { return BTreeSet::new() };
    let Some(column) = table.schema().position(one.column.as_str()) else {
        return BTreeSet::new();
    };
    let column_type = table.schema().columns()[column].column_type;
    let present = present(table);
    kinds(one.kind, column_type)
        .iter()
        // A kind that this build does not have cannot be proposed.
        .filter_map(|name| IndexKind::parse(name))
        .filter(|kind| !present.contains(&(column, *kind)))
        .map(|kind| Place { table: one.table.clone(), column, kind })
        .collect()
}

/// The indexes that every segment of a table has.
fn present(table: &TableVersion) -> BTreeSet<(usize, IndexKind)> {
    let of_segment = |segment: &std::sync::Arc<martlet_store::SegmentRef>| {
        let descriptors = segment
            .attachments()
            .iter()
            .filter_map(|attachment| Descriptor::decode(attachment.descriptor()).ok());
        descriptors
            .flat_map(|descriptor| {
                let sections = descriptor.sections().iter();
                sections.map(|section| (section.column, section.kind)).collect::<Vec<_>>()
            })
            .collect::<BTreeSet<_>>()
    };
    let mut segments = table.segments().iter().map(of_segment);
    let Some(first) = segments.next() else { return BTreeSet::new() };
    segments.fold(first, |all, segment| all.intersection(&segment).copied().collect())
}

/// The names of the kinds that answer a use of a column of this type.
const fn kinds(one: UseKind, column_type: ColumnType) -> &'static [&'static str] {
    let is_time = matches!(column_type, ColumnType::Date | ColumnType::Timestamp);
    let is_text = matches!(column_type, ColumnType::Text | ColumnType::Boolean);
    match one {
        UseKind::Compared | UseKind::Joined => &["bitmap", "codes", "lookup", "vector"],
        UseKind::Ranged if is_time => &["bitmap", "bit_sliced", "vector", "binned", "date_part"],
        UseKind::Ranged if is_text => &["bitmap", "codes"],
        UseKind::Ranged => &["bitmap", "bit_sliced", "vector", "binned"],
        UseKind::Matched if is_text => &["ngram", "texts", "codes"],
        UseKind::DatePart if is_time => &["date_part", "vector", "binned", "bitmap"],
        UseKind::Matched | UseKind::DatePart => &[],
        UseKind::Grouped => &["codes", "vector"],
        UseKind::Aggregated if is_text => &["codes"],
        UseKind::Aggregated => &["vector", "bit_sliced", "codes"],
    }
}
