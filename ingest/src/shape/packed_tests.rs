//! What is packed comes out as it went in, whatever slices are asked for.

use arrow::array::UInt64Array;
use arrow::compute::interleave_record_batch;
use martlet_core::{ColumnName, ColumnSchema, TableName};
use proptest::prelude::*;

use super::*;

const TYPES: [ColumnType; 9] = [
    ColumnType::Boolean,
    ColumnType::Int32,
    ColumnType::Int64,
    ColumnType::Float64,
    ColumnType::Decimal { precision: 18, scale: 2 },
    ColumnType::Decimal { precision: 38, scale: 0 },
    ColumnType::Date,
    ColumnType::Timestamp,
    ColumnType::Text,
];

fn schema() -> TableSchema {
    let column = |(at, column_type): (usize, &ColumnType)| ColumnSchema {
        name: ColumnName::new(&format!("c{at}")).unwrap(),
        column_type: *column_type,
        nullable: true,
        class: None,
    };
    let columns = TYPES.iter().enumerate().map(column).collect();
    TableSchema::new(TableName::new("t").unwrap(), columns, &[], &[]).unwrap()
}

type Row = (Option<i32>, Option<String>);

/// Every column made from the row's number, null where the number is.
fn batch(rows: &[Row]) -> RecordBatch {
    let numbers = || rows.iter().map(|row| row.0);
    let decimal = |precision, scale| -> ArrayRef {
        let values: Decimal128Array =
            numbers().map(|number| number.map(|number| i128::from(number) * 97)).collect();
        Arc::new(values.with_precision_and_scale(precision, scale).unwrap())
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(
            numbers().map(|number| number.map(|number| number % 2 == 0)).collect::<BooleanArray>(),
        ),
        Arc::new(numbers().collect::<PrimitiveArray<Int32Type>>()),
        Arc::new(numbers().map(|number| number.map(i64::from)).collect::<Int64Array>()),
        Arc::new(
            numbers().map(|number| number.map(f64::from)).collect::<PrimitiveArray<Float64Type>>(),
        ),
        decimal(18, 2),
        decimal(38, 0),
        Arc::new(numbers().collect::<PrimitiveArray<Date32Type>>()),
        Arc::new(
            numbers()
                .map(|number| number.map(i64::from))
                .collect::<PrimitiveArray<TimestampMicrosecondType>>(),
        ),
        Arc::new(rows.iter().map(|row| row.1.clone()).collect::<StringArray>()),
        Arc::new(UInt64Array::from_iter_values(0..rows.len() as u64)),
    ];
    RecordBatch::try_new(crate::origin::schema_with_origin(&schema()), columns).unwrap()
}

proptest! {
    #[test]
    fn slices_come_out_as_they_went_in(
        chunks in prop::collection::vec(
            prop::collection::vec(
                (prop::option::of(-1_000_000_i32..1_000_000), prop::option::of("[a-cé]{0,20}")),
                1..30,
            ),
            1..4,
        ),
        wanted in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_usize..30), 0..12),
    ) {
        let plain: Vec<RecordBatch> = chunks.iter().map(|rows| batch(rows)).collect();
        let packing = Packing::of(&schema());
        let packed: Vec<RecordBatch> =
            plain.iter().map(|batch| packing.pack(batch).unwrap()).collect();
        let unpacking = packing.close();
        let slices: Vec<Slice> = wanted
            .iter()
            .map(|(batch, start, rows)| {
                let batch = batch.index(plain.len());
                let start = start.index(plain[batch].num_rows());
                Slice { batch, start, rows: (*rows).min(plain[batch].num_rows() - start) }
            })
            .collect();
        let rows: Vec<(usize, usize)> = slices
            .iter()
            .flat_map(|slice| (slice.start..slice.start + slice.rows).map(|row| (slice.batch, row)))
            .collect();
        let expected = interleave_record_batch(&plain.iter().collect::<Vec<_>>(), &rows).unwrap();
        for at in 0..TYPES.len() {
            let found = unpacking.column(at, &packed, &slices).unwrap();
            prop_assert_eq!(&found, expected.column(at));
        }
    }
}

/// A column with more texts than codes is given up, and its earlier rows keep their codes.
#[test]
fn coded_and_plain_rows_of_a_column_stand_together() {
    let schema = schema();
    let packing = Packing::of(&schema);
    let row = |number: i32| (Some(number), Some(format!("text number {number}")));
    let few: Vec<Row> = vec![row(3), (None, None), row(1), row(3)];
    let many: Vec<Row> = (0..70_000).map(row).collect();
    let chunks = [batch(&few), batch(&many), batch(&few)];
    let packed: Vec<RecordBatch> =
        chunks.iter().map(|chunk| packing.pack(chunk).unwrap()).collect();
    let is_coded = |at: usize| packed[at].column(8).as_primitive_opt::<UInt16Type>().is_some();
    assert_eq!([is_coded(0), is_coded(1), is_coded(2)], [true, false, false]);
    let slices = [
        Slice { batch: 0, start: 0, rows: 3 },
        Slice { batch: 1, start: 69_998, rows: 2 },
        Slice { batch: 2, start: 1, rows: 2 },
    ];
    let found = packing.close().column(8, &packed, &slices).unwrap();
    let found: Vec<Option<&str>> = found.as_string::<i32>().iter().collect();
    let expected = [
        Some("text number 3"),
        None,
        Some("text number 1"),
        Some("text number 69998"),
        Some("text number 69999"),
        None,
        Some("text number 1"),
    ];
    assert_eq!(found, expected);
}
