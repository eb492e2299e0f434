//! What a commit does to one table.
//!
//! Kept relative to the base: which segments stay, what changes of those that stay, which are
//! added. So a commit that lost a race can be rebased, as long as nobody else touched the
//! segments that it changes. Writes only objects that nothing refers to yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use martlet_core::{SegmentId, Selection, TableName, TableSchema};

use super::compact::Compaction;
use crate::error::StoreError;
use crate::layout;
use crate::manifest::deletion::{DeletedRows, INLINE_BYTES_MAX};
use crate::manifest::{
    AttachmentRef, BatchLabel, Deletion, SegmentRef, TableContent, TableVersion,
};
use crate::object::ObjectRef;
use crate::store::Store;

/// All changes of one table in one commit.
#[derive(Debug)]
pub(super) struct TableChange {
    schema: Arc<TableSchema>,
    load: Option<Load>,
    edits: BTreeMap<SegmentId, SegmentEdit>,
    compactions: Vec<Compaction>,
}

/// The segments that the commit brings, and what they take the place of.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) kept: Kept,
    pub(super) added: Vec<Arc<SegmentRef>>,
}

/// What stays of the segments that the base has.
#[derive(Debug)]
pub(super) enum Kept {
    Nothing,
    Everything,
    /// All but what a batch of this label did: its segments go, the rows that it deleted come
    /// back.
    AllBut(BatchLabel),
}

/// What changes of one segment of the base.
#[derive(Debug)]
struct SegmentEdit {
    /// The segment as it was when the change was made.
    of: Arc<SegmentRef>,
    deleted: BTreeMap<BatchLabel, Selection>,
    attachments: Option<Vec<AttachmentRef>>,
}

impl Kept {
    fn keeps(&self, segment: &SegmentRef) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::AllBut(label) => segment.batch() != label,
        }
    }

    /// The segment without what the batch that is dropped had deleted of it.
    fn restore(&self, segment: &Arc<SegmentRef>) -> Arc<SegmentRef> {
        match self {
            Self::AllBut(label) if deletion_by(segment, label).is_some() => {
                let mut restored = SegmentRef::clone(segment);
                restored.deletions.retain(|deletion| deletion.batch() != label);
                Arc::new(restored)
            }
            _ => Arc::clone(segment),
        }
    }
}

impl TableChange {
    /// No change yet of a table that has these columns.
    pub(super) const fn of(schema: Arc<TableSchema>) -> Self {
        Self { schema, load: None, edits: BTreeMap::new(), compactions: Vec::new() }
    }

    pub(super) fn load(&mut self, schema: &TableSchema, load: Load) -> Result<(), StoreError> {
        if self.load.is_some() {
            let what = format!("one commit brings rows to `{}` twice", schema.name());
            return Err(StoreError::misuse(what));
        }
        self.schema = Arc::new(schema.clone());
        self.load = Some(load);
        Ok(())
    }

    pub(super) fn delete(
        &mut self,
        of: &Arc<SegmentRef>,
        rows: &Selection,
        batch: &BatchLabel,
    ) -> Result<(), StoreError> {
        if rows.rows() != of.rows() {
            return Err(StoreError::misuse("a selection of another segment was used"));
        }
        let edit = self.edit(of)?;
        let before = edit.deleted.remove(batch).unwrap_or_else(|| Selection::none(of.rows()));
        edit.deleted.insert(batch.clone(), before.or(rows));
        Ok(())
    }

    pub(super) fn attach(
        &mut self,
        of: &Arc<SegmentRef>,
        attachments: Vec<AttachmentRef>,
    ) -> Result<(), StoreError> {
        let table = self.schema.name();
        let mut places = BTreeSet::new();
        let fit = attachments.iter().all(|attachment| {
            let path = attachment.object().path();
            layout::is_attachment(path, table, of.id()) && places.insert(path)
        });
        if !fit {
            let what = "an attachment of another segment was used, or one twice";
            return Err(StoreError::misuse(what));
        }
        self.edit(of)?.attachments = Some(attachments);
        Ok(())
    }

