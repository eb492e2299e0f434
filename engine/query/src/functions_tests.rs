use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringArray};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use datafusion::scalar::ScalarValue;

use super::{accepted, folding};

const ROWS: usize = 8_192;

fn constant(bytes: usize) -> ColumnarValue {
    ColumnarValue::Scalar(ScalarValue::Utf8(Some("x".repeat(bytes))))
}

fn column(bytes: usize) -> ColumnarValue {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(bytes); ROWS]));
    ColumnarValue::Array(texts)
}

fn call(name: &str, args: Vec<ColumnarValue>) -> DataFusionResult<ColumnarValue> {
    let all = accepted(datafusion::functions::all_default_functions());
    let function = all.iter().find(|function| function.name() == name).unwrap();
    let of = |_: &ColumnarValue| Arc::new(Field::new("text", DataType::Utf8, true));
    let arguments = ScalarFunctionArgs {
        arg_fields: args.iter().map(of).collect(),
        args,
        number_rows: ROWS,
        return_field: Arc::new(Field::new("joined", DataType::Utf8, true)),
        config_options: Arc::default(),
    };
    function.invoke_with_args(arguments)
}

#[test]
fn texts_that_are_joined_are_counted_before() {
    assert!(call("concat", vec![column(3), constant(4_000)]).is_ok());
    assert!(call("concat", vec![column(3), constant(60_000_000)]).is_err());
    assert!(call("concat", vec![column(3), constant(9_000)]).is_err());
    let by = |texts: usize| [vec![constant(3_000)], vec![column(1); texts]].concat();
    assert!(call("concat_ws", by(3)).is_ok());
    assert!(call("concat_ws", by(4)).is_err());
}

#[test]
fn constants_are_small_and_a_plan_has_few_of_them() {
    let half = || call("concat", vec![constant(250_000), constant(250_000)]);
    assert!(half().is_ok());
    assert!(call("concat", vec![constant(600_000), constant(600_000)]).is_err());
    let made = folding(|| (0..1_000).take_while(|_| half().is_ok()).count());
    assert_eq!(made, 64 * 1024 * 1024 / 500_000);
    assert!(half().is_ok(), "what is no longer planned is not counted");
}
