//! Who is in a group, and how much each of them brings to its sums: the aggregate that a guarded
//! plan computes beside those that were asked for.
//!
//! What it gives is never shown; [`super::exec`] decides by it and takes it away.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::io::Read;
use std::num::NonZeroU32;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, UInt64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};
use roaring::RoaringBitmap;

use crate::error::QueryError;

/// The name of the aggregate and of its column.
pub(super) const CROWD: &str = "__martlet_crowd";

const BAD_STATE: QueryError = QueryError::Bug { promise: "a group's persons are read as written" };

/// What is asked of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Measure {
    /// How many values it has.
    Counted,
    /// Their sum or average.
    Summed,
}

/// The rows of one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Crowd {
    rows: RoaringBitmap,
    /// Of each measure, the rows without a value.
    nulls: Vec<RoaringBitmap>,
    /// How often each row is there, and of each sum what it brings, whatever its sign.
    amounts: Vec<HashMap<u32, f64>>,
}

impl Crowd {
    fn of(measures: &[Measure]) -> Self {
        let sums = measures.iter().filter(|measure| **measure == Measure::Summed).count();
        Self {
            rows: RoaringBitmap::new(),
            nulls: vec![RoaringBitmap::new(); measures.len()],
            amounts: vec![HashMap::new(); 1 + sums],
        }
    }

    pub(super) const fn rows(&self) -> &RoaringBitmap {
        &self.rows
    }

    /// The group by which of its rows have values: something is told of each of these parts.
    pub(super) fn parts(&self) -> Vec<RoaringBitmap> {
        let mut parts = vec![self.rows.clone()];
        for nulls in &self.nulls {
            parts = parts.iter().flat_map(|part| [part & nulls, part - nulls]).collect();
            parts.retain(|part| !part.is_empty());
        }
        parts
    }

    /// How often each row is there, then what it brings to each sum.
    pub(super) fn amounts(&self) -> &[HashMap<u32, f64>] {
        &self.amounts
    }

    fn absorb(&mut self, other: Self) -> Result<(), QueryError> {
        if other.nulls.len() != self.nulls.len() || other.amounts.len() != self.amounts.len() {
            return Err(BAD_STATE);
        }
        self.rows |= other.rows;
        for (own, nulls) in self.nulls.iter_mut().zip(other.nulls) {
            *own |= nulls;
        }
        for (own, amounts) in self.amounts.iter_mut().zip(other.amounts) {
            for (row, amount) in amounts {
                *own.entry(row).or_default() += amount;
            }
        }
        Ok(())
    }

    fn to_bytes(&self) -> DataFusionResult<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes.extend((self.nulls.len() as u32).to_le_bytes());
        bytes.extend((self.amounts.len() as u32).to_le_bytes());
        for rows in std::iter::once(&self.rows).chain(&self.nulls) {
            rows.serialize_into(&mut bytes)?;
        }
        for amounts in &self.amounts {
            bytes.extend((amounts.len() as u32).to_le_bytes());
            for (row, amount) in amounts {
                bytes.extend(row.to_le_bytes());
                bytes.extend(amount.to_le_bytes());
            }
        }
        Ok(bytes)
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`QueryError::Bug`] if it is nothing of the kind.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, QueryError> {
        let mut rest = bytes;
        read(&mut rest).filter(|_| rest.is_empty()).ok_or(BAD_STATE)
    }
}

fn read(bytes: &mut &[u8]) -> Option<Crowd> {
    let (nulls, sums) = (number(bytes)?, number(bytes)?);
    let rows = RoaringBitmap::deserialize_from(&mut *bytes).ok()?;
    let mut crowd = Crowd { rows, ..Crowd::default() };
    for _ in 0..nulls {
        crowd.nulls.push(RoaringBitmap::deserialize_from(&mut *bytes).ok()?);
    }
    for _ in 0..sums {
        let mut amounts = HashMap::new();
        for _ in 0..number(bytes)? {
            let row = number(bytes)?;
            amounts.insert(row, f64::from_le_bytes(taken(bytes)?));
        }
        crowd.amounts.push(amounts);
    }
    Some(crowd)
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    taken(bytes).map(u32::from_le_bytes)
}

fn taken<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let mut taken = [0; N];
    bytes.read_exact(&mut taken).ok()?;
    Some(taken)
}

