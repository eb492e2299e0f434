//! The scan below an aggregation, seen through operators that only rename or deal out rows.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::physical_expr::expressions::{CastExpr, Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use datafusion::scalar::ScalarValue;
use martlet_core::ColumnSchema;

use super::bucket::Bucket;
use crate::scan::SecuredScan;

/// A scan, and what each column of the aggregation's input is of it.
pub(super) struct Source<'a> {
    scan: &'a SecuredScan,
    scan_plan: &'a Arc<dyn ExecutionPlan>,
    columns: Vec<Option<Derived>>,
    schema: SchemaRef,
}

/// A stored column, or a coarser value computed from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Derived {
    /// The column's position in the table.
    pub(super) column: usize,
    /// What of its values is meant.
    pub(super) bucket: Bucket,
    /// Whether the stored value was cast to a float.
    pub(super) as_float: bool,
}

impl<'a> Source<'a> {
    pub(super) fn below(plan: &'a Arc<dyn ExecutionPlan>) -> Option<Self> {
        if let Some(scan) = plan.downcast_ref::<SecuredScan>() {
            let columns = (0..plan.schema().fields().len()).map(|output| {
                let (column, _) = scan.clear_column(output)?;
                Some(Derived { column, bucket: Bucket::Value, as_float: false })
            });
            return Some(Self {
                scan,
                scan_plan: plan,
                columns: columns.collect(),
                schema: plan.schema(),
            });
        }
        if let Some(deal) = plan.downcast_ref::<RepartitionExec>() {
            return match deal.partitioning() {
                Partitioning::RoundRobinBatch(_) => Self::below(deal.input()),
                _ => None,
            };
        }
        if let Some(gathered) = plan.downcast_ref::<CoalescePartitionsExec>() {
            return Self::below(gathered.input());
        }
        let projection = plan.downcast_ref::<ProjectionExec>()?;
        let below = Self::below(projection.input())?;
        let columns = projection.expr().iter().map(|item| below.derived(&item.expr)).collect();
        Some(Self { columns, schema: plan.schema(), ..below })
    }

    pub(super) const fn scan(&self) -> &SecuredScan {
        self.scan
    }

    pub(super) const fn scan_plan(&self) -> &'a Arc<dyn ExecutionPlan> {
        self.scan_plan
    }

    /// The schema of the aggregation's input.
    pub(super) fn input_schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The stored column behind a derived one.
    pub(super) fn stored(&self, derived: &Derived) -> Option<&ColumnSchema> {
        self.scan.segment_scan().table().columns().get(derived.column)
    }

    /// What an expression is of the scan's stored columns; `None` if it is anything else.
    pub(super) fn derived(&self, expression: &Arc<dyn PhysicalExpr>) -> Option<Derived> {
        if let Some(column) = expression.downcast_ref::<Column>() {
            return self.columns.get(column.index())?.clone();
        }
        if let Some(cast) = expression.downcast_ref::<CastExpr>() {
            return self.cast(cast);
        }
        let function = expression.downcast_ref::<ScalarFunctionExpr>()?;
        let [part, argument] = function.args() else { return None };
        let part = part.downcast_ref::<Literal>()?;
        let (ScalarValue::Utf8(Some(part)) | ScalarValue::Utf8View(Some(part))) = part.value()
        else {
            return None;
        };
        let derived = self.derived(argument)?;
        let plain = derived.bucket == Bucket::Value && !derived.as_float;
        let bucket = Bucket::parse(function.name(), part)?;
        let column_type = self.stored(&derived)?.column_type;
        (plain && bucket.applies_to(column_type)).then_some(Derived { bucket, ..derived })
    }

    /// Casts that change no value: to a wider integer, to a float (for sums and averages), from
    /// a date to a timestamp below a date function.
    fn cast(&self, cast: &CastExpr) -> Option<Derived> {
        let derived = self.derived(cast.expr())?;
        let stored = self.stored(&derived)?.column_type.arrow();
        match (&stored, cast.cast_type()) {
            (DataType::Int32, DataType::Int64) => Some(derived),
            (DataType::Decimal128(narrow, scale), DataType::Decimal128(wide, same))
                if wide >= narrow && same == scale =>
            {
                Some(derived)
            }
            (DataType::Int32 | DataType::Int64, DataType::Float64)
                if derived.bucket == Bucket::Value =>
            {
                Some(Derived { as_float: true, ..derived })
            }
            (DataType::Date32 | DataType::Timestamp(..), DataType::Timestamp(_, None)) => {
                Some(derived)
            }
            (DataType::Date32 | DataType::Timestamp(..), DataType::Date32) if matches!(derived.bucket, Bucket::Trunc(unit) if unit.is_of_days()) => {
                Some(derived)
            }
            _ => None,
        }
    }
}
