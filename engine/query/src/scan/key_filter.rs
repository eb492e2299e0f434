//! A semi-join as a condition of a scan: a column is, or is not, among the keys that another
//! plan gives.
//!
//! Receives: the plan of the other side, which is run once, on rows and masked values that its
//! reader may see. Hands on: a selection per segment. The filtered column is one granted as
//! stored, so that membership is a leak-proof condition like `=`.

use std::fmt;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::TryStreamExt;
use martlet_core::Selection;
use martlet_index::{IndexKind, KeyedValues, MemberSet};

use crate::error::QueryError;
use crate::run_once::RunOnce;

const SHAPE: QueryError = QueryError::Bug { promise: "a plan of keys has the column it declares" };

/// The kinds that can tell the rows of many values, the cheaper first.
pub(super) const MEMBER_KINDS: [IndexKind; 3] =
    [IndexKind::Codes, IndexKind::Vector, IndexKind::Bitmap];

/// Which rows stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Those whose value is among the keys.
    Members,
    /// Those whose value is not, null among them.
    Others,
}

/// See the module.
pub(crate) struct KeyFilter {
    /// The filtered column's position in the table.
    pub(crate) column: usize,
    pub(crate) keep: Keep,
    plan: Arc<dyn ExecutionPlan>,
    /// Which column of the plan's output holds the keys.
    output: usize,
    keys: RunOnce<Keys>,
}

/// The keys, and the memory that they take of the statement's.
struct Keys {
    members: Arc<MemberSet>,
    _memory: MemoryReservation,
}

impl fmt::Debug for KeyFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyFilter(column {}, {:?})", self.column, self.keep)
    }
}

impl KeyFilter {
    pub(crate) fn new(
        column: usize,
        keep: Keep,
        plan: Arc<dyn ExecutionPlan>,
        output: usize,
    ) -> Self {
        Self { column, keep, plan, output, keys: RunOnce::default() }
    }

    /// The same filter by the keys of another plan.
    pub(crate) fn over(&self, plan: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(self.column, self.keep, plan, self.output)
    }

    /// The plan that gives the keys.
    pub(crate) const fn plan(&self) -> &Arc<dyn ExecutionPlan> {
        &self.plan
    }

    /// The keys; the first caller runs the plan, the others wait for it.
    pub(super) async fn keys(
        &self,
        context: &Arc<TaskContext>,
    ) -> Result<Arc<MemberSet>, QueryError> {
        let run = || collect(Arc::clone(&self.plan), self.output, Arc::clone(context));
        let keys = self.keys.get(run).await.map_err(QueryError::from_running)?;
        Ok(Arc::clone(&keys.members))
    }

    /// The rows that stay, of candidates and those of them that are members.
    pub(super) fn kept(&self, candidates: &Selection, members: &Selection) -> Selection {
        match self.keep {
            Keep::Members => candidates.and(members),
            Keep::Others => candidates.minus(members),
        }
    }
}

async fn collect(
    plan: Arc<dyn ExecutionPlan>,
    output: usize,
    context: Arc<TaskContext>,
) -> Result<Keys, DataFusionError> {
    let memory = MemoryConsumer::new("KeyFilter").register(context.memory_pool());
    let mut values = KeyedValues::default();
    let mut batches = execute_stream(plan, context)?;
    while let Some(batch) = batches.try_next().await? {
        let keys = batch.columns().get(output).ok_or(SHAPE)?;
        let known = values.len();
        values.add(keys, |_| ());
        // A key of another type than the stored ones would be passed over.
        if values.len() != known + keys.len() - keys.null_count() {
            return Err(SHAPE.into());
        }
        values.drop_repeats();
        // Once as they come, once as a set.
        memory.try_resize(2 * values.memory_bytes())?;
    }
    Ok(Keys { members: Arc::new(MemberSet::new(values)), _memory: memory })
}
