//! Which of the user's conditions may run below the guard.
//!
//! Only conditions that can neither fail nor have an effect on any row: comparisons with a
//! constant, of the column itself, of a part of a date or under functions that never decrease
//! ([`crate::monotone`]); IN lists, LIKE, IS NULL; and their AND, OR, NOT; and look-ups of masked
//! columns that the grant gives. Where only columns that are shown as stored stand in them, they
//! are asked of stored values; where a masked one does, of what is shown, whose type it has:
//! never of what is behind a mask. Everything else (other functions, two columns) stays above, on
//! visible rows and masked values. When in doubt the answer is "stays above".

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::expr::{InList, Like, ScalarFunction};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;
use martlet_core::TableSchema;
use martlet_core::{ColumnName, ColumnType, Comparison, DatePart, LikePattern, Predicate, Value};
use martlet_policy::{Access, Grant};

use crate::convert::value_of;
use crate::lookup::looked_up;
use crate::monotone::{Base, Monotone, Period};

/// A list longer than this stays above, unless it is a list of the column's own values.
const ALTERNATIVES_MAX: usize = 64;

/// A condition that a scan answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    /// On columns that are granted as stored, or a look-up.
    OfStored(Predicate),
    /// On what is shown of columns, one of which is masked at least.
    OfShown(Predicate),
}

/// All the conditions that a scan answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) of_stored: Predicate,
    pub(crate) of_shown: Predicate,
}

impl Wanted {
    /// Every row.
    pub(crate) const ALL: Self =
        Self { of_stored: Predicate::Constant(true), of_shown: Predicate::Constant(true) };

    /// Those rows for which a condition holds as well.
    pub(crate) fn and(self, condition: Condition) -> Self {
        match condition {
            Condition::OfStored(one) => Self { of_stored: self.of_stored.and(one), ..self },
            Condition::OfShown(one) => Self { of_shown: self.of_shown.and(one), ..self },
        }
    }
}

/// The condition in Martlet's filter language, or `None` if it must stay above the guard.
pub(crate) fn leak_proof(
    condition: &Expr,
    grant: &Grant,
    schema: &TableSchema,
) -> Option<Condition> {
    if let Some(predicate) = looked_up(condition, grant, schema) {
        return Some(Condition::OfStored(predicate));
    }
    let of_stored = Translation {
        columns: &|name| clear_column(name, grant, schema),
        nulls: &|name| column_of_known_nulls(name, grant, schema),
    };
    if let Some(predicate) = of_stored.predicate(condition) {
        return Some(Condition::OfStored(predicate));
    }
    let shown = |name: &str| shown_column(name, grant, schema);
    let of_shown =
        Translation { columns: &shown, nulls: &|name| shown(name).map(|(name, _)| name) };
    of_shown.predicate(condition).map(Condition::OfShown)
}

/// The column of that name as it is shown, with a mask's type if it has one.
fn shown_column(
    name: &str,
    grant: &Grant,
    schema: &TableSchema,
) -> Option<(ColumnName, ColumnType)> {
    let granted = grant.columns().iter().find(|granted| granted.name.as_str() == name)?;
    let stored = schema.columns().get(granted.position)?;
    let column_type = match &granted.access {
        Access::Clear | Access::Unshown => stored.column_type,
        Access::Masked(mask) => mask.output_type(stored.column_type),
    };
    Some((stored.name.clone(), column_type))
}

/// The stored column of that name, if it is granted as stored.
fn clear_column(
    name: &str,
    grant: &Grant,
    schema: &TableSchema,
) -> Option<(ColumnName, ColumnType)> {
    let granted = grant.columns().iter().find(|granted| granted.name.as_str() == name)?;
    match granted.access {
        Access::Clear | Access::Unshown => {
            let stored = schema.columns().get(granted.position)?;
            Some((stored.name.clone(), stored.column_type))
        }
        Access::Masked(_) => None,
    }
}

