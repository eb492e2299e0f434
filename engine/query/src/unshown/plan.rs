//! From node to node: which columns of a node may be shown, and what its rows tell.

use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Join, JoinType, LogicalPlan, RecursiveQuery, TableScan, Union,
};
use martlet_policy::Access;

use super::condition::{asks_a_plan, is_plain};
use super::{Kept, Output, Rows, Scope, Walk};
use crate::error::QueryError;
use crate::names::{find_themselves, is_reserved};
use crate::statement::table_name;

impl Walk<'_> {
    /// What the node gives.
    pub(super) fn plan(&mut self, plan: &LogicalPlan) -> Result<Output, QueryError> {
        let columns = plan.schema().fields().len();
        let output = match plan {
            // What a recursion has made so far may be what a condition left.
            LogicalPlan::TableScan(scan) => {
                Output { is_narrowed: is_recursion(scan), ..Output::of(self.scan(scan)) }
            }
            LogicalPlan::Projection(projection) => {
                let scope = self.scope_of(&projection.input)?;
                let columns = self.computed(&projection.expr, &scope)?;
                scope.output.with_columns(columns)
            }
            LogicalPlan::Filter(filter) => {
                let scope = self.scope_of(&filter.input)?;
                let speaks = self.condition(&filter.predicate, &scope)?;
                let is_narrowed = scope.output.is_narrowed || speaks.asks_of_unshown();
                Output { is_narrowed, ..scope.output }
            }
            LogicalPlan::SubqueryAlias(alias) => {
                if is_reserved(alias.alias.table()) {
                    return Err(QueryError::NotShown);
                }
                self.plan(&alias.input)?
            }
            LogicalPlan::Subquery(subquery) => self.plan(&subquery.subquery)?,
            LogicalPlan::Limit(limit) => {
                asks_no_other(plan)?;
                self.plan(&limit.input)?.cut_off()
            }
            LogicalPlan::Repartition(repartition) => self.plan(&repartition.input)?,
            LogicalPlan::Sort(sort) => {
                let scope = self.scope_of(&sort.input)?;
                let keys: Vec<&Expr> = sort.expr.iter().map(|key| &key.expr).collect();
                self.behind(&keys, scope.output.clone(), &scope)?
            }
            LogicalPlan::Distinct(Distinct::All(input)) => self.plan(input)?.distinct(),
            LogicalPlan::Distinct(Distinct::On(on)) => {
                let scope = self.scope_of(&on.input)?;
                let mut keys: Vec<&Expr> = on.on_expr.iter().collect();
                keys.extend(on.sort_expr.iter().flatten().map(|key| &key.expr));
                let columns = self.computed(&on.select_expr, &scope)?;
                self.behind(&keys, scope.output.clone().with_columns(columns), &scope)?.cut_off()
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, columns)?,
            LogicalPlan::Window(window) => {
                let scope = self.scope_of(&window.input)?;
                let ranks = self.computed(&window.window_expr, &scope)?;
                let columns = [scope.output.columns.clone(), ranks].concat();
                scope.output.with_columns(columns).cut_off()
            }
            LogicalPlan::Join(join) => self.join(join)?,
            LogicalPlan::Union(union) => self.union(union)?,
            LogicalPlan::RecursiveQuery(recursive) => self.recursive(recursive)?,
            // What is told of a plan is told to who may explain.
            LogicalPlan::Explain(explain) => {
                self.plan(&explain.plan)?;
                Output::of(vec![Kept::Shown; columns])
            }
            LogicalPlan::Analyze(analyze) => {
                self.plan(&analyze.input)?;
                Output::of(vec![Kept::Shown; columns])
            }
            _ => self.of_any_input(plan, columns)?,
        };
        if !find_themselves(plan.schema()) {
            return Err(QueryError::NotShown);
        }
        // A node whose columns are counted in another way than here is not understood.
        let is_understood = output.columns.len() == columns;
        if is_understood { Ok(output) } else { self.of_any_input(plan, columns) }
    }

    /// Of a node that is not looked into: all or nothing, and nothing may be computed in it.
    fn of_any_input(&mut self, plan: &LogicalPlan, columns: usize) -> Result<Output, QueryError> {
        asks_no_other(plan)?;
        let mut output = Output::of(vec![Kept::Shown; columns]);
        for input in plan.inputs() {
            let of_input = self.plan(input)?;
            if !of_input.shows_all() {
                output = Output::chosen(columns);
            }
            output.is_narrowed |= of_input.is_narrowed;
        }
        Ok(output)
    }

    fn scope_of(&mut self, input: &LogicalPlan) -> Result<Scope, QueryError> {
        let scope = Scope { output: self.plan(input)?, schema: input.schema().clone() };
        self.names.note(&scope);
        Ok(scope)
    }

    /// A name without a grant is that of rows that the statement itself makes, and so is the name that
    /// a recursion calls itself by, be it a table's.
    fn scan(&self, scan: &TableScan) -> Vec<Kept> {
        let table = table_name(&scan.table_name).ok().flatten();
        let table = table.filter(|_| !is_recursion(scan));
        let grant = table.and_then(|table| self.session.grant(&table));
        let is_unshown = |column: &str| {
            grant.is_some_and(|grant| {
                grant.columns().iter().any(|granted| {
                    granted.name.as_str() == column && granted.access == Access::Unshown
                })
            })
        };
        let fields = scan.projected_schema.fields().iter();
        fields.map(|field| Kept::unshown_if(is_unshown(field.name()))).collect()
    }

    fn aggregate(&mut self, aggregate: &Aggregate, columns: usize) -> Result<Output, QueryError> {
        let scope = self.scope_of(&aggregate.input)?;
        let totals = self.computed(&aggregate.aggr_expr, &scope)?;
        let groups = columns.saturating_sub(totals.len());
        let kept = std::iter::repeat_n(Kept::Shown, groups).chain(totals).collect();
        let keys: Vec<&Expr> = aggregate.group_expr.iter().collect();
        let output = self.behind(&keys, scope.output.clone().with_columns(kept), &scope)?;
        // A count of rows that tell is told.
        Ok(output.cut_off())
    }

    fn union(&mut self, union: &Union) -> Result<Output, QueryError> {
        let mut inputs = union.inputs.iter();
        let first = inputs.next().map(|input| self.plan(input)).transpose()?;
        let mut output = first.ok_or(QueryError::NotShown)?;
        for input in inputs {
            let of_input = self.plan(input)?;
            output.rows = output.rows.max(of_input.rows);
            output.is_narrowed |= of_input.is_narrowed;
            // A column of both kinds would be compared with either.
            if of_input.columns != output.columns {
                return Err(QueryError::NotShown);
            }
        }
        Ok(output)
    }

    /// Its rows are taken for shown where it calls itself, so they have to be.
    fn recursive(&mut self, recursive: &RecursiveQuery) -> Result<Output, QueryError> {
        let before = std::mem::replace(&mut self.met, false);
        let first = self.plan(&recursive.static_term)?;
        let further = self.plan(&recursive.recursive_term)?;
        let met = std::mem::replace(&mut self.met, before);
        self.met |= met;
        if !first.shows_all() || !further.shows_all() {
            return Err(QueryError::NotShown);
        }
        Ok(Output { is_narrowed: met, ..first })
    }

    fn join(&mut self, join: &Join) -> Result<Output, QueryError> {
        let left = self.scope_of(&join.left)?;
        let is_lateral = is_lateral(&join.right);
        let right = if is_lateral {
            // It names columns of the left.
            self.outer.push(left.clone());
            let right = self.scope_of(&join.right);
            self.outer.pop();
            right?
        } else {
            self.scope_of(&join.right)?
        };
        let mut by_unshown = false;
        for (of_left, of_right) in &join.on {
            let of_left_side = self.speaks(of_left, &left)?;
            let speaks = of_left_side.with(self.speaks(of_right, &right)?);
            let are_plain = is_plain(of_left) && is_plain(of_right);
            if speaks.of_both() || (speaks.asks_of_unshown() && !are_plain) {
                return Err(QueryError::NotShown);
            }
            by_unshown |= speaks.asks_of_unshown();
        }
        let both = joined(&left, &right)?;
        if let Some(condition) = &join.filter {
            by_unshown |= self.condition(condition, &both)?.asks_of_unshown();
        }
        // Where rows without a partner stay, nulls tell which these are.
        let tells = match join.join_type {
            JoinType::Left => by_unshown || right.output.is_narrowed,
            JoinType::Right => by_unshown || left.output.is_narrowed,
            JoinType::Full => by_unshown || both.output.is_narrowed,
            // Of the side that is only asked, nothing is left but which values there are.
            JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                right.output.rows == Rows::Chosen
            }
            JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
                left.output.rows == Rows::Chosen
            }
            // A total without keys has a row also of nothing.
            JoinType::Inner => {
                is_lateral && right.output.is_narrowed && has_keyless_total(&join.right)?
            }
        };
        if tells {
            return Err(QueryError::NotShown);
        }
        let is_narrowed = by_unshown || both.output.is_narrowed;
        let output = match join.join_type {
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => both.output,
            JoinType::LeftSemi | JoinType::LeftAnti => left.output,
            JoinType::RightSemi | JoinType::RightAnti => right.output,
            JoinType::LeftMark => marked(left.output),
            JoinType::RightMark => marked(right.output),
        };
        Ok(Output { is_narrowed, ..output })
    }

    /// What is left of an output whose rows were grouped, ordered or chosen by these keys.
    fn behind(
        &mut self,
        keys: &[&Expr],
        output: Output,
        scope: &Scope,
    ) -> Result<Output, QueryError> {
        let mut by_unshown = false;
        for key in keys {
            let before = std::mem::replace(&mut self.met, false);
            by_unshown |= self.speaks(key, scope)?.of_unshown || self.met;
            self.met |= before;
        }
        let columns = output.columns.len();
        Ok(if by_unshown { Output::chosen(columns) } else { output })
    }

    /// Of each expression, whether what it gives may be shown. An unshown column is handed on under
    /// whatever name; nothing else is made of one.
    fn computed(&mut self, expressions: &[Expr], scope: &Scope) -> Result<Vec<Kept>, QueryError> {
        let of = |walk: &mut Self, expression: &Expr| {
            let before = std::mem::replace(&mut walk.met, false);
            let speaks = walk.speaks(expression, scope)?;
            // A subquery that asks of one and gives another tells of it just as well.
            let met = walk.met || speaks.of_unshown;
            walk.met |= before;
            match met {
                false => Ok(Kept::Shown),
                true if is_plain(expression) && !speaks.of_shown => Ok(Kept::Unshown),
                true => Err(QueryError::NotShown),
            }
        };
        expressions.iter().map(|expression| of(self, expression)).collect()
    }
}

