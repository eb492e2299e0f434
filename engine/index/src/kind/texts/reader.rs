//! Opened texts: any row's text on its own, as columns and as what conditions are tested on.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use bytes::Bytes;
use foldhash::fast::RandomState;
use martlet_core::{ColumnType, Selection, Truth, Value};

use super::format::{self, Parts};
use super::symbols::Decoder;
use crate::error::IndexError;
use crate::kind::Reader;
use crate::kind::arrow::null_buffer;
use crate::logic::Leaf;

/// Every row's text.
#[derive(Debug, Clone)]
pub struct TextsIndex {
    parts: Parts,
    decoder: Arc<Decoder>,
}

impl TextsIndex {
    pub(crate) fn open(bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        let parts = format::read(bytes)?;
        if parts.rows != rows {
            return Err(IndexError::damaged("it covers another number of rows"));
        }
        let decoder = Arc::new(Decoder::new(&parts.symbols));
        Ok(Self { parts, decoder })
    }

    /// The selected rows as a column, in row order, nulls included; `None` if the stored codes
    /// are no texts, or more than a column can hold.
    #[must_use]
    pub fn array(&self, rows: &Selection) -> Option<ArrayRef> {
        let count = usize::try_from(rows.count()).ok()?;
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(count + 1);
        let mut end = 0;
        ends.push(0);
        for row in rows.iter() {
            end = self.decoder.decode(self.parts.codes(row), &mut bytes, end);
            ends.push(i32::try_from(end).ok()?);
        }
        bytes.truncate(end);
        let nulls = null_buffer(&self.parts.nulls, rows);
        // The ends ascend, as each text begins where the one before it ends.
        let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
        let texts = StringArray::try_new(ends, Buffer::from_vec(bytes), nulls).ok()?;
        Some(Arc::new(texts))
    }

    /// The rows among these where a condition holds; `None` if texts do not settle it.
    pub(crate) fn matching(&self, leaf: &Leaf<'_>, among: &Selection) -> Option<Selection> {
        Some(match leaf {
            Leaf::IsNull => Reader::nulls(self).and(among),
            Leaf::Like(pattern) => {
                let matcher = pattern.matcher();
                self.rows_where(among, |text| matcher.matches(text))
            }
            Leaf::Compare(comparison, Value::Text(value)) => {
                self.rows_where(among, |text| comparison.holds(text.cmp(value.as_bytes())))
            }
            Leaf::In(values) => {
                let texts = values.iter().filter_map(|value| match value {
                    Value::Text(text) => Some(text.as_bytes()),
                    _ => None,
                });
                let wanted: HashSet<&[u8], RandomState> = texts.collect();
                self.rows_where(among, |text| wanted.contains(text))
            }
            Leaf::Compare(..) | Leaf::Part(..) | Leaf::Between(..) => return None,
        })
    }

    fn rows_where(&self, among: &Selection, holds: impl Fn(&[u8]) -> bool) -> Selection {
        let nulls = &self.parts.nulls;
        let mut text = Vec::new();
        let mut found = Vec::new();
        for row in among.iter() {
            let end = self.decoder.decode(self.parts.codes(row), &mut text, 0);
            // Nulls have no codes, so few are looked up.
            if holds(&text[..end]) && (end > 0 || !nulls.contains(row)) {
                found.push(row);
            }
        }
        Selection::from_ascending(self.parts.rows, found)
    }
}

impl Reader for TextsIndex {
    fn rows(&self) -> u32 {
        self.parts.rows
    }

    fn nulls(&self) -> Selection {
        Selection::from_bitmap(self.parts.rows, self.parts.nulls.clone())
    }

    fn null_count(&self) -> u32 {
        // Checked to be below the rows, a u32.
        self.parts.nulls.len() as u32
    }

    fn distinct(&self) -> Option<u32> {
        None
    }

    fn fits(&self, column_type: ColumnType) -> bool {
        column_type == ColumnType::Text
    }

    fn truth(&self, leaf: &Leaf<'_>) -> Option<Result<Truth, IndexError>> {
        let nulls = matches!(leaf, Leaf::IsNull).then(|| Reader::nulls(self))?;
        Some(Ok(Truth::exact_but(nulls, Selection::none(self.parts.rows))))
    }

    fn memory_bytes(&self) -> usize {
        size_of::<Decoder>() + self.parts.nulls.serialized_size()
    }
}