    pub(super) fn compact(&mut self, compaction: Compaction) -> Result<(), StoreError> {
        for segment in compaction.old() {
            self.check_not_compacted(segment)?;
            if self.edits.contains_key(&segment.id()) {
                return Err(changed_twice(self.schema.name()));
            }
        }
        self.compactions.push(compaction);
        Ok(())
    }

    fn check_not_compacted(&self, segment: &SegmentRef) -> Result<(), StoreError> {
        let taken = self.compactions.iter().any(|compaction| compaction.takes(segment.id()));
        if taken { Err(changed_twice(self.schema.name())) } else { Ok(()) }
    }

    /// What changes of the segment. A rebased commit may not change the segment of an older base
    /// further, since it was not looked at.
    fn edit(&mut self, of: &Arc<SegmentRef>) -> Result<&mut SegmentEdit, StoreError> {
        self.check_not_compacted(of)?;
        let edit = self.edits.entry(of.id()).or_insert_with(|| SegmentEdit::of(of));
        if edit.of == *of { Ok(edit) } else { Err(superseded(self.schema.name(), of.id())) }
    }

    /// What the table's part says after the change of this base. Deleted rows that need an
    /// object of their own are written.
    pub(super) async fn content_after(
        &self,
        store: &Store,
        before: Option<&Arc<TableVersion>>,
    ) -> Result<TableContent, StoreError> {
        let before_segments = before.map_or(&[][..], |table| table.segments());
        self.check_unchanged(before_segments)?;
        let staying: Vec<_> =
            before_segments.iter().filter(|segment| self.kept().keeps(segment)).collect();
        self.check_columns(before, !staying.is_empty())?;
        let mut segments = Vec::with_capacity(staying.len());
        for segment in staying {
            self.carry_over(store, segment, &mut segments).await?;
        }
        segments.extend(self.load.iter().flat_map(|load| load.added.iter().cloned()));
        Ok(TableContent {
            schema: TableSchema::clone(&self.schema),
            segments,
            settled: self.settled_after(before)?,
            settings: before.map(|table| table.settings().clone()).unwrap_or_default(),
        })
    }

    fn kept(&self) -> &Kept {
        self.load.as_ref().map_or(&Kept::Everything, |load| &load.kept)
    }

    /// What a segment of the base becomes.
    async fn carry_over(
        &self,
        store: &Store,
        segment: &Arc<SegmentRef>,
        segments: &mut Vec<Arc<SegmentRef>>,
    ) -> Result<(), StoreError> {
        let id = segment.id();
        if let Some(compaction) = self.compactions.iter().find(|other| other.takes(id)) {
            if compaction.begins_with(id) {
                segments.extend(compaction.added().iter().cloned());
            }
            return Ok(());
        }
        let segment = self.kept().restore(segment);
        segments.push(match self.edits.get(&id) {
            Some(edit) => Arc::new(edit.apply(store, self.schema.name(), &segment).await?),
            None => segment,
        });
        Ok(())
    }

    /// Every segment that is changed is there, as it was, and stays.
    fn check_unchanged(&self, before: &[Arc<SegmentRef>]) -> Result<(), StoreError> {
        let now: BTreeMap<SegmentId, &Arc<SegmentRef>> =
            before.iter().map(|segment| (segment.id(), segment)).collect();
        let edited = self.edits.values().map(|edit| &edit.of);
        for of in edited.chain(self.compactions.iter().flat_map(Compaction::old)) {
            if now.get(&of.id()).is_none_or(|segment| *segment != of) {
                return Err(superseded(self.schema.name(), of.id()));
            }
            if !self.kept().keeps(of) {
                return Err(changed_twice(self.schema.name()));
            }
        }
        Ok(())
    }

