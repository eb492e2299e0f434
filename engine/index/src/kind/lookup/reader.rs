//! An opened lookup: nothing decoded but the nulls; a probe reads a few words where they lie.

use std::ops::Range;

use bytes::Bytes;
use martlet_core::{ColumnType, Comparison, Selection, Truth, Value};
use roaring::RoaringBitmap;

use super::format::{self, Parts};
use super::hash::hash_value;
use crate::error::IndexError;
use crate::kind::Reader;
use crate::logic::Leaf;
use crate::values::sql_value;

/// Where the rows of a key may stand.
#[derive(Debug, Clone)]
pub struct LookupIndex {
    parts: Parts,
    nulls: Selection,
}

impl LookupIndex {
    pub(crate) fn open(bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        let (parts, nulls) = format::read(bytes)?;
        if parts.shape.rows != rows {
            return Err(IndexError::damaged("it covers another number of rows"));
        }
        Ok(Self { parts, nulls: Selection::from_bitmap(rows, nulls) })
    }

    /// Rows covered.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.parts.shape.rows
    }

    /// How many rows are null.
    #[must_use]
    pub fn null_count(&self) -> u32 {
        // Checked to be below the rows, a u32.
        self.nulls.count() as u32
    }

    /// The rows that are null.
    #[must_use]
    pub fn nulls(&self) -> Selection {
        self.nulls.clone()
    }

    /// The rows that may hold the value, ascending; no other row does. Null is no value: a
    /// null row may be among them.
    pub fn candidates(&self, value: &Value) -> impl Iterator<Item = u32> + use<'_> {
        self.groups(value).flatten()
    }

    /// Whether a row may hold the value: false is a proof that none does.
    #[must_use]
    pub fn may_hold(&self, value: &Value) -> bool {
        self.groups(value).next().is_some()
    }

    /// The groups of rows that may hold the value.
    fn groups(&self, value: &Value) -> impl Iterator<Item = Range<u32>> + use<'_> {
        let shape = &self.parts.shape;
        let (bucket, fingerprint) = shape.place(hash_value(shape.seed, &sql_value(value)));
        let (rows, shift) = (shape.rows, shape.group_shift);
        // Two keys with one fingerprint may stand in one group.
        let mut from = 0;
        self.parts.groups(bucket, fingerprint).map(move |group| {
            let start = group.saturating_mul(1 << shift).min(rows);
            let end = rows.min(start + (1 << shift));
            let new = start.max(from)..end.max(from);
            from = end.max(from);
            new
        })
    }

    /// Where one of the values may stand and fail to.
    fn truth_of_values<'a>(&self, values: impl Iterator<Item = &'a Value>) -> Truth {
        let mut holds = RoaringBitmap::new();
        for group in values.flat_map(|value| self.groups(value)) {
            holds.insert_range(group);
        }
        let holds = Selection::from_bitmap(self.rows(), holds).minus(&self.nulls);
        if holds.is_none() {
            return Truth::exact_but(holds, self.nulls());
        }
        Truth::bound_but(holds, self.nulls())
    }
}

impl Reader for LookupIndex {
    fn rows(&self) -> u32 {
        Self::rows(self)
    }

    fn nulls(&self) -> Selection {
        Self::nulls(self)
    }

    fn null_count(&self) -> u32 {
        Self::null_count(self)
    }

    fn distinct(&self) -> Option<u32> {
        None
    }

    fn fits(&self, column_type: ColumnType) -> bool {
        self.parts.shape.column_type == format::tag(column_type)
    }

    fn truth(&self, leaf: &Leaf<'_>) -> Option<Result<Truth, IndexError>> {
        Some(Ok(match leaf {
            Leaf::Compare(Comparison::Equal, value) => self.truth_of_values(std::iter::once(value)),
            Leaf::In(values) => self.truth_of_values(values.iter()),
            Leaf::IsNull => Truth::exact_but(self.nulls(), Selection::none(self.rows())),
            Leaf::Compare(..) | Leaf::Like(_) | Leaf::Part(..) | Leaf::Between(..) => return None,
        }))
    }

    fn memory_bytes(&self) -> usize {
        self.nulls.memory_bytes()
    }
}
