//! Expressions that cannot fail on any row that is seen, of every kind.
//!
//! Values stay small enough that no step overflows, and floats stay eighths, so that totals are
//! the same in whatever order they are added up.

use super::Grammar;
use super::scope::{Kind, Named, Scope};
use super::sql::{Sql, expression, text};
use crate::seq;

impl Grammar {
    /// An expression of the kind.
    pub(super) fn expression(&mut self, kind: Kind, scope: &Scope, depth: usize) -> Sql {
        if depth == 0 || self.random.chance(45) {
            return self.leaf(kind, scope);
        }
        match kind {
            Kind::Number => self.number(scope, depth - 1),
            Kind::Float => self.float(scope, depth - 1),
            Kind::Money => self.money(scope, depth - 1),
            Kind::Text => self.words(scope, depth - 1),
            Kind::Truth => self.condition(scope, depth - 1),
            Kind::Day => self.day(scope, depth - 1),
            Kind::Moment => self.moment(scope, depth - 1),
        }
    }

    fn leaf(&mut self, kind: Kind, scope: &Scope) -> Sql {
        match scope.pick(kind, &mut self.random) {
            Some(column) if self.random.chance(90) => text(column.sql.clone()),
            _ => text(kind.constant()),
        }
    }

    /// CASE, COALESCE and NULLIF of any kind.
    fn chosen(&mut self, kind: Kind, scope: &Scope, depth: usize) -> Sql {
        let (a, b) = (self.expression(kind, scope, depth), self.expression(kind, scope, depth));
        let simpler = vec![a.clone(), b.clone()];
        match self.random.below(4) {
            0 => expression(seq!["coalesce(", a, ",", b, ")"], simpler),
            1 => expression(seq!["nullif(", a, ",", b, ")"], simpler),
            2 => {
                let when = self.condition(scope, depth);
                expression(seq!["CASE WHEN", when, "THEN", a, "END"], simpler)
            }
            _ => {
                let when = self.condition(scope, depth);
                expression(seq!["CASE WHEN", when, "THEN", a, "ELSE", b, "END"], simpler)
            }
        }
    }

    fn number(&mut self, scope: &Scope, depth: usize) -> Sql {
        let small = self.random.between(1, 9).to_string();
        match self.random.below(13) {
            0 => self.chosen(Kind::Number, scope, depth),
            1 | 2 => {
                let (a, b) =
                    (self.expression(Kind::Number, scope, depth), self.leaf(Kind::Number, scope));
                let sign = self.random.draw(&["+", "-"]);
                expression(seq!["(", a.clone(), sign, b.clone(), ")"], vec![a, b])
            }
            3 => {
                let a = self.leaf(Kind::Number, scope);
                expression(seq!["(", a.clone(), "*", small, ")"], vec![a])
            }
            4 => {
                let a = self.expression(Kind::Number, scope, depth);
                let sign = self.random.draw(&["%", "/"]);
                expression(seq!["(", a.clone(), sign, small, ")"], vec![a])
            }
            5 => self.call(
                &["length", "char_length", "ascii", "octet_length"],
                Kind::Text,
                scope,
                depth,
            ),
            6 => self.call(&["abs", "-"], Kind::Number, scope, depth),
            7 => {
                let part =
                    self.random.draw(&["year", "month", "day", "quarter", "dow", "doy", "week"]);
                let kind = if self.random.chance(50) { Kind::Day } else { Kind::Moment };
                let a = self.leaf(kind, scope);
                expression(
                    seq![format!("CAST(date_part('{part}',"), a, ") AS bigint)"],
                    vec![text("1")],
                )
            }
            8 => {
                let a = self.expression(Kind::Text, scope, depth);
                expression(seq!["strpos(", a, ", '1')"], vec![text("1")])
            }
            9 => {
                let a = self.expression(Kind::Truth, scope, depth);
                expression(seq!["CAST(", a, "AS int)"], vec![text("1")])
            }
            10 => {
                let a = self.expression(Kind::Text, scope, depth);
                expression(seq!["TRY_CAST(", a, "AS bigint)"], vec![text("1")])
            }
            11 => self.failing_unseen(scope).unwrap_or_else(|| self.leaf(Kind::Number, scope)),
            _ => {
                let a = self.expression(Kind::Number, scope, depth);
                let b = self.leaf(Kind::Number, scope);
                let name = self.random.draw(&["greatest", "least"]);
                expression(seq![name, "(", a.clone(), ",", b.clone(), ")"], vec![a, b])
            }
        }
    }

