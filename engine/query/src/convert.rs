//! Between Martlet's values and DataFusion's: scalars to values, values to arrays.
//!
//! Exact or not at all: a constant that a column's type cannot hold exactly is no value.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use datafusion::scalar::ScalarValue;
use martlet_core::{ColumnType, Value};

use crate::error::QueryError;

/// The constant as a value of a column of that type; `None` if it is null or does not fit.
pub(crate) fn value_of(scalar: &ScalarValue, column: ColumnType) -> Option<Value> {
    match (column, scalar) {
        (ColumnType::Boolean, ScalarValue::Boolean(Some(value))) => Some(Value::Boolean(*value)),
        (ColumnType::Int32 | ColumnType::Int64, _) => integer(scalar).map(Value::Int),
        (ColumnType::Float64, ScalarValue::Float64(Some(value))) => Some(Value::Float(*value)),
        (ColumnType::Decimal { scale, .. }, ScalarValue::Decimal128(Some(unscaled), _, of)) => {
            rescaled(*unscaled, *of, scale).map(Value::Decimal)
        }
        (ColumnType::Date, ScalarValue::Date32(Some(days))) => Some(Value::Date(*days)),
        (ColumnType::Timestamp, ScalarValue::TimestampMicrosecond(Some(micros), None)) => {
            Some(Value::Timestamp(*micros))
        }
        (
            ColumnType::Text,
            ScalarValue::Utf8(Some(text))
            | ScalarValue::LargeUtf8(Some(text))
            | ScalarValue::Utf8View(Some(text)),
        ) => Some(Value::text(text)),
        _ => None,
    }
}

const fn integer(scalar: &ScalarValue) -> Option<i64> {
    match scalar {
        ScalarValue::Int32(Some(value)) => Some(*value as i64),
        ScalarValue::Int64(Some(value)) => Some(*value),
        _ => None,
    }
}

/// The unscaled number at another scale, if nothing is lost.
fn rescaled(unscaled: i128, from: i8, to: i8) -> Option<i128> {
    let power = |exponent: i8| 10_i128.checked_pow(u32::try_from(exponent).ok()?);
    if to >= from {
        unscaled.checked_mul(power(to - from)?)
    } else {
        let divisor = power(from - to)?;
        (unscaled % divisor == 0).then(|| unscaled / divisor)
    }
}

/// An array of a column's values; `None` is null.
///
/// # Errors
/// [`QueryError::Bug`] if a value is not of the column's type.
pub(crate) fn array_of(
    values: &[Option<Value>],
    column: ColumnType,
) -> Result<ArrayRef, QueryError> {
    macro_rules! collect {
        ($array:ty, $variant:ident, $map:expr) => {{
            let taken: Result<Vec<_>, QueryError> = values
                .iter()
                .map(|value| match value {
                    None => Ok(None),
                    Some(Value::$variant(inner)) => $map(inner).map(Some),
                    Some(_) => Err(MISFIT),
                })
                .collect();
            taken?.into_iter().collect::<$array>()
        }};
    }
    Ok(match column {
        ColumnType::Boolean => Arc::new(collect!(BooleanArray, Boolean, |v: &bool| Ok(*v))),
        ColumnType::Int32 => {
            Arc::new(collect!(Int32Array, Int, |v: &i64| i32::try_from(*v).map_err(|_| MISFIT)))
        }
        ColumnType::Int64 => Arc::new(collect!(Int64Array, Int, |v: &i64| Ok(*v))),
        ColumnType::Float64 => Arc::new(collect!(Float64Array, Float, |v: &f64| Ok(*v))),
        ColumnType::Date => Arc::new(collect!(Date32Array, Date, |v: &i32| Ok(*v))),
        ColumnType::Timestamp => {
            Arc::new(collect!(TimestampMicrosecondArray, Timestamp, |v: &i64| Ok(*v)))
        }
        ColumnType::Text => Arc::new(collect!(StringArray, Text, |v: &Arc<str>| Ok(v.to_string()))),
        ColumnType::Decimal { precision, scale } => Arc::new(
            collect!(Decimal128Array, Decimal, |v: &i128| Ok(*v))
                .with_precision_and_scale(precision, scale)
                .map_err(|_| MISFIT)?,
        ),
    })
}

const MISFIT: QueryError =
    QueryError::Bug { promise: "a dictionary holds values of its column's type" };