/// The aggregate: its first argument is a row's number, the others are the measures.
#[derive(Debug)]
pub(super) struct CrowdOf {
    measures: Vec<Measure>,
    /// Crowds of fewer rows are never told, and not handed on.
    least: NonZeroU32,
    signature: Signature,
}

impl CrowdOf {
    pub(super) fn function(measures: Vec<Measure>, least: NonZeroU32) -> AggregateUDF {
        AggregateUDF::from(Self {
            measures,
            least,
            signature: Signature::variadic_any(Volatility::Stable),
        })
    }
}

impl PartialEq for CrowdOf {
    fn eq(&self, other: &Self) -> bool {
        self.measures == other.measures && self.least == other.least
    }
}

impl Eq for CrowdOf {}

impl Hash for CrowdOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.measures.hash(state);
        self.least.hash(state);
    }
}

impl AggregateUDFImpl for CrowdOf {
    fn name(&self) -> &'static str {
        CROWD
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::LargeBinary)
    }

    fn accumulator(
        &self,
        _arguments: AccumulatorArgs<'_>,
    ) -> DataFusionResult<Box<dyn Accumulator>> {
        let crowd = Crowd::of(&self.measures);
        let (measures, least) = (self.measures.clone(), self.least);
        Ok(Box::new(Gathered { measures, least, crowd, bytes: 0 }))
    }
}

#[derive(Debug)]
struct Gathered {
    measures: Vec<Measure>,
    least: NonZeroU32,
    crowd: Crowd,
    /// An upper bound of what the crowd takes.
    bytes: usize,
}

/// Bytes of an empty crowd, of a row in a bitmap and of what a row brings.
const BYTES_OF_CROWD: usize = 256;
const BYTES_OF_ROW: usize = 4;
const BYTES_OF_AMOUNT: usize = 32;

impl Gathered {
    fn gather(&mut self, numbers: &[u64], columns: &[ArrayRef]) -> DataFusionResult<()> {
        // The low half is the row's number, the high one its person's.
        self.crowd.rows.extend(numbers.iter().map(|number| *number as u32));
        let mut amounts = self.crowd.amounts.iter_mut();
        if let Some(counts) = amounts.next() {
            numbers.iter().for_each(|number| *counts.entry(*number as u32).or_default() += 1.0);
        }
        for ((measure, nulls), column) in
            self.measures.iter().zip(&mut self.crowd.nulls).zip(columns)
        {
            if let Some(missing) = column.logical_nulls() {
                let without = numbers.iter().enumerate().filter(|(at, _)| missing.is_null(*at));
                nulls.extend(without.map(|(_, number)| *number as u32));
            }
            if *measure == Measure::Summed
                && let Some(amounts) = amounts.next()
            {
                add_amounts(amounts, numbers, column)?;
            }
        }
        let of_row = BYTES_OF_ROW * (1 + self.crowd.nulls.len());
        self.bytes += numbers.len() * (of_row + BYTES_OF_AMOUNT * self.crowd.amounts.len());
        Ok(())
    }
}

fn add_amounts(
    amounts: &mut HashMap<u32, f64>,
    numbers: &[u64],
    column: &ArrayRef,
) -> DataFusionResult<()> {
    let values = cast(column, &DataType::Float64)?;
    for (number, value) in numbers.iter().zip(values.as_primitive::<Float64Type>()) {
        *amounts.entry(*number as u32).or_default() += value.unwrap_or(0.0).abs();
    }
    Ok(())
}

impl Accumulator for Gathered {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        let (numbers, columns) = values.split_first().ok_or(BAD_STATE)?;
        let numbers = numbers.as_primitive_opt::<UInt64Type>().ok_or(BAD_STATE)?;
        self.gather(numbers.values(), columns)
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        let is_small = self.crowd.rows.len() < u64::from(self.least.get());
        let bytes = if is_small { None } else { Some(self.crowd.to_bytes()?) };
        Ok(ScalarValue::LargeBinary(bytes))
    }

    fn size(&self) -> usize {
        BYTES_OF_CROWD + self.bytes
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::LargeBinary(Some(self.crowd.to_bytes()?))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        let states = states.first().and_then(|states| states.as_binary_opt::<i64>());
        for state in states.ok_or(BAD_STATE)?.iter().flatten() {
            self.bytes += 2 * state.len();
            self.crowd.absorb(Crowd::from_bytes(state)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "crowd_tests.rs"]
mod tests;
