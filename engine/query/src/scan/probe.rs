//! Which rows of a segment a predicate can hold for, as its indexes tell: exactly, or never too
//! narrow.
//!
//! Opens only the sections that the predicate needs; never reads a row of a segment.

use std::sync::Arc;

use martlet_core::{Predicate, Selection, TableSchema};
use martlet_index::{
    IndexKind, Narrowed, SectionRef, narrow, sections_settling, sections_wanted, settled,
};
use martlet_store::AttachmentRef;

use crate::index_cache::OpenedIndexes;
use crate::indexed_table::IndexedSegment;
use crate::scan::rows::are_worth_opening;
use crate::shared::Shared;

/// What the indexes of a segment say of a predicate, among these rows.
pub(crate) async fn narrow_segment(
    shared: &Arc<Shared>,
    table: &TableSchema,
    segment: &IndexedSegment,
    predicate: &Predicate,
    among: Selection,
) -> Narrowed {
    let mut narrowed: Option<Narrowed> = None;
    if shared.options.path.reads_indexes() {
        for (attachment, descriptor) in segment.indexes() {
            // What one attachment leaves open is asked of the next.
            let (rows, open) = match &narrowed {
                Some(before) if before.is_exact() => break,
                Some(before) => (&before.rows, &before.open),
                None => (&among, predicate),
            };
            let sections = sections_wanted(open, table, descriptor);
            let opened = opened(shared, attachment, &sections, descriptor.rows()).await;
            let indexes = |column: usize, kind: IndexKind| opened.get(column, kind);
            narrowed = Some(narrow(open, table, descriptor, &indexes, rows));
        }
    }
    narrowed.unwrap_or_else(|| Narrowed { rows: among, open: predicate.clone() })
}

/// The rows among these where the predicate holds, as the texts that lie beside the segment
/// prove; `None` where they do not. Texts are decoded of these rows alone.
pub(crate) async fn settle_by_texts(
    shared: &Arc<Shared>,
    table: &TableSchema,
    segment: &IndexedSegment,
    predicate: &Predicate,
    among: &Selection,
) -> Option<Selection> {
    if !shared.options.path.reads_indexes() {
        return None;
    }
    for (attachment, descriptor) in segment.indexes() {
        let sections = sections_settling(predicate, table, descriptor);
        let is_at_hand = |section: &SectionRef| {
            shared.indexes.opened(attachment, section).is_some()
                || are_worth_opening(shared.options.path, section, among.count())
                || shared.indexes.is_often_passed_over(attachment, section)
        };
        if sections.is_empty() || !sections.iter().all(is_at_hand) {
            continue;
        }
        let opened = opened(shared, attachment, &sections, descriptor.rows()).await;
        let indexes = |column: usize, kind: IndexKind| opened.get(column, kind);
        let found = settled(predicate, table, descriptor, &indexes, among);
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Those of the sections that can be used.
async fn opened(
    shared: &Arc<Shared>,
    attachment: &AttachmentRef,
    sections: &[SectionRef],
    rows: u32,
) -> OpenedIndexes {
    let mut opened = OpenedIndexes::default();
    for section in sections {
        let index = shared.indexes.section(&shared.store, attachment, section, rows).await;
        if let Some(index) = index {
            opened.insert(section.column, section.kind, index);
        }
    }
    opened
}
