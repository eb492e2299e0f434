//! How large a statement is once every name in it is written out as what it stands for.
//!
//! A short text can stand for a huge plan: forty names, each of which reads the one before it twice,
//! read 2^40 tables, and forty selects of `x + x` within each other make a condition of 2^40 parts.
//! Whoever plans walks all of it, without a pause in which it could be ended. So it is counted before,
//! in a walk over no more than what is written.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchemaRef};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::sqlparser::ast::{Ident, Query, Statement, TableFactor, Visit, Visitor};
use martlet_core::limits::{EXPRESSION_PARTS_MAX, STATEMENT_DEPTH_MAX, STATEMENT_TABLES_MAX};

use crate::error::QueryError;

/// Functions that are simplified to a CASE, which repeats their arguments.
const SIMPLIFIED: [&str; 7] = ["coalesce", "nullif", "nvl", "nvl2", "ifnull", "greatest", "least"];
/// How often that repeats them at most.
const REPEATED_BY_A_CASE: u64 = 2;
/// How often a short list or a range repeats what it compares.
const REPEATED_BY_A_LIST: u64 = 3;

/// Refuses a statement that reads too many tables, each name of a WITH written out where it stands, or
/// whose queries stand too deep within each other.
///
/// # Errors
/// [`QueryError::Syntax`].
pub(crate) fn is_small(statement: &Statement) -> Result<(), QueryError> {
    match statement.visit(&mut Counter::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(reason) => Err(QueryError::Syntax { reason }),
    }
}

/// What a query comes to, written out.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    tables: u64,
    /// Queries within each other.
    depth: u64,
}

impl Size {
    const fn beside(self, other: Self) -> Self {
        Self {
            tables: self.tables.saturating_add(other.tables),
            depth: if self.depth > other.depth { self.depth } else { other.depth },
        }
    }

    const fn is_too_large(self) -> bool {
        self.tables > STATEMENT_TABLES_MAX || self.depth > STATEMENT_DEPTH_MAX
    }
}

/// A query that is being walked: what was met in it, and the names that it gives.
#[derive(Debug, Default)]
struct Open {
    size: Size,
    names: HashMap<String, Size>,
}

#[derive(Debug, Default)]
struct Counter {
    open: Vec<Open>,
    /// Queries that a name stands for, by where they lie, until they were walked.
    named: HashMap<*const Query, String>,
}

impl Counter {
    /// What a name stands for: the innermost query that gives it decides.
    fn size_of(&self, name: &str) -> Size {
        let known = self.open.iter().rev().find_map(|open| open.names.get(name));
        let size = known.copied().unwrap_or_default();
        Size { tables: size.tables.max(1), ..size }
    }

    fn note(&mut self, size: Size) {
        if let Some(open) = self.open.last_mut() {
            open.size = open.size.beside(size);
        }
    }
}

