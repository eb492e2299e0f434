//! What a segment's indexes say of a predicate: exact, or never too narrow.
//!
//! Opens only the sections that the predicate needs; never reads a row.

use std::sync::Arc;

use martlet_core::{Predicate, TableSchema, Truth};
use martlet_index::{Descriptor, IndexKind, SectionRef, probe, sections_wanted};
use martlet_store::{AttachmentRef, SegmentRef};

use crate::index_cache::OpenedIndexes;
use crate::scan::descriptor;
use crate::shared::Shared;

/// Every section of every attachment that can be understood.
pub(crate) fn sections_of(segment: &SegmentRef) -> Vec<(&AttachmentRef, SectionRef)> {
    segment
        .attachments()
        .iter()
        .filter_map(|attachment| Some((attachment, descriptor(attachment.descriptor())?)))
        .flat_map(|(attachment, descriptor)| {
            descriptor
                .sections()
                .iter()
                .cloned()
                .map(move |section| (attachment, section))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What the indexes of a segment say of a predicate: exact, or never too narrow.
pub(crate) async fn probe_segment(
    shared: &Arc<Shared>,
    table: &TableSchema,
    segment: &SegmentRef,
    predicate: &Predicate,
) -> Truth {
    if shared.options.indexes == crate::IndexUse::Forbidden {
        return Truth::unknown(segment.rows());
    }
    let mut answer = Truth::unknown(segment.rows());
    for attachment in segment.attachments() {
        let Some(descriptor) = descriptor(attachment.descriptor()) else { continue };
        let truth =
            probe_attachment(shared, table, segment, attachment, &descriptor, predicate).await;
        if truth.exact {
            return truth;
        }
        answer = narrowed(&answer, &truth);
    }
    answer
}

async fn probe_attachment(
    shared: &Arc<Shared>,
    table: &TableSchema,
    segment: &SegmentRef,
    attachment: &AttachmentRef,
    descriptor: &Descriptor,
    predicate: &Predicate,
) -> Truth {
    let mut opened = OpenedIndexes::default();
    for section in sections_wanted(predicate, table, descriptor) {
        let index =
            shared.indexes.section(&shared.store, attachment, &section, segment.rows()).await;
        if let Some(index) = index {
            opened.insert(section.column, section.kind, index);
        }
    }
    probe(predicate, table, descriptor, &|column: usize, kind: IndexKind| opened.get(column, kind))
}

/// Two upper bounds of the same answer: a row must be within both.
fn narrowed(one: &Truth, other: &Truth) -> Truth {
    Truth::bounds(one.holds.and(&other.holds), one.fails().and(&other.fails()))
}
