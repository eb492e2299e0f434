//! That a manifest comes back as it was, and that what breaks a rule is damage, never a panic.

use std::collections::BTreeSet;

use martlet_core::{ErrorKind, Kinded};
use proptest::prelude::*;

use super::*;
use crate::fixture::{label, record, wide_schema};
use crate::layout;

/// A rule's name and a change to a message that breaks it.
type Break<Message> = (&'static str, fn(&mut Message));

fn segment(number: u8, rows: u32) -> SegmentRef {
    let id = SegmentId::from_bytes([number; 16]);
    let table = wide_schema();
    let object = ObjectRef::describe(&layout::segment(table.name(), id), &[number; 70_000]);
    let index = ObjectRef::describe(&layout::attachment(table.name(), id, 0), &[number; 10]);
    let attachments = vec![AttachmentRef::new(index, Bytes::from_static(b"descriptor"))];
    let deletions = Vec::new();
    SegmentRef { id, rows, object, batch: label("2026-11-22"), attachments, deletions }
}

/// The second of two segments, of which two batches deleted rows.
fn deleted_from() -> SegmentRef {
    let inline = Selection::from_bitmap(1 << 20, [0, 7, (1 << 20) - 1].into_iter().collect());
    let table = wide_schema();
    let path = layout::deleted_rows(table.name(), blake3::hash(b"rows").as_bytes());
    let object = ObjectRef::describe(&path, b"rows");
    let deletion = |day, count, rows| Deletion { batch: label(day), count, rows };
    let deletions = vec![
        deletion("2026-11-23", 3, DeletedRows::Inline(inline)),
        deletion("2026-11-24", 1_000, DeletedRows::Object(object)),
    ];
    SegmentRef { deletions, ..segment(2, 1 << 20) }
}

fn seal_table(message: &proto::TablePart) -> (ObjectRef, Bytes) {
    seal_table_as(Format::Loaded, message)
}

fn seal_table_as(format: Format, message: &proto::TablePart) -> (ObjectRef, Bytes) {
    let sealed = envelope::seal(Content::TablePart, format, &message.encode_to_vec());
    let table = TableName::new("wide").unwrap();
    let path = layout::table_part(&table, blake3::hash(&sealed).as_bytes());
    (ObjectRef::describe(&path, &sealed), sealed)
}

fn table_message() -> proto::TablePart {
    message_of([segment(1, 1), segment(2, 1 << 20)])
}

fn encoded(segments: &[Arc<SegmentRef>]) -> Bytes {
    encode_table(&content(segments))
}

fn content(segments: &[Arc<SegmentRef>]) -> TableContent {
    TableContent {
        schema: wide_schema(),
        segments: segments.to_vec(),
        settled: BTreeSet::new(),
        settings: Bytes::from_static(b"chosen"),
    }
}

fn message_of(segments: [SegmentRef; 2]) -> proto::TablePart {
    let sealed = encoded(&segments.map(Arc::new));
    let opened = envelope::open(Content::TablePart, "x", &sealed).unwrap();
    proto::TablePart::decode(opened.body).unwrap()
}

fn head() -> SnapshotHead {
    let document = |place: fn(&[u8; 32]) -> String, text: &[u8]| {
        ObjectRef::describe(&place(blake3::hash(text).as_bytes()), text)
    };
    let part = |name: &str| {
        let name = TableName::new(name).unwrap();
        let path = layout::table_part(&name, blake3::hash(b"part").as_bytes());
        (name, ObjectRef::describe(&path, b"part"))
    };
    SnapshotHead {
        number: SnapshotNumber::new(7),
        commit_id: CommitId::from_bytes([9; 16]),
        committed_at: -5,
        tables: vec![part("a"), part("b"), part("system.c")],
        batches: vec![record("2026-11-22", 5), record("1969-12-31", 0)],
        policy: Some(document(layout::policy, b"policy")),
        principals: Some(document(layout::principals, b"")),
        emergencies: Some(document(layout::emergencies, b"emergencies")),
    }
}

fn snapshot_message() -> proto::Snapshot {
    let sealed = encode_snapshot(&head());
    proto::Snapshot::decode(envelope::open(Content::Snapshot, "x", &sealed).unwrap().body).unwrap()
}

fn decode_message(message: &proto::Snapshot) -> Result<SnapshotHead, StoreError> {
    decode_message_as(Format::Changed, message)
}

fn decode_message_as(
    format: Format,
    message: &proto::Snapshot,
) -> Result<SnapshotHead, StoreError> {
    let sealed = envelope::seal(Content::Snapshot, format, &message.encode_to_vec());
    decode_snapshot("snapshots/7", SnapshotNumber::new(7), &sealed)
}

#[test]
fn only_a_snapshot_with_emergencies_needs_the_newer_format() {
    let format = |head: &SnapshotHead| {
        envelope::open(Content::Snapshot, "x", &encode_snapshot(head)).unwrap().format
    };
    let without = SnapshotHead { emergencies: None, ..head() };
    assert_eq!((format(&head()), format(&without)), (Format::Changed, Format::Loaded));
    assert!(decode_message_as(Format::Loaded, &snapshot_message()).is_err());
    let message = proto::Snapshot { emergencies: None, ..snapshot_message() };
    assert_eq!(decode_message_as(Format::Loaded, &message).unwrap(), without);
}

#[test]
fn a_snapshot_comes_back_as_it_was() {
    let sealed = encode_snapshot(&head());
    assert_eq!(decode_snapshot("x", SnapshotNumber::new(7), &sealed).unwrap(), head());
}

#[test]
fn a_table_comes_back_as_it_was() {
    let segments = vec![Arc::new(segment(1, 1)), Arc::new(segment(2, 1 << 20))];
    let (part, sealed) = seal_table(&table_message());
    let table = decode_table(&part, &sealed).unwrap();
    assert_eq!(table.schema(), &wide_schema());
    assert_eq!(table.segments(), segments);
    assert_eq!(table.rows(), (1 << 20) + 1);
    assert_eq!(encode_table(&table.content), sealed);
}

#[test]
fn a_snapshot_under_another_number_is_damage() {
    let sealed = encode_snapshot(&head());
    let error = decode_snapshot("x", SnapshotNumber::new(8), &sealed).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
}

#[test]
fn each_broken_rule_of_a_snapshot_is_damage() {
    let breaks: [Break<proto::Snapshot>; 16] = [
        ("number", |message| message.number = 8),
        ("base", |message| message.base = 5),
        ("last number", |message| message.base = u64::MAX),
        ("commit id", |message| message.commit_id = Bytes::from_static(&[1; 15])),
        ("table order", |message| message.tables.swap(0, 1)),
        ("table twice", |message| message.tables.insert(0, message.tables[0].clone())),
        ("table name", |message| message.tables[0].name = "A".into()),
        ("part of another table", |message| message.tables[0].name = "aa".into()),
        ("no part", |message| message.tables[0].part = None),
        ("digest", |message| message.policy.as_mut().unwrap().digest = Bytes::new()),
        ("checksums", |message| message.policy.as_mut().unwrap().block_checksums = Bytes::new()),
        ("size", |message| message.policy.as_mut().unwrap().size = u64::MAX),
        ("exchanged", |message| std::mem::swap(&mut message.policy, &mut message.principals)),
        ("emergencies elsewhere", |message| message.emergencies = message.policy.clone()),
        ("batch twice", |message| message.batches.push(message.batches[0].clone())),
        ("date", |message| message.batches[0].date = i32::MAX),
    ];
    for (rule, broken) in breaks {
        let mut message = snapshot_message();
        broken(&mut message);
        let error = decode_message(&message).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{rule}");
    }
    assert!(decode_message(&snapshot_message()).is_ok());
}

#[test]
fn each_broken_rule_of_a_table_is_damage() {
    let breaks: [Break<proto::TablePart>; 14] = [
        ("name", |part| part.name = "other".into()),
        ("no columns", |part| part.columns.clear()),
        ("column twice", |part| part.columns[1].name = "key".into()),
        ("column name", |part| part.columns[1].name = String::new()),
        ("class", |part| part.columns[1].class = "No Class".into()),
        ("type", |part| part.columns[1].r#type = "decimal(99,2)".into()),
        ("key", |part| part.cluster_key = vec![9]),
        ("segment twice", |part| part.segments.push(part.segments[0].clone())),
        ("no rows", |part| part.segments[0].rows = 0),
        ("too many rows", |part| part.segments[0].rows = (1 << 20) + 1),
        ("id", |part| part.segments[0].id = Bytes::from_static(&[7; 16])),
        ("no object", |part| part.segments[0].object = None),
        ("batch", |part| part.segments[0].batch_name = "Night".into()),
        ("attachment of another segment", |part| {
            part.segments[0].attachments = part.segments[1].attachments.clone();
        }),
    ];
    for (rule, broken) in breaks {
        let mut message = table_message();
        broken(&mut message);
        let (part, sealed) = seal_table(&message);
        let error = decode_table(&part, &sealed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{rule}");
    }
}

#[test]
fn deleted_rows_come_back_as_they_were_in_a_format_that_older_programs_refuse() {
    let segments = [segment(1, 1), deleted_from()].map(Arc::new);
    let sealed = encoded(&segments);
    let path = layout::table_part(wide_schema().name(), blake3::hash(&sealed).as_bytes());
    let table = decode_table(&ObjectRef::describe(&path, &sealed), &sealed).unwrap();
    assert_eq!(table.segments(), segments);
    assert_eq!(table.rows(), 1 + (1 << 20) - 1_003);
    assert_eq!(table.rows_stored(), 1 + (1 << 20));
    assert_eq!(envelope::open(Content::TablePart, "x", &sealed).unwrap().format, Format::Changed);
    let untouched = encoded(&segments[..1]);
    let opened = envelope::open(Content::TablePart, "x", &untouched).unwrap();
    assert_eq!(opened.format, Format::Loaded, "what older programs understand, they may read");
}

#[test]
fn exchanged_attachments_come_back_in_a_format_that_older_programs_refuse() {
    let table = wide_schema();
    let changed = |change: fn(&mut SegmentRef)| {
        let mut segment = segment(1, 1);
        change(&mut segment);
        let sealed = encoded(&[Arc::new(segment.clone())]);
        let path = layout::table_part(table.name(), blake3::hash(&sealed).as_bytes());
        let read = decode_table(&ObjectRef::describe(&path, &sealed), &sealed).unwrap();
        assert_eq!(*read.segments()[0], segment);
        envelope::open(Content::TablePart, "x", &sealed).unwrap().format
    };
    let later = |segment: &mut SegmentRef| {
        let table = TableName::new("wide").unwrap();
        let path = layout::later_attachment(&table, segment.id, [7; 16]);
        let index = ObjectRef::describe(&path, b"index");
        segment.attachments.push(AttachmentRef::new(index, Bytes::new()));
    };
    assert_eq!(changed(|_| {}), Format::Loaded);
    assert_eq!(changed(|segment| segment.attachments.clear()), Format::Loaded);
    assert_eq!(changed(later), Format::Changed);

    let mut message = table_message();
    let index = message.segments[0].attachments[0].clone();
    message.segments[0].attachments.push(index);
    let (part, sealed) = seal_table_as(Format::Changed, &message);
    assert_eq!(decode_table(&part, &sealed).unwrap_err().kind(), ErrorKind::Damaged, "twice");
    let mut message = table_message();
    let path = &mut message.segments[0].attachments[0].object.as_mut().unwrap().path;
    *path = path.replace("-0", "-1");
    let (part, sealed) = seal_table(&message);
    assert_eq!(decode_table(&part, &sealed).unwrap_err().kind(), ErrorKind::Damaged, "format 1");
    let (part, sealed) = seal_table_as(Format::Changed, &message);
    assert!(decode_table(&part, &sealed).is_ok());
}

#[test]
fn settled_batches_come_back_in_a_format_that_older_programs_refuse() {
    let mut settled = content(&[Arc::new(segment(1, 1))]);
    settled.settled = ["2026-11-22", "2026-11-20"].map(label).into();
    let sealed = encode_table(&settled);
    let opened = envelope::open(Content::TablePart, "x", &sealed).unwrap();
    assert_eq!(opened.format, Format::Changed);
    let message = proto::TablePart::decode(opened.body).unwrap();
    let (part, sealed) = seal_table_as(Format::Changed, &message);
    let table = decode_table(&part, &sealed).unwrap();
    assert_eq!(table.content, settled);
    assert_eq!(table.settled(), &settled.settled);
    let (part, sealed) = seal_table(&message);
    assert_eq!(decode_table(&part, &sealed).unwrap_err().kind(), ErrorKind::Damaged);
    let mut message = message;
    message.settled[0].name = "No Name".to_owned();
    let (part, sealed) = seal_table_as(Format::Changed, &message);
    assert_eq!(decode_table(&part, &sealed).unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn each_broken_rule_of_deleted_rows_is_damage() {
    fn inline(part: &mut proto::TablePart) -> &mut proto::Deletion {
        &mut part.segments[1].deletions[0]
    }
    let breaks: [Break<proto::TablePart>; 10] = [
        ("order", |part| part.segments[1].deletions.swap(0, 1)),
        ("batch twice", |part| inline(part).batch_date += 1),
        ("batch", |part| inline(part).batch_name = String::new()),
        ("count", |part| inline(part).count = 2),
        ("no count", |part| part.segments[1].deletions[1].count = 0),
        ("more than there are", |part| part.segments[1].deletions[1].count = 1 << 20),
        ("overflow", |part| part.segments[1].deletions[1].count = u32::MAX),
        ("nothing", |part| inline(part).rows = None),
        ("garbled", |part| {
            inline(part).rows = Some(proto::deletion::Rows::Inline(Bytes::from_static(b"rows")));
        }),
        ("object of another table", |part| {
            let object = part.segments[0].object.clone().unwrap();
            part.segments[1].deletions[1].rows = Some(proto::deletion::Rows::Object(object));
        }),
    ];
    let message = || message_of([segment(1, 1), deleted_from()]);
    for (rule, broken) in breaks {
        let mut message = message();
        broken(&mut message);
        let (part, sealed) = seal_table_as(Format::Changed, &message);
        let error = decode_table(&part, &sealed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{rule}");
    }
    let (part, sealed) = seal_table_as(Format::Loaded, &message());
    let error = decode_table(&part, &sealed).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged, "the first format has no deleted rows");
    let (part, sealed) = seal_table_as(Format::Changed, &message());
    assert!(decode_table(&part, &sealed).is_ok());
}

proptest! {
    #[test]
    fn no_body_makes_the_reader_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bodies = vec![noise];
        let table = message_of([segment(1, 1), deleted_from()]);
        for mut body in [snapshot_message().encode_to_vec(), table.encode_to_vec()] {
            for (at, byte) in &changes {
                let at = at.index(body.len());
                body[at] = *byte;
            }
            bodies.push(body);
        }
        let name = TableName::new("wide").unwrap();
        for body in bodies {
            let sealed = envelope::seal(Content::Snapshot, Format::Loaded, &body);
            if let Err(error) = decode_snapshot("x", SnapshotNumber::new(7), &sealed) {
                prop_assert_eq!(error.kind(), ErrorKind::Damaged);
            }
            let sealed = envelope::seal(Content::TablePart, Format::Changed, &body);
            let path = layout::table_part(&name, blake3::hash(&sealed).as_bytes());
            let read = decode_table(&ObjectRef::describe(&path, &sealed), &sealed);
            if let Err(error) = read {
                prop_assert!(matches!(error.kind(), ErrorKind::Damaged | ErrorKind::Invalid));
            }
        }
    }
}
