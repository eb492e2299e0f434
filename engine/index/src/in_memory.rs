//! Indexes over columns that are stored nowhere: what a stored column becomes, value by value.
//!
//! Owns how they are made in memory and how they are told to whoever asks indexes. They have the
//! form of those beside a segment and are read by the same readers, but lie in no object and
//! cannot be damaged. Never knows why a column becomes another, and never holds what it was.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use bytes::Bytes;
use martlet_core::ColumnType;

use crate::descriptor::{Descriptor, SectionRef};
use crate::encode::{Encoded, encode};
use crate::kind::Index;
use crate::kind::codes::{self, BLOCK_ROWS, CodesIndex};
use crate::values::ColumnKeys;

/// The index, and the bytes that it takes in all.
#[derive(Debug, Clone)]
pub struct InMemory {
    /// The index.
    pub index: Arc<Index>,
    /// Bytes in memory.
    pub bytes: usize,
}

/// A column that is stored nowhere, as codes.
#[derive(Debug)]
pub struct DerivedColumn {
    column_type: ColumnType,
    encoded: Encoded,
}

impl DerivedColumn {
    /// Of all rows of a segment; `None` if the column is not of this type.
    #[must_use]
    pub fn of_rows(column: &ArrayRef, column_type: ColumnType) -> Option<Self> {
        Some(Self { column_type, encoded: encoded(column, column_type)? })
    }

    /// Of the codes of a stored column: `becomes` holds what each of
    /// [`CodesIndex::values_array`] becomes, in that order. `None` if it is not of this type or
    /// holds more or fewer values.
    #[must_use]
    pub fn of_codes(
        stored: &CodesIndex,
        becomes: &ArrayRef,
        column_type: ColumnType,
    ) -> Option<Self> {
        let values = stored.dictionary().len() + usize::from(stored.null_count() > 0);
        if becomes.len() != values {
            return None;
        }
        let Encoded { values, codes: of_code } = encoded(becomes, column_type)?;
        let mut codes = Vec::with_capacity(stored.rows() as usize);
        let mut block = [0; BLOCK_ROWS];
        for at in 0..stored.blocks() {
            let stored = stored.decode_block(at, &mut block).iter();
            // Every code stands for a value or for null: that was proven when they were opened.
            codes.extend(stored.map(|code| of_code[*code as usize]));
        }
        Some(Self { column_type, encoded: Encoded { values, codes } })
    }

    /// Codes over it; `None` of more rows than a segment has.
    #[must_use]
    pub fn codes(&self) -> Option<InMemory> {
        let rows = u32::try_from(self.encoded.codes.len()).ok()?;
        let section: Bytes = codes::build(self.column_type, &self.encoded).into();
        let index = Index::Codes(CodesIndex::open(&section, rows).ok()?);
        let bytes = index.memory_bytes() + section.len();
        Some(InMemory { index: Arc::new(index), bytes })
    }
}

fn encoded(column: &ArrayRef, column_type: ColumnType) -> Option<Encoded> {
    if *column.data_type() != column_type.arrow() {
        return None;
    }
    encode(&ColumnKeys::of(column)?, column.len())
}

/// What is told of a segment of so many rows of which there are these indexes alone, each with the
/// position of its column. No zone map speaks of such columns.
#[must_use]
pub fn described(rows: u32, indexes: &[(usize, &Index)]) -> Descriptor {
    let section = |(column, index): &(usize, &Index)| SectionRef {
        column: *column,
        kind: index.kind(),
        offset: 0,
        length: 0,
        digest: 0,
        distinct: index.reader().distinct().unwrap_or(0),
        build_micros: 0,
    };
    Descriptor::new(rows, Vec::new(), indexes.iter().map(section).collect())
}
