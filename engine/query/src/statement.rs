//! One statement's life: prepared (authorised and planned) -> executed once -> rows.
//!
//! A statement is consumed by its execution, so that a second one has to be prepared, and
//! thereby authorised, anew. Rows leave scrubbed and in the wire schema only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion::physical_plan::execute_stream;
use martlet_core::TableName;
use martlet_policy::{Access, Grant, RowRule};

use crate::column_use::{ColumnUse, column_uses};
use crate::error::QueryError;
use crate::group_size::{keep_groups, stay_harmless};
use crate::lookup;
use crate::parameters;
use crate::parse::{Verb, parse};
use crate::row_stream::RowStream;
use crate::rules::optimized;
use crate::session::Session;
use crate::sights::Sights;
use crate::unshown::stay_unshown;
use crate::wire::wire_schema;
use crate::written_out::has_short_expressions;

/// Tables of the information schema that tell only what the catalog shows.
const INFORMATION_TABLES: [&str; 4] = ["tables", "columns", "schemata", "views"];

/// A planned statement of one session.
pub struct Statement {
    sql: String,
    state: SessionState,
    plan: Planned,
    schema: SchemaRef,
    parameters: SchemaRef,
    reads: Reads,
    sights: Sights,
    lookups: usize,
    /// The table that is told in groups only, if it reads one.
    grouped: Option<TableName>,
}

/// How far a statement can be planned before it is executed.
enum Planned {
    /// Optimized: nothing is missing.
    Whole(LogicalPlan),
    /// As written: the values of its parameters are missing.
    Open(LogicalPlan),
}

/// Prints the text's length only: it may hold a customer's number.
impl fmt::Debug for Statement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Statement({} bytes)", self.sql.len())
    }
}

/// What a statement reads, as the audit record names it.
#[derive(Debug, Clone, Default)]
struct Reads {
    tables: BTreeSet<TableName>,
    columns: BTreeSet<String>,
    /// How the grants show these columns.
    access: BTreeMap<String, String>,
}

impl Reads {
    /// A table whose columns are told, though none of its rows.
    fn describe(&mut self, written: &str) -> Result<(), QueryError> {
        let name = written.to_lowercase();
        if let Some(table) = table_name(&TableReference::parse_str(&name))? {
            self.columns.insert(format!("{}.*", table.table_part()));
            self.tables.insert(table);
        }
        Ok(())
    }

    /// What the session's grants say of the columns.
    fn note_access(&mut self, session: &Session) {
        for table in &self.tables {
            let granted = session.grant(table).map(Grant::columns);
            for column in granted.unwrap_or_default() {
                let name = format!("{}.{}", table.table_part(), column.name);
                if self.columns.contains(&name) {
                    self.access.insert(name, column.access.to_string());
                }
            }
        }
    }
}

impl Statement {
    pub(crate) async fn prepare(session: &Session, sql: &str) -> Result<Self, QueryError> {
        let parsed = parse(sql)?;
        let mut state = session.state();
        // Fixes the statement's own time, which `now()` and `current_date` tell.
        state.mark_start_execution();
        let plan =
            state.statement_to_plan(parsed.statement).await.map_err(QueryError::from_planning)?;
        has_short_expressions(&plan)?;
        only_reads(&plan)?;
        stay_unshown(session, &plan)?;
        let parameters = parameters::declared(&plan)?;
        let schema = wire_schema(parameters::typed(&plan, &parameters)?.schema().as_arrow())?;
        // Bound with nulls a look-up would be optimized away, and its columns with it.
        let optimized = optimized(plan.clone(), &state).map_err(QueryError::from_planning)?;
        let lookups = lookup::asked(&plan)?;
        let mut reads = reads(&plan, &optimized)?;
        if let Some(table) = &parsed.described {
            reads.describe(table)?;
        }
        reads.note_access(session);
        let sights = Sights::of(session, &reads.tables);
        if parsed.verb == Verb::Explain {
            may_explain(session, &reads, ExplainDepth::of(&plan, lookups))?;
        }
        let (plan, grouped) = keep_groups(session, plan)?;
        let plan = match parameters.fields().len() {
            0 => Planned::Whole(match &grouped {
                Some(table) => runnable(plan, &state, Some(table))?,
                None => answered(optimized)?,
            }),
            _ => Planned::Open(plan),
        };
        let sql = sql.to_string();
        Ok(Self { sql, state, plan, schema, parameters, reads, sights, lookups, grouped })
    }

