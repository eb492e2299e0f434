//! The rules that hold between the parts of a manifest, checked on every path: when it is read,
//! and when it was just written.
//!
//! A digest proves that bytes are unchanged; these rules prove that they make sense, so that
//! nothing above has to ask again.

use std::collections::HashSet;

use martlet_core::limits::SEGMENT_ROWS_MAX;
use martlet_core::{SegmentId, SnapshotNumber, TableName};

use super::codec::SnapshotHead;
use super::{Deletion, SegmentRef, TableContent};
use crate::error::StoreError;
use crate::layout;
use crate::object::ObjectRef;

/// Tables ascend by name and lie where their digest says; a batch's label stands once; the
/// number is that of its path, so that an older snapshot cannot stand in for it.
pub(crate) fn check_snapshot(
    path: &str,
    number: SnapshotNumber,
    head: &SnapshotHead,
) -> Result<(), StoreError> {
    let check = |holds: bool, what: &str| holds_or_damaged(path, holds, what);
    check(head.number == number, "it is another snapshot than its path says")?;
    check(
        head.tables.is_sorted_by(|(left, _), (right, _)| left < right),
        "its tables are not in order, or one stands twice",
    )?;
    for (name, part) in &head.tables {
        let lies_right = part.path() == layout::table_part(name, part.digest());
        check(lies_right, "a table's part lies where it does not belong")?;
    }
    let mut labels = HashSet::new();
    check(
        head.batches.iter().all(|batch| labels.insert(batch.label())),
        "it holds one batch twice",
    )?;
    let mut documents = [
        (&head.policy, layout::policy as fn(&[u8; 32]) -> String),
        (&head.principals, layout::principals),
        (&head.emergencies, layout::emergencies),
    ]
    .into_iter()
    .filter_map(|(object, place)| object.as_ref().map(|object| (object, place)));
    check(
        documents.all(|(object, place)| object.path() == place(object.digest())),
        "its policy, principals or emergencies lie where they do not belong",
    )
}

/// The part lies where its digest says. Segments are distinct, within the limit of rows, lie
/// where their ids say, and have no more deleted rows than rows.
pub(crate) fn check_table(part: &ObjectRef, table: &TableContent) -> Result<(), StoreError> {
    let name = table.schema.name();
    let check = |holds: bool, what: &str| holds_or_damaged(part.path(), holds, what);
    check(
        part.path() == layout::table_part(name, part.digest()),
        "it is the part of another table than its path says",
    )?;
    let mut ids: HashSet<SegmentId> = HashSet::new();
    for segment in &table.segments {
        check(ids.insert(segment.id), "it holds one segment twice")?;
        let rows_fit = (1..=SEGMENT_ROWS_MAX).contains(&segment.rows);
        check(rows_fit, "a segment's number of rows is not possible")?;
        check(objects_lie_right(name, segment), "a segment lies where it does not belong")?;
        check(deletions_fit(name, segment), "a segment's deleted rows are not possible")?;
    }
    Ok(())
}

fn deletions_fit(table: &TableName, segment: &SegmentRef) -> bool {
    let deletions = &segment.deletions;
    let counted: u64 = deletions.iter().map(|deletion| u64::from(deletion.count)).sum();
    counted <= u64::from(segment.rows)
        && deletions.is_sorted_by(|left, right| left.batch < right.batch)
        && deletions.iter().all(|deletion| deletion.count > 0)
        && deletions
            .iter()
            .filter_map(Deletion::object)
            .all(|object| object.path() == layout::deleted_rows(table, object.digest()))
}

fn objects_lie_right(table: &TableName, segment: &SegmentRef) -> bool {
    let mut places = HashSet::new();
    let attached_right = segment.attachments.iter().all(|attachment| {
        let path = attachment.object().path();
        layout::is_attachment(path, table, segment.id) && places.insert(path)
    });
    attached_right && segment.object.path() == layout::segment(table, segment.id)
}

fn holds_or_damaged(object: &str, holds: bool, what: &str) -> Result<(), StoreError> {
    if holds { Ok(()) } else { Err(StoreError::damaged(object, what)) }
}
