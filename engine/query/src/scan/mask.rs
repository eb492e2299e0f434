//! The visible columns of a scan: which stored columns to read, and what of them is shown.
//!
//! Never hands a raw value of a masked column on. What codes over masked values give is what
//! masking the rows would.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use martlet_core::{ColumnType, Selection};
use martlet_index::Index;
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

    /// The columns, in the order in which they are shown.
    pub(crate) fn columns(&self) -> &[GrantedColumn] {
        &self.columns
    }

    pub(crate) fn granted(&self, output: usize) -> Option<&GrantedColumn> {
        self.columns.get(output)
    }

    /// The same where some masked columns come from codes: those, or none, for each column.
    pub(crate) fn with_codes(self, codes: Vec<Option<Arc<Index>>>) -> CodedProjection {
        let read = self.columns.iter().zip(&codes).filter(|(_, codes)| codes.is_none());
        let mut stored: Vec<usize> = read.map(|(column, _)| column.position).collect();
        stored.sort_unstable();
        stored.dedup();
        CodedProjection { projection: self, codes, stored }
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
                let raw = place(column.position).and_then(|at| rows.columns().get(at));
                show_column(raw.ok_or(READ)?, &column.access, keys)
            })
            .collect::<Result<Vec<_>, _>>()?;
        self.batch(shown, rows.num_rows())
    }

    fn batch(&self, shown: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, QueryError> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), shown, &options)
            .map_err(|_| QueryError::Bug { promise: "a mask gives its declared type" })
    }
}

const READ: QueryError = QueryError::Bug { promise: "a scan reads the columns it shows" };

/// A projection in one segment, where codes over masked values hold some of the columns.
#[derive(Debug)]
pub(crate) struct CodedProjection {
    projection: MaskedProjection,
    /// For each column shown.
    codes: Vec<Option<Arc<Index>>>,
    /// Positions in the stored table of the others, ascending and distinct.
    stored: Vec<usize>,
}

impl CodedProjection {
    /// The stored columns to read, ascending.
    pub(crate) fn stored(&self) -> &[usize] {
        &self.stored
    }

    /// Shows the selected rows; `read` holds exactly the columns of [`Self::stored`] of them, in
    /// that order, and is not needed where there are none.
    pub(crate) fn apply(
        &self,
        rows: &Selection,
        read: Option<&RecordBatch>,
        keys: &TokenKeys,
    ) -> Result<RecordBatch, QueryError> {
        let stored = |position: usize| {
            let at = self.stored.binary_search(&position).ok()?;
            read?.columns().get(at)
        };
        let columns = self.projection.columns.iter().zip(self.projection.schema.fields());
        let shown = columns
            .zip(&self.codes)
            .map(|((column, field), codes)| match codes {
                Some(codes) => masked_texts_or_years(codes, rows, field.data_type()),
                None => show_column(stored(column.position).ok_or(READ)?, &column.access, keys),
            })
            .collect::<Result<Vec<_>, _>>()?;
        self.projection.batch(shown, usize::try_from(rows.count()).map_err(|_| READ)?)
    }
}

/// Masked values of selected rows, of one of the two types that masks give.
fn masked_texts_or_years(
    codes: &Index,
    rows: &Selection,
    shown: &DataType,
) -> Result<ArrayRef, QueryError> {
    let types = [ColumnType::Text, ColumnType::Int32];
    let column_type = types.into_iter().find(|column_type| column_type.arrow() == *shown);
    column_type
        .and_then(|column_type| codes.as_codes()?.array(rows, column_type))
        .ok_or(QueryError::Bug { promise: "codes over masked values hold what the mask gives" })
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
