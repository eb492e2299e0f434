//! What a condition sets beside each other.

use std::collections::BTreeSet;

use datafusion::common::Column;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, Subquery};

use super::{Kept, Names, Rows, Scope, Walk};
use crate::error::QueryError;

/// Which kinds of columns an expression speaks of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Speaks {
    pub(super) of_shown: bool,
    pub(super) of_unshown: bool,
    /// A subquery in it asks of an unshown column, whatever it answers.
    by_subquery: bool,
}

impl Speaks {
    /// A column that nobody knows may be of either kind.
    const fn note(&mut self, kept: Option<Kept>) {
        match kept {
            Some(Kept::Shown) => self.of_shown = true,
            Some(Kept::Unshown) => self.of_unshown = true,
            None => (self.of_shown, self.of_unshown) = (true, true),
        }
    }

    pub(super) const fn of_both(self) -> bool {
        self.of_shown && self.of_unshown
    }

    /// Whether what it is true of tells something of an unshown column.
    pub(super) const fn asks_of_unshown(self) -> bool {
        self.of_unshown || self.by_subquery
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self {
            of_shown: self.of_shown || other.of_shown,
            of_unshown: self.of_unshown || other.of_unshown,
            by_subquery: self.by_subquery || other.by_subquery,
        }
    }
}

/// What of a subquery an expression uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// A value of its row, or values in their order.
    Value,
    /// Which values there are.
    Membership,
    /// Whether there is a row; its own conditions are checked where they stand.
    Existence,
}