    fn call(&mut self, names: &[&str], kind: Kind, scope: &Scope, depth: usize) -> Sql {
        let argument = self.expression(kind, scope, depth);
        let name = self.random.draw(names);
        expression(seq![name, "(", argument, ")"], Vec::new())
    }

    fn float(&mut self, scope: &Scope, depth: usize) -> Sql {
        let a = self.leaf(Kind::Float, scope);
        match self.random.below(5) {
            0 => self.chosen(Kind::Float, scope, depth),
            1 => {
                let b = self.leaf(Kind::Float, scope);
                let sign = self.random.draw(&["+", "-"]);
                expression(seq!["(", a.clone(), sign, b.clone(), ")"], vec![a, b])
            }
            2 => expression(seq!["(", a.clone(), "* 4)"], vec![a]),
            3 => {
                let name = self.random.draw(&["abs", "floor"]);
                expression(seq![name, "(", a.clone(), ")"], vec![a])
            }
            _ => {
                let number = self.expression(Kind::Number, scope, 0);
                expression(seq!["CAST(", number, "AS double)"], vec![a])
            }
        }
    }

    fn money(&mut self, scope: &Scope, depth: usize) -> Sql {
        let (a, b) = (self.leaf(Kind::Money, scope), self.leaf(Kind::Money, scope));
        match self.random.below(4) {
            0 => self.chosen(Kind::Money, scope, depth.min(1)),
            1 => expression(seq!["(", a.clone(), "-", b.clone(), ")"], vec![a, b]),
            2 => expression(seq!["(", a.clone(), "* 3)"], vec![a]),
            _ => expression(seq!["CAST(", a.clone(), "AS decimal(20,1))"], vec![a]),
        }
    }

    fn words(&mut self, scope: &Scope, depth: usize) -> Sql {
        let a = self.expression(Kind::Text, scope, depth);
        let one = |parts: Vec<Sql>| expression(parts, vec![a.clone()]);
        let small = self.random.between(1, 6);
        match self.random.below(12) {
            0 => self.chosen(Kind::Text, scope, depth),
            1 => {
                let name = *self
                    .random
                    .pick(&["upper", "lower", "trim", "btrim", "initcap", "reverse", "ltrim"]);
                one(seq![name, "(", a.clone(), ")"])
            }
            2 => one(seq!["substr(", a.clone(), format!(", {small}, 30)")]),
            3 => {
                let name = self.random.draw(&["left", "right"]);
                one(seq![name, "(", a.clone(), format!(", {small})")])
            }
            4 => {
                let b = self.leaf(Kind::Text, scope);
                expression(seq!["concat(", a.clone(), ", '/',", b.clone(), ")"], vec![a, b])
            }
            5 => {
                let b = self.leaf(Kind::Text, scope);
                expression(seq!["(", a.clone(), "||", b.clone(), ")"], vec![a, b])
            }
            6 => one(seq!["replace(", a.clone(), ", 'a', 'bb')"]),
            7 => one(seq!["split_part(", a.clone(), ", '@', 2)"]),
            8 => one(seq!["regexp_replace(", a.clone(), ", '[0-9]+', '#', 'g')"]),
            9 => {
                let kind = self.random.draw(&[
                    Kind::Number,
                    Kind::Money,
                    Kind::Day,
                    Kind::Truth,
                    Kind::Float,
                ]);
                let value = self.expression(kind, scope, depth);
                one(seq!["CAST(", value, "AS varchar)"])
            }
            10 => one(seq!["lpad(", a.clone(), ", 12, '*')"]),
            _ => one(seq!["translate(", a.clone(), ", '*aeiou', 'x12345')"]),
        }
    }

    fn day(&mut self, scope: &Scope, depth: usize) -> Sql {
        let a = self.leaf(Kind::Day, scope);
        match self.random.below(3) {
            0 => self.chosen(Kind::Day, scope, depth),
            1 => {
                let length = self.random.draw(&["1 day", "1 month", "-2 years", "40 days"]);
                expression(
                    seq!["CAST(", a.clone(), "+", format!("INTERVAL '{length}' AS date)")],
                    vec![a],
                )
            }
            _ => {
                let moment = self.leaf(Kind::Moment, scope);
                expression(seq!["CAST(", moment, "AS date)"], vec![a])
            }
        }
    }

