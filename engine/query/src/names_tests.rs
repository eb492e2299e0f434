use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::TableReference;

use super::*;

fn of(table: impl Into<TableReference>) -> DFSchema {
    let field = Field::new("income", DataType::Int64, true);
    DFSchema::try_from_qualified_schema(table, &Schema::new(vec![field])).unwrap()
}

#[test]
fn a_short_name_that_fits_two_columns_does_not_find_the_second() {
    let whole = || of(TableReference::partial("mart", "customer"));
    let short = || of("customer");
    assert!(find_themselves(&whole()));
    assert!(find_themselves(&short().join(&of("loan")).unwrap()));
    assert!(!find_themselves(&short().join(&whole()).unwrap()));
    assert!(!find_themselves(&whole().join(&short()).unwrap()));
}

#[test]
fn the_optimizers_names_are_reserved() {
    assert!(is_reserved("__correlated_sq_1") && !is_reserved("_c") && !is_reserved("c__"));
}