impl Visitor for Counter {
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        let given = query.with.iter().flat_map(|with| &with.cte_tables);
        let given =
            given.map(|one| (std::ptr::from_ref::<Query>(&one.query), as_planned(&one.alias.name)));
        self.named.extend(given);
        self.open.push(Open::default());
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        let size = self.open.pop().map(|open| open.size).unwrap_or_default();
        let size = Size { depth: size.depth + 1, ..size };
        if size.is_too_large() {
            return ControlFlow::Break(format!(
                "it reads more than {STATEMENT_TABLES_MAX} tables, each name of a WITH counted as what it \
                 stands for, or has more than {STATEMENT_DEPTH_MAX} queries within each other"
            ));
        }
        match (self.named.remove(&std::ptr::from_ref(query)), self.open.last_mut()) {
            // It counts where it is named.
            (Some(name), Some(open)) => drop(open.names.insert(name, size)),
            _ => self.note(size),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<String> {
        if let TableFactor::Table { name, .. } = factor {
            // The planner looks for a name of a WITH by the whole of what is written.
            let parts = name.0.iter().filter_map(|part| part.as_ident()).map(as_planned);
            self.note(self.size_of(&parts.collect::<Vec<_>>().join(".")));
        }
        ControlFlow::Continue(())
    }
}

/// A name as the planner tells it from others: two that it does not take for one may not be one here,
/// or the smaller would stand for the larger.
fn as_planned(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

/// Refuses a plan in which an expression is too long once each column in it is written out as what it is
/// computed of: rules move conditions below what computes their columns.
///
/// # Errors
/// [`QueryError::Syntax`].
pub(crate) fn has_short_expressions(plan: &LogicalPlan) -> Result<(), QueryError> {
    columns_of(plan).map(drop)
}

/// What one input of a plan gives: its columns, and how many parts each has.
struct Input {
    schema: DFSchemaRef,
    parts: Vec<u64>,
}

/// How many parts each column of a plan has.
fn columns_of(plan: &LogicalPlan) -> Result<Vec<u64>, QueryError> {
    let mut inputs = Vec::new();
    for input in plan.inputs() {
        inputs.push(Input { schema: input.schema().clone(), parts: columns_of(input)? });
    }
    let mut own = Vec::new();
    for expression in plan.expressions() {
        own.push(parts_of(&expression, &inputs)?);
    }
    let fields = plan.schema().fields().len();
    let mut columns = match plan {
        LogicalPlan::Projection(_) => own,
        LogicalPlan::Aggregate(aggregate) => {
            own.truncate(aggregate.group_expr.len());
            own
        }
        LogicalPlan::Union(_) => (0..fields).map(|at| longest_at(&inputs, at)).collect(),
        LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Join(_) => inputs.into_iter().flat_map(|input| input.parts).collect(),
        _ => Vec::new(),
    };
    columns.resize(fields, 1);
    Ok(columns)
}

fn longest_at(inputs: &[Input], at: usize) -> u64 {
    inputs.iter().filter_map(|input| input.parts.get(at)).copied().max().unwrap_or(1)
}

/// How many parts an expression has; a column as many as what it is computed of.
fn parts_of(expression: &Expr, inputs: &[Input]) -> Result<u64, QueryError> {
    let mut parts = match expression {
        Expr::Column(column) => return Ok(parts_of_column(column, inputs)),
        // A list may have as many as its text holds.
        Expr::Literal(..) => return Ok(0),
        Expr::ScalarSubquery(query) => longest(&query.subquery)?,
        Expr::Exists(exists) => longest(&exists.subquery.subquery)?,
        Expr::InSubquery(within) => longest(&within.subquery.subquery)?,
        Expr::SetComparison(comparison) => longest(&comparison.subquery.subquery)?,
        _ => 1,
    };
    let (mut outcome, mut at) = (Ok(()), 0);
    // The walk over children has an error of its own, which nothing here raises.
    let walked = expression.apply_children(|child| {
        match parts_of(child, inputs) {
            Ok(of_child) => {
                parts = parts.saturating_add(of_child.saturating_mul(repeated(expression, at)));
            }
            Err(error) => outcome = Err(error),
        }
        at += 1;
        Ok(if outcome.is_ok() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    outcome?;
    walked.map_err(QueryError::from_planning)?;
    if parts > EXPRESSION_PARTS_MAX {
        return Err(QueryError::Syntax {
            reason: format!(
                "an expression has more than {EXPRESSION_PARTS_MAX} parts, each column in it written out as \
                 what it is computed of: compute less of what queries within it have computed"
            ),
        });
    }
    Ok(parts)
}

/// How often the child at a place stands in what an expression is simplified to.
fn repeated(expression: &Expr, at: usize) -> u64 {
    match expression {
        Expr::ScalarFunction(call) if SIMPLIFIED.contains(&call.name()) => REPEATED_BY_A_CASE,
        Expr::InList(_) | Expr::Between(_) if at == 0 => REPEATED_BY_A_LIST,
        Expr::Case(case) if case.expr.is_some() && at == 0 => case.when_then_expr.len() as u64,
        _ => 1,
    }
}

fn longest(plan: &LogicalPlan) -> Result<u64, QueryError> {
    Ok(columns_of(plan)?.into_iter().max().unwrap_or(1))
}

fn parts_of_column(column: &Column, inputs: &[Input]) -> u64 {
    let of = |input: &Input| input.parts.get(input.schema.maybe_index_of_column(column)?).copied();
    inputs.iter().find_map(of).unwrap_or(1)
}

#[cfg(test)]
#[path = "written_out_tests.rs"]
mod tests;
