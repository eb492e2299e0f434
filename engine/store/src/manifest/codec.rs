//! Manifest types to bytes and back, by hand: every field is checked on its way in.
//!
//! Receives: proven bytes from [`super::envelope`]. Hands on: types that hold what they promise.
//! A message that does not fit is damage, never a panic.

use std::sync::Arc;

use bytes::Bytes;
use martlet_core::{
    BatchDate, ColumnName, ColumnSchema, ColumnType, CommitId, SegmentId, Selection,
    SnapshotNumber, TableName, TableSchema,
};
use martlet_proto::store as proto;
use prost::Message;

use super::deletion::{DeletedRows, Deletion};
use super::envelope::{self, Content, Format};
use super::{
    AttachmentRef, BatchLabel, BatchRecord, SegmentRef, TableContent, TableVersion, invariants,
};
use crate::error::StoreError;
use crate::layout;
use crate::object::ObjectRef;

/// A snapshot's own object: what it names, without the tables' parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SnapshotHead {
    pub(crate) number: SnapshotNumber,
    pub(crate) commit_id: CommitId,
    pub(crate) committed_at: i64,
    /// Ascending by name.
    pub(crate) tables: Vec<(TableName, ObjectRef)>,
    pub(crate) batches: Vec<BatchRecord>,
    pub(crate) policy: Option<ObjectRef>,
    pub(crate) principals: Option<ObjectRef>,
    pub(crate) emergencies: Option<ObjectRef>,
}

impl SnapshotHead {
    /// The first format that has what the snapshot needs. An older program would leave out the
    /// emergencies of the snapshot that it makes next, so it must not read this one.
    const fn format(&self) -> Format {
        if self.emergencies.is_some() { Format::Changed } else { Format::Loaded }
    }
}

pub(crate) fn encode_snapshot(head: &SnapshotHead) -> Bytes {
    let entry = |(name, part): &(TableName, ObjectRef)| proto::TableEntry {
        name: name.to_string(),
        part: Some(object_to_proto(part)),
    };
    let message = proto::Snapshot {
        number: head.number.get(),
        base: head.number.get().saturating_sub(1),
        commit_id: Bytes::copy_from_slice(head.commit_id.as_bytes()),
        committed_at: head.committed_at,
        tables: head.tables.iter().map(entry).collect(),
        batches: head.batches.iter().map(batch_to_proto).collect(),
        policy: head.policy.as_ref().map(object_to_proto),
        principals: head.principals.as_ref().map(object_to_proto),
        emergencies: head.emergencies.as_ref().map(object_to_proto),
    };
    envelope::seal(Content::Snapshot, head.format(), &message.encode_to_vec())
}

/// The snapshot of that number, which lies at the path.
pub(crate) fn decode_snapshot(
    path: &str,
    number: SnapshotNumber,
    sealed: &Bytes,
) -> Result<SnapshotHead, StoreError> {
    let reading = Reading { object: path };
    let opened = envelope::open(Content::Snapshot, path, sealed)?;
    let message =
        proto::Snapshot::decode(opened.body).map_err(|_| reading.damaged("it is garbled"))?;
    if message.base.checked_add(1) != Some(message.number) {
        return Err(reading.damaged("its base is not the snapshot before it"));
    }
    let entry = |entry: proto::TableEntry| {
        Ok((reading.table_name(&entry.name)?, reading.required_object(entry.part)?))
    };
    let head = SnapshotHead {
        number: SnapshotNumber::new(message.number),
        commit_id: CommitId::from_bytes(reading.bytes(&message.commit_id)?),
        committed_at: message.committed_at,
        tables: message.tables.into_iter().map(entry).collect::<Result<_, _>>()?,
        batches: message
            .batches
            .into_iter()
            .map(|batch| reading.batch(batch))
            .collect::<Result<_, _>>()?,
        policy: message.policy.map(|object| reading.object(object)).transpose()?,
        principals: message.principals.map(|object| reading.object(object)).transpose()?,
        emergencies: message.emergencies.map(|object| reading.object(object)).transpose()?,
    };
    if head.format() > opened.format {
        return Err(reading.damaged("it holds what its format does not have"));
    }
    invariants::check_snapshot(path, number, &head)?;
    Ok(head)
}

pub(crate) fn encode_table(table: &TableContent) -> Bytes {
    let schema = &table.schema;
    let positions = |key: &[usize]| key.iter().map(|position| *position as u32).collect();
    let settled = |label: &BatchLabel| proto::SettledBatch {
        name: label.name().to_owned(),
        date: label.date().days(),
    };
    let message = proto::TablePart {
        name: schema.name().to_string(),
        columns: schema.columns().iter().map(column_to_proto).collect(),
        primary_key: positions(schema.primary_key()),
        cluster_key: positions(schema.cluster_key()),
        segments: table.segments.iter().map(|segment| segment_to_proto(segment)).collect(),
        settings: table.settings.clone(),
        settled: table.settled.iter().map(settled).collect(),
    };
    envelope::seal(Content::TablePart, format_for(table), &message.encode_to_vec())
}