    fn moment(&mut self, scope: &Scope, depth: usize) -> Sql {
        let a = self.leaf(Kind::Moment, scope);
        let unit = self.random.draw(&["year", "quarter", "month", "week", "day", "hour"]);
        match self.random.below(4) {
            0 => self.chosen(Kind::Moment, scope, depth),
            1 => expression(seq![format!("date_trunc('{unit}',"), a.clone(), ")"], vec![a]),
            2 => expression(seq!["(", a.clone(), "+ INTERVAL '90 minutes')"], vec![a]),
            _ => {
                let day = self.leaf(Kind::Day, scope);
                expression(seq!["CAST(date_trunc('month',", day, ") AS timestamp)"], vec![a])
            }
        }
    }

    /// Something that is true, false or unknown.
    pub(super) fn condition(&mut self, scope: &Scope, depth: usize) -> Sql {
        if depth > 0 && self.random.chance(45) {
            let (a, b) = (self.condition(scope, depth - 1), self.condition(scope, depth - 1));
            let simpler = vec![a.clone(), b.clone()];
            return match self.random.below(5) {
                0 => expression(seq!["NOT (", a.clone(), ")"], vec![a]),
                1 => expression(seq!["(", a, "OR", b, ")"], simpler),
                2 => expression(seq!["(", a.clone(), ") IS NOT TRUE"], vec![a]),
                _ => expression(seq!["(", a, "AND", b, ")"], simpler),
            };
        }
        match self.random.below(10) {
            0..=5 => {
                let column = scope.any(&mut self.random).clone();
                self.about(&column)
            }
            6 => self.leaf(Kind::Truth, scope),
            7 => {
                let kind = self.random.draw(&Kind::ALL);
                let (a, b) = (self.expression(kind, scope, depth), self.expression(kind, scope, 0));
                let sign = self.random.draw(&["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"]);
                expression(seq!["(", a, sign, b, ")"], vec![text("true")])
            }
            8 => {
                let kind = self.random.draw(&Kind::ALL);
                let a = self.expression(kind, scope, depth);
                let word = self.random.draw(&["IS NULL", "IS NOT NULL"]);
                expression(seq!["(", a, ")", word], vec![text("true")])
            }
            _ => {
                let a = self.expression(Kind::Number, scope, depth);
                expression(seq!["(", a, "% 3 = 1 )"], vec![text("true")])
            }
        }
    }

    /// A condition of one column and constants: what may run below the guard, and what may not.
    pub(super) fn about(&mut self, column: &Named) -> Sql {
        let (name, random) = (column.sql.clone(), &mut self.random);
        let mut value = || column.value(random);
        let (a, b, c) = (value(), value(), value());
        let sign = self.random.draw(&["=", "<>", "<", "<=", ">", ">="]);
        let not = self.random.draw(&["", "", "NOT "]);
        let written = match (self.random.below(8), column.kind) {
            (0 | 1, _) => format!("{name} {sign} {a}"),
            (2, _) => format!("{name} {not}IN ({a}, {b}, {c})"),
            (3, Kind::Text) | (4, Kind::Text) => self.pattern(&name, &a, not),
            (3, _) => format!("{name} {not}BETWEEN {a} AND {b}"),
            (4, Kind::Day | Kind::Moment) => format!("date_part('month', {name}) {sign} 6"),
            (5, Kind::Day | Kind::Moment) => format!("date_trunc('month', {name}) {sign} {a}"),
            (5, Kind::Text) => format!("length({name}) {sign} 3"),
            (6, _) => format!("{name} IS {}NULL", if not.is_empty() { "" } else { "NOT " }),
            (7, _) => format!("coalesce({name}, {b}) {sign} {a}"),
            _ => format!("({name} {sign} {a} OR {name} = {b})"),
        };
        expression(vec![text(written)], vec![text(format!("{name} = {a}")), text("true")])
    }

    fn pattern(&mut self, name: &str, value: &str, not: &str) -> String {
        let inner = value.trim_matches('\'');
        let skip = self.random.below(3);
        let part: String =
            inner.chars().skip(skip).take(2).filter(|c| !"'\\".contains(*c)).collect();
        let plain: String = part.chars().filter(|c| c.is_alphanumeric()).collect();
        match self.random.below(9) {
            0 => format!("{name} {not}LIKE '%{part}%'"),
            1 => format!("{name} {not}LIKE '{part}%'"),
            2 => format!("{name} {not}ILIKE '%{part}'"),
            3 => format!("{name} ~ '{plain}.*'"),
            4 => format!("{name} !~* '^{plain}'"),
            5 => format!("regexp_like({name}, '[{plain}0-9]{{2}}')"),
            6 => format!("starts_with({name}, '{plain}')"),
            7 => format!("{name} {not}LIKE '_{plain}%'"),
            _ => format!("{name} {not}SIMILAR TO '%({plain}|\\*)+%'"),
        }
    }
}
