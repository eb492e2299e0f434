//! Which statements are statistics, judged by their plans as written; and the plans that are run in
//! their place.
//!
//! Below the aggregation there are conditions, names and values that are computed of one row of one
//! table, and of rows of other tables that it meets by their keys; so every row is in one group of each
//! grouping, as often as in the table.
//! Above it may stand what is understood: it is given nothing but what may be told, and other tables
//! that are told row by row.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Filter, Join, LogicalPlan, Projection, SubqueryAlias, TableScan,
};
use martlet_core::TableName;
use martlet_policy::MinimumGroup;

use super::crowd::{CROWD, CrowdOf, Measure};
use super::joined::{Counted, meets_one};
use super::memory::Memory;
use super::node::{EnoughPersons, Terms};
use super::rows::{NumberRows, ROW};
use crate::error::QueryError;
use crate::lookup;
use crate::names::find_themselves;
use crate::session::Session;
use crate::statement::{each_scan, table_name};

/// So many digits a sum or an average of decimals may have without ever becoming too long.
const DIGITS_MAX: u8 = 24;

/// The plan that is run instead of one as written, and the table for whose sake it is another one,
/// if it reads a table with a minimum group size.
///
/// # Errors
/// [`QueryError::TooFine`] if it reads one and is not a statistic of the accepted form.
pub(crate) fn keep_groups(
    session: &Session,
    written: LogicalPlan,
) -> Result<(LogicalPlan, Option<TableName>), QueryError> {
    let tables = guarded_tables(session, &written)?;
    let [table] = tables.as_slice() else {
        return if tables.is_empty() { Ok((written, None)) } else { Err(refused(ALONE)) };
    };
    if has_subquery(&written)? {
        return Err(refused(SUBQUERY));
    }
    if written
        .exists(|node| Ok(!find_themselves(node.schema())))
        .map_err(QueryError::from_planning)?
    {
        return Err(refused(NAMES));
    }
    if lookup::asked(&written)? > 0 {
        return Err(refused("lookup finds a single person"));
    }
    let (group, memory) = session.groups_of(table).ok_or_else(|| refused(ALONE))?;
    let plan = Walk { session, table, group, memory }.above(written)?;
    Ok((plan, Some(table.clone())))
}

const ALONE: &str = "it is read once in the statement";
const NAMES: &str = "every table has a name of its own";
const KEYS: &str =
    "other tables are joined to it by their whole primary key, inner or keeping its rows";
const SUBQUERY: &str = "its statement has no subquery in a condition or a value";
const ROWS: &str = "rows are counted, summed or averaged in groups, not shown, chosen or numbered";
const PERSONS: &str = "the column of persons is counted only, and stands in no condition or group";
const VALUES: &str = "count, sum and avg of columns are told, without FILTER, ORDER BY or anything \
                      computed in them; min, max and others would show single values";
const DIFFERENT: &str = "different values are counted of the column of persons alone";
const NUMBERS: &str = "sum and avg are told of numbers";

const fn refused(accepted: &'static str) -> QueryError {
    QueryError::TooFine { accepted }
}

/// Every table with a minimum group size, as often as it is read.
fn guarded_tables(session: &Session, plan: &LogicalPlan) -> Result<Vec<TableName>, QueryError> {
    let mut tables = Vec::new();
    each_scan(plan, &mut |scan| tables.extend(guarded_table(session, scan)))?;
    Ok(tables)
}

fn guarded_table(session: &Session, scan: &TableScan) -> Option<TableName> {
    let table = table_name(&scan.table_name).ok().flatten()?;
    session.grant(&table)?.minimum_group()?;
    Some(table)
}

fn has_subquery(plan: &LogicalPlan) -> Result<bool, QueryError> {
    let (mut own, mut all) = (0_usize, 0_usize);
    plan.apply(|_| {
        own += 1;
        Ok(TreeNodeRecursion::Continue)
    })
    .and_then(|_| {
        plan.apply_with_subqueries(|_| {
            all += 1;
            Ok(TreeNodeRecursion::Continue)
        })
    })
    .map_err(QueryError::from_planning)?;
    Ok(own != all)
}

