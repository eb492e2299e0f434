//! That a manifest comes back as it was, and that what breaks a rule is damage, never a panic.

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
    SegmentRef { id, rows, object, batch: label("2026-11-22"), attachments }
}

fn seal_table(message: &proto::TablePart) -> (ObjectRef, Bytes) {
    let sealed = envelope::seal(Content::TablePart, &message.encode_to_vec());
    let table = TableName::new("wide").unwrap();
    let path = layout::table_part(&table, blake3::hash(&sealed).as_bytes());
    (ObjectRef::describe(&path, &sealed), sealed)
}

fn table_message() -> proto::TablePart {
    let segments = [segment(1, 1), segment(2, 1 << 20)].map(Arc::new);
    let sealed = encode_table(&wide_schema(), &segments, &Bytes::from_static(b"chosen"));
    let body = envelope::open(Content::TablePart, "x", &sealed).unwrap();
    proto::TablePart::decode(body).unwrap()
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
    }
}

fn snapshot_message() -> proto::Snapshot {
    let sealed = encode_snapshot(&head());
    proto::Snapshot::decode(envelope::open(Content::Snapshot, "x", &sealed).unwrap()).unwrap()
}

fn decode_message(message: &proto::Snapshot) -> Result<SnapshotHead, StoreError> {
    let sealed = envelope::seal(Content::Snapshot, &message.encode_to_vec());
    decode_snapshot(&layout::snapshot(SnapshotNumber::new(7)), &sealed)
}

#[test]
fn a_snapshot_comes_back_as_it_was() {
    let sealed = encode_snapshot(&head());
    let path = layout::snapshot(SnapshotNumber::new(7));
    assert_eq!(decode_snapshot(&path, &sealed).unwrap(), head());
}

#[test]
fn a_table_comes_back_as_it_was() {
    let segments = vec![Arc::new(segment(1, 1)), Arc::new(segment(2, 1 << 20))];
    let (part, sealed) = seal_table(&table_message());
    let table = decode_table(&part, &sealed).unwrap();
    assert_eq!(table.schema(), &wide_schema());
    assert_eq!(table.segments(), segments);
    assert_eq!(table.rows(), (1 << 20) + 1);
    assert_eq!(encode_table(table.schema(), table.segments(), table.settings()), sealed);
}

#[test]
fn a_snapshot_under_another_number_is_damage() {
    let sealed = encode_snapshot(&head());
    let path = layout::snapshot(SnapshotNumber::new(8));
    assert_eq!(decode_snapshot(&path, &sealed).unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn each_broken_rule_of_a_snapshot_is_damage() {
    let breaks: [Break<proto::Snapshot>; 15] = [
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
fn deleted_rows_are_not_shown_but_refused() {
    let mut message = table_message();
    message.segments[0].delete_vector = message.segments[0].object.clone();
    let (part, sealed) = seal_table(&message);
    let error = decode_table(&part, &sealed).unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { .. }));
}

proptest! {
    #[test]
    fn no_body_makes_the_reader_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bodies = vec![noise];
        for mut body in [snapshot_message().encode_to_vec(), table_message().encode_to_vec()] {
            for (at, byte) in &changes {
                let at = at.index(body.len());
                body[at] = *byte;
            }
            bodies.push(body);
        }
        let name = TableName::new("wide").unwrap();
        for body in bodies {
            let sealed = envelope::seal(Content::Snapshot, &body);
            let path = layout::snapshot(SnapshotNumber::new(7));
            if let Err(error) = decode_snapshot(&path, &sealed) {
                prop_assert_eq!(error.kind(), ErrorKind::Damaged);
            }
            let sealed = envelope::seal(Content::TablePart, &body);
            let path = layout::table_part(&name, blake3::hash(&sealed).as_bytes());
            let read = decode_table(&ObjectRef::describe(&path, &sealed), &sealed);
            if let Err(error) = read {
                prop_assert!(matches!(error.kind(), ErrorKind::Damaged | ErrorKind::Invalid));
            }
        }
    }
}
