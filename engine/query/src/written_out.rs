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
use datafusion::logical_expr::{Case, Expr, LogicalPlan, Operator};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    Ident, Query, SetExpr, Statement, TableFactor, Visit, Visitor,
};
use martlet_core::limits::{
    EXPRESSION_PARTS_MAX, EXPRESSION_TEXT_BYTES_MAX, STATEMENT_COLUMNS_MAX, STATEMENT_DEPTH_MAX,
    STATEMENT_TABLES_MAX,
};

use crate::error::QueryError;

/// Functions that are simplified to a CASE, which repeats their arguments, and that again to AND and OR.
const SIMPLIFIED: [&str; 6] = ["coalesce", "nullif", "nvl", "nvl2", "ifnull", "regexp_like"];
/// How often that repeats them at most, and what is matched with alternatives.
const REPEATED_BY_A_CASE: u64 = 4;
/// Functions of which a comparison becomes a range of their argument, ours that are one of them too.
const COMPARED_BY_RANGE: [&str; 8] =
    ["floor", "date_part", "datepart", "year", "quarter", "month", "day", "hour"];
/// How often a short list, a range or a condition of a CASE repeats what it compares.
const REPEATED_BY_A_LIST: u64 = 3;

/// Refuses a statement that reads too many tables, each name of a WITH written out where it stands, that
/// names too many columns, or whose queries stand too deep within each other.
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
    /// Columns that are named, each once.
    columns: u64,
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
        self.columns = self.columns.saturating_add(columns_named(&query.body));
        if self.columns > STATEMENT_COLUMNS_MAX {
            return ControlFlow::Break(format!(
                "its queries name more than {STATEMENT_COLUMNS_MAX} columns all together"
            ));
        }
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
            // Rows that are written down are a table as well.
            _ => self.note(Size { tables: size.tables.max(1), ..size }),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<String> {
        match factor {
            TableFactor::Table { name, .. } => {
                // The planner looks for a name of a WITH by the whole of what is written.
                let parts = name.0.iter().filter_map(|part| part.as_ident()).map(as_planned);
                self.note(self.size_of(&parts.collect::<Vec<_>>().join(".")));
            }
            // What stands in them is met by itself.
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } => {}
            _ => self.note(Size { tables: 1, depth: 0 }),
        }
        ControlFlow::Continue(())
    }
}

