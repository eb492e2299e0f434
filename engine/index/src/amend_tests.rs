//! That an amended object holds what one built at once would hold.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use martlet_core::{ColumnName, ColumnSchema, ColumnType, TableName};

use super::*;
use crate::kind::Index;

const ROWS: i64 = 20_000;

fn table() -> (TableSchema, RecordBatch) {
    let column = |name: &str, column_type| ColumnSchema {
        name: ColumnName::new(name).unwrap(),
        column_type,
        nullable: true,
        class: None,
    };
    let columns = vec![column("a", ColumnType::Int64), column("b", ColumnType::Text)];
    let schema = TableSchema::new(TableName::new("t").unwrap(), columns, &[], &[]).unwrap();
    let numbers = (0..ROWS).map(|row| (row % 7 != 0).then_some(row % 40));
    let texts = (0..ROWS).map(|row| (row % 5 != 0).then(|| format!("t{}", row % 9)));
    let arrays: Vec<ArrayRef> =
        vec![Arc::new(numbers.collect::<Int64Array>()), Arc::new(texts.collect::<StringArray>())];
    let rows = RecordBatch::try_new(schema.arrow(), arrays).unwrap();
    (schema, rows)
}

fn kept(built: &Built, keeps: impl Fn(&SectionRef) -> bool) -> Vec<KeptSection> {
    let sections = built.descriptor.sections().iter().filter(|section| keeps(section));
    sections
        .map(|section| {
            let start = section.offset as usize;
            let bytes = built.bytes.slice(start..start + section.length as usize);
            KeptSection { section: section.clone(), bytes }
        })
        .collect()
}

fn section_bytes(built: &Built, column: usize, kind: IndexKind) -> Bytes {
    let section = built.descriptor.section(column, kind).unwrap();
    let start = section.offset as usize;
    let bytes = built.bytes.slice(start..start + section.length as usize);
    assert!(Index::open(section, &bytes, ROWS as u32).is_ok());
    bytes
}

#[test]
fn what_is_added_and_kept_is_what_would_have_been_built_at_once() {
    let (schema, rows) = table();
    let kinds = |kinds: &[IndexKind]| IndexChoice::Kinds(kinds.to_vec());
    let both = [IndexKind::Bitmap, IndexKind::Codes];
    let at_once = build(&schema, &rows, &[kinds(&both), kinds(&both)]).unwrap();
    let first = build(&schema, &rows, &[kinds(&[IndexKind::Bitmap]), kinds(&both)]).unwrap();
    let only_a = rows.project(&[0]).unwrap();
    let amended = amend(
        &schema,
        &first.descriptor,
        &kept(&first, |_| true),
        &only_a,
        &[(0, vec![IndexKind::Codes])],
    )
    .unwrap();
    for column in 0..2 {
        for kind in both {
            let bytes = section_bytes(&amended, column, kind);
            assert_eq!(bytes, section_bytes(&at_once, column, kind));
        }
    }
    assert_eq!(amended.descriptor.zones(), at_once.descriptor.zones());
    assert_eq!(amended.descriptor.sections().len(), 4);
    let back = Descriptor::decode(&amended.descriptor.encode()).unwrap();
    assert_eq!(back, amended.descriptor);
}

#[test]
fn what_is_not_kept_is_gone_and_the_zone_maps_stay() {
    let (schema, rows) = table();
    let both = IndexChoice::Kinds(vec![IndexKind::Bitmap, IndexKind::Codes]);
    let first = build(&schema, &rows, &[both.clone(), both]).unwrap();
    let stays = kept(&first, |section| section.column == 1);
    let nothing = rows.project(&[]).unwrap();
    let amended = amend(&schema, &first.descriptor, &stays, &nothing, &[]).unwrap();
    assert_eq!(amended.descriptor.section(0, IndexKind::Codes), None);
    section_bytes(&amended, 1, IndexKind::Codes);
    assert_eq!(amended.descriptor.zones(), first.descriptor.zones());
}

#[test]
fn damage_is_never_copied_and_other_rows_are_refused() {
    let (schema, rows) = table();
    let bitmap = IndexChoice::Kinds(vec![IndexKind::Bitmap]);
    let first = build(&schema, &rows, &[bitmap.clone(), bitmap]).unwrap();
    let mut damaged = kept(&first, |_| true);
    let mut bytes = damaged[0].bytes.to_vec();
    bytes[3] ^= 1;
    damaged[0].bytes = bytes.into();
    let refused = amend(&schema, &first.descriptor, &damaged, &rows, &[]);
    assert!(matches!(refused, Err(IndexError::Damaged { .. })));
    let fewer = rows.slice(0, 10);
    let refused = amend(&schema, &first.descriptor, &[], &fewer, &[(0, vec![IndexKind::Bitmap])]);
    assert!(matches!(refused, Err(IndexError::Lengths { .. })));
}