/// What a column of a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The column at this position of the grant.
    Stored(usize),
    /// The one that tells persons apart.
    Person,
    /// Computed of others, or met in another table.
    Computed,
    /// The row's number.
    Number,
}

/// A plan that gives rows of the table, each with its number.
struct Rows {
    plan: LogicalPlan,
    /// Of each column, in their order; one of them is the row's number.
    kinds: Vec<Kind>,
}

impl Rows {
    /// A name that the plan does not have is taken for the most that it could be.
    fn kind(&self, column: &Column) -> Kind {
        let position = self.plan.schema().maybe_index_of_column(column);
        position.and_then(|at| self.kinds.get(at).copied()).unwrap_or(Kind::Person)
    }

    /// Whether an expression leaves the column of persons alone.
    fn is_impersonal(&self, expression: &Expr) -> bool {
        let mut columns = expression.column_refs().into_iter();
        columns.all(|column| !matches!(self.kind(column), Kind::Person | Kind::Number))
    }

    fn number(&self) -> Result<Expr, QueryError> {
        let columns = self.plan.schema().iter().zip(&self.kinds);
        let mut numbers = columns.filter(|(_, kind)| **kind == Kind::Number);
        let number = numbers.next().map(|(field, _)| Expr::Column(field.into()));
        number.ok_or(QueryError::Bug { promise: "rows have numbers" })
    }
}

struct Walk<'a> {
    session: &'a Session,
    table: &'a TableName,
    group: &'a MinimumGroup,
    memory: Memory,
}

