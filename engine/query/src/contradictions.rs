//! Lists of values that contradict each other, and what they say of a null.
//!
//! `x IN (1, 2) AND x IN (3, 4)` is false for every value and unknown for a null. DataFusion 55
//! makes it `false` for both (and `x NOT IN (1, 2) OR x NOT IN (3, 4)` `true`), so that below a NOT
//! or in a result a null gets the wrong answer; and it compares the items of lists as they are
//! written, where `a` and `b` may hold one value. This rule runs before and leaves nothing of the
//! kind to be merged. Never changes what a condition says of any value or null.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, lit};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::scalar::ScalarValue;

/// The rule.
#[derive(Debug)]
pub(crate) struct KeepUnknown;

impl OptimizerRule for KeepUnknown {
    fn name(&self) -> &'static str {
        "keep_unknown_in_contradictions"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> DataFusionResult<Transformed<LogicalPlan>> {
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expression| {
            let name = names.save(&expression);
            let inward = expression.transform_down(|part| Ok(negated_inward(part)))?;
            let kept = inward.transform_data(|inward| {
                inward.transform_down(|part| {
                    without_null_items(part).transform_data(|part| Ok(kept(part)))
                })
            })?;
            Ok(kept.update_data(|expression| name.restore(expression)))
        })
    }
}

/// Which of AND and OR joins the conditions of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    All,
    Any,
}

impl Join {
    const fn operator(self) -> Operator {
        match self {
            Self::All => Operator::And,
            Self::Any => Operator::Or,
        }
    }
}

/// One condition of a group: a column or expression and the values that it is, or is not, among.
#[derive(Debug, Clone)]
struct Listed {
    of: Expr,
    items: Vec<Expr>,
    negated: bool,
}

/// A NOT moved to where lists stand, as the simplifier would move it before it merges them.
fn negated_inward(expression: Expr) -> Transformed<Expr> {
    let Expr::Not(inner) = expression else { return Transformed::no(expression) };
    let not = |part: Box<Expr>| Box::new(Expr::Not(part));
    match *inner {
        // Another NOT may stand below.
        Expr::Not(inner) => Transformed::yes(negated_inward(*inner).data),
        Expr::InList(list) => {
            Transformed::yes(Expr::InList(InList { negated: !list.negated, ..list }))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(not(left), Operator::Or, not(right))))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => Transformed::yes(
            Expr::BinaryExpr(BinaryExpr::new(not(left), Operator::And, not(right))),
        ),
        other => Transformed::no(Expr::Not(Box::new(other))),
    }
}

fn kept(expression: Expr) -> Transformed<Expr> {
    let join = match &expression {
        Expr::BinaryExpr(BinaryExpr { op: Operator::And, .. }) => Join::All,
        Expr::BinaryExpr(BinaryExpr { op: Operator::Or, .. }) => Join::Any,
        _ => return Transformed::no(expression),
    };
    let mut parts = Vec::new();
    flatten(&expression, join, &mut parts);
    let lists: Vec<Option<Listed>> = parts.iter().map(listed).collect();
    let mut changed = false;
    for at in 0..parts.len() {
        let Some(first) = &lists[at] else { continue };
        let group: Vec<usize> = (at..parts.len())
            .filter(|other| lists[*other].as_ref().is_some_and(|list| list.of == first.of))
            .collect();
        let is_first = lists[..at].iter().flatten().all(|list| list.of != first.of);
        if group.len() < 2 || !is_first {
            continue;
        }
        let members: Vec<&Listed> = group.iter().filter_map(|at| lists[*at].as_ref()).collect();
        let are_constant = |list: &Listed| list.items.iter().all(is_plain_constant);
        if !members.iter().all(|list| are_constant(list)) {
            for other in group {
                if let Some(list) = lists[other].as_ref().filter(|list| !are_constant(list)) {
                    parts[other] = one_by_one(list);
                    changed = true;
                }
            }
        } else if nothing_is_left(&members, join) {
            parts[at] = unknown_for_null(&first.of, join);
            group.iter().skip(1).for_each(|at| parts[*at] = lit(join == Join::All));
            changed = true;
        }
    }
    if !changed {
        return Transformed::no(expression);
    }
    let joined = parts.into_iter().reduce(|left, right| {
        Expr::BinaryExpr(BinaryExpr::new(Box::new(left), join.operator(), Box::new(right)))
    });
    joined.map_or_else(|| Transformed::no(expression), Transformed::yes)
}

fn flatten(expression: &Expr, join: Join, into: &mut Vec<Expr>) {
    match expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if *op == join.operator() => {
            flatten(left, join, into);
            flatten(right, join, into);
        }
        _ => into.push(expression.clone()),
    }
}

