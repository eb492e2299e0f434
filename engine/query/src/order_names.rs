//! ORDER BY an output that is called as a column which another output casts:
//! `SELECT kind AS booked, CAST(booked AS date) … GROUP BY 1, 2 ORDER BY 1`.
//!
//! DataFusion names a cast by the column alone. Above GROUP BY it takes `booked` for that column, and
//! sorts by the cast. So such a query becomes the table of one that does nothing but order: there,
//! outputs have no other names than their own.
//!
//! Works on the parsed statement, before it is measured and planned. Never changes a query whose order
//! cannot be mistaken.

use std::ops::ControlFlow;

use datafusion::sql::parser::{ExplainStatement, Statement as Parsed};
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Ident, OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr,
    Statement as Ast, TableFactor, Value, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::error::QueryError;

/// Orders each query of the statement by its own outputs.
///
/// # Errors
/// [`QueryError::Plan`] if it is also ordered by something that is no output of it.
pub(crate) fn keep_apart(statement: &mut Parsed) -> Result<(), QueryError> {
    match statement {
        Parsed::Statement(ast) => match ast.visit(&mut EachQuery) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        },
        Parsed::Explain(ExplainStatement { statement, .. }) => keep_apart(statement),
        Parsed::CreateExternalTable(_) | Parsed::CopyTo(_) | Parsed::Reset(_) => Ok(()),
    }
}

struct EachQuery;

impl VisitorMut for EachQuery {
    type Break = QueryError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<QueryError> {
        match in_query(query) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

fn in_query(query: &mut Query) -> Result<(), QueryError> {
    let SetExpr::Select(select) = query.body.as_ref() else { return Ok(()) };
    let Some(OrderByKind::Expressions(orders)) = query.order_by.as_mut().map(|it| &mut it.kind)
    else {
        return Ok(());
    };
    let mistakable = mistakable(select);
    let is_mistakable =
        |order: &OrderByExpr| mistakable.iter().any(|it| it.is_meant_by(&order.expr));
    if !orders.iter().any(is_mistakable) {
        return Ok(());
    }
    let positions: Option<Vec<usize>> =
        orders.iter().map(|order| position_of(&order.expr, select)).collect();
    let positions = positions.ok_or_else(ambiguous)?;
    for (order, position) in orders.iter_mut().zip(positions) {
        order.expr = Expr::value(Value::Number(position.to_string(), false));
    }
    let mut ordering = ordering()?;
    std::mem::swap(&mut *query.body, table_of(&mut ordering)?);
    query.body = ordering.body;
    Ok(())
}

fn ambiguous() -> QueryError {
    QueryError::Plan {
        reason:
            "order by the name of an output that is also the name of a column which another output \
                 casts: give the output another name, or order by outputs alone"
                .into(),
    }
}

/// A query of all columns of a table that is a query.
fn ordering() -> Result<Query, QueryError> {
    let text = "SELECT * FROM (SELECT 1) AS outputs";
    let mut statements = Parser::parse_sql(&GenericDialect {}, text)
        .map_err(|error| QueryError::from_planning(error.into()))?;
    match statements.pop() {
        Some(Ast::Query(query)) => Ok(*query),
        _ => Err(BROKEN),
    }
}

const BROKEN: QueryError = QueryError::Bug { promise: "a query is parsed as one" };

fn table_of(ordering: &mut Query) -> Result<&mut SetExpr, QueryError> {
    let SetExpr::Select(select) = ordering.body.as_mut() else { return Err(BROKEN) };
    match select.from.first_mut().map(|table| &mut table.relation) {
        Some(TableFactor::Derived { subquery, .. }) => Ok(&mut subquery.body),
        _ => Err(BROKEN),
    }
}

/// Which output, from 1, an order is by.
fn position_of(order: &Expr, select: &Select) -> Option<usize> {
    if let Some(position) = position(order) {
        return Some(position);
    }
    let items = || (1..).zip(&select.projection);
    let named = items().find(|(_, item)| match (item, order) {
        (SelectItem::ExprWithAlias { alias, .. }, Expr::Identifier(name)) => {
            called(alias) == called(name)
        }
        _ => false,
    });
    let found = named.or_else(|| items().find(|(_, item)| expression_of(item) == Some(order)));
    found.map(|(position, _)| position)
}

fn position(order: &Expr) -> Option<usize> {
    match order {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// An output with a name of its own.
struct Output {
    /// From 1.
    position: usize,
    name: String,
}

impl Output {
    fn is_meant_by(&self, order: &Expr) -> bool {
        match order {
            Expr::Identifier(name) => called(name) == self.name,
            _ => position(order) == Some(self.position),
        }
    }
}

/// The outputs that are called as a column which another one casts.
fn mistakable(select: &Select) -> Vec<Output> {
    let is_grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(expressions, _) => !expressions.is_empty(),
    };
    if !is_grouped || select.distinct.is_some() {
        return Vec::new();
    }
    let items = || (1..).zip(&select.projection);
    let casts: Vec<(usize, String)> = items()
        .filter_map(|(position, item)| Some((position, cast_column(expression_of(item)?)?)))
        .collect();
    let named = items().filter_map(|(position, item)| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(Output { position, name: called(alias) }),
        _ => None,
    });
    named
        .filter(|output| {
            casts.iter().any(|(at, name)| *at != output.position && *name == output.name)
        })
        .collect()
}

const fn expression_of(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// The name of the column that is cast, once or again, and nothing else.
fn cast_column(expression: &Expr) -> Option<String> {
    let mut inner = expression;
    let mut is_cast = false;
    loop {
        inner = match inner {
            Expr::Cast { expr, .. } => {
                is_cast = true;
                expr
            }
            Expr::Nested(expr) => expr,
            Expr::Identifier(name) if is_cast => return Some(called(name)),
            Expr::CompoundIdentifier(path) if is_cast => return path.last().map(called),
            _ => return None,
        };
    }
}

/// A name as the planner reads it.
fn called(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

#[cfg(test)]
#[path = "order_names_tests.rs"]
mod tests;
