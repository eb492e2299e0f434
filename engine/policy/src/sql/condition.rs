//! From a `USING` to the rows of a rule: the conditions that rules have, in SQL's spelling.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, TypedString,
    UnaryOperator, Value,
};

use super::Rows;
use super::statement::name;
use crate::rule::Literal;

/// The setting by which SQL names an attribute of the principal begins so.
const SETTING: &str = "martlet.";
/// The attribute that is the principal's own name.
const NAME: &str = "name";

const POSSIBLE: &str = "a rule's rows are: true; column = current_setting('martlet.attribute'); \
                        column = current_user; within(column, current_setting('martlet.node')); \
                        column in (constants); column >= constant and column < constant";

/// The rows that a condition means.
pub(super) fn rows(using: &Expr) -> Result<Rows, String> {
    match using {
        Expr::Nested(inner) => rows(inner),
        Expr::Value(value) if value.value == Value::Boolean(true) => Ok(Rows::All),
        Expr::Function(function) => within(function),
        Expr::InList { expr, list, negated: false } => {
            let values = list.iter().map(constant).collect::<Option<Vec<Literal>>>();
            Ok(Rows::OneOf { column: column(expr)?, values: values.ok_or(POSSIBLE)? })
        }
        Expr::Between { .. } => {
            Err("between has its upper end in it, and a rule's range has not: write \
                 column >= constant and column < constant"
                .into())
        }
        Expr::BinaryOp { left, op, right } => compared(left, op, right),
        _ => Err(POSSIBLE.into()),
    }
}

fn compared(left: &Expr, operator: &BinaryOperator, right: &Expr) -> Result<Rows, String> {
    match operator {
        BinaryOperator::And => both(rows(left)?, rows(right)?),
        BinaryOperator::Eq => {
            let column = column(left)?;
            match (attribute(right), constant(right)) {
                (Some(attribute), _) => Ok(Rows::Equals { column, attribute }),
                (None, Some(value)) => Ok(Rows::OneOf { column, values: vec![value] }),
                (None, None) => Err(POSSIBLE.into()),
            }
        }
        BinaryOperator::GtEq => {
            let at_least = Some(constant(right).ok_or(POSSIBLE)?);
            Ok(Rows::Range { column: column(left)?, at_least, below: None })
        }
        BinaryOperator::Lt => {
            let below = Some(constant(right).ok_or(POSSIBLE)?);
            Ok(Rows::Range { column: column(left)?, at_least: None, below })
        }
        _ => Err(POSSIBLE.into()),
    }
}

/// The two ends of one range; anything else is two rules.
fn both(first: Rows, second: Rows) -> Result<Rows, String> {
    let two = "a rule is one condition: make a restrictive policy of the other";
    let (
        Rows::Range { column, at_least, below },
        Rows::Range { column: other, at_least: a, below: b },
    ) = (first, second)
    else {
        return Err(two.into());
    };
    let is_one = column == other
        && !(at_least.is_some() && a.is_some())
        && !(below.is_some() && b.is_some());
    if !is_one {
        return Err(two.into());
    }
    Ok(Rows::Range { column, at_least: at_least.or(a), below: below.or(b) })
}

fn within(function: &Function) -> Result<Rows, String> {
    let is_within = function.name.to_string().eq_ignore_ascii_case("within");
    match arguments(function).as_deref() {
        Some([column_, attribute_]) if is_within => Ok(Rows::Within {
            column: column(column_)?,
            attribute: attribute(attribute_).ok_or(POSSIBLE)?,
        }),
        _ => Err(POSSIBLE.into()),
    }
}

/// The arguments of a plain call.
fn arguments(function: &Function) -> Option<Vec<&Expr>> {
    let plain = function.filter.is_none() && function.over.is_none();
    let FunctionArguments::List(list) = &function.args else { return None };
    if !plain || !list.clauses.is_empty() || list.duplicate_treatment.is_some() {
        return None;
    }
    list.args.iter().map(plain_argument).collect()
}

const fn plain_argument(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

fn column(expr: &Expr) -> Result<String, String> {
    match expr {
        Expr::Identifier(ident) => Ok(name(ident)),
        Expr::Nested(inner) => column(inner),
        _ => Err(POSSIBLE.into()),
    }
}

/// What of the principal an expression stands for.
fn attribute(expr: &Expr) -> Option<String> {
    let Expr::Function(function) = expr else { return None };
    let called = function.name.to_string().to_lowercase();
    if called == "current_user" && matches!(function.args, FunctionArguments::None) {
        return Some(NAME.into());
    }
    match arguments(function)?.as_slice() {
        [Expr::Value(value)] if called == "current_setting" => match &value.value {
            Value::SingleQuotedString(setting) => setting.strip_prefix(SETTING).map(str::to_owned),
            _ => None,
        },
        _ => None,
    }
}

/// A constant as `rules.toml` has it: dates, timestamps and decimals are texts.
fn constant(expr: &Expr) -> Option<Literal> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(Literal::Text(text.clone())),
            Value::Boolean(flag) => Some(Literal::Boolean(*flag)),
            Value::Number(digits, false) => Some(number(digits.clone())),
            _ => None,
        },
        Expr::TypedString(TypedString { value, .. }) => match &value.value {
            Value::SingleQuotedString(text) => Some(Literal::Text(text.clone())),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match constant(expr)? {
            Literal::Integer(digits) => Some(Literal::Integer(format!("-{digits}"))),
            Literal::Float(digits) => Some(Literal::Float(format!("-{digits}"))),
            Literal::Text(_) | Literal::Boolean(_) => None,
        },
        _ => None,
    }
}

fn number(digits: String) -> Literal {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Literal::Integer(digits)
    } else {
        Literal::Float(digits)
    }
}