    /// Lines of text under one name, which were made of nothing that a table holds.
    pub(crate) fn told(
        session: &Session,
        sql: &str,
        column: &str,
        lines: Vec<String>,
    ) -> Result<Self, QueryError> {
        let state = session.state();
        let rows = lines.into_iter().map(|line| vec![lit(line)]).collect();
        let plan = LogicalPlanBuilder::values(rows)
            .and_then(|values| values.project([col("column1").alias(column)])?.build())
            .and_then(|plan| optimized(plan, &state))
            .map_err(QueryError::from_planning)?;
        let (schema, parameters) =
            (wire_schema(plan.schema().as_arrow())?, parameters::declared(&plan)?);
        let (sql, plan, reads) = (sql.to_string(), Planned::Whole(plan), Reads::default());
        let sights = Sights::of(session, &reads.tables);
        let (lookups, grouped) = (0, None);
        Ok(Self { sql, state, plan, schema, parameters, reads, sights, lookups, grouped })
    }

    /// The text as it was given.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The schema of the rows, exactly as they will leave.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The parameters in order, named `1`, `2`, …, all nullable.
    #[must_use]
    pub fn parameters(&self) -> SchemaRef {
        Arc::clone(&self.parameters)
    }

    /// The tables that it reads.
    #[must_use]
    pub fn tables(&self) -> Vec<TableName> {
        self.reads.tables.iter().cloned().collect()
    }

    /// What these tables showed who asked when it was planned.
    #[must_use]
    pub fn sights(&self) -> Sights {
        self.sights.clone()
    }

    /// The columns that it reads or filters by, as `table.column`.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        self.reads.columns.iter().cloned().collect()
    }

    /// How many times it asks for a raw value of a masked column, by `lookup(column, value)`.
    #[must_use]
    pub const fn lookups(&self) -> usize {
        self.lookups
    }

    /// How the principal's grants show these columns: `clear`, `filter`, `mask:<mask>`, `token:<purpose>`.
    /// A column of which only the name is told has no entry.
    #[must_use]
    pub fn column_access(&self) -> BTreeMap<String, String> {
        self.reads.access.clone()
    }

    /// What it does with stored columns, as far as its plan tells.
    ///
    /// # Errors
    /// As planning.
    pub fn column_uses(&self) -> Result<BTreeSet<ColumnUse>, QueryError> {
        match &self.plan {
            Planned::Whole(optimized) => column_uses(optimized),
            Planned::Open(plan) => {
                column_uses(&self.state.optimize(plan).map_err(QueryError::from_planning)?)
            }
        }
    }

    /// The bound row as the statement takes it, each value in the type of its parameter: what is
    /// compared is this and not what a client called it. `None` where there are no parameters.
    ///
    /// # Errors
    /// [`QueryError::Parameters`] if they are missing, too many or not convertible.
    pub fn bound(&self, row: Option<&RecordBatch>) -> Result<Option<RecordBatch>, QueryError> {
        parameters::given(&self.parameters, row)
    }

    /// Runs the statement. `parameters` holds one row, its column *i* being parameter *i*.
    ///
    /// # Errors
    /// [`QueryError::Parameters`] if they are missing, too many or not convertible;
    /// otherwise as planning.
    pub async fn execute(self, parameters: Option<&RecordBatch>) -> Result<RowStream, QueryError> {
        let row = self.bound(parameters)?;
        let optimized = match self.plan {
            Planned::Whole(optimized) => optimized,
            Planned::Open(plan) => {
                let plan = parameters::with_values(plan, row.as_ref())?;
                has_short_expressions(&plan)?;
                runnable(plan, &self.state, self.grouped.as_ref())?
            }
        };
        let physical = self
            .state
            .query_planner()
            .create_physical_plan(&optimized, &self.state)
            .await
            .map_err(QueryError::from_physical_planning)?;
        let rows =
            execute_stream(physical, self.state.task_ctx()).map_err(QueryError::from_running)?;
        Ok(RowStream::new(rows, self.schema))
    }
}

/// A plan without open parameters, optimized and checked once more.
fn runnable(
    plan: LogicalPlan,
    state: &SessionState,
    grouped: Option<&TableName>,
) -> Result<LogicalPlan, QueryError> {
    let optimized = optimized(plan, state).map_err(QueryError::from_planning)?;
    if let Some(table) = grouped {
        stay_harmless(&optimized, table)?;
    }
    answered(optimized)
}

fn answered(optimized: LogicalPlan) -> Result<LogicalPlan, QueryError> {
    lookup::all_answered(&optimized)?;
    Ok(optimized)
}