/// Whether a scan is of the rows that a recursion has made so far.
fn is_recursion(scan: &TableScan) -> bool {
    let provider = source_as_provider(&scan.source);
    provider.is_ok_and(|provider| provider.downcast_ref::<CteWorkTable>().is_some())
}

/// The mark tells of every row what the condition says of it.
fn marked(output: Output) -> Output {
    let columns = [output.columns.as_slice(), &[Kept::Unshown]].concat();
    output.with_columns(columns)
}

/// A derived table that names columns of what stands before it.
fn is_lateral(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Subquery(_) => true,
        LogicalPlan::SubqueryAlias(alias) => is_lateral(&alias.input),
        _ => false,
    }
}

/// Whether a plan has an aggregation that gives a row where there is none below it.
fn has_keyless_total(plan: &LogicalPlan) -> Result<bool, QueryError> {
    plan.exists(|node| {
        let LogicalPlan::Aggregate(aggregate) = node else { return Ok(false) };
        let is_set = |key: &Expr| matches!(key, Expr::GroupingSet(_));
        Ok(aggregate.group_expr.is_empty() || aggregate.group_expr.iter().any(is_set))
    })
    .map_err(QueryError::from_planning)
}

/// A node whose expressions are not followed may hold none that asks another plan, or speaks of what
/// stands around its own.
fn asks_no_other(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut found = false;
    look_for_others(plan, &mut found).map_err(QueryError::from_planning)?;
    if found { Err(QueryError::NotShown) } else { Ok(()) }
}

fn look_for_others(plan: &LogicalPlan, found: &mut bool) -> DataFusionResult<()> {
    plan.apply_expressions(|expression| {
        expression.apply(|part| {
            *found |= asks_a_plan(part) || matches!(part, Expr::OuterReferenceColumn(..));
            Ok(TreeNodeRecursion::Continue)
        })
    })
    .map(|_| ())
}

fn joined(left: &Scope, right: &Scope) -> Result<Scope, QueryError> {
    let schema = left.schema.join(&right.schema).map_err(QueryError::from_planning)?;
    let columns = [left.output.columns.clone(), right.output.columns.clone()].concat();
    let rows = left.output.rows.max(right.output.rows);
    let is_narrowed = left.output.is_narrowed || right.output.is_narrowed;
    Ok(Scope { schema: schema.into(), output: Output { columns, rows, is_narrowed } })
}
