//! Rows numbered by the values of some columns, told apart as GROUP BY tells them apart.
//!
//! DataFusion's own grouping does the work, so that values are the same here exactly where
//! they are the same to the plain operators.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::EmitTo;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

/// See the module.
pub(super) struct Numbering {
    /// `None` without columns: then there is one number.
    values: Option<Box<dyn GroupValues>>,
    numbers: Vec<usize>,
}

impl Numbering {
    /// For columns of these types.
    pub(super) fn new(types: &[DataType]) -> DataFusionResult<Self> {
        if types.is_empty() {
            return Ok(Self { values: None, numbers: Vec::new() });
        }
        let field = |(at, data_type): (usize, &DataType)| {
            Field::new(format!("c{at}"), data_type.clone(), true)
        };
        let fields: Vec<Field> = types.iter().enumerate().map(field).collect();
        let values = new_group_values(Arc::new(Schema::new(fields)), &GroupOrdering::None)?;
        Ok(Self { values: Some(values), numbers: Vec::new() })
    }

    /// The number of each of so many rows; a new one for values that were not met before.
    pub(super) fn number(
        &mut self,
        columns: &[ArrayRef],
        rows: usize,
    ) -> DataFusionResult<&[usize]> {
        match &mut self.values {
            Some(values) => values.intern(columns, &mut self.numbers)?,
            None => {
                self.numbers.clear();
                self.numbers.resize(rows, 0);
            }
        }
        Ok(&self.numbers)
    }

    /// The columns, with one row for each number.
    pub(super) fn finish(self) -> DataFusionResult<Vec<ArrayRef>> {
        self.values.map_or_else(|| Ok(Vec::new()), |mut values| values.emit(EmitTo::All))
    }

    /// Bytes held, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        let numbers = self.numbers.capacity() * size_of::<usize>();
        self.values.as_ref().map_or(0, |values| values.size()) + numbers
    }
}
