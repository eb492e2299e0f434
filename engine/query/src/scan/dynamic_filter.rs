//! What an operator above has learned of the rows it still needs, as a condition of a scan.
//!
//! A hash join knows the keys of the side that it has built before it asks the other side for a
//! row; a sort that keeps the first rows knows the last of them. They tell it by a dynamic
//! filter. Receives: such a filter over columns that are granted as stored. Hands on: a narrower
//! selection, so that the other columns of rows that cannot matter are never decoded.
//!
//! Only a hint: the operator above still decides, so a row kept needlessly does no harm. It is
//! evaluated on selected rows only, and it contains columns and what that operator has seen,
//! never an expression of the user's: nothing of hidden rows can show, not even as an error. It is
//! asked of all selected rows of a segment or of none, and which is decided by what the reader
//! sees: an expression above could fail on a row that indexes leave out by the way.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::array::{Array, BooleanArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::physical_expr::expressions::{
    Column, DynamicFilterPhysicalExpr, InListExpr, Literal,
};
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::scalar::ScalarValue;
use martlet_core::{Predicate, Selection, TableSchema};

use crate::convert::value_of;
use crate::error::QueryError;

/// A filter that keeps more than this part of the rows costs more than it saves.
const KEPT_PERCENT_MAX: u64 = 75;
/// So many rows must have been tested before a filter is judged.
const JUDGED_FROM_ROWS: u64 = 32_768;
/// A filter that was of no use is tried again in one segment of so many: it may have learned.
const TRIED_AGAIN_EVERY: u64 = 8;

/// See the module.
pub(crate) struct DynamicFilter {
    /// Over a batch of exactly [`Self::columns`].
    expression: Arc<dyn PhysicalExpr>,
    columns: Vec<usize>,
    tested: AtomicU64,
    kept: AtomicU64,
    passed_by: AtomicU64,
}

impl fmt::Debug for DynamicFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DynamicFilter(columns {:?})", self.columns)
    }
}

impl DynamicFilter {
    /// The filter, if it is one that changes while a plan runs and is over plain columns, each of
    /// which `stored` finds among the table's columns that are granted as stored.
    pub(crate) fn of(
        filter: &Arc<dyn PhysicalExpr>,
        stored: impl Fn(usize) -> Option<usize>,
    ) -> Option<Self> {
        filter.downcast_ref::<DynamicFilterPhysicalExpr>()?;
        let used: Vec<(&Column, usize)> = filter
            .children()
            .into_iter()
            .map(|child| {
                let column = child.downcast_ref::<Column>()?;
                Some((column, stored(column.index())?))
            })
            .collect::<Option<_>>()?;
        let mut columns: Vec<usize> = used.iter().map(|(_, position)| *position).collect();
        columns.sort_unstable();
        columns.dedup();
        let over_columns = used.iter().map(|(column, position)| {
            let at = columns.binary_search(position).ok()?;
            Some(Arc::new(Column::new(column.name(), at)) as Arc<dyn PhysicalExpr>)
        });
        let over_columns = over_columns.collect::<Option<Vec<_>>>()?;
        let expression = Arc::clone(filter).with_new_children(over_columns).ok()?;
        let is_over_columns = !columns.is_empty();
        is_over_columns.then(|| Self {
            expression,
            columns,
            tested: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            passed_by: AtomicU64::new(0),
        })
    }

    /// The expression, for those who look for the readers of a filter.
    pub(crate) const fn expression(&self) -> &Arc<dyn PhysicalExpr> {
        &self.expression
    }

    /// The stored columns that it compares, ascending.
    pub(crate) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Whether it is worth asking in the next segment.
    pub(super) fn is_worth_asking(&self) -> bool {
        if self.says_nothing() {
            return false;
        }
        let tested = self.tested.load(Ordering::Relaxed);
        let kept = self.kept.load(Ordering::Relaxed);
        let useless = tested >= JUDGED_FROM_ROWS && kept * 100 > tested * KEPT_PERCENT_MAX;
        !useless
            || self.passed_by.fetch_add(1, Ordering::Relaxed) % TRIED_AGAIN_EVERY
                == TRIED_AGAIN_EVERY - 1
    }

    /// What the operator above has learned so far.
    fn current(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.expression.downcast_ref::<DynamicFilterPhysicalExpr>()?.current().ok()
    }

    /// Whether the operator above has learned nothing yet.
    fn says_nothing(&self) -> bool {
        let Some(current) = self.current() else { return true };
        let literal = current.downcast_ref::<Literal>();
        literal.is_some_and(|literal| *literal.value() == ScalarValue::Boolean(Some(true)))
    }

    /// Conditions that hold for every row that can matter, as far as indexes know such ones: a
    /// column is one of few values.
    pub(super) fn conditions(&self, table: &TableSchema) -> Vec<Predicate> {
        let current = self.current();
        let conjuncts = current.iter().flat_map(split_conjunction);
        conjuncts.filter_map(|conjunct| self.one_of_few(conjunct, table)).collect()
    }

    fn one_of_few(
        &self,
        conjunct: &Arc<dyn PhysicalExpr>,
        table: &TableSchema,
    ) -> Option<Predicate> {
        let list = conjunct.downcast_ref::<InListExpr>().filter(|list| !list.negated())?;
        let column = list.expr().downcast_ref::<Column>()?;
        let column = table.columns().get(*self.columns.get(column.index())?)?;
        let value = |item: &Arc<dyn PhysicalExpr>| {
            value_of(item.downcast_ref::<Literal>()?.value(), column.column_type)
        };
        let values = list.list().iter().map(value).collect::<Option<_>>()?;
        Some(Predicate::In { column: column.name.clone(), values })
    }

    /// Which rows of a batch of [`Self::columns`] can matter: all of them if that cannot be told.
    pub(super) fn kept(&self, batch: &RecordBatch) -> Result<Selection, QueryError> {
        let flags = self
            .expression
            .evaluate(batch)
            .and_then(|value| value.into_array(batch.num_rows()))
            .map_err(QueryError::from_running)?;
        let flags = cast(&flags, &DataType::Boolean)
            .map_err(|_| QueryError::Bug { promise: "a filter gives true or false" })?;
        let Some(flags) = flags.as_any().downcast_ref::<BooleanArray>() else {
            return Err(QueryError::Bug { promise: "a filter gives true or false" });
        };
        Ok(Selection::from_flags(flags.iter().map(|flag| flag == Some(true))))
    }

    /// Notes how many rows of a segment were asked about, and how many can matter. Both are numbers
    /// of rows that the reader sees, however they were found.
    pub(super) fn note(&self, asked: u64, kept: u64) {
        self.tested.fetch_add(asked, Ordering::Relaxed);
        self.kept.fetch_add(kept, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "dynamic_filter_tests.rs"]
mod tests;
