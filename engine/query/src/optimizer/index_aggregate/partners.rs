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
use martlet_index::NumberedValues;

use super::numbering::Numbering;
use crate::error::QueryError;

const SHAPE: QueryError = QueryError::Bug { promise: "a joined plan has the columns it declares" };
const TOO_MANY: QueryError = QueryError::Exhausted { resource: "memory" };

/// What a key costs once segments have asked for it, beside itself.
const ASKED_KEY_BYTES: usize = 64;

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

    /// Bytes held, roughly, with what segments will ask for.
    pub(super) fn memory_bytes(&self) -> usize {
        let tuples: usize = self.tuples.iter().map(|array| array.get_array_memory_size()).sum();
        let combinations = size_of_val(self.parts.as_slice()) + size_of_val(self.ends.as_slice());
        self.keys.memory_bytes() + self.keys.len() * ASKED_KEY_BYTES + tuples + combinations
    }
}

/// Takes in the other side's rows.
pub(super) struct Collector {
    key: usize,
    grouped_by: Vec<usize>,
    keys: Numbering,
    tuples: Numbering,
    rows: KeyRows,
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
            keys: Numbering::new(&[data_type(&key)?])?,
            tuples: Numbering::new(&of_tuples)?,
            rows: KeyRows::default(),
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
        let keys = self.keys.number(&[column(&self.key)?], rows)?;
        let tuples = self.tuples.number(&grouped_by, rows)?;
        for (key, tuple) in keys.iter().zip(tuples) {
            self.rows.note(*key, *tuple)?;
        }
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
        let values = self.keys.finish()?.into_iter().next().ok_or(SHAPE)?;
        let tuples = self.tuples.finish()?;
        if self.rows.firsts.contains(&NONE) {
            return Err(SHAPE.into());
        }
        let (numbers, combinations) = self.rows.combined();
        let groups = u32::try_from(combinations.ends.len()).map_err(|_| TOO_MANY)?;
        let keys = NumberedValues::new(values, numbers, groups);
        Ok(Partners { keys, tuples, parts: combinations.parts, ends: combinations.ends })
    }

    /// Bytes held, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes() + self.tuples.memory_bytes() + self.rows.memory_bytes()
    }
}

/// The tuples of each key's rows.
#[derive(Default)]
struct KeyRows {
    /// For each key, the tuple of its first row.
    firsts: Vec<u32>,
    /// How many more rows of a key have a tuple: none where keys are unique.
    further: HashMap<(u32, u32), u64, RandomState>,
}

impl KeyRows {
    fn note(&mut self, key: usize, tuple: usize) -> Result<(), QueryError> {
        let tuple = u32::try_from(tuple).ok().filter(|tuple| *tuple != NONE).ok_or(TOO_MANY)?;
        if self.firsts.len() <= key {
            self.firsts.resize(key + 1, NONE);
        }
        if self.firsts[key] == NONE {
            self.firsts[key] = tuple;
        } else {
            let key = u32::try_from(key).map_err(|_| TOO_MANY)?;
            *self.further.entry((key, tuple)).or_insert(0) += 1;
        }
        Ok(())
    }

    /// The combination of each key.
    fn combined(self) -> (Vec<u32>, Combinations) {
        let mut further: Vec<((u32, u32), u64)> = self.further.into_iter().collect();
        further.sort_unstable();
        let mut rest = further.as_slice();
        let mut combinations = Combinations::default();
        let mut numbers = Vec::with_capacity(self.firsts.len());
        for (key, first) in (0_u32..).zip(self.firsts) {
            let own = rest.iter().take_while(|((of, _), _)| *of == key).count();
            let (own, others) = rest.split_at(own);
            rest = others;
            numbers.push(combinations.number(first, own));
        }
        (numbers, combinations)
    }

    fn memory_bytes(&self) -> usize {
        const FURTHER: usize = 2 * size_of::<((u32, u32), u64)>();
        size_of_val(self.firsts.as_slice()) + self.further.len() * FURTHER
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
    /// The number of a key's combination, given its rows.
    fn number(&mut self, first: u32, further: &[((u32, u32), u64)]) -> u32 {
        if further.is_empty() {
            return self.single(first);
        }
        let mut parts: Vec<Part> =
            further.iter().map(|((_, tuple), times)| (*tuple, *times)).collect();
        match parts.binary_search_by_key(&first, |(tuple, _)| *tuple) {
            Ok(at) => parts[at].1 += 1,
            Err(at) => parts.insert(at, (first, 1)),
        }
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
