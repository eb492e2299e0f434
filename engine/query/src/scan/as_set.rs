//! A plan of keys for a reader who does not mind how often a key is there.
//!
//! Only scans of one column that is granted as stored leave repeats out: how many rows they hand
//! on may show in a plan's metrics, and must not tell what a mask hides.

use std::sync::Arc;

use datafusion::physical_plan::{ExecutionPlan, replace_children_if_necessary};

use super::SecuredScan;
use crate::dealing::dealt;
use crate::secured_table::Rows;

/// The same plan, that may leave repeats out.
pub(super) fn as_set(plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    if let Some(scan) = plan.downcast_ref::<SecuredScan>() {
        return values_only(scan).map_or_else(|| Arc::clone(plan), |scan| Arc::new(scan) as _);
    }
    let Some(input) = dealt(plan) else { return Arc::clone(plan) };
    let of_set = replace_children_if_necessary(Arc::clone(plan), vec![as_set(input)]);
    of_set.unwrap_or_else(|_| Arc::clone(plan))
}

fn values_only(scan: &SecuredScan) -> Option<SecuredScan> {
    let (column, _) = scan.clear_column(0)?;
    let is_only = scan.projection.schema().fields().len() == 1;
    match &scan.rows {
        Rows::Segments(_) if is_only => Some(scan.over(scan.scan.with_values_of(column))),
        _ => None,
    }
}