pub(crate) fn decode_table(part: &ObjectRef, sealed: &Bytes) -> Result<TableVersion, StoreError> {
    let reading = Reading { object: part.path() };
    let opened = envelope::open(Content::TablePart, part.path(), sealed)?;
    let message =
        proto::TablePart::decode(opened.body).map_err(|_| reading.damaged("it is garbled"))?;
    let schema = reading.schema(&message)?;
    let settled = message.settled.iter().map(|batch| reading.label(&batch.name, batch.date));
    let segments = message.segments.iter().map(|segment| reading.segment(segment).map(Arc::new));
    let content = TableContent {
        schema,
        segments: segments.collect::<Result<_, _>>()?,
        settled: settled.collect::<Result<_, _>>()?,
        settings: message.settings,
    };
    if format_for(&content) > opened.format {
        return Err(reading.damaged("it holds what its format does not have"));
    }
    invariants::check_table(part, &content)?;
    let rows = content.segments.iter().map(|segment| u64::from(segment.live_count())).sum();
    Ok(TableVersion { content, rows, part: part.clone() })
}

/// The first format that has what the table needs. An older program would show its deleted rows,
/// take attachments that were exchanged for damage, and load a batch again that is settled, so
/// it must not read the part.
fn format_for(table: &TableContent) -> Format {
    let as_loaded = |segment: &SegmentRef| {
        let mut attachments = segment.attachments.iter().enumerate();
        let as_staged = attachments.all(|(ordinal, attachment)| {
            let place = layout::attachment(table.schema.name(), segment.id, ordinal);
            attachment.object().path() == place
        });
        segment.deletions.is_empty() && as_staged
    };
    let all = table.settled.is_empty() && table.segments.iter().all(|segment| as_loaded(segment));
    if all { Format::Loaded } else { Format::Changed }
}

fn object_to_proto(object: &ObjectRef) -> proto::ObjectRef {
    let checksums = object.block_checksums().iter().flat_map(|checksum| checksum.to_le_bytes());
    proto::ObjectRef {
        path: object.path().to_owned(),
        size: object.size_bytes(),
        digest: Bytes::copy_from_slice(object.digest()),
        block_checksums: checksums.collect(),
    }
}

fn batch_to_proto(batch: &BatchRecord) -> proto::Batch {
    proto::Batch {
        name: batch.name().to_owned(),
        date: batch.date().days(),
        digest: Bytes::copy_from_slice(batch.digest()),
        committed_at: batch.committed_at(),
        rows: batch.rows(),
    }
}

