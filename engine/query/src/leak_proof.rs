//! Which of the user's conditions may run below the guard.
//!
//! Only comparisons of an *unmasked* column with a constant, IN lists, IS NULL and their
//! AND, OR, NOT: they can neither fail nor have an effect on any row. Everything else
//! (functions, casts, patterns, masked columns) stays above, on visible rows and masked
//! values. When in doubt the answer is "stays above".

use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;
use martlet_core::TableSchema;
use martlet_core::{ColumnName, ColumnType, Comparison, Predicate};
use martlet_policy::{Access, Grant};

use crate::convert::value_of;

/// The condition in Martlet's filter language, or `None` if it must stay above the guard.
pub(crate) fn leak_proof(
    condition: &Expr,
    grant: &Grant,
    schema: &TableSchema,
) -> Option<Predicate> {
    Translation { grant, schema }.predicate(condition)
}

struct Translation<'a> {
    grant: &'a Grant,
    schema: &'a TableSchema,
}

impl Translation<'_> {
    fn predicate(&self, condition: &Expr) -> Option<Predicate> {
        match condition {
            Expr::BinaryExpr(binary) => self.binary(binary),
            Expr::Not(inner) => Some(Predicate::Not(Box::new(self.predicate(inner)?))),
            Expr::IsNull(inner) => Some(Predicate::IsNull { column: self.column(inner)?.0 }),
            Expr::IsNotNull(inner) => {
                let (column, _) = self.column(inner)?;
                Some(Predicate::Not(Box::new(Predicate::IsNull { column })))
            }
            Expr::InList(list) => self.in_list(list),
            Expr::Between(between) => self.between(between),
            Expr::Literal(ScalarValue::Boolean(Some(value)), _) => {
                Some(Predicate::Constant(*value))
            }
            Expr::Column(_) => self.flag(condition),
            _ => None,
        }
    }

    fn binary(&self, binary: &BinaryExpr) -> Option<Predicate> {
        let BinaryExpr { left, op, right } = binary;
        match op {
            Operator::And => {
                Some(Predicate::And(vec![self.predicate(left)?, self.predicate(right)?]))
            }
            Operator::Or => {
                Some(Predicate::Or(vec![self.predicate(left)?, self.predicate(right)?]))
            }
            _ => {
                let comparison = comparison(*op)?;
                match (&**left, &**right) {
                    (column, Expr::Literal(constant, _)) => {
                        self.compare(column, comparison, constant)
                    }
                    (Expr::Literal(constant, _), column) => {
                        self.compare(column, comparison.flipped(), constant)
                    }
                    _ => None,
                }
            }
        }
    }

    fn compare(
        &self,
        column: &Expr,
        comparison: Comparison,
        constant: &ScalarValue,
    ) -> Option<Predicate> {
        let (column, column_type) = self.column(column)?;
        let value = value_of(constant, column_type)?;
        Some(Predicate::Compare { column, comparison, value })
    }

    fn in_list(&self, list: &InList) -> Option<Predicate> {
        let (column, column_type) = self.column(&list.expr)?;
        let values = list
            .list
            .iter()
            .map(|item| match item {
                Expr::Literal(constant, _) => value_of(constant, column_type),
                _ => None,
            })
            .collect::<Option<_>>()?;
        Some(negated_if(list.negated, Predicate::In { column, values }))
    }

    fn between(&self, between: &Between) -> Option<Predicate> {
        let (Expr::Literal(low, _), Expr::Literal(high, _)) = (&*between.low, &*between.high)
        else {
            return None;
        };
        let low = self.compare(&between.expr, Comparison::GreaterOrEqual, low)?;
        let high = self.compare(&between.expr, Comparison::LessOrEqual, high)?;
        Some(negated_if(between.negated, Predicate::And(vec![low, high])))
    }

    /// A boolean column standing as a condition of its own.
    fn flag(&self, condition: &Expr) -> Option<Predicate> {
        self.compare(condition, Comparison::Equal, &ScalarValue::Boolean(Some(true)))
    }

    /// The column's name and type, if it is granted as stored.
    fn column(&self, expression: &Expr) -> Option<(ColumnName, ColumnType)> {
        let Expr::Column(column) = expression else { return None };
        let granted =
            self.grant.columns().iter().find(|granted| granted.name.as_str() == column.name)?;
        match granted.access {
            Access::Clear => {
                let stored = self.schema.columns().get(granted.position)?;
                Some((stored.name.clone(), stored.column_type))
            }
            Access::Masked(_) => None,
        }
    }
}

fn negated_if(negated: bool, predicate: Predicate) -> Predicate {
    if negated { Predicate::Not(Box::new(predicate)) } else { predicate }
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