/// The planner's word on what the parser has already said: nothing but reading.
fn only_reads(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut verb = None;
    plan.apply_with_subqueries(|node| {
        let found = match node {
            LogicalPlan::Dml(_) => Some("writing"),
            LogicalPlan::Ddl(_) => Some("create"),
            LogicalPlan::Copy(_) => Some("copy"),
            LogicalPlan::Statement(_) => Some("set"),
            _ => None,
        };
        verb = verb.or(found);
        Ok(if verb.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })
    .map_err(QueryError::from_planning)?;
    verb.map_or(Ok(()), |verb| Err(QueryError::NotAQuery { verb: verb.into() }))
}

/// Tables from the plan as written, so that none is lost to optimization; columns from the
/// optimized plan, which knows the ones that are really read.
fn reads(written: &LogicalPlan, optimized: &LogicalPlan) -> Result<Reads, QueryError> {
    let mut reads = Reads::default();
    let mut hidden = None;
    each_scan(written, &mut |scan| match table_name(&scan.table_name) {
        Ok(Some(table)) => {
            reads.tables.insert(table);
        }
        Ok(None) => {}
        Err(error) => hidden = Some(error),
    })?;
    if let Some(error) = hidden {
        return Err(error);
    }
    each_scan(optimized, &mut |scan| {
        let table = scan.table_name.table();
        let projected = scan.projected_schema.fields().iter().map(|field| field.name().clone());
        let filtered = scan.filters.iter().flat_map(|filter| {
            filter.column_refs().into_iter().map(|column| column.name.clone()).collect::<Vec<_>>()
        });
        reads.columns.extend(projected.chain(filtered).map(|column| format!("{table}.{column}")));
    })?;
    Ok(reads)
}

pub(crate) fn each_scan(
    plan: &LogicalPlan,
    visit: &mut dyn FnMut(&datafusion::logical_expr::TableScan),
) -> Result<(), QueryError> {
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::TableScan(scan) => visit(scan),
            // The optimizer does not look into these by itself.
            LogicalPlan::Explain(explain) => {
                each_scan(&explain.plan, visit)
                    .map_err(datafusion::error::DataFusionError::from)?;
            }
            LogicalPlan::Analyze(analyze) => {
                each_scan(&analyze.input, visit)
                    .map_err(datafusion::error::DataFusionError::from)?;
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map(|_| ())
    .map_err(QueryError::from_planning)
}

/// The table's name; `None` for a table function's rows. Settings and functions of the
/// query engine are nobody's business.
pub(crate) fn table_name(reference: &TableReference) -> Result<Option<TableName>, QueryError> {
    let schema = reference.schema().unwrap_or(TableName::MART_SCHEMA);
    let table = reference.table();
    let full = match schema {
        TableName::MART_SCHEMA => table.to_string(),
        _ => format!("{schema}.{table}"),
    };
    if schema == "information_schema" && !INFORMATION_TABLES.contains(&table) {
        return Err(QueryError::UnknownTable { table: full });
    }
    Ok(TableName::new(&full).ok())
}

/// How much an EXPLAIN tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExplainDepth {
    /// The plan.
    Plan,
    /// What is known of the columns' values: what running it took, rows and bytes of every operator, or
    /// which indexes a raw value that is looked up would be asked of.
    Values,
}

impl ExplainDepth {
    const fn of(plan: &LogicalPlan, lookups: usize) -> Self {
        match plan {
            LogicalPlan::Analyze(_) => Self::Values,
            _ if lookups > 0 => Self::Values,
            _ => Self::Plan,
        }
    }
}

/// A plan is chosen by what all rows are like, and figures of its running count bytes of raw
/// values: so the first is told to who sees every row, the second to who sees these columns as
/// they are as well.
fn may_explain(session: &Session, reads: &Reads, depth: ExplainDepth) -> Result<(), QueryError> {
    let shows_columns = |grant: &Grant| {
        let is_read =
            |name: &str| reads.columns.contains(&format!("{}.{name}", grant.table().table_part()));
        depth == ExplainDepth::Plan
            || grant
                .columns()
                .iter()
                .all(|column| column.access == Access::Clear || !is_read(column.name.as_str()))
    };
    let granted = |table: &TableName| {
        session.grant(table).is_some_and(|grant| {
            grant.may_explain() && *grant.rows() == RowRule::All && shows_columns(grant)
        })
    };
    if !reads.tables.is_empty() && reads.tables.iter().all(granted) {
        Ok(())
    } else {
        Err(QueryError::ExplainNotGranted)
    }
}
