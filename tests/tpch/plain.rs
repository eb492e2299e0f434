//! Plain DataFusion over the same text, read without any of Martlet's code.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::tables::{TABLES, Table};

/// A context with the eight tables of the folder's `.tbl` files.
pub(super) fn tables(folder: &Path) -> SessionContext {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    for table in TABLES {
        let text = fs::read_to_string(folder.join(format!("{}.tbl", table.name))).unwrap();
        let batch = read(table, &text);
        let provider = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
        context.register_table(table.name, Arc::new(provider)).unwrap();
    }
    context
}

fn read(table: &Table, text: &str) -> RecordBatch {
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('|').collect()).collect();
    let column = |(at, (name, kind)): (usize, &(&str, &str))| {
        let texts: ArrayRef =
            Arc::new(rows.iter().map(|row| Some(row[at])).collect::<StringArray>());
        let typed = cast(&texts, &arrow_type(kind)).unwrap();
        assert_eq!(typed.null_count(), 0, "{name}");
        (Field::new(*name, arrow_type(kind), false), typed)
    };
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) =
        table.columns.iter().enumerate().map(column).unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn arrow_type(kind: &str) -> DataType {
    match kind {
        "int32" => DataType::Int32,
        "int64" => DataType::Int64,
        "date" => DataType::Date32,
        "decimal(15,2)" => DataType::Decimal128(15, 2),
        _ => DataType::Utf8,
    }
}
