//! A commit: work that is staged, seen by nobody, and then published whole or not at all.
//!
//! [`stage`] writes objects that nothing refers to yet; [`publish`] is the only function that
//! makes anything visible; [`outcome`] says how that went. A commit that is dropped, or whose
//! process dies, leaves the mart as it was: its objects stay behind unseen until somebody
//! removes what `Store::orphans` lists. Nothing here ever deletes.
//!
//! Changes are kept relative to the base ([`change`]), so a commit that lost a race can be
//! rebased on the winner's snapshot.

mod change;
mod compact;
pub(crate) mod outcome;
pub(crate) mod publish;
pub(crate) mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use martlet_core::{CommitId, SegmentId, Selection, TableName, TableSchema};

pub use outcome::CommitOutcome;
pub use stage::StagedSegment;

use change::{Kept, Load, TableChange};
use compact::Compaction;

use crate::error::StoreError;
use crate::manifest::{AttachmentRef, BatchLabel, BatchRecord, SegmentRef, TableVersion};
use crate::snapshot::Snapshot;
use crate::store::Store;

/// A set of changes to the mart, to be published together.
#[derive(Debug)]
pub struct Commit {
    store: Store,
    base: Snapshot,
    id: CommitId,
    tables: BTreeMap<TableName, TableChange>,
    settings: BTreeMap<TableName, Bytes>,
    batches: Vec<BatchRecord>,
    policy: Option<Bytes>,
    principals: Option<Bytes>,
    emergencies: Option<Bytes>,
}

impl Commit {
    pub(crate) fn new(store: Store, base: Snapshot) -> Self {
        Self {
            store,
            base,
            id: new_commit_id(),
            tables: BTreeMap::new(),
            settings: BTreeMap::new(),
            batches: Vec::new(),
            policy: None,
            principals: None,
            emergencies: None,
        }
    }

    /// The snapshot on which the changes are made.
    #[must_use]
    pub const fn base(&self) -> &Snapshot {
        &self.base
    }

    /// The id by which an outcome that was lost can be recognised.
    #[must_use]
    pub const fn id(&self) -> CommitId {
        self.id
    }

    /// The same changes, on another snapshot. Segments that were staged stay valid.
    ///
    /// A table that the commit replaces is replaced whatever the new base holds of it, so look
    /// first whether the batch is still wanted there: [`Snapshot::batch`]. Segments of the old
    /// base of which the commit changes something must be in the new one as they were, or
    /// publishing is refused.
    #[must_use]
    pub fn rebase(self, base: &Snapshot) -> Self {
        Self { base: base.clone(), id: new_commit_id(), ..self }
    }

    /// The table's content becomes these segments. No segments: an empty table.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if a segment was staged for another table or schema, or the
    /// commit brings rows to the table already.
    pub fn replace_table(
        &mut self,
        schema: &TableSchema,
        segments: Vec<StagedSegment>,
    ) -> Result<(), StoreError> {
        self.load_table(schema, Kept::Nothing, segments)
    }

    /// These segments are added to the table, which is created if there is none. With
    /// `dropping`, all is undone that a batch of that label did to the table before: its segments
    /// are left out and the rows that it deleted come back. So a night is loaded again without
    /// its rows standing twice. Together with [`Self::delete_rows`] it is an upsert.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] as for [`Self::replace_table`]. That the schema is still the
    /// base's is checked when publishing.
    pub fn append_table(
        &mut self,
        schema: &TableSchema,
        segments: Vec<StagedSegment>,
        dropping: Option<&BatchLabel>,
    ) -> Result<(), StoreError> {
        let kept = dropping.map_or(Kept::Everything, |label| Kept::AllBut(label.clone()));
        self.load_table(schema, kept, segments)
    }

    fn load_table(
        &mut self,
        schema: &TableSchema,
        kept: Kept,
        segments: Vec<StagedSegment>,
    ) -> Result<(), StoreError> {
        if segments.iter().any(|segment| segment.schema() != schema) {
            return Err(StoreError::misuse(format!(
                "a segment that was staged for another table was given to `{}`",
                schema.name()
            )));
        }
        let added = segments.into_iter().map(StagedSegment::into_segment).collect();
        self.tables
            .entry(schema.name().clone())
            .or_insert_with(|| TableChange::of(Arc::new(schema.clone())))
            .load(schema, Load { kept, added })
    }

    /// The batch deletes these rows of a segment that the base has. Rows that are deleted
    /// already stay deleted, by whomever deleted them first. The segment's object is not
    /// touched, and the segment stays in the table even if no row is left of it.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if the base's table has no such segment or the selection is of
    /// another length; [`StoreError::Superseded`] if the commit was rebased and the segment is
    /// another now.
    pub fn delete_rows(
        &mut self,
        table: &TableName,
        segment: SegmentId,
        rows: &Selection,
        batch: &BatchLabel,
    ) -> Result<(), StoreError> {
        let (change, segment) = self.change_of(table, segment)?;
        change.delete(&segment, rows, batch)
    }

