//! `a || b` of texts, as a function: so it is bounded as every other that makes long texts.
//!
//! Owns the operator between texts and what can become one; of anything else it is left to the
//! planner. The column that it makes is called as it was.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, exec_err, plan_err};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use crate::functions::bounded;

/// The operator's name.
pub(crate) const NAME: &str = "||";

/// Plans the operator as the function.
#[derive(Debug)]
pub(crate) struct JoinedTexts {
    function: Arc<ScalarUDF>,
}

impl JoinedTexts {
    pub(crate) fn planner() -> Arc<dyn ExprPlanner> {
        let function = Arc::new(ScalarUDF::from(Joined::new()));
        Arc::new(Self { function: bounded(function) })
    }
}

impl ExprPlanner for JoinedTexts {
    fn plan_binary_op(
        &self,
        expression: RawBinaryExpr,
        schema: &DFSchema,
    ) -> DataFusionResult<PlannerResult<RawBinaryExpr>> {
        if expression.op != BinaryOperator::StringConcat {
            return Ok(PlannerResult::Original(expression));
        }
        let sides = [expression.left.get_type(schema)?, expression.right.get_type(schema)?];
        if !are_joined(&sides) {
            return Ok(PlannerResult::Original(expression));
        }
        let arguments = vec![expression.left, expression.right];
        let call = ScalarFunction::new_udf(Arc::clone(&self.function), arguments);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

/// Whether one of them is a text, or may yet be one, and the other can become it.
fn are_joined(sides: &[DataType]) -> bool {
    let is_text = |side: &DataType| side.is_string() || *side == DataType::Null;
    sides.iter().any(is_text) && !sides.iter().any(|side| side.is_nested() || side.is_binary())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Joined {
    signature: Signature,
}

impl Joined {
    fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Joined {
    fn name(&self) -> &str {
        NAME
    }

    fn schema_name(&self, arguments: &[Expr]) -> DataFusionResult<String> {
        let [left, right] = arguments else { return plan_err!("`||` stands between two") };
        Ok(format!("{} || {}", left.schema_name(), right.schema_name()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        match arguments {
            [_, _] if are_joined(arguments) => Ok(vec![DataType::Utf8; 2]),
            _ => plan_err!("`||` joins texts"),
        }
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let [left, right] = arguments.args.as_slice() else {
            return exec_err!("`||` stands between two");
        };
        if let (ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)) = (left, right) {
            let (left, right) = (left.to_array()?, right.to_array()?);
            let joined = joined(1, &side(&left), &side(&right));
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&joined, 0)?));
        }
        let rows = arguments.number_rows;
        let (left, right) = (written(left)?, written(right)?);
        let joined = joined(rows, &side(&left), &side(&right));
        Ok(ColumnarValue::Array(Arc::new(joined)))
    }
}

/// The array of a side; of a constant, of one row.
fn written(side: &ColumnarValue) -> DataFusionResult<ArrayRef> {
    match side {
        ColumnarValue::Array(array) => Ok(Arc::clone(array)),
        ColumnarValue::Scalar(one) => one.to_array(),
    }
}

/// The texts of one side, by row; a constant is never written out row by row.
struct Side<'a> {
    texts: &'a StringArray,
    is_one: bool,
}

fn side(array: &ArrayRef) -> Side<'_> {
    Side { texts: array.as_string(), is_one: array.len() == 1 }
}

impl Side<'_> {
    fn at(&self, row: usize) -> Option<&str> {
        let row = if self.is_one { 0 } else { row };
        self.texts.is_valid(row).then(|| self.texts.value(row))
    }
}

fn joined(rows: usize, left: &Side<'_>, right: &Side<'_>) -> StringArray {
    let mut texts = StringBuilder::with_capacity(rows, 0);
    for row in 0..rows {
        match (left.at(row), right.at(row)) {
            (Some(left), Some(right)) => {
                // What is appended before a value is appended to that value.
                let _ = std::fmt::Write::write_str(&mut texts, left);
                texts.append_value(right);
            }
            _ => texts.append_null(),
        }
    }
    texts.finish()
}

#[cfg(test)]
#[path = "joined_text_tests.rs"]
mod tests;