impl Walk<'_> {
    /// The plan from the statement's end down to the aggregation.
    fn above(&self, plan: LogicalPlan) -> Result<LogicalPlan, QueryError> {
        match plan {
            LogicalPlan::Aggregate(aggregate) if self.gives_rows(&aggregate.input) => {
                self.guarded(aggregate)
            }
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Window(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::Distinct(Distinct::All(_))
            | LogicalPlan::Join(_)
            | LogicalPlan::Union(_)
                if !self.gives_rows(&plan) =>
            {
                let below = |input: LogicalPlan| -> DataFusionResult<Transformed<LogicalPlan>> {
                    if self.reads_table(&input)? {
                        return Ok(Transformed::yes(self.above(input)?));
                    }
                    Ok(Transformed::no(input))
                };
                Ok(plan.map_children(below).map_err(QueryError::from_planning)?.data)
            }
            _ if self.gives_rows(&plan) => Err(refused(ROWS)),
            _ => Err(refused(ALONE)),
        }
    }

    /// The aggregation with the crowd of each group, and the node that decides by it.
    fn guarded(&self, aggregate: Aggregate) -> Result<LogicalPlan, QueryError> {
        let rows = self.rows(Arc::unwrap_or_clone(aggregate.input))?;
        if !aggregate.group_expr.iter().all(|key| rows.is_impersonal(key)) {
            return Err(refused(PERSONS));
        }
        let mut asked = Totals::of(rows.number()?);
        for total in &aggregate.aggr_expr {
            asked.add(total, &rows)?;
        }
        let Totals { arguments, measures, sums, counts_persons } = asked;
        let least = self.group.size;
        let crowd = CrowdOf::function(measures, least).call(arguments).alias(CROWD);
        let mut totals = aggregate.aggr_expr;
        totals.push(crowd);
        let terms = Terms { least, memory: self.memory.clone(), sums, counts_persons };
        Aggregate::try_new(Arc::new(rows.plan), aggregate.group_expr, totals)
            .and_then(|aggregate| EnoughPersons::over(LogicalPlan::Aggregate(aggregate), terms))
            .map(EnoughPersons::into_plan)
            .map_err(QueryError::from_planning)
    }

    /// The same rows with their numbers.
    fn rows(&self, plan: LogicalPlan) -> Result<Rows, QueryError> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scanned(scan),
            LogicalPlan::SubqueryAlias(named) => {
                let Rows { plan, kinds } = self.rows(Arc::unwrap_or_clone(named.input))?;
                let named = SubqueryAlias::try_new(Arc::new(plan), named.alias);
                let plan = named.map(LogicalPlan::SubqueryAlias);
                Ok(Rows { plan: plan.map_err(QueryError::from_planning)?, kinds })
            }
            LogicalPlan::Filter(filter) => {
                let rows = self.rows(Arc::unwrap_or_clone(filter.input))?;
                if !rows.is_impersonal(&filter.predicate) {
                    return Err(refused(PERSONS));
                }
                let plan = Filter::try_new(filter.predicate, Arc::new(rows.plan));
                let plan = plan.map(LogicalPlan::Filter).map_err(QueryError::from_planning)?;
                Ok(Rows { plan, kinds: rows.kinds })
            }
            LogicalPlan::Projection(projection) => {
                let rows = self.rows(Arc::unwrap_or_clone(projection.input))?;
                let mut kinds = projection
                    .expr
                    .iter()
                    .map(|one| computed(one, &rows))
                    .collect::<Result<Vec<_>, _>>()?;
                kinds.push(Kind::Number);
                let mut columns = projection.expr;
                columns.push(rows.number()?);
                let plan = Projection::try_new(columns, Arc::new(rows.plan));
                let plan = plan.map(LogicalPlan::Projection).map_err(QueryError::from_planning)?;
                Ok(Rows { plan, kinds })
            }
            LogicalPlan::Join(join) => self.joined(join),
            _ => Err(refused(ROWS)),
        }
    }

    /// Rows beside what each of them meets in another table.
    fn joined(&self, join: Join) -> Result<Rows, QueryError> {
        let side = if self.reads_table(&join.left)? { Counted::Left } else { Counted::Right };
        if !meets_one(self.session, &join, side) {
            return Err(refused(KEYS));
        }
        let (left, right) = ((*join.left).clone(), (*join.right).clone());
        let met = |plan: LogicalPlan| {
            let kinds = vec![Kind::Computed; plan.schema().fields().len()];
            Rows { plan, kinds }
        };
        let (left, right) = match side {
            Counted::Left => (self.rows(left)?, met(right)),
            Counted::Right => (met(left), self.rows(right)?),
        };
        let kinds = [left.kinds, right.kinds].concat();
        let joined = LogicalPlan::Join(join);
        let plan = joined
            .with_new_exprs(joined.expressions(), vec![left.plan, right.plan])
            .map_err(QueryError::from_planning)?;
        let rows = Rows { plan, kinds };
        // A table that is met by persons would tell each of them apart.
        if joined.expressions().iter().all(|one| rows.is_impersonal(one)) {
            return Ok(rows);
        }
        Err(refused(PERSONS))
    }

    fn reads_table(&self, plan: &LogicalPlan) -> Result<bool, QueryError> {
        Ok(!guarded_tables(self.session, plan)?.is_empty())
    }

    /// Whether a plan gives rows of the table one by one.
    fn gives_rows(&self, plan: &LogicalPlan) -> bool {
        match plan {
            LogicalPlan::TableScan(_) => true,
            LogicalPlan::SubqueryAlias(named) => self.gives_rows(&named.input),
            LogicalPlan::Filter(filter) => self.gives_rows(&filter.input),
            LogicalPlan::Projection(projection) => self.gives_rows(&projection.input),
            LogicalPlan::Join(join) => [&join.left, &join.right].into_iter().any(|side| {
                self.reads_table(side).is_ok_and(|reads| reads) && self.gives_rows(side)
            }),
            _ => false,
        }
    }

    /// The table with its rows' numbers. They are made of all that the reader sees, so the scan has
    /// to give all of it.
    fn scanned(&self, scan: TableScan) -> Result<Rows, QueryError> {
        let is_whole = scan.projection.is_none() && scan.filters.is_empty() && scan.fetch.is_none();
        let of_table = table_name(&scan.table_name).ok().flatten();
        if !is_whole || of_table.as_ref() != Some(self.table) {
            return Err(refused(ALONE));
        }
        let schema = &scan.projected_schema;
        let person = self.group.persons.as_ref().map(|column| column.as_str());
        let is_person = |name: &str| Some(name) == person;
        let kind = |(at, name)| if is_person(name) { Kind::Person } else { Kind::Stored(at) };
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let mut kinds: Vec<Kind> = names.enumerate().map(kind).collect();
        let at = kinds.iter().position(|kind| *kind == Kind::Person);
        if at.is_none() && person.is_some() {
            return Err(QueryError::Bug { promise: "the column of persons is granted" });
        }
        let mut columns: Vec<Expr> =
            schema.iter().map(|field| Expr::Column(field.into())).collect();
        let number = NumberRows::function(&self.memory.names, at).call(columns.clone()).alias(ROW);
        columns.push(number);
        kinds.push(Kind::Number);
        let plan = Projection::try_new(columns, Arc::new(LogicalPlan::TableScan(scan)));
        let plan = plan.map(LogicalPlan::Projection).map_err(QueryError::from_planning)?;
        Ok(Rows { plan, kinds })
    }
}

