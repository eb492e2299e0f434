//! Which indexes the new segments get: those of the old ones.
//!
//! A mart keeps what was chosen by hand for a table, but not what a load file said. So the kinds
//! that the old segments have tell it: where they are what `auto` picks, `auto` picks again;
//! where they are not, somebody named them.

use std::sync::Arc;

use martlet_index::{
    Descriptor, HandChoices, IndexChoice, IndexError, IndexKind, is_as_auto_picks,
};
use martlet_store::{SegmentRef, TableVersion};

/// One choice per column of the table.
pub(super) fn choices(
    table: &TableVersion,
    segments: &[Arc<SegmentRef>],
) -> Result<Vec<IndexChoice>, IndexError> {
    let descriptors: Vec<Descriptor> = segments
        .iter()
        .flat_map(|segment| segment.attachments())
        // What cannot be read says nothing, and is not needed: all indexes are built anew.
        .filter_map(|attachment| Descriptor::decode(attachment.descriptor()).ok())
        .collect();
    let columns = 0..table.schema().columns().len();
    let mut choices: Vec<IndexChoice> = columns.map(|at| choice(at, &descriptors)).collect();
    HandChoices::decode(table.settings())?.apply(table.schema(), &mut choices);
    Ok(choices)
}

fn choice(column: usize, descriptors: &[Descriptor]) -> IndexChoice {
    let has = |descriptor: &Descriptor, kind| descriptor.section(column, kind).is_some();
    let has_none =
        |descriptor: &Descriptor| !IndexKind::ALL.iter().any(|kind| has(descriptor, *kind));
    let was_counted = |descriptor: &Descriptor| {
        descriptor.zone_map(column).is_some_and(|zone| zone.distinct.is_some())
    };
    if descriptors.is_empty() {
        IndexChoice::Auto
    } else if descriptors.iter().all(|one| has_none(one) && !was_counted(one)) {
        // Forbidden, or of too many values for any kind: then also together.
        IndexChoice::None
    } else if descriptors.iter().all(|one| is_as_auto_picks(one, column)) {
        IndexChoice::Auto
    } else {
        let in_all = |kind: &IndexKind| descriptors.iter().all(|one| has(one, *kind));
        let kinds: Vec<IndexKind> = IndexKind::ALL.into_iter().filter(in_all).collect();
        if kinds.is_empty() { IndexChoice::Auto } else { IndexChoice::Kinds(kinds) }
    }
}