    /// The batches that can no longer be told from others.
    fn settled_after(
        &self,
        before: Option<&Arc<TableVersion>>,
    ) -> Result<BTreeSet<BatchLabel>, StoreError> {
        let mut settled = match (self.kept(), before) {
            (Kept::Nothing, _) | (_, None) => BTreeSet::new(),
            (_, Some(table)) => table.settled().clone(),
        };
        settled.extend(self.compactions.iter().flat_map(Compaction::settles));
        match self.kept() {
            Kept::AllBut(label) if settled.contains(label) => Err(StoreError::Refused {
                table: self.schema.name().clone(),
                what: format!(
                    "batch {label} was compacted together with others, so it cannot be loaded \
                     again; load a correction under another name or date"
                ),
            }),
            _ => Ok(settled),
        }
    }

    fn check_columns(
        &self,
        before: Option<&Arc<TableVersion>>,
        segments_stay: bool,
    ) -> Result<(), StoreError> {
        let same = before.is_none_or(|table| *table.schema() == *self.schema);
        if !segments_stay || same {
            return Ok(());
        }
        Err(StoreError::Refused {
            table: self.schema.name().clone(),
            what: "its columns or keys have changed; replace the table instead of appending to it"
                .to_owned(),
        })
    }
}

impl SegmentEdit {
    fn of(segment: &Arc<SegmentRef>) -> Self {
        Self { of: Arc::clone(segment), deleted: BTreeMap::new(), attachments: None }
    }

    async fn apply(
        &self,
        store: &Store,
        table: &TableName,
        segment: &SegmentRef,
    ) -> Result<SegmentRef, StoreError> {
        let mut changed = segment.clone();
        if let Some(attachments) = &self.attachments {
            changed.attachments.clone_from(attachments);
        }
        for (batch, rows) in &self.deleted {
            let new = rows.and(&store.live(&changed).await?);
            if !new.is_none() {
                delete_more(store, table, &mut changed, batch, new).await?;
            }
        }
        Ok(changed)
    }
}

/// Adds rows, none of which is deleted yet, to those that the batch deleted.
async fn delete_more(
    store: &Store,
    table: &TableName,
    segment: &mut SegmentRef,
    batch: &BatchLabel,
    new: Selection,
) -> Result<(), StoreError> {
    let rows = match deletion_by(segment, batch) {
        Some(before) => store.deleted_by(segment, before).await?.or(&new),
        None => new,
    };
    segment.deletions.retain(|deletion| deletion.batch() != batch);
    let inline: usize = segment.deletions.iter().map(inline_bytes).sum();
    let bytes = rows.to_bytes();
    let count = u32::try_from(rows.count()).unwrap_or(u32::MAX);
    let rows = if inline + bytes.len() <= INLINE_BYTES_MAX {
        DeletedRows::Inline(rows)
    } else {
        DeletedRows::Object(put(store, table, bytes).await?)
    };
    segment.deletions.push(Deletion { batch: batch.clone(), count, rows });
    segment.deletions.sort_by(|left, right| left.batch.cmp(&right.batch));
    Ok(())
}

async fn put(store: &Store, table: &TableName, bytes: Vec<u8>) -> Result<ObjectRef, StoreError> {
    let path = layout::deleted_rows(table, blake3::hash(&bytes).as_bytes());
    let object = ObjectRef::describe(&path, &bytes);
    store.objects().put(&object, Bytes::from(bytes)).await?;
    Ok(object)
}

fn inline_bytes(deletion: &Deletion) -> usize {
    match &deletion.rows {
        DeletedRows::Inline(rows) => rows.to_bytes().len(),
        DeletedRows::Object(_) => 0,
    }
}

fn deletion_by<'a>(segment: &'a SegmentRef, batch: &BatchLabel) -> Option<&'a Deletion> {
    segment.deletions.iter().find(|deletion| deletion.batch() == batch)
}

fn changed_twice(table: &TableName) -> StoreError {
    StoreError::misuse(format!("one commit changes a segment of `{table}` in two ways"))
}

fn superseded(table: &TableName, segment: SegmentId) -> StoreError {
    StoreError::Superseded { table: table.clone(), segment }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