/// How many columns a query names in its lists and rows; queries within it are met by themselves.
fn columns_named(body: &SetExpr) -> u64 {
    match body {
        SetExpr::Select(select) => select.projection.len() as u64,
        SetExpr::Values(values) => values.rows.first().map_or(0, |row| row.len() as u64),
        SetExpr::SetOperation { left, right, .. } => {
            columns_named(left).saturating_add(columns_named(right))
        }
        _ => 0,
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

/// How long an expression is, written out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Length {
    parts: u64,
    /// Bytes of the texts that stand in it.
    text_bytes: u64,
}

impl Length {
    /// What is not written out.
    const ONE: Self = Self { parts: 1, text_bytes: 0 };

    const fn and(self, other: Self) -> Self {
        Self {
            parts: self.parts.saturating_add(other.parts),
            text_bytes: self.text_bytes.saturating_add(other.text_bytes),
        }
    }

    fn or_longer(self, other: Self) -> Self {
        Self {
            parts: self.parts.max(other.parts),
            text_bytes: self.text_bytes.max(other.text_bytes),
        }
    }

    const fn times(self, count: u64) -> Self {
        Self {
            parts: self.parts.saturating_mul(count),
            text_bytes: self.text_bytes.saturating_mul(count),
        }
    }
}

/// What one input of a plan gives: its columns, and how long each is.
struct Input {
    schema: DFSchemaRef,
    lengths: Vec<Length>,
}

/// How long each column of a plan is.
fn columns_of(plan: &LogicalPlan) -> Result<Vec<Length>, QueryError> {
    let mut inputs = Vec::new();
    for input in plan.inputs() {
        inputs.push(Input { schema: input.schema().clone(), lengths: columns_of(input)? });
    }
    let mut own = Vec::new();
    for expression in plan.expressions() {
        own.push(length_of(&expression, &inputs)?);
    }
    let text_bytes = own.iter().map(|one| one.text_bytes).fold(0, u64::saturating_add);
    // Rows that are written down are each there once.
    let is_written_down = matches!(plan, LogicalPlan::Values(_));
    if text_bytes > EXPRESSION_TEXT_BYTES_MAX && !is_written_down {
        return Err(too_long(format!(
            "texts of more than {EXPRESSION_TEXT_BYTES_MAX} bytes stand in the columns or conditions of a \
             query, each column in them written out as what it is computed of: compare long lists by `in (…)`"
        )));
    }
    let mut columns = match plan {
        LogicalPlan::Projection(_) => own,
        LogicalPlan::Aggregate(aggregate) => {
            own.truncate(aggregate.group_expr.len());
            own
        }
        LogicalPlan::Union(_) | LogicalPlan::SubqueryAlias(_) | LogicalPlan::Subquery(_) => {
            (0..plan.schema().fields().len()).map(|at| longest_at(&inputs, at)).collect()
        }
        // What they hand on is called as it was; what they add is not written out.
        _ => {
            let columns = plan.schema().columns();
            columns.iter().map(|column| length_of_column(column, &inputs)).collect()
        }
    };
    columns.resize(plan.schema().fields().len(), Length::ONE);
    Ok(columns)
}

fn longest_at(inputs: &[Input], at: usize) -> Length {
    let lengths = inputs.iter().filter_map(|input| input.lengths.get(at)).copied();
    lengths.reduce(Length::or_longer).unwrap_or(Length::ONE)
}

/// How long an expression is; a column in it as long as what it is computed of.
fn length_of(expression: &Expr, inputs: &[Input]) -> Result<Length, QueryError> {
    let mut length = match expression {
        Expr::Column(column) => return Ok(length_of_column(column, inputs)),
        // A list may have as many as its text holds.
        Expr::Literal(value, _) => {
            return Ok(Length { parts: 0, text_bytes: text_bytes_of(value) });
        }
        // It is compared with all of it at once.
        Expr::InList(list) if list.list.iter().all(|one| matches!(one, Expr::Literal(..))) => {
            let compared = length_of(&list.expr, inputs)?;
            return within(Length::ONE.and(compared.times(REPEATED_BY_A_LIST)));
        }
        Expr::ScalarSubquery(query) => longest(&query.subquery)?,
        Expr::Exists(exists) => longest(&exists.subquery.subquery)?,
        Expr::InSubquery(within) => longest(&within.subquery.subquery)?,
        Expr::SetComparison(comparison) => longest(&comparison.subquery.subquery)?,
        _ => Length::ONE,
    };
    let (mut outcome, mut at) = (Ok(()), 0);
    // The walk over children has an error of its own, which nothing here raises.
    let walked = expression.apply_children(|child| {
        match length_of(child, inputs) {
            Ok(of_child) => length = length.and(of_child.times(repeated(expression, at))),
            Err(error) => outcome = Err(error),
        }
        at += 1;
        Ok(if outcome.is_ok() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    outcome?;
    walked.map_err(QueryError::from_planning)?;
    within(length)
}

fn within(length: Length) -> Result<Length, QueryError> {
    if length.parts > EXPRESSION_PARTS_MAX {
        return Err(too_long(format!(
            "an expression has more than {EXPRESSION_PARTS_MAX} parts, each column in it written out as \
             what it is computed of: compute less of what queries within it have computed"
        )));
    }
    Ok(length)
}

fn too_long(reason: String) -> QueryError {
    QueryError::Syntax { reason }
}

fn text_bytes_of(value: &ScalarValue) -> u64 {
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => text.len() as u64,
        ScalarValue::Binary(Some(bytes))
        | ScalarValue::LargeBinary(Some(bytes))
        | ScalarValue::BinaryView(Some(bytes)) => bytes.len() as u64,
        _ => 0,
    }
}

/// How often the child at a place stands in what an expression is simplified to.
fn repeated(expression: &Expr, at: usize) -> u64 {
    match expression {
        Expr::ScalarFunction(call) if SIMPLIFIED.contains(&call.name()) => REPEATED_BY_A_CASE,
        Expr::ScalarFunction(call) if COMPARED_BY_RANGE.contains(&call.name()) => {
            REPEATED_BY_A_LIST
        }
        Expr::BinaryExpr(binary) if at == 0 && is_matched(binary.op) => REPEATED_BY_A_CASE,
        Expr::InList(_) | Expr::Between(_) if at == 0 => REPEATED_BY_A_LIST,
        Expr::Case(case) => of_case(case, at),
        _ => 1,
    }
}

const fn is_matched(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::RegexMatch
            | Operator::RegexIMatch
            | Operator::RegexNotMatch
            | Operator::RegexNotIMatch
    )
}

/// What is compared is compared with each of them, and conditions come again in those after them.
fn of_case(case: &Case, at: usize) -> u64 {
    let (compared, conditions) = (u64::from(case.expr.is_some()), case.when_then_expr.len() as u64);
    match (at as u64).checked_sub(compared) {
        None => conditions.saturating_mul(REPEATED_BY_A_LIST),
        Some(place) if place < 2 * conditions && place.is_multiple_of(2) => REPEATED_BY_A_LIST,
        Some(_) => 1,
    }
}

fn longest(plan: &LogicalPlan) -> Result<Length, QueryError> {
    Ok(columns_of(plan)?.into_iter().reduce(Length::or_longer).unwrap_or(Length::ONE))
}

fn length_of_column(column: &Column, inputs: &[Input]) -> Length {
    let of =
        |input: &Input| input.lengths.get(input.schema.maybe_index_of_column(column)?).copied();
    inputs.iter().find_map(of).unwrap_or(Length::ONE)
}

#[cfg(test)]
#[path = "written_out_tests.rs"]
mod tests;