/// What is made of a row: a column under whatever name, or something that no person can be read off.
fn computed(expression: &Expr, rows: &Rows) -> Result<Kind, QueryError> {
    match expression {
        Expr::Alias(named) => computed(&named.expr, rows),
        Expr::Column(column) => Ok(rows.kind(column)),
        _ if rows.is_impersonal(expression) => Ok(Kind::Computed),
        _ => Err(refused(PERSONS)),
    }
}

/// What an aggregation asks of columns.
struct Totals {
    /// Of the crowd: a row's number, then the columns.
    arguments: Vec<Expr>,
    measures: Vec<Measure>,
    /// The positions of those that are summed.
    sums: Vec<usize>,
    counts_persons: bool,
}

impl Totals {
    fn of(number: Expr) -> Self {
        Self {
            arguments: vec![number],
            measures: Vec::new(),
            sums: Vec::new(),
            counts_persons: false,
        }
    }

    fn add(&mut self, total: &Expr, rows: &Rows) -> Result<(), QueryError> {
        let function = match total {
            Expr::Alias(named) => return self.add(&named.expr, rows),
            Expr::AggregateFunction(function) => function,
            _ => return Err(refused(VALUES)),
        };
        let AggregateFunction { func, params } = function;
        let AggregateFunctionParams { args, distinct, filter, order_by, null_treatment } = params;
        if filter.is_some() || !order_by.is_empty() || null_treatment.is_some() {
            return Err(refused(VALUES));
        }
        match (func.name(), args.as_slice(), *distinct) {
            // Which grouping a group is of, whose arguments are keys; and how many rows there are.
            ("grouping", _, false) | ("count", [Expr::Literal(..)], false) => Ok(()),
            ("count", [Expr::Column(column)], false) => self.add_count(column, rows),
            ("count", [Expr::Column(column)], true) => match rows.kind(column) {
                Kind::Person => {
                    self.counts_persons = true;
                    Ok(())
                }
                _ => Err(refused(DIFFERENT)),
            },
            ("sum" | "avg", [Expr::Column(column)], false) => self.add_sum(column, rows),
            _ => Err(refused(VALUES)),
        }
    }

    fn add_count(&mut self, column: &Column, rows: &Rows) -> Result<(), QueryError> {
        match rows.kind(column) {
            Kind::Stored(_) | Kind::Person => {
                self.measure(column, Measure::Counted);
                Ok(())
            }
            Kind::Computed | Kind::Number => Err(refused(VALUES)),
        }
    }

    /// A column that is summed and averaged is remembered once.
    fn add_sum(&mut self, column: &Column, rows: &Rows) -> Result<(), QueryError> {
        match rows.kind(column) {
            Kind::Stored(at) if is_number(column, rows.plan.schema()) => {
                if !self.sums.contains(&at) {
                    self.sums.push(at);
                    self.measure(column, Measure::Summed);
                }
                Ok(())
            }
            Kind::Stored(_) => Err(refused(NUMBERS)),
            Kind::Person => Err(refused(PERSONS)),
            Kind::Computed | Kind::Number => Err(refused(VALUES)),
        }
    }

    fn measure(&mut self, column: &Column, measure: Measure) {
        self.arguments.push(Expr::Column(column.clone()));
        self.measures.push(measure);
    }
}

/// A number whose sums do not fail.
fn is_number(column: &Column, schema: &DFSchema) -> bool {
    let Some(at) = schema.maybe_index_of_column(column) else { return false };
    match schema.field(at).data_type() {
        DataType::Decimal128(digits, _) => *digits <= DIGITS_MAX,
        other => other.is_integer() || other.is_floating(),
    }
}