/// The stored column of that name, if what is shown of it is null exactly where it is.
fn column_of_known_nulls(name: &str, grant: &Grant, schema: &TableSchema) -> Option<ColumnName> {
    let granted = grant.columns().iter().find(|granted| granted.name.as_str() == name)?;
    let is_known = match &granted.access {
        Access::Clear | Access::Unshown => true,
        Access::Masked(mask) => mask.keeps_nulls(),
    };
    let stored = schema.columns().get(granted.position)?;
    is_known.then(|| stored.name.clone())
}

struct Translation<'a> {
    /// Finds a column that may be asked, and its type.
    columns: &'a dyn Fn(&str) -> Option<(ColumnName, ColumnType)>,
    /// Finds a column whose nulls are shown.
    nulls: &'a dyn Fn(&str) -> Option<ColumnName>,
}

impl Translation<'_> {
    fn predicate(&self, condition: &Expr) -> Option<Predicate> {
        match condition {
            Expr::BinaryExpr(binary) => self.binary(binary),
            Expr::Not(inner) => Some(not(self.predicate(inner)?)),
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => self.is_null(inner),
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => Some(not(self.is_null(inner)?)),
            Expr::IsTrue(inner) => self.is_flag(inner, true),
            Expr::IsNotTrue(inner) => Some(not(self.is_flag(inner, true)?)),
            Expr::IsFalse(inner) => self.is_flag(inner, false),
            Expr::IsNotFalse(inner) => Some(not(self.is_flag(inner, false)?)),
            Expr::InList(list) => self.in_list(list),
            Expr::Between(between) => self.between(between),
            Expr::Like(like) => self.like(like),
            Expr::Literal(ScalarValue::Boolean(Some(value)), _) => {
                Some(Predicate::Constant(*value))
            }
            Expr::Column(_) => self.flag(condition, true),
            Expr::ScalarFunction(function) => self.text_test(function),
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
            Operator::IsNotDistinctFrom => self.not_distinct(left, right),
            Operator::IsDistinctFrom => Some(not(self.not_distinct(left, right)?)),
            _ => {
                let comparison = comparison(*op)?;
                match (&**left, &**right) {
                    (measured, Expr::Literal(constant, _)) => {
                        self.compare(measured, comparison, constant)
                    }
                    (Expr::Literal(constant, _), measured) => {
                        self.compare(measured, comparison.flipped(), constant)
                    }
                    _ => None,
                }
            }
        }
    }

    fn compare(
        &self,
        measured: &Expr,
        comparison: Comparison,
        constant: &ScalarValue,
    ) -> Option<Predicate> {
        if let Expr::ScalarFunction(function) = measured {
            let of_text = match function.name() {
                "strpos" => self.position(function, comparison, constant),
                "substr" | "left" => self.beginning(function, comparison, constant),
                _ => None,
            };
            if of_text.is_some() {
                return of_text;
            }
        }
        if let Some(column) = self.text(measured) {
            let value = value_of(constant, ColumnType::Text)?;
            return Some(Predicate::Compare { column, comparison, value });
        }
        let measured = self.measured(measured)?;
        if let Some((column, column_type)) = measured.plain_column()
            && let Some(value) = value_of(constant, column_type)
        {
            return Some(Predicate::Compare { column: column.clone(), comparison, value });
        }
        measured.compare(comparison, constant)
    }

    /// A column, or a part of one, under functions that never decrease.
    fn measured(&self, expression: &Expr) -> Option<Monotone> {
        match expression {
            Expr::Column(_) => {
                let (column, column_type) = self.column(expression)?;
                Some(Monotone::new(Base::Column(column, column_type)))
            }
            Expr::Cast(cast) => self.measured(&cast.expr)?.cast(cast.field.data_type()),
            Expr::ScalarFunction(function) => self.date_function(function),
            _ => None,
        }
    }

    fn date_function(&self, function: &ScalarFunction) -> Option<Monotone> {
        let [Expr::Literal(name, _), argument] = function.args.as_slice() else { return None };
        let name = string(name)?;
        match function.name() {
            "date_trunc" => self.measured(argument)?.truncated(Period::parse(name)?),
            "date_part" => match part(name)? {
                DatePart::Year => self.measured(argument)?.year(),
                part => match self.column(argument)? {
                    (column, ColumnType::Date | ColumnType::Timestamp) => {
                        Some(Monotone::new(Base::Part(column, part)))
                    }
                    _ => None,
                },
            },
            _ => None,
        }
    }

    fn in_list(&self, list: &InList) -> Option<Predicate> {
        let constants: Vec<&ScalarValue> = list
            .list
            .iter()
            .map(|item| match item {
                Expr::Literal(constant, _) => Some(constant),
                _ => None,
            })
            .collect::<Option<_>>()?;
        let any = match self.own_values(&list.expr, &constants) {
            Some(values) => values,
            None if constants.len() > ALTERNATIVES_MAX => return None,
            None => Predicate::Or(
                constants
                    .iter()
                    .map(|constant| self.compare(&list.expr, Comparison::Equal, constant))
                    .collect::<Option<_>>()?,
            ),
        };
        Some(negated_if(list.negated, any))
    }

    /// The list as values of the column itself.
    fn own_values(&self, listed: &Expr, constants: &[&ScalarValue]) -> Option<Predicate> {
        let (column, column_type) = match self.text(listed) {
            Some(column) => (column, ColumnType::Text),
            None => self.column(listed)?,
        };
        let values =
            constants.iter().map(|value| value_of(value, column_type)).collect::<Option<_>>()?;
        Some(Predicate::In { column, values })
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

    fn is_null(&self, expression: &Expr) -> Option<Predicate> {
        match expression {
            Expr::Column(column) => Some(Predicate::IsNull { column: (self.nulls)(&column.name)? }),
            _ => None,
        }
    }

    /// A boolean column standing as a condition of its own.
    fn flag(&self, condition: &Expr, wanted: bool) -> Option<Predicate> {
        let (column, column_type) = self.column(condition)?;
        let value = value_of(&ScalarValue::Boolean(Some(wanted)), column_type)?;
        Some(Predicate::Compare { column, comparison: Comparison::Equal, value })
    }

    /// The same, false where the column is null.
    fn is_flag(&self, condition: &Expr, wanted: bool) -> Option<Predicate> {
        let known = not(self.is_null(condition)?);
        Some(Predicate::And(vec![self.flag(condition, wanted)?, known]))
    }

    /// Equality that is false, not unknown, where the column is null.
    fn not_distinct(&self, left: &Expr, right: &Expr) -> Option<Predicate> {
        let (column, constant) = match (left, right) {
            (Expr::Literal(constant, _), column) | (column, Expr::Literal(constant, _)) => {
                (column, constant)
            }
            _ => return None,
        };
        let known = not(self.is_null(column)?);
        Some(Predicate::And(vec![self.compare(column, Comparison::Equal, constant)?, known]))
    }

    /// LIKE with SQL's own escape; ILIKE stays above.
    fn like(&self, like: &Like) -> Option<Predicate> {
        let Expr::Literal(pattern, _) = &*like.pattern else { return None };
        if like.case_insensitive || like.escape_char.is_some_and(|escape| escape != '\\') {
            return None;
        }
        let pattern = LikePattern::new(string(pattern)?);
        let column = self.text(&like.expr)?;
        Some(negated_if(like.negated, Predicate::Like { column, pattern }))
    }

    /// Functions of two texts that are conditions by themselves.
    fn text_test(&self, function: &ScalarFunction) -> Option<Predicate> {
        let (column, wanted) = self.text_and_constant(function)?;
        let wanted = escaped(wanted);
        let pattern = match function.name() {
            "starts_with" => format!("{wanted}%"),
            "ends_with" => format!("%{wanted}"),
            "contains" => format!("%{wanted}%"),
            _ => return None,
        };
        Some(Predicate::Like { column, pattern: LikePattern::new(&pattern) })
    }

    /// `strpos(column, 'x')` where the comparison asks no more than whether it is there.
    fn position(
        &self,
        function: &ScalarFunction,
        comparison: Comparison,
        constant: &ScalarValue,
    ) -> Option<Predicate> {
        let (column, wanted) = self.text_and_constant(function)?;
        let Some(Value::Int(constant)) = value_of(constant, ColumnType::Int64) else { return None };
        let there = LikePattern::new(&format!("%{}%", escaped(wanted)));
        let there = Predicate::Like { column, pattern: there };
        match (comparison, constant) {
            (Comparison::Greater | Comparison::NotEqual, 0) | (Comparison::GreaterOrEqual, 1) => {
                Some(there)
            }
            (Comparison::Equal | Comparison::LessOrEqual, 0) | (Comparison::Less, 1) => {
                Some(not(there))
            }
            _ => None,
        }
    }

    /// `left(column, n)` or `substr(column, 1, n)` against a text of `n` characters.
    fn beginning(
        &self,
        function: &ScalarFunction,
        comparison: Comparison,
        constant: &ScalarValue,
    ) -> Option<Predicate> {
        let (text, length) = match function.args.as_slice() {
            [text, Expr::Literal(length, _)] if function.name() == "left" => (text, length),
            [text, Expr::Literal(ScalarValue::Int64(Some(1)), _), Expr::Literal(length, _)]
                if function.name() == "substr" =>
            {
                (text, length)
            }
            _ => return None,
        };
        let ScalarValue::Int64(Some(length)) = length else { return None };
        let wanted = string(constant)?;
        if usize::try_from(*length).ok()? != wanted.chars().count() {
            return None;
        }
        let pattern = LikePattern::new(&format!("{}%", escaped(wanted)));
        let begins = Predicate::Like { column: self.text(text)?, pattern };
        match comparison {
            Comparison::Equal => Some(begins),
            Comparison::NotEqual => Some(not(begins)),
            _ => None,
        }
    }

    fn text_and_constant<'e>(&self, function: &'e ScalarFunction) -> Option<(ColumnName, &'e str)> {
        match function.args.as_slice() {
            [text, Expr::Literal(constant, _)] => Some((self.text(text)?, string(constant)?)),
            _ => None,
        }
    }

    /// The text column, which may be cast from one layout of texts to another.
    fn text(&self, expression: &Expr) -> Option<ColumnName> {
        match expression {
            Expr::Cast(cast) if is_text(cast.field.data_type()) => self.text(&cast.expr),
            _ => match self.column(expression)? {
                (column, ColumnType::Text) => Some(column),
                _ => None,
            },
        }
    }

    /// The column's name and type, if it may be asked.
    fn column(&self, expression: &Expr) -> Option<(ColumnName, ColumnType)> {
        match expression {
            Expr::Column(column) => (self.columns)(&column.name),
            _ => None,
        }
    }
}

fn not(predicate: Predicate) -> Predicate {
    Predicate::Not(Box::new(predicate))
}

fn negated_if(negated: bool, predicate: Predicate) -> Predicate {
    if negated { not(predicate) } else { predicate }
}

const fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The text of a constant that is one.
fn string(constant: &ScalarValue) -> Option<&str> {
    constant.try_as_str().flatten()
}

/// The text as a pattern that matches nothing but it.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// The part that `date_part` means by the name; its synonyms stay above.
fn part(name: &str) -> Option<DatePart> {
    if name.eq_ignore_ascii_case("qtr") { Some(DatePart::Quarter) } else { DatePart::parse(name) }
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

#[cfg(test)]
#[path = "leak_proof_tests.rs"]
mod tests;
