//! What may fail on a row, of that which a plan computes between a scan and those above it.
//!
//! Whether a statement fails is an answer. Where rows are hidden from its reader, what is computed of
//! which rows must not depend on them.

use std::sync::Arc;

use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::union::UnionExec;

use crate::scan::SecuredScan;

/// What is computed of rows between the scan and where its first rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Computed {
    /// Nothing that could fail on a row.
    Nothing,
    /// Something that is missed on rows that are left out.
    Something,
}

impl Computed {
    pub(super) fn of<'a>(expressions: impl IntoIterator<Item = &'a Arc<dyn PhysicalExpr>>) -> Self {
        if expressions.into_iter().all(has_always_a_value) {
            Self::Nothing
        } else {
            Self::Something
        }
    }

    pub(super) fn by(projection: &ProjectionExec) -> Self {
        Self::of(projection.expr().iter().map(|item| &item.expr))
    }

    pub(super) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => Self::Nothing,
            _ => Self::Something,
        }
    }

    /// Whether a reader of this scan may miss it: only where no row is hidden from him.
    pub(super) fn may_be_missed(self, scan: &SecuredScan) -> bool {
        self == Self::Nothing || scan.hides_no_row()
    }
}

/// Whether an expression has a value for every row, as far as that is told by its kind.
pub(super) fn has_always_a_value(expression: &Arc<dyn PhysicalExpr>) -> bool {
    expression.is::<Column>() || expression.is::<Literal>()
}

/// Whether an operator that is no scan hands rows on without computing anything of them.
pub(super) fn only_hands_on(node: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        return Computed::by(projection) == Computed::Nothing;
    }
    node.is::<RepartitionExec>()
        || node.is::<CoalescePartitionsExec>()
        || node.is::<UnionExec>()
        || node.downcast_ref::<HashJoinExec>().is_some_and(|join| join.filter().is_none())
}
