//! The rows of Martlet's own tables, which lie in no segments: those that are granted and wanted.

use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use martlet_core::{Predicate, TableSchema};
use martlet_policy::RowRule;

use crate::error::QueryError;
use crate::scan::segments::{SegmentScan, exactly};
use crate::system::{self, Source};

impl SegmentScan {
    /// The visible rows of one of Martlet's own tables, with every stored column.
    pub(crate) fn visible_records(&self, source: &Source) -> Result<RecordBatch, QueryError> {
        let rows = &system::rows(self.table(), source, self.shared().records.as_ref())?;
        let rule = match self.grant().rows() {
            RowRule::All => Predicate::Constant(true),
            RowRule::None => Predicate::Constant(false),
            RowRule::Where(rule) => rule.clone(),
        };
        let granted = kept(rows, &rule, self.table())?;
        kept(&granted, self.wanted(), self.table())
    }
}

fn kept(
    rows: &RecordBatch,
    predicate: &Predicate,
    table: &TableSchema,
) -> Result<RecordBatch, QueryError> {
    let holds = exactly(predicate, table, rows)?;
    let flags: BooleanArray = (0..holds.rows()).map(|row| Some(holds.contains(row))).collect();
    filter_record_batch(rows, &flags)
        .map_err(|_| QueryError::Bug { promise: "a filter is as long as its rows" })
}
