//! Conditions inside an aggregation (CASE WHEN … THEN, FILTER) as predicates on stored columns.
//!
//! Only what is leak-proof becomes one: comparisons of a column that is granted as stored with
//! constants, IN lists, null tests and their AND, OR, NOT. Everything else is left to the plain
//! operator.

use std::sync::Arc;

use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, Literal,
    NegativeExpr, NotExpr,
};
use datafusion::scalar::ScalarValue;
use martlet_core::{ColumnSchema, ColumnType, Comparison, Predicate, Value};

use super::bucket::Bucket;
use super::source::Source;
use crate::convert::value_of;

/// What a row adds: a column's value or a constant, or nothing.
#[derive(Debug, Clone)]
pub(super) enum Term {
    Column(Arc<dyn PhysicalExpr>, Sign),
    /// A constant that is not null; which one matters to a count only in that it is there.
    Constant(ScalarValue),
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

/// A part of the selected rows: those where one condition is true and none of the others is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slice {
    pub(super) when: Predicate,
    pub(super) unless: Vec<Predicate>,
}

impl Slice {
    /// Every selected row.
    pub(super) const WHOLE: Self = Self { when: Predicate::Constant(true), unless: Vec::new() };

    /// The rows of it where a condition is true, too.
    pub(super) fn and(self, condition: Predicate) -> Self {
        Self { when: self.when.and(condition), ..self }
    }

    /// Whether it is what other slices leave.
    pub(super) fn is_rest(&self) -> bool {
        self.when == Predicate::Constant(true) && !self.unless.is_empty()
    }
}

/// The branches of an argument, each with the rows that take it; no row takes two.
pub(super) fn branches(
    argument: &Arc<dyn PhysicalExpr>,
    source: &Source<'_>,
) -> Option<Vec<(Slice, Term)>> {
    let argument = argument
        .downcast_ref::<CastExpr>()
        .filter(|cast| cast.expr().is::<CaseExpr>())
        .map_or(argument, CastExpr::expr);
    let case = argument.downcast_ref::<CaseExpr>()?;
    if case.expr().is_some() {
        return None;
    }
    let mut branches = Vec::new();
    let mut earlier: Vec<Predicate> = Vec::new();
    for (when, then) in case.when_then_expr() {
        let when = predicate(when, source)?;
        let slice = Slice { when: when.clone(), unless: earlier.clone() };
        branches.push((slice, Term::of(then)));
        earlier.push(when);
    }
    let otherwise = match case.else_expr() {
        Some(otherwise) => Term::of(otherwise),
        None => Term::Nothing,
    };
    branches.push((Slice { when: Predicate::Constant(true), unless: earlier }, otherwise));
    Some(branches)
}

impl Term {
    /// What an expression adds.
    pub(super) fn of(expression: &Arc<dyn PhysicalExpr>) -> Self {
        if let Some(literal) = expression.downcast_ref::<Literal>() {
            let value = literal.value();
            return if value.is_null() { Self::Nothing } else { Self::Constant(value.clone()) };
        }
        match expression.downcast_ref::<NegativeExpr>() {
            Some(negative) => Self::Column(Arc::clone(negative.arg()), Sign::Minus),
            None => Self::Column(Arc::clone(expression), Sign::Plus),
        }
    }
}

/// The condition as a predicate; `None` if it is not leak-proof.
pub(super) fn predicate(
    condition: &Arc<dyn PhysicalExpr>,
    source: &Source<'_>,
) -> Option<Predicate> {
    if let Some(column) = condition.downcast_ref::<Column>() {
        return source.condition(column.index()).cloned().or_else(|| is_true(condition, source));
    }
    if let Some(binary) = condition.downcast_ref::<BinaryExpr>() {
        let both =
            || Some(vec![predicate(binary.left(), source)?, predicate(binary.right(), source)?]);
        return match binary.op() {
            Operator::And => Some(Predicate::And(both()?)),
            Operator::Or => Some(Predicate::Or(both()?)),
            operator => compared(binary, comparison(*operator)?, source),
        };
    }
    if let Some(not) = condition.downcast_ref::<NotExpr>() {
        return Some(Predicate::Not(Box::new(predicate(not.arg(), source)?)));
    }
    if let Some(null) = condition.downcast_ref::<IsNullExpr>() {
        return Some(Predicate::IsNull { column: stored(null.arg(), source)?.name.clone() });
    }
    if let Some(present) = condition.downcast_ref::<IsNotNullExpr>() {
        let null = Predicate::IsNull { column: stored(present.arg(), source)?.name.clone() };
        return Some(Predicate::Not(Box::new(null)));
    }
    let list = condition.downcast_ref::<InListExpr>()?;
    let column = stored(list.expr(), source)?;
    let value = |item: &Arc<dyn PhysicalExpr>| {
        value_of(item.downcast_ref::<Literal>()?.value(), column.column_type)
    };
    let values = list.list().iter().map(value).collect::<Option<_>>()?;
    let within = Predicate::In { column: column.name.clone(), values };
    Some(if list.negated() { Predicate::Not(Box::new(within)) } else { within })
}

/// Whether a stored column of booleans is true.
fn is_true(column: &Arc<dyn PhysicalExpr>, source: &Source<'_>) -> Option<Predicate> {
    let column = stored(column, source)?;
    (column.column_type == ColumnType::Boolean).then(|| Predicate::Compare {
        column: column.name.clone(),
        comparison: Comparison::Equal,
        value: Value::Boolean(true),
    })
}

fn compared(binary: &BinaryExpr, comparison: Comparison, source: &Source<'_>) -> Option<Predicate> {
    let (column, constant, comparison) = match binary.right().downcast_ref::<Literal>() {
        Some(constant) => (binary.left(), constant, comparison),
        None => (binary.right(), binary.left().downcast_ref::<Literal>()?, comparison.flipped()),
    };
    let column = stored(column, source)?;
    let value = value_of(constant.value(), column.column_type)?;
    Some(Predicate::Compare { column: column.name.clone(), comparison, value })
}

/// The column that an expression is, as it is stored.
fn stored<'a>(
    expression: &Arc<dyn PhysicalExpr>,
    source: &'a Source<'_>,
) -> Option<&'a ColumnSchema> {
    let derived = source.derived(expression)?;
    let as_stored = derived.bucket == Bucket::Value && !derived.as_float;
    source.stored(&derived).filter(|_| as_stored)
}

const fn comparison(operator: Operator) -> Option<Comparison> {
    Some(match operator {
        Operator::Eq => Comparison::Equal,
        Operator::NotEq => Comparison::NotEqual,
        Operator::Lt => Comparison::Less,
        Operator::LtEq => Comparison::LessOrEqual,
        Operator::Gt => Comparison::Greater,
        Operator::GtEq => Comparison::GreaterOrEqual,
        _ => return None,
    })
}