fn column_to_proto(column: &ColumnSchema) -> proto::Column {
    proto::Column {
        name: column.name.to_string(),
        r#type: column.column_type.name(),
        nullable: column.nullable,
        class: column.class.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

fn segment_to_proto(segment: &SegmentRef) -> proto::Segment {
    let attachment = |attachment: &AttachmentRef| proto::Attachment {
        object: Some(object_to_proto(attachment.object())),
        descriptor: attachment.descriptor().clone(),
    };
    proto::Segment {
        id: Bytes::copy_from_slice(segment.id.as_bytes()),
        rows: segment.rows,
        object: Some(object_to_proto(&segment.object)),
        batch_name: segment.batch.name().to_owned(),
        batch_date: segment.batch.date().days(),
        attachments: segment.attachments.iter().map(attachment).collect(),
        deletions: segment.deletions.iter().map(deletion_to_proto).collect(),
    }
}

fn deletion_to_proto(deletion: &Deletion) -> proto::Deletion {
    let rows = match &deletion.rows {
        DeletedRows::Inline(rows) => proto::deletion::Rows::Inline(rows.to_bytes().into()),
        DeletedRows::Object(object) => proto::deletion::Rows::Object(object_to_proto(object)),
    };
    proto::Deletion {
        batch_name: deletion.batch.name().to_owned(),
        batch_date: deletion.batch.date().days(),
        count: deletion.count,
        rows: Some(rows),
    }
}

/// The object that is being read, for the error's text.
struct Reading<'a> {
    object: &'a str,
}

impl Reading<'_> {
    fn damaged(&self, what: &str) -> StoreError {
        StoreError::damaged(self.object, what)
    }

    fn bytes<const LENGTH: usize>(&self, bytes: &[u8]) -> Result<[u8; LENGTH], StoreError> {
        bytes.try_into().map_err(|_| self.damaged("an id or digest has a wrong length"))
    }

    fn table_name(&self, name: &str) -> Result<TableName, StoreError> {
        TableName::new(name).map_err(|_| self.damaged("a table's name is not well formed"))
    }

    fn column_name(&self, name: &str) -> Result<ColumnName, StoreError> {
        ColumnName::new(name).map_err(|_| self.damaged("a column's name is not well formed"))
    }

    fn required_object(&self, object: Option<proto::ObjectRef>) -> Result<ObjectRef, StoreError> {
        self.object(object.ok_or_else(|| self.damaged("a reference to an object is missing"))?)
    }

    fn object(&self, object: proto::ObjectRef) -> Result<ObjectRef, StoreError> {
        let digest = self.bytes(&object.digest)?;
        let (checksums, rest) = object.block_checksums.as_chunks::<8>();
        let checksums = checksums.iter().map(|checksum| u64::from_le_bytes(*checksum)).collect();
        ObjectRef::from_parts(&object.path, object.size, digest, checksums)
            .filter(|_| rest.is_empty())
            .ok_or_else(|| self.damaged("an object's size and checksums disagree"))
    }

    fn label(&self, name: &str, days: i32) -> Result<BatchLabel, StoreError> {
        let date = BatchDate::from_days(days)
            .ok_or_else(|| self.damaged("a batch's date is not in the calendar"))?;
        BatchLabel::new(name, date).map_err(|_| self.damaged("a batch's name is not well formed"))
    }

    fn batch(&self, batch: proto::Batch) -> Result<BatchRecord, StoreError> {
        let label = self.label(&batch.name, batch.date)?;
        let record = BatchRecord::new(label, self.bytes(&batch.digest)?, batch.rows);
        Ok(record.stamped(batch.committed_at))
    }

    fn column(&self, column: &proto::Column) -> Result<ColumnSchema, StoreError> {
        let class = Some(&column.class).filter(|class| !class.is_empty());
        Ok(ColumnSchema {
            name: self.column_name(&column.name)?,
            column_type: ColumnType::parse(&column.r#type)
                .ok_or_else(|| self.damaged("a column's type is unknown"))?,
            nullable: column.nullable,
            class: class.map(|class| self.column_name(class)).transpose()?,
        })
    }

    fn schema(&self, part: &proto::TablePart) -> Result<TableSchema, StoreError> {
        let columns =
            part.columns.iter().map(|column| self.column(column)).collect::<Result<Vec<_>, _>>()?;
        let names = |key: &[u32]| {
            key.iter()
                .map(|position| columns.get(*position as usize).map(|column| column.name.clone()))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| self.damaged("a key names a column that the table does not have"))
        };
        let (primary, cluster) = (names(&part.primary_key)?, names(&part.cluster_key)?);
        TableSchema::new(self.table_name(&part.name)?, columns, &primary, &cluster)
            .map_err(|_| self.damaged("its columns do not make a table"))
    }

    fn segment(&self, segment: &proto::Segment) -> Result<SegmentRef, StoreError> {
        let attachment = |attachment: &proto::Attachment| {
            let object = self.required_object(attachment.object.clone())?;
            Ok(AttachmentRef::new(object, attachment.descriptor.clone()))
        };
        Ok(SegmentRef {
            id: SegmentId::from_bytes(self.bytes(&segment.id)?),
            rows: segment.rows,
            object: self.required_object(segment.object.clone())?,
            batch: self.label(&segment.batch_name, segment.batch_date)?,
            attachments: segment.attachments.iter().map(attachment).collect::<Result<_, _>>()?,
            deletions: segment
                .deletions
                .iter()
                .map(|deletion| self.deletion(deletion, segment.rows))
                .collect::<Result<_, _>>()?,
        })
    }

    fn deletion(&self, deletion: &proto::Deletion, rows: u32) -> Result<Deletion, StoreError> {
        let place = match &deletion.rows {
            Some(proto::deletion::Rows::Inline(bytes)) => Selection::from_bytes(rows, bytes)
                .filter(|deleted| deleted.count() == u64::from(deletion.count))
                .map(DeletedRows::Inline)
                .ok_or_else(|| self.damaged("deleted rows are garbled"))?,
            Some(proto::deletion::Rows::Object(object)) => {
                DeletedRows::Object(self.object(object.clone())?)
            }
            None => return Err(self.damaged("deleted rows are missing")),
        };
        Ok(Deletion {
            batch: self.label(&deletion.batch_name, deletion.batch_date)?,
            count: deletion.count,
            rows: place,
        })
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
