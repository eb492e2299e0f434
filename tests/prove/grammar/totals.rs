//! Aggregations and windows, with answers that do not depend on the order of rows.

use super::Grammar;
use super::scope::{Kind, Scope};
use super::sql::{Sql, expression, text};
use crate::seq;

/// How exactly an aggregate can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closeness {
    /// Bit by bit.
    Exact,
    /// In all but the last digits, because its steps round.
    Close,
}

impl Grammar {
    /// One aggregate.
    pub(super) fn aggregate(&mut self, scope: &Scope) -> Sql {
        let whole = match self.random.below(11) {
            0 | 1 => text("count(*)"),
            2 => self.over_any("count(", scope),
            3 => self.over_any("count(DISTINCT", scope),
            4 | 5 => self.over_amounts(&["sum(", "avg(", "sum(DISTINCT", "min(", "max("], scope),
            6 => {
                let name = self.random.draw(&["min(", "max("]);
                self.over_any(name, scope)
            }
            7 => self.over_amounts(&["median(", "approx_distinct("], scope),
            8 => self.ordered(scope),
            9 => self.of_flags(scope),
            _ => self.rounding(scope),
        };
        if self.random.chance(15) {
            let condition = self.condition(scope, 1);
            let filtered = seq![whole.clone(), "FILTER (WHERE", condition, ")"];
            return expression(filtered, vec![whole]);
        }
        expression(vec![whole], vec![text("count(*)")])
    }

    fn over_any(&mut self, call: &str, scope: &Scope) -> Sql {
        let kind = self.random.draw(&Kind::ALL);
        let argument = match call {
            // Text and truth have no extremes of their own everywhere.
            "min(" | "max(" if kind == Kind::Truth => self.expression(Kind::Text, scope, 1),
            _ => self.expression(kind, scope, 1),
        };
        expression(seq![call, argument, ")"], Vec::new())
    }

    fn over_amounts(&mut self, calls: &[&str], scope: &Scope) -> Sql {
        let kind = self.random.draw(&[Kind::Number, Kind::Money, Kind::Float]);
        let argument = self.expression(kind, scope, 1);
        let call = self.random.draw(calls);
        expression(seq![call, argument, ")"], Vec::new())
    }

    fn ordered(&mut self, scope: &Scope) -> Sql {
        let kind = self.random.draw(&Kind::ALL);
        let argument = self.expression(kind, scope, 0);
        let again = argument.clone();
        match self.random.below(4) {
            0 => {
                let words = self.expression(Kind::Text, scope, 0);
                expression(
                    seq!["string_agg(", words.clone(), ", ';' ORDER BY", words, ")"],
                    Vec::new(),
                )
            }
            1 => {
                // Lists with a null in them have two orders in DataFusion: a limit's and a sort's.
                let filled = || seq!["coalesce(", argument.clone(), ",", kind.constant(), ")"];
                let parts = [seq!["array_agg("], filled(), seq!["ORDER BY"], filled(), seq![")"]];
                expression(parts.concat(), Vec::new())
            }
            2 => expression(seq!["first_value(", argument, "ORDER BY", again, "DESC)"], Vec::new()),
            _ => {
                let amount = self.expression(Kind::Float, scope, 0);
                expression(
                    seq!["percentile_cont(0.25) WITHIN GROUP (ORDER BY", amount, ")"],
                    Vec::new(),
                )
            }
        }
    }

    fn of_flags(&mut self, scope: &Scope) -> Sql {
        let (flag, number) = (self.condition(scope, 0), self.expression(Kind::Number, scope, 0));
        match self.random.below(4) {
            0 => expression(seq!["bool_and(", flag, ")"], Vec::new()),
            1 => expression(seq!["bool_or(", flag, ")"], Vec::new()),
            2 => expression(seq!["bit_xor(", number, ")"], Vec::new()),
            _ => {
                let amount = self.expression(Kind::Money, scope, 0);
                expression(seq!["sum(CASE WHEN", flag, "THEN", amount, "ELSE 0 END)"], Vec::new())
            }
        }
    }

    /// What adds up with rounding errors.
    fn rounding(&mut self, scope: &Scope) -> Sql {
        self.closeness = Closeness::Close;
        let argument = self.expression(Kind::Float, scope, 0);
        let other = self.expression(Kind::Float, scope, 0);
        match self.random.below(3) {
            0 => expression(seq!["stddev(", argument, ")"], Vec::new()),
            1 => expression(seq!["var_pop(", argument, ")"], Vec::new()),
            _ => expression(seq!["covar_samp(", argument, ",", other, ")"], Vec::new()),
        }
    }

    /// A window function over a scope whose rows have keys.
    pub(super) fn window(&mut self, scope: &Scope) -> Sql {
        let partition = match self.random.below(3) {
            0 => text(""),
            _ => {
                let by = scope.any(&mut self.random).sql.clone();
                text(format!("PARTITION BY {by}"))
            }
        };
        // Ordered by the keys at the end, no two rows are alike.
        let first = scope.any(&mut self.random).sql.clone();
        let way = self.random.draw(&["", "DESC", "NULLS FIRST", "DESC NULLS LAST"]);
        let keys = scope.keys.join(", ");
        let total = format!("ORDER BY {first} {way}, {keys}");
        let loose = format!("ORDER BY {first} {way}");
        let kind = self.random.draw(&Kind::ALL);
        let argument = self.expression(kind, scope, 1);
        let amount = self.amount(scope);
        let (call, order) = match self.random.below(9) {
            0 => (seq!["row_number()"], total),
            1 => (
                seq![self.random.draw(&[
                    "rank()",
                    "dense_rank()",
                    "cume_dist()",
                    "percent_rank()"
                ])],
                loose,
            ),
            2 => (seq!["lag(", argument, ")"], total),
            3 => (seq!["lead(", argument, ", 2)"], total),
            4 => (seq!["first_value(", argument, ")"], total),
            5 => (seq!["ntile(3)"], total),
            6 => (seq![self.random.draw(&["sum(", "avg(", "max("]), amount, ")"], loose),
            7 => {
                let frame = self.random.draw(&[
                    "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
                    "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING",
                ]);
                (seq!["sum(", amount, ")"], format!("{total} {frame}"))
            }
            _ => (seq!["count(*)"], loose),
        };
        let mut parts = call;
        parts.extend(seq!["OVER (", partition, order, ")"]);
        expression(parts, vec![text("count(*) OVER ()")])
    }

    /// A place in an order that no two rows share.
    pub(super) fn rank(&mut self, scope: &Scope) -> Sql {
        let (by, each) =
            (scope.any(&mut self.random).sql.clone(), scope.any(&mut self.random).sql.clone());
        let call = self.random.draw(&["row_number()", "rank()"]);
        let keys = scope.keys.join(", ");
        text(format!("{call} OVER (PARTITION BY {each} ORDER BY {by} DESC, {keys})"))
    }

    fn amount(&mut self, scope: &Scope) -> Sql {
        let kind = self.random.draw(&[Kind::Number, Kind::Money, Kind::Float]);
        self.expression(kind, scope, 0)
    }

    /// What a query is grouped by: each an expression.
    pub(super) fn groups(&mut self, scope: &Scope) -> Vec<Sql> {
        let count = 1 + self.random.below(3);
        (0..count)
            .map(|_| {
                if self.random.chance(70) {
                    return text(scope.any(&mut self.random).sql.clone());
                }
                let kind = self.random.draw(&Kind::ALL);
                self.expression(kind, scope, 1)
            })
            .collect()
    }
}