impl Walk<'_> {
    /// Checks what a condition sets beside each other, and tells what it speaks of.
    pub(super) fn condition(
        &mut self,
        condition: &Expr,
        scope: &Scope,
    ) -> Result<Speaks, QueryError> {
        match condition {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                let left = self.condition(left, scope)?;
                Ok(left.with(self.condition(right, scope)?))
            }
            Expr::BinaryExpr(BinaryExpr { op: Operator::Or, .. }) => {
                self.alternatives(condition, scope)
            }
            Expr::Not(inner) if !matches!(**inner, Expr::BinaryExpr(_)) => {
                self.condition(inner, scope)
            }
            _ => self.comparison(condition, scope),
        }
    }

    /// The sides of an OR, and of those within it. `x = 1 AND hidden > 1 OR x = 2 AND hidden > 2` sets the
    /// two beside each other, and so it does where a subquery asks for the hidden one. Spelt out in
    /// several ORs it is not found: whoever asks so many constants could ask them one by one.
    fn alternatives(&mut self, condition: &Expr, scope: &Scope) -> Result<Speaks, QueryError> {
        if let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) = condition {
            let left = self.alternatives(left, scope)?;
            return Ok(left.with(self.alternatives(right, scope)?));
        }
        let speaks = self.condition(condition, scope)?;
        if speaks.of_both() || speaks.by_subquery {
            return Err(QueryError::NotShown);
        }
        Ok(speaks)
    }

    /// A condition that AND, OR and NOT take no further apart.
    fn comparison(&mut self, condition: &Expr, scope: &Scope) -> Result<Speaks, QueryError> {
        let speaks = self.speaks(condition, scope)?;
        let are_several = speaks.of_unshown && columns_of(condition, scope) > 1;
        let is_question = match condition {
            Expr::InSubquery(within) => !has_subquery(&within.expr),
            other => matches!(other, Expr::Exists(_)),
        };
        if speaks.of_both()
            || (are_several && !is_equality(condition))
            || (speaks.by_subquery && !is_question)
            || (speaks.of_unshown && looks_for_something_computed(condition))
            // A random number in the place of a constant counts how often a value is above it.
            || (speaks.asks_of_unshown() && condition.is_volatile())
        {
            return Err(QueryError::NotShown);
        }
        Ok(speaks)
    }

    /// Which columns an expression speaks of, those of its subqueries' answers included.
    pub(super) fn speaks(
        &mut self,
        expression: &Expr,
        scope: &Scope,
    ) -> Result<Speaks, QueryError> {
        let mut speaks = Speaks::default();
        let mut subqueries: Vec<(Subquery, Answers)> = Vec::new();
        expression
            .apply(|part| {
                match part {
                    Expr::Column(column) => speaks.note(self.kept(column, Some(scope))),
                    Expr::OuterReferenceColumn(_, column) => {
                        self.names.of_outer.insert(Names::of(column));
                        speaks.note(self.kept(column, None));
                    }
                    Expr::ScalarSubquery(subquery) => {
                        subqueries.push((subquery.clone(), Answers::Value));
                    }
                    Expr::InSubquery(within) => {
                        subqueries.push((within.subquery.clone(), Answers::Membership));
                    }
                    Expr::SetComparison(within) => {
                        subqueries.push((within.subquery.clone(), Answers::Value));
                    }
                    Expr::Exists(exists) => {
                        subqueries.push((exists.subquery.clone(), Answers::Existence));
                    }
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
            .map_err(QueryError::from_planning)?;
        self.met |= speaks.of_unshown;
        for (subquery, answers) in subqueries {
            speaks = speaks.with(self.asked_of(&subquery, answers, scope)?);
        }
        Ok(speaks)
    }

    /// What a subquery's answer speaks of.
    fn asked_of(
        &mut self,
        subquery: &Subquery,
        answers: Answers,
        scope: &Scope,
    ) -> Result<Speaks, QueryError> {
        self.outer.push(scope.clone());
        let before = std::mem::replace(&mut self.met, false);
        let output = self.plan(&subquery.subquery);
        self.outer.pop();
        let met = std::mem::replace(&mut self.met, before);
        self.met |= met;
        let output = output?;
        // Which values are among the first, or are rare, is told by which rows have them.
        if answers != Answers::Value && output.rows == Rows::Chosen {
            return Err(QueryError::NotShown);
        }
        let mut speaks = Speaks::default();
        if answers != Answers::Existence {
            output.columns.iter().for_each(|kept| speaks.note(Some(*kept)));
        }
        speaks.by_subquery = met || !output.shows_all();
        // A count of rows that a condition left is a value made of the condition's columns.
        speaks.of_unshown |= answers == Answers::Value && speaks.by_subquery;
        Ok(speaks)
    }
}

/// A column under whatever name.
pub(super) fn is_plain(expression: &Expr) -> bool {
    match expression {
        Expr::Column(_) => true,
        Expr::Alias(alias) => is_plain(&alias.expr),
        _ => false,
    }
}

/// Whether an expression asks another plan.
pub(super) const fn asks_a_plan(expression: &Expr) -> bool {
    matches!(
        expression,
        Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::SetComparison(_) | Expr::Exists(_)
    )
}

fn has_subquery(expression: &Expr) -> bool {
    expression.exists(|part| Ok(asks_a_plan(part))).unwrap_or(true)
}

const fn is_column(expression: &Expr) -> bool {
    matches!(expression, Expr::Column(_) | Expr::OuterReferenceColumn(..))
}

/// Two columns made equal.
fn is_equality(condition: &Expr) -> bool {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            is_column(left) && is_column(right)
        }
        _ => false,
    }
}

/// Whether something that was made of columns is looked for in a list.
fn looks_for_something_computed(condition: &Expr) -> bool {
    let Expr::InSubquery(within) = condition else { return false };
    let has_columns = !within.expr.column_refs().is_empty() || within.expr.contains_outer();
    has_columns && !is_column(&within.expr)
}

/// How many columns a condition speaks of, constants aside: more than one are compared.
fn columns_of(condition: &Expr, scope: &Scope) -> usize {
    let own = condition.column_refs().into_iter().filter(|column| scope.kept(column).is_some());
    own.count() + around(condition).len()
}

/// The columns of what stands around, as an expression names them.
fn around(expression: &Expr) -> BTreeSet<Column> {
    let mut columns = BTreeSet::new();
    let looked = expression.apply(|part| {
        if let Expr::OuterReferenceColumn(_, column) = part {
            columns.insert(column.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    // Looking cannot fail: nothing above does.
    drop(looked);
    columns
}
