//! `year(d)`, `quarter(d)`, `month(d)`, `day(d)` and `hour(d)`: `date_part` by the names that
//! other databases give its parts.
//!
//! Owns the names only. They become `date_part` while a statement is planned, so that
//! whatever is answered fast for the one is so for the other.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::plan_err;
use datafusion::error::Result as DataFusionResult;
use datafusion::functions::datetime::date_part;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::lit;
use datafusion::scalar::ScalarValue;

/// The functions.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    ["year", "quarter", "month", "day", "hour"]
        .map(|part| Arc::new(ScalarUDF::from(NamedPart::new(part))))
        .into()
}

#[derive(Debug)]
struct NamedPart {
    part: &'static str,
    signature: Signature,
}

impl NamedPart {
    fn new(part: &'static str) -> Self {
        Self { part, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl PartialEq for NamedPart {
    fn eq(&self, other: &Self) -> bool {
        self.part == other.part
    }
}

impl Eq for NamedPart {}

impl Hash for NamedPart {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.part.hash(state);
    }
}

impl ScalarUDFImpl for NamedPart {
    fn name(&self) -> &str {
        self.part
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Int32)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        match arguments {
            [moment @ (DataType::Date32 | DataType::Timestamp(..))] => Ok(vec![moment.clone()]),
            [DataType::Null | DataType::Utf8] => Ok(vec![DataType::Date32]),
            _ => plan_err!("`{}` takes one date or timestamp", self.part),
        }
    }

    fn simplify(
        &self,
        arguments: Vec<Expr>,
        _info: &SimplifyContext,
    ) -> DataFusionResult<ExprSimplifyResult> {
        let arguments = std::iter::once(lit(self.part)).chain(arguments).collect();
        let call = ScalarFunction::new_udf(date_part(), arguments);
        Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(call)))
    }

    fn invoke_with_args(
        &self,
        mut arguments: ScalarFunctionArgs,
    ) -> DataFusionResult<ColumnarValue> {
        let part = ScalarValue::from(self.part);
        let field =
            Arc::new(datafusion::arrow::datatypes::Field::new("part", DataType::Utf8, false));
        arguments.args.insert(0, ColumnarValue::Scalar(part));
        arguments.arg_fields.insert(0, field);
        date_part().invoke_with_args(arguments)
    }
}
