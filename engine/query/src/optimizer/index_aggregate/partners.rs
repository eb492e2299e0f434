//! The rows of a join's other side, by the key that they are joined by.
//!
//! What of a row is grouped by is its tuple. Keys whose rows have the same tuples equally often
//! fall to one combination, so that a segment is grouped by few combinations and not by keys;
//! only the groups that come out of it are multiplied as the join would multiply rows.

use std::collections::HashMap;
use std::fmt;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::compute::{filter_record_batch, is_not_null};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use foldhash::fast::RandomState;
use martlet_core::Value;
use martlet_index::{KeyedValues, NumberedValues};

use super::numbering::Numbering;
use crate::error::QueryError;

const SHAPE: QueryError = QueryError::Bug { promise: "a joined plan has the columns it declares" };
const TOO_MANY: QueryError = QueryError::Exhausted { resource: "memory" };

/// Stands for no number.
const NONE: u32 = u32::MAX;

/// A tuple of the other side, and how many rows of a key have it.
pub(super) type Part = (u32, u64);

/// See the module.
pub(super) struct Partners {
    keys: NumberedValues,
    tuples: Vec<ArrayRef>,
    /// The parts of all combinations, one combination after the other.
    parts: Vec<Part>,
    /// Where each combination ends among the parts.
    ends: Vec<usize>,
}

impl fmt::Debug for Partners {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Partners({} keys, {} combinations)", self.keys.len(), self.ends.len())
    }
}

impl Partners {
    /// Whether no row can have a partner.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys, each numbered by its combination.
    pub(super) const fn keys(&self) -> &NumberedValues {
        &self.keys
    }

    /// The columns of the tuples, one row per tuple.
    pub(super) fn tuples(&self) -> &[ArrayRef] {
        &self.tuples
    }

    /// What a row of the combination is joined to.
    pub(super) fn parts(&self, combination: u32) -> &[Part] {
        let at = combination as usize;
        let end = self.ends.get(at).copied().unwrap_or(0);
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        self.parts.get(start.unwrap_or(0)..end).unwrap_or_default()
    }

    /// The combination that rows of a value are joined to.
    pub(super) fn combination(&self, value: &Value) -> Option<u32> {
        self.keys.number(value)
    }

    /// Bytes held, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        let tuples: usize = self.tuples.iter().map(|array| array.get_array_memory_size()).sum();
        let combinations = size_of_val(self.parts.as_slice()) + size_of_val(self.ends.as_slice());
        self.keys.memory_bytes() + tuples + combinations
    }
}

/// Takes in the other side's rows.
pub(super) struct Collector {
    key: usize,
    grouped_by: Vec<usize>,
    tuples: Numbering,
    /// The keys of the rows, each with the number of a tuple and how many rows have both.
    rows: KeyedValues<(u32, u32)>,
}

impl Collector {
    /// For rows of this schema, which are joined and grouped by columns at these positions.
    pub(super) fn new(
        schema: &SchemaRef,
        key: usize,
        grouped_by: &[usize],
    ) -> DataFusionResult<Self> {
        let data_type = |at: &usize| -> Result<DataType, QueryError> {
            Ok(schema.fields().get(*at).ok_or(SHAPE)?.data_type().clone())
        };
        let of_tuples = grouped_by.iter().map(data_type).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            key,
            grouped_by: grouped_by.to_vec(),
            tuples: Numbering::new(&of_tuples)?,
            rows: KeyedValues::default(),
        })
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) -> DataFusionResult<()> {
        let batch = self.with_keys(batch)?;
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(());
        }
        let column = |at: &usize| batch.columns().get(*at).cloned().ok_or(SHAPE);
        let grouped_by = self.grouped_by.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let tuples = self.tuples.number(&grouped_by, rows)?;
        if tuples.iter().any(|tuple| u32::try_from(*tuple).is_err()) {
            return Err(TOO_MANY.into());
        }
        let known = self.rows.len();
        self.rows.add(&column(&self.key)?, |row| (tuples[row] as u32, 1));
        // A key of another type than the stored ones would be passed over.
        if self.rows.len() != known + rows {
            return Err(SHAPE.into());
        }
        self.rows.bound_repeats(|(tuple, times), (other, more)| {
            let is_same = tuple == other;
            is_same.then(|| times.checked_add(more)).flatten().map(|times| (tuple, times))
        });
        Ok(())
    }

    /// The rows with a key: null joins nothing.
    fn with_keys(&self, batch: &RecordBatch) -> DataFusionResult<RecordBatch> {
        let keys = batch.columns().get(self.key).ok_or(SHAPE)?;
        if keys.null_count() == 0 {
            return Ok(batch.clone());
        }
        Ok(filter_record_batch(batch, &is_not_null(keys)?)?)
    }

    pub(super) fn finish(self) -> DataFusionResult<Partners> {
        let mut combinations = Combinations::default();
        let keys = self.rows.folded(|tuples| combinations.number(tuples));
        let groups = u32::try_from(combinations.ends.len()).map_err(|_| TOO_MANY)?;
        Ok(Partners {
            keys: NumberedValues::new(keys, groups),
            tuples: self.tuples.finish()?,
            parts: combinations.parts,
            ends: combinations.ends,
        })
    }

    /// Bytes held, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        self.tuples.memory_bytes() + self.rows.memory_bytes()
    }
}

/// Combinations of tuples, each numbered once.
#[derive(Default)]
struct Combinations {
    parts: Vec<Part>,
    ends: Vec<usize>,
    /// For each tuple, the combination of one row that has it.
    singles: Vec<u32>,
    several: HashMap<Vec<Part>, u32, RandomState>,
}

impl Combinations {
    /// The number of a key's combination, given the tuples of its rows and of how many rows each,
    /// ascending.
    fn number(&mut self, tuples: &[(u32, u32)]) -> u32 {
        if let [(only, 1)] = tuples {
            return self.single(*only);
        }
        let repeats = tuples.chunk_by(|(left, _), (right, _)| left == right);
        let part = |equal: &[(u32, u32)]| -> Part {
            (equal[0].0, equal.iter().map(|(_, times)| u64::from(*times)).sum())
        };
        let parts: Vec<Part> = repeats.map(part).collect();
        if let Some(known) = self.several.get(&parts) {
            return *known;
        }
        let number = self.push(&parts);
        self.several.insert(parts, number);
        number
    }

    fn single(&mut self, tuple: u32) -> u32 {
        let at = tuple as usize;
        if self.singles.len() <= at {
            self.singles.resize(at + 1, NONE);
        }
        if self.singles[at] == NONE {
            self.singles[at] = self.push(&[(tuple, 1)]);
        }
        self.singles[at]
    }

    fn push(&mut self, parts: &[Part]) -> u32 {
        // At most one combination per key, and keys are numbered in 32 bits.
        let number = self.ends.len() as u32;
        self.parts.extend_from_slice(parts);
        self.ends.push(self.parts.len());
        number
    }
}

#[cfg(test)]
#[path = "partners_tests.rs"]
mod tests;
