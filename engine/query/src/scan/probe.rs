//! Which rows of a segment a predicate can hold for, as its indexes tell: exactly, or never too
//! narrow.
//!
//! Opens only the sections that the predicate needs; never reads a row.

use std::sync::Arc;

use martlet_core::{Predicate, Selection, TableSchema};
use martlet_index::{Candidates, Descriptor, IndexKind, candidates, sections_wanted};
use martlet_store::AttachmentRef;

use crate::index_cache::OpenedIndexes;
use crate::indexed_table::IndexedSegment;
use crate::shared::Shared;

/// What the indexes of a segment say of a predicate.
pub(crate) async fn probe_segment(
    shared: &Arc<Shared>,
    table: &TableSchema,
    segment: &IndexedSegment,
    predicate: &Predicate,
) -> Candidates {
    let mut answer = Candidates { rows: Selection::all(segment.rows()), exact: false };
    if shared.options.indexes == crate::IndexUse::Forbidden {
        return answer;
    }
    for (attachment, descriptor) in segment.indexes() {
        let found = probe_attachment(shared, table, attachment, descriptor, predicate).await;
        if found.exact {
            return found;
        }
        // Two upper bounds of the same answer: a row must be within both.
        answer.rows = answer.rows.and(&found.rows);
    }
    answer
}

async fn probe_attachment(
    shared: &Arc<Shared>,
    table: &TableSchema,
    attachment: &AttachmentRef,
    descriptor: &Descriptor,
    predicate: &Predicate,
) -> Candidates {
    let mut opened = OpenedIndexes::default();
    for section in sections_wanted(predicate, table, descriptor) {
        let index =
            shared.indexes.section(&shared.store, attachment, &section, descriptor.rows()).await;
        if let Some(index) = index {
            opened.insert(section.column, section.kind, index);
        }
    }
    candidates(predicate, table, descriptor, &|column: usize, kind: IndexKind| {
        opened.get(column, kind)
    })
}
