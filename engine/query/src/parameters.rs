//! The parameters of a statement: what it declares, and the one row that is bound to it.
//!
//! Owns the way from a client's types to the declared ones. Must never repeat a value: what does not
//! fit is named by its number.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ParamValues;
use datafusion::logical_expr::LogicalPlan;
use datafusion::scalar::ScalarValue;

use crate::error::QueryError;
use crate::wire::plain_array;

/// One nullable field per parameter, in the order of their numbers. A parameter whose type
/// the statement does not tell is a text.
pub(crate) fn declared(plan: &LogicalPlan) -> Result<SchemaRef, QueryError> {
    let mut by_number: BTreeMap<usize, DataType> = BTreeMap::new();
    for (name, known) in plan.get_parameter_types().map_err(QueryError::from_planning)? {
        let number: usize =
            name.trim_start_matches('$').parse().map_err(|_| QueryError::Parameters {
                reason: format!("parameter `{name}`: only `?` and `$1`, `$2`, … are accepted"),
            })?;
        let wire = match known {
            Some(DataType::Null) | None => DataType::Utf8,
            Some(DataType::Utf8View | DataType::LargeUtf8) => DataType::Utf8,
            Some(known) => known,
        };
        by_number.insert(number, wire);
    }
    let fields: Vec<Field> = (1..=by_number.len())
        .map(|number| match by_number.get(&number) {
            Some(data_type) => Ok(Field::new(number.to_string(), data_type.clone(), true)),
            None => Err(QueryError::Parameters {
                reason: format!("parameter ${number} is not used; number them without gaps"),
            }),
        })
        .collect::<Result<_, _>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// The plan with a null of its type for every parameter, so that all types are known.
pub(crate) fn typed<'a>(
    plan: &'a LogicalPlan,
    parameters: &Schema,
) -> Result<Cow<'a, LogicalPlan>, QueryError> {
    if parameters.fields().is_empty() {
        return Ok(Cow::Borrowed(plan));
    }
    Ok(Cow::Owned(bind(plan.clone(), nulls(parameters))?))
}

fn nulls(parameters: &Schema) -> Vec<ScalarValue> {
    parameters
        .fields()
        .iter()
        .map(|field| ScalarValue::try_from(field.data_type()).unwrap_or(ScalarValue::Null))
        .collect()
}

/// The one bound row in the declared types; `None` where nothing is declared.
pub(crate) fn given(
    declared: &SchemaRef,
    bound: Option<&RecordBatch>,
) -> Result<Option<RecordBatch>, QueryError> {
    let wanted = declared.fields().len();
    let refused = |reason: String| QueryError::Parameters { reason };
    let Some(bound) = bound.filter(|bound| bound.num_columns() > 0) else {
        return if wanted == 0 {
            Ok(None)
        } else {
            Err(refused(format!("the statement has {wanted} parameters and none is bound")))
        };
    };
    if bound.num_columns() != wanted {
        return Err(refused(format!(
            "the statement has {wanted} parameters and {} are bound",
            bound.num_columns()
        )));
    }
    if bound.num_rows() != 1 {
        return Err(refused(format!(
            "a query takes one row of parameters, not {}",
            bound.num_rows()
        )));
    }
    let columns = declared.fields().iter().zip(bound.columns()).enumerate();
    let columns: Vec<ArrayRef> = columns
        .map(|(at, (field, column))| {
            plain_array(column, field.data_type()).map_err(|_| {
                let number = at + 1;
                refused(format!("parameter ${number} cannot be converted to {}", field.data_type()))
            })
        })
        .collect::<Result<_, _>>()?;
    let row = RecordBatch::try_new(Arc::clone(declared), columns);
    row.map(Some).map_err(|error| QueryError::from_planning(error.into()))
}

/// The plan with the values of a row in its parameters' place.
pub(crate) fn with_values(
    plan: LogicalPlan,
    row: Option<&RecordBatch>,
) -> Result<LogicalPlan, QueryError> {
    let columns = row.map(RecordBatch::columns).unwrap_or_default();
    let values = columns.iter().map(|column| ScalarValue::try_from_array(column, 0));
    bind(plan, values.collect::<Result<_, _>>().map_err(QueryError::from_planning)?)
}

fn bind(plan: LogicalPlan, values: Vec<ScalarValue>) -> Result<LogicalPlan, QueryError> {
    if values.is_empty() {
        return Ok(plan);
    }
    plan.with_param_values(ParamValues::from(values)).map_err(QueryError::from_planning)
}