/// A list, or what the simplifier makes one of: lists of one column joined by AND and OR, and
/// equalities joined by OR.
fn listed(part: &Expr) -> Option<Listed> {
    let join = match part {
        Expr::InList(InList { expr, list, negated }) if !expr.is_volatile() => {
            let (of, items) = ((**expr).clone(), list.clone());
            return Some(Listed { of, items, negated: *negated });
        }
        Expr::BinaryExpr(BinaryExpr { op: Operator::And, .. }) => Join::All,
        Expr::BinaryExpr(BinaryExpr { op: Operator::Or, .. }) => Join::Any,
        _ => return None,
    };
    let mut parts = Vec::new();
    flatten(part, join, &mut parts);
    let list = |part: &Expr| match join {
        Join::Any => equality(part).or_else(|| listed(part)),
        Join::All => listed(part),
    };
    let mut lists = parts.iter().map(list);
    let first = lists.next()??;
    lists.try_fold(first, |all, next| merged(all, next?, join))
}

/// What the simplifier makes of two lists; nothing of an IN and a NOT IN joined by OR.
fn merged(mut left: Listed, mut right: Listed, join: Join) -> Option<Listed> {
    if left.of != right.of {
        return None;
    }
    match (join, left.negated, right.negated) {
        (Join::All, false, false) | (Join::Any, true, true) => {
            left.items.retain(|item| right.items.contains(item));
        }
        (Join::All, true, true) | (Join::Any, false, false) => left.items.extend(right.items),
        (Join::All, false, true) => left.items.retain(|item| !right.items.contains(item)),
        (Join::All, true, false) => {
            right.items.retain(|item| !left.items.contains(item));
            return Some(right);
        }
        (Join::Any, _, _) => return None,
    }
    Some(left)
}

fn equality(part: &Expr) -> Option<Listed> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = part else { return None };
    let (of, item) = match (&**left, &**right) {
        (Expr::Column(_), Expr::Literal(..)) => (left, right),
        (Expr::Literal(..), Expr::Column(_)) => (right, left),
        _ => return None,
    };
    Some(Listed { of: (**of).clone(), items: vec![(**item).clone()], negated: false })
}

fn is_plain_constant(item: &Expr) -> bool {
    matches!(item, Expr::Literal(value, _) if !value.is_null())
}

/// Whether no value satisfies all of the lists, or each value one of them.
fn nothing_is_left(members: &[&Listed], join: Join) -> bool {
    // Under OR it is asked for which value every list fails.
    let narrows = |list: &&&Listed| list.negated == (join == Join::Any);
    let mut narrowing = members.iter().filter(narrows);
    let Some(first) = narrowing.next() else { return false };
    let mut left: Vec<&Expr> = first.items.iter().collect();
    narrowing.for_each(|list| left.retain(|item| list.items.contains(item)));
    for list in members.iter().filter(|list| !narrows(list)) {
        left.retain(|item| !list.items.contains(item));
    }
    left.is_empty()
}

/// False for every value (under OR true), unknown for a null.
fn unknown_for_null(of: &Expr, join: Join) -> Expr {
    let unknown = lit(ScalarValue::Boolean(None));
    match join {
        Join::All => of.clone().is_null().and(unknown),
        Join::Any => of.clone().is_not_null().or(unknown),
    }
}

/// A list as comparisons with each item, which nobody merges with another list.
fn one_by_one(list: &Listed) -> Expr {
    let compared = list.items.iter().cloned().map(|item| match list.negated {
        true => list.of.clone().not_eq(item),
        false => list.of.clone().eq(item),
    });
    let joined = compared.reduce(|left, right| match list.negated {
        true => left.and(right),
        false => left.or(right),
    });
    // Nothing is among no items.
    joined.unwrap_or_else(|| lit(list.negated))
}

/// A list with a null among its items: what is not among the others is unknown.
fn without_null_items(expression: Expr) -> Transformed<Expr> {
    let is_null = |item: &Expr| matches!(item, Expr::Literal(value, _) if value.is_null());
    let Expr::InList(InList { expr, list, negated }) = expression else {
        return Transformed::no(expression);
    };
    let (nulls, others): (Vec<Expr>, Vec<Expr>) = list.into_iter().partition(is_null);
    if nulls.is_empty() {
        return Transformed::no(Expr::InList(InList { expr, list: others, negated }));
    }
    let unknown = lit(ScalarValue::Boolean(None));
    if others.is_empty() {
        return Transformed::yes(unknown);
    }
    let others = Expr::InList(InList { expr, list: others, negated });
    Transformed::yes(if negated { others.and(unknown) } else { others.or(unknown) })
}

#[cfg(test)]
#[path = "contradictions_tests.rs"]
mod tests;