    /// Exactly these objects become attached to a segment that the base has, in this order:
    /// such as it has already ([`SegmentRef::attachments`]), and such as [`Self::attach_to`]
    /// wrote. None: the segment stands alone. Its rows are not touched.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if the base's table has no such segment, or an object belongs to
    /// another; [`StoreError::Superseded`] as for [`Self::delete_rows`].
    pub fn replace_attachments(
        &mut self,
        table: &TableName,
        segment: SegmentId,
        attachments: Vec<AttachmentRef>,
    ) -> Result<(), StoreError> {
        let (change, segment) = self.change_of(table, segment)?;
        change.attach(&segment, attachments)
    }

    /// These segments of the base give way to new ones that hold the same rows, without those
    /// that are deleted; none, if no row is left. What the new ones hold is up to the caller, who
    /// has read and sorted it; their number of rows has to be that of the live rows.
    ///
    /// Each new segment is staged under the label of one of the old ones. If those are of more
    /// than one batch, or other batches deleted rows of them, these batches are settled
    /// ([`TableVersion::settled`]): the table does not take them again. So compact what is old
    /// enough that nobody will correct it.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] if the base's table has no such segment, one is named twice or
    /// changed by the commit in another way, or a new segment is not as said.
    pub fn compact(
        &mut self,
        table: &TableName,
        old: &[SegmentId],
        new: Vec<StagedSegment>,
    ) -> Result<(), StoreError> {
        let base = self.base.table(table.as_str());
        let base = base.ok_or_else(|| StoreError::misuse(format!("there is no `{table}`")))?;
        let compaction = Compaction::of(base, old, new)?;
        let schema = || TableChange::of(Arc::new(base.schema().clone()));
        self.tables.entry(table.clone()).or_insert_with(schema).compact(compaction)
    }

    /// What the commit does to the table of a segment of the base, and that segment.
    fn change_of(
        &mut self,
        table: &TableName,
        segment: SegmentId,
    ) -> Result<(&mut TableChange, Arc<SegmentRef>), StoreError> {
        let (base, segment) = segment_of(&self.base, table, segment)?;
        let segment = Arc::clone(segment);
        let schema = || TableChange::of(Arc::new(base.schema().clone()));
        Ok((self.tables.entry(table.clone()).or_insert_with(schema), segment))
    }

    /// What is set by hand for a table becomes this; the store keeps it for whoever understands
    /// it, and a table that is replaced or appended to keeps it too.
    pub fn set_settings(&mut self, table: &TableName, settings: Bytes) {
        self.settings.insert(table.clone(), settings);
    }

    /// The policy bundle becomes this one.
    pub fn set_policy(&mut self, bundle: Bytes) {
        self.policy = Some(bundle);
    }

    /// The feed of principals becomes this one.
    pub fn set_principals(&mut self, feed: Bytes) {
        self.principals = Some(feed);
    }

    /// What the mart keeps of emergencies becomes this.
    pub fn set_emergencies(&mut self, ledger: Bytes) {
        self.emergencies = Some(ledger);
    }

    /// The mart holds this batch. A record of the same label in the base is replaced.
    pub fn record_batch(&mut self, batch: BatchRecord) {
        self.batches.retain(|other| other.label() != batch.label());
        self.batches.push(batch);
    }

    /// The batches after the commit: the base's without those loaded again, then the new ones.
    fn batches_after(&self, committed_at: i64) -> Vec<BatchRecord> {
        let anew: BTreeSet<&BatchLabel> = self.batches.iter().map(BatchRecord::label).collect();
        let kept = self.base.batches().iter().filter(|batch| !anew.contains(batch.label()));
        let added = self.batches.iter().map(|batch| batch.clone().stamped(committed_at));
        kept.cloned().chain(added).collect()
    }
}

/// A segment of the base and its table.
fn segment_of<'a>(
    base: &'a Snapshot,
    table: &TableName,
    segment: SegmentId,
) -> Result<(&'a TableVersion, &'a Arc<SegmentRef>), StoreError> {
    let missing = || StoreError::misuse(format!("`{table}` has no segment {segment}"));
    let table = base.table(table.as_str()).ok_or_else(missing)?;
    let found = table.segments().iter().find(|other| other.id() == segment);
    Ok((table, found.ok_or_else(missing)?))
}

fn new_commit_id() -> CommitId {
    CommitId::from_bytes(*uuid::Uuid::new_v4().as_bytes())
}
