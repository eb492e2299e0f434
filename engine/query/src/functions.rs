//! The functions that a statement may call: DataFusion's, without those that make a lot of bytes
//! of little input unchecked.
//!
//! Nothing a user writes may take the process down: an allocation that fails ends it, and every
//! session with it. Functions that multiply their input are bounded before they allocate.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use martlet_core::limits::FUNCTION_OUTPUT_BYTES_MAX;

use crate::error::QueryError;

/// Casts to any Arrow type, the ones with 64-bit offsets among them, which no bound below
/// expects; and what tells of the program instead of the data.
const REMOVED: [&str; 4] = ["arrow_cast", "arrow_try_cast", "arrow_metadata", "version"];

/// The functions of a session: `functions` without the removed ones, the multiplying bounded.
pub(crate) fn accepted(functions: Vec<Arc<ScalarUDF>>) -> Vec<Arc<ScalarUDF>> {
    functions
        .into_iter()
        .filter(|function| !REMOVED.contains(&function.name()))
        .map(|function| match growth(function.name()) {
            Some(growth) => Arc::new(ScalarUDF::from(Bounded { inner: function, growth })),
            None => function,
        })
        .collect()
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
}

fn growth(function: &str) -> Option<Growth> {
    match function {
        "repeat" => Some(Growth::Repeats),
        "lpad" | "rpad" => Some(Growth::Fills),
        "replace" | "regexp_replace" => Some(Growth::Substitutes),
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
        let bytes = self.output_bytes(&arguments)?;
        if bytes > FUNCTION_OUTPUT_BYTES_MAX as u64 {
            return Err(QueryError::Exhausted { resource: "bytes in one function" }.into());
        }
        self.inner.invoke_with_args(arguments)
    }
}

impl Bounded {
    /// An upper bound of the bytes that the call makes, from the values of its arguments.
    fn output_bytes(&self, arguments: &ScalarFunctionArgs) -> DataFusionResult<u64> {
        let rows = arguments.number_rows;
        let array = |at: usize| -> DataFusionResult<Option<ArrayRef>> {
            arguments.args.get(at).map(|argument| argument.to_array(rows)).transpose()
        };
        let texts = lengths(array(0)?)?;
        let factors = match self.growth {
            Growth::Repeats | Growth::Fills => numbers(array(1)?)?,
            Growth::Substitutes => lengths(array(2)?)?,
        };
        // A character is at most four bytes long, wherever it comes from.
        let of_row = |(text, factor): (&u64, &u64)| match self.growth {
            Growth::Repeats => text.saturating_mul(*factor),
            Growth::Fills => factor.saturating_mul(4),
            Growth::Substitutes => text.saturating_add(1).saturating_mul(factor.saturating_add(1)),
        };
        Ok(texts.iter().zip(&factors).map(of_row).fold(0, u64::saturating_add))
    }
}

/// Bytes of each text; a null has none.
fn lengths(texts: Option<ArrayRef>) -> DataFusionResult<Vec<u64>> {
    let Some(texts) = texts else { return Ok(Vec::new()) };
    let texts = cast(&texts, &DataType::Utf8)?;
    Ok(texts
        .as_string::<i32>()
        .iter()
        .map(|text| text.map_or(0, |text| text.len() as u64))
        .collect())
}

/// Each number; a null or negative one counts as none.
fn numbers(numbers: Option<ArrayRef>) -> DataFusionResult<Vec<u64>> {
    let Some(numbers) = numbers else { return Ok(Vec::new()) };
    let numbers = cast(&numbers, &DataType::Int64)?;
    let numbers = numbers.as_primitive::<Int64Type>();
    Ok((0..numbers.len())
        .map(
            |at| {
                if numbers.is_valid(at) { u64::try_from(numbers.value(at)).unwrap_or(0) } else { 0 }
            },
        )
        .collect())
}
