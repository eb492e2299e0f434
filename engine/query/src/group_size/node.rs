//! The place in a plan above which only groups of enough persons are seen.
//!
//! Nothing moves through it: no condition, no limit, no order of the statement is asked of what is
//! below. Its input is an aggregation whose last column is the [crowd](super::crowd); its output is
//! the same without that column.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::exec::EnoughPersonsExec;
use super::memory::Memory;
use crate::error::QueryError;

/// How many persons there have to be, and what their reader was told before.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) least: NonZeroU32,
    pub(super) memory: Memory,
    /// The columns that are summed, by their positions in the grant, in the order of the crowd.
    pub(super) sums: Vec<usize>,
    /// Whether different persons are counted.
    pub(super) counts_persons: bool,
}

/// See the module.
#[derive(Clone)]
pub(super) struct EnoughPersons {
    input: LogicalPlan,
    schema: DFSchemaRef,
    terms: Terms,
}

impl EnoughPersons {
    pub(super) fn over(input: LogicalPlan, terms: Terms) -> DataFusionResult<Self> {
        let schema = Arc::new(without_crowd(input.schema())?);
        Ok(Self { input, schema, terms })
    }

    pub(super) fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    /// What is below it, if the plan is one.
    pub(super) fn below(plan: &LogicalPlan) -> Option<&LogicalPlan> {
        let LogicalPlan::Extension(extension) = plan else { return None };
        extension.node.as_any().downcast_ref::<Self>().map(|own| &own.input)
    }
}

/// All columns but the last.
fn without_crowd(schema: &DFSchema) -> DataFusionResult<DFSchema> {
    let columns = schema.fields().len().saturating_sub(1);
    let fields = schema.iter().take(columns);
    let fields = fields.map(|(table, field)| (table.cloned(), Arc::clone(field)));
    DFSchema::new_with_metadata(fields.collect(), schema.metadata().clone())
}

impl fmt::Debug for EnoughPersons {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        UserDefinedLogicalNodeCore::fmt_for_explain(self, formatter)
    }
}

impl PartialEq for EnoughPersons {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.terms.memory.told, &other.terms.memory.told)
            && self.terms.least == other.terms.least
            && self.terms.sums == other.terms.sums
            && self.terms.counts_persons == other.terms.counts_persons
            && self.input == other.input
    }
}

impl Eq for EnoughPersons {}

impl PartialOrd for EnoughPersons {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl Hash for EnoughPersons {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.terms.least.hash(state);
        self.input.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for EnoughPersons {
    fn name(&self) -> &'static str {
        "EnoughPersons"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EnoughPersons: {} at least", self.terms.least)
    }

    fn with_exprs_and_inputs(
        &self,
        _expressions: Vec<Expr>,
        mut inputs: Vec<LogicalPlan>,
    ) -> DataFusionResult<Self> {
        match (inputs.pop(), inputs.is_empty()) {
            (Some(input), true) => Self::over(input, self.terms.clone()),
            _ => Err(QueryError::Bug { promise: "persons are counted in one plan" }.into()),
        }
    }
}

/// Plans the node, and everything else as DataFusion does.
#[derive(Debug)]
pub(crate) struct Planner;

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(Self)]);
        planner.create_physical_plan(plan, session).await
    }
}

#[async_trait]
impl ExtensionPlanner for Planner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> DataFusionResult<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [input]) = (node.as_any().downcast_ref::<EnoughPersons>(), inputs) else {
            return Ok(None);
        };
        Ok(Some(Arc::new(EnoughPersonsExec::new(Arc::clone(input), node.terms.clone()))))
    }
}
