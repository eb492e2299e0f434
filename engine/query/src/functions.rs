//! The functions that a statement may call: DataFusion's, without those that make a lot of bytes
//! of little input unchecked.
//!
//! Nothing a user writes may take the process down: an allocation that fails ends it, and every
//! session with it. Functions that multiply their input are bounded before they allocate.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use martlet_core::limits::{BATCH_ROWS_MAX, FUNCTION_OUTPUT_BYTES_MAX};

use crate::error::QueryError;
use crate::joined_text;

/// Bytes that one function may make of constants: they may yet be written out for each row of a batch.
const CONSTANT_BYTES_MAX: u64 = (FUNCTION_OUTPUT_BYTES_MAX / BATCH_ROWS_MAX) as u64;

/// Casts to any Arrow type, the ones with 64-bit offsets among them, which no bound below
/// expects; and what tells of the program instead of the data.
const REMOVED: [&str; 4] = ["arrow_cast", "arrow_try_cast", "arrow_metadata", "version"];

/// The functions of a session: `functions` without the removed ones, the multiplying bounded.
pub(crate) fn accepted(functions: Vec<Arc<ScalarUDF>>) -> Vec<Arc<ScalarUDF>> {
    functions
        .into_iter()
        .filter(|function| !REMOVED.contains(&function.name()))
        .map(bounded)
        .collect()
}

/// The function, refused where it would make too much, if it is one that can.
pub(crate) fn bounded(function: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    match growth(function.name()) {
        Some(growth) => Arc::new(ScalarUDF::from(Bounded { inner: function, growth })),
        None => function,
    }
}

/// How a function's output grows with its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Growth {
    /// The first argument, as often as the second says.
    Repeats,
    /// Up to as many characters as the second argument says.
    Fills,
    /// Every byte of the first argument may become the third.
    Substitutes,
    /// All arguments, one after the other, in each row.
    Joins,
    /// The same, with the first between the others.
    JoinsBy,
}

fn growth(function: &str) -> Option<Growth> {
    match function {
        "repeat" => Some(Growth::Repeats),
        "lpad" | "rpad" => Some(Growth::Fills),
        "replace" | "regexp_replace" => Some(Growth::Substitutes),
        "concat" | joined_text::NAME => Some(Growth::Joins),
        "concat_ws" => Some(Growth::JoinsBy),
        _ => None,
    }
}

/// A function that is refused before it would make too many bytes of one batch.
#[derive(Debug)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Bounded {}

impl Hash for Bounded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn schema_name(&self, arguments: &[Expr]) -> DataFusionResult<String> {
        self.inner.schema_name(arguments)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> DataFusionResult<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        self.inner.coerce_types(arguments)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let is_constant = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
        let fits = if arguments.args.iter().all(is_constant) {
            self.output_bytes(&arguments.args, 1)? <= CONSTANT_BYTES_MAX
        } else {
            let bytes = self.output_bytes(&arguments.args, arguments.number_rows)?;
            bytes <= FUNCTION_OUTPUT_BYTES_MAX as u64
        };
        if !fits {
            return Err(QueryError::Exhausted { resource: "bytes in one function" }.into());
        }
        self.inner.invoke_with_args(arguments)
    }
}

impl Bounded {
    /// An upper bound of the bytes that the call makes, from the values of its arguments.
    fn output_bytes(&self, arguments: &[ColumnarValue], rows: usize) -> DataFusionResult<u64> {
        match self.growth {
            Growth::Repeats => {
                Ok(of_rows(rows, &lengths(arguments.first())?, &numbers(arguments.get(1))?))
            }
            Growth::Fills => {
                // A character is at most four bytes long, wherever it comes from.
                Ok(of_rows(rows, &PerRow::Same(4), &numbers(arguments.get(1))?))
            }
            Growth::Substitutes => {
                let (text, by) = (lengths(arguments.first())?, lengths(arguments.get(2))?);
                Ok(of_rows(rows, &text.and_one(), &by.and_one()))
            }
            Growth::Joins => all_of(rows, arguments),
            Growth::JoinsBy => {
                let Some((between, texts)) = arguments.split_first() else { return Ok(0) };
                let times = texts.len().saturating_sub(1) as u64;
                let between = lengths(Some(between))?.sum(rows).saturating_mul(times);
                Ok(all_of(rows, texts)?.saturating_add(between))
            }
        }
    }
}

/// The bytes of both multiplied in each row.
fn of_rows(rows: usize, texts: &PerRow, factors: &PerRow) -> u64 {
    let of_row = |row: usize| texts.at(row).saturating_mul(factors.at(row));
    (0..rows).map(of_row).fold(0, u64::saturating_add)
}

/// The bytes of all texts.
fn all_of(rows: usize, texts: &[ColumnarValue]) -> DataFusionResult<u64> {
    texts
        .iter()
        .try_fold(0, |bytes: u64, text| Ok(bytes.saturating_add(lengths(Some(text))?.sum(rows))))
}

/// A number for each row of a batch.
enum PerRow {
    /// The same for all.
    Same(u64),
    Each(Vec<u64>),
}

impl PerRow {
    fn at(&self, row: usize) -> u64 {
        match self {
            Self::Same(one) => *one,
            Self::Each(all) => all.get(row).copied().unwrap_or(0),
        }
    }

    fn and_one(self) -> Self {
        match self {
            Self::Same(one) => Self::Same(one.saturating_add(1)),
            Self::Each(all) => {
                Self::Each(all.into_iter().map(|one| one.saturating_add(1)).collect())
            }
        }
    }

    fn sum(&self, rows: usize) -> u64 {
        match self {
            Self::Same(one) => one.saturating_mul(rows as u64),
            Self::Each(all) => all.iter().copied().fold(0, u64::saturating_add),
        }
    }
}

/// One number for a constant, which is never written out row by row.
fn per_row(
    argument: Option<&ColumnarValue>,
    of: impl Fn(&ArrayRef) -> DataFusionResult<Vec<u64>>,
) -> DataFusionResult<PerRow> {
    match argument {
        None => Ok(PerRow::Same(0)),
        Some(ColumnarValue::Array(array)) => of(array).map(PerRow::Each),
        Some(ColumnarValue::Scalar(one)) => {
            Ok(PerRow::Same(of(&one.to_array()?)?.first().copied().unwrap_or(0)))
        }
    }
}

/// Bytes of each text; a null has none.
fn lengths(texts: Option<&ColumnarValue>) -> DataFusionResult<PerRow> {
    per_row(texts, |texts| {
        let texts = cast(texts, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>().iter();
        Ok(texts.map(|text| text.map_or(0, |text| text.len() as u64)).collect())
    })
}

/// Each number; a null or negative one counts as none.
fn numbers(numbers: Option<&ColumnarValue>) -> DataFusionResult<PerRow> {
    per_row(numbers, |numbers| {
        let numbers = cast(numbers, &DataType::Int64)?;
        let numbers = numbers.as_primitive::<Int64Type>().iter();
        Ok(numbers.map(|one| one.and_then(|one| u64::try_from(one).ok()).unwrap_or(0)).collect())
    })
}

#[cfg(test)]
#[path = "functions_tests.rs"]
mod tests;
