use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringArray};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use datafusion::scalar::ScalarValue;

use super::accepted;

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
    assert!(call("concat", vec![column(3), constant(1_000)]).is_ok());
    assert!(call("concat", vec![column(3), constant(60_000_000)]).is_err());
    assert!(call("concat", vec![column(3), constant(2_100)]).is_err());
    let by = |texts: usize| [vec![constant(800)], vec![column(1); texts]].concat();
    assert!(call("concat_ws", by(3)).is_ok());
    assert!(call("concat_ws", by(4)).is_err());
}

#[test]
fn constants_are_so_small_that_a_batch_may_hold_them_in_each_row() {
    assert!(call("concat", vec![constant(1_000), constant(1_000)]).is_ok());
    assert!(call("concat", vec![constant(1_100), constant(1_000)]).is_err());
}
