//! The visible columns of a scan: which stored columns to read, and what of them is shown.
//!
//! Never hands a raw value of a masked column on.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use martlet_policy::{Access, Grant, GrantedColumn, TokenKeys};

use crate::error::QueryError;
use crate::scan::schema_of;

/// A projection of a grant's columns.
#[derive(Debug, Clone)]
pub(crate) struct MaskedProjection {
    columns: Vec<GrantedColumn>,
    schema: SchemaRef,
    /// Positions in the stored table, ascending and distinct.
    stored: Vec<usize>,
}

impl MaskedProjection {
    /// The grant's columns at these positions of its output schema, in this order.
    pub(crate) fn new(grant: &Arc<Grant>, projection: &[usize]) -> Result<Self, QueryError> {
        const OUTSIDE: QueryError =
            QueryError::Bug { promise: "a projection stays within the grant" };
        let whole = grant.output_schema();
        let columns = projection
            .iter()
            .map(|position| grant.columns().get(*position).cloned().ok_or(OUTSIDE))
            .collect::<Result<Vec<_>, _>>()?;
        let fields = projection
            .iter()
            .map(|position| whole.fields().get(*position).cloned().ok_or(OUTSIDE))
            .collect::<Result<Vec<_>, _>>()?;
        let mut stored: Vec<usize> = columns.iter().map(|column| column.position).collect();
        stored.sort_unstable();
        stored.dedup();
        Ok(Self { columns, schema: schema_of(fields), stored })
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The stored columns to read, ascending.
    pub(crate) fn stored(&self) -> &[usize] {
        &self.stored
    }

    pub(crate) fn granted(&self, output: usize) -> Option<&GrantedColumn> {
        self.columns.get(output)
    }

    /// Shows a batch that holds exactly the columns of [`Self::stored`], in that order.
    pub(crate) fn apply(
        &self,
        rows: &RecordBatch,
        keys: &TokenKeys,
    ) -> Result<RecordBatch, QueryError> {
        self.show(rows, keys, |position| self.stored.binary_search(&position).ok())
    }

    /// Shows a batch that holds every stored column.
    pub(crate) fn apply_whole(
        &self,
        rows: &RecordBatch,
        keys: &TokenKeys,
    ) -> Result<RecordBatch, QueryError> {
        self.show(rows, keys, Some)
    }

    fn show(
        &self,
        rows: &RecordBatch,
        keys: &TokenKeys,
        place: impl Fn(usize) -> Option<usize>,
    ) -> Result<RecordBatch, QueryError> {
        let shown = self
            .columns
            .iter()
            .map(|column| {
                let raw = place(column.position)
                    .and_then(|at| rows.columns().get(at))
                    .ok_or(QueryError::Bug { promise: "a scan reads the columns it shows" })?;
                show_column(raw, &column.access, keys)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), shown, &options)
            .map_err(|_| QueryError::Bug { promise: "a mask gives its declared type" })
    }
}

fn show_column(raw: &ArrayRef, access: &Access, keys: &TokenKeys) -> Result<ArrayRef, QueryError> {
    match access {
        // What may not be shown does not leave the plan: see `crate::unshown`.
        Access::Clear | Access::Unshown => Ok(Arc::clone(raw)),
        Access::Masked(mask) => mask
            .apply(raw, keys)
            .map_err(|_| QueryError::Bug { promise: "a mask takes every value" }),
    }
}
