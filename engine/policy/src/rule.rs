//! Row rules: which rows of a table a principal sees.
//!
//! Owns a rule's words and their meaning for one principal, one table and one day. A rule that has no
//! meaning there (an attribute that the principal lacks, a node that is not in the tree, a
//! value that is none of the column's type) is an error, never an empty or a full set: the
//! decision turns it into a denial.

mod range;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::NaiveDateTime;
use martlet_core::{
    BatchDate, ColumnName, ColumnSchema, ColumnType, Predicate, TableName, TableSchema, Value,
};

use crate::names::{AttributeName, RoleName, RuleName};
use crate::organization::Organization;
use crate::principal::Principal;

pub use range::Effective;
pub(crate) use range::Range;

/// The rows that a grant shows, as a condition on raw values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowRule {
    /// Every row.
    All,
    /// No row.
    None,
    /// The rows where this is true.
    Where(Predicate),
}

/// Whether a rule adds rows or takes them away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Rows that satisfy any permit are candidates.
    Permit,
    /// Candidates that fail any restriction are hidden.
    Restrict,
}

impl Effect {
    /// The word for it in `rules.toml`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Restrict => "restrict",
        }
    }

    /// Reads the word; `None` if it is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Permit, Self::Restrict].into_iter().find(|effect| effect.word() == word)
    }
}

/// A constant as a rule writes it; its meaning depends on the column's type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Literal {
    /// `"gold"`, also for dates, timestamps and decimals.
    Text(String),
    /// `12`, in decimal digits.
    Integer(String),
    /// `0.5`.
    Float(String),
    /// `true`.
    Boolean(bool),
}

impl Literal {
    /// The value that it means in a column of this type; `None` if it is none.
    #[must_use]
    pub fn value(&self, column_type: ColumnType) -> Option<Value> {
        use ColumnType as Type;
        match (self, column_type) {
            (
                Self::Text(text),
                Type::Text | Type::Date | Type::Timestamp | Type::Decimal { .. },
            ) => read_value(text, column_type),
            (
                Self::Integer(digits),
                Type::Int32 | Type::Int64 | Type::Float64 | Type::Decimal { .. },
            ) => read_value(digits, column_type),
            (Self::Float(digits), Type::Float64) => read_value(digits, column_type),
            (Self::Boolean(value), Type::Boolean) => Some(Value::Boolean(*value)),
            _ => None,
        }
    }
}

/// As `rules.toml` writes it.
impl fmt::Display for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::Integer(digits) | Self::Float(digits) => formatter.write_str(digits),
            Self::Boolean(value) => value.fmt(formatter),
        }
    }
}

/// Which rows a rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Every row.
    All,
    /// The column is the node that the principal's attribute names, or one below it.
    Within {
        /// A text column with node codes.
        column: ColumnName,
        /// The attribute.
        attribute: AttributeName,
    },
    /// The column equals the principal's attribute.
    Equals {
        /// The column.
        column: ColumnName,
        /// The attribute.
        attribute: AttributeName,
    },
    /// The column is one of these.
    In {
        /// The column.
        column: ColumnName,
        /// The constants.
        values: BTreeSet<Literal>,
    },
    /// The column is in a range; a null never is. One of the bounds is there.
    Range {
        /// The column.
        column: ColumnName,
        /// The lowest value in it.
        at_least: Option<Literal>,
        /// The lowest value above it.
        below: Option<Literal>,
    },
}

/// For officers: `outlet within node`, `segment in ["gold", "silver"]`.
impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => formatter.write_str("all rows"),
            Self::Within { column, attribute } => write!(formatter, "{column} within {attribute}"),
            Self::Equals { column, attribute } => write!(formatter, "{column} equals {attribute}"),
            Self::In { column, values } => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(formatter, "{column} in [{}]", values.join(", "))
            }
            Self::Range { column, at_least, below } => {
                write!(formatter, "{column}")?;
                at_least.iter().try_for_each(|low| write!(formatter, " at least {low}"))?;
                below.iter().try_for_each(|high| write!(formatter, " below {high}"))
            }
        }
    }
}

impl Condition {
    /// The column that it reads.
    #[must_use]
    pub const fn column(&self) -> Option<&ColumnName> {
        match self {
            Self::All => None,
            Self::Within { column, .. }
            | Self::Equals { column, .. }
            | Self::In { column, .. }
            | Self::Range { column, .. } => Some(column),
        }
    }

    /// The attribute that it needs.
    #[must_use]
    pub const fn attribute(&self) -> Option<&AttributeName> {
        match self {
            Self::Within { attribute, .. } | Self::Equals { attribute, .. } => Some(attribute),
            Self::All | Self::In { .. } | Self::Range { .. } => None,
        }
    }
}

/// A checked row rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, unique in the bundle.
    pub name: RuleName,
    /// Whether it permits or restricts.
    pub effect: Effect,
    /// The roles that it speaks of, and with them the roles that inherit from these.
    pub roles: BTreeSet<RoleName>,
    /// The tables that it speaks of.
    pub tables: BTreeSet<TableName>,
    /// The rows that it speaks of.
    pub condition: Condition,
    /// The days on which it counts.
    pub effective: Effective,
}

/// Why a rule has no meaning for a principal and a table. Shown to officers only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Meaningless {
    #[error("the table has no column `{0}`")]
    Column(ColumnName),
    #[error("the principal has no attribute `{0}`")]
    Attribute(AttributeName),
    #[error("the principal's `{0}` names no node of the organization")]
    Node(AttributeName),
    #[error("a value of it does not fit the type of the column `{0}`")]
    Type(ColumnName),
}

/// The rows that a rule speaks of, for one principal and one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Every row.
    All,
    /// Those whose column has one of the values; a null never has.
    In { column: ColumnName, values: BTreeSet<Value> },
    /// Those whose column is in the range; a null never is.
    Between(Range),
}

impl Rule {
    /// What the rule means for this principal on this table.
    pub(crate) fn rows(
        &self,
        principal: &Principal,
        table: &TableSchema,
        organization: &Organization,
    ) -> Result<Rows, Meaningless> {
        let Some(column) = self.condition.column() else { return Ok(Rows::All) };
        let column_type = find_column(table, column)?.column_type;
        let unfit = || Meaningless::Type(column.clone());
        let values = match &self.condition {
            Condition::All => return Ok(Rows::All),
            Condition::Within { .. } if column_type != ColumnType::Text => return Err(unfit()),
            Condition::Within { attribute, .. } => organization
                .below(find_attribute(principal, attribute)?)
                .cloned()
                .ok_or_else(|| Meaningless::Node(attribute.clone()))?,
            Condition::Equals { attribute, .. } => {
                let text = find_attribute(principal, attribute)?;
                BTreeSet::from([read_value(text, column_type).ok_or_else(unfit)?])
            }
            Condition::In { values, .. } => {
                let read = |literal: &Literal| literal.value(column_type).ok_or_else(unfit);
                values.iter().map(read).collect::<Result<_, _>>()?
            }
            Condition::Range { at_least, below, .. } => {
                let read = |literal: &Literal| literal.value(column_type).ok_or_else(unfit);
                let at_least = at_least.as_ref().map(read).transpose()?;
                let below = below.as_ref().map(read).transpose()?;
                return Ok(Rows::Between(Range { column: column.clone(), at_least, below }));
            }
        };
        Ok(Rows::In { column: column.clone(), values })
    }
}

impl RowRule {
    /// The rows that any of the permits and all of the restrictions speak of, in a canonical
    /// form: equal sets of rules give equal row rules.
    pub(crate) fn combine(permits: Vec<Rows>, restrictions: Vec<Rows>) -> Self {
        let Some(permitted) = any_of(permits) else { return Self::None };
        let mut sets: BTreeMap<ColumnName, BTreeSet<Value>> = BTreeMap::new();
        let mut ranges = BTreeSet::new();
        for rows in restrictions {
            match rows {
                Rows::All => {}
                Rows::In { column, mut values } => {
                    if let Some(others) = sets.get(&column) {
                        values.retain(|value| others.contains(value));
                    }
                    sets.insert(column, values);
                }
                Rows::Between(range) => {
                    ranges.insert(range);
                }
            }
        }
        if sets.values().any(BTreeSet::is_empty) {
            return Self::None;
        }
        let listed = sets.into_iter().map(|(column, values)| Predicate::In { column, values });
        let restricted = listed.chain(ranges.into_iter().map(Range::predicate));
        match restricted.fold(permitted, Predicate::and) {
            Predicate::Constant(true) => Self::All,
            Predicate::Constant(false) => Self::None,
            predicate => Self::Where(predicate),
        }
    }
}

/// The union of what permits speak of; `None` where there is no permit.
fn any_of(permits: Vec<Rows>) -> Option<Predicate> {
    let mut sets: BTreeMap<ColumnName, BTreeSet<Value>> = BTreeMap::new();
    let mut ranges = BTreeSet::new();
    for rows in permits {
        match rows {
            Rows::All => return Some(Predicate::Constant(true)),
            Rows::In { column, values } => match sets.entry(column) {
                Entry::Vacant(entry) => {
                    entry.insert(values);
                }
                // Several roles commonly permit the very same rows.
                Entry::Occupied(mut entry) if *entry.get() != values => {
                    entry.get_mut().extend(values);
                }
                Entry::Occupied(_) => {}
            },
            Rows::Between(range) => {
                ranges.insert(range);
            }
        }
    }
    let listed = sets.into_iter().map(|(column, values)| Predicate::In { column, values });
    let mut parts: Vec<Predicate> =
        listed.chain(ranges.into_iter().map(Range::predicate)).collect();
    if parts.len() > 1 { Some(Predicate::Or(parts)) } else { parts.pop() }
}

fn find_column<'a>(
    table: &'a TableSchema,
    column: &ColumnName,
) -> Result<&'a ColumnSchema, Meaningless> {
    table.column(column.as_str()).ok_or_else(|| Meaningless::Column(column.clone()))
}

fn find_attribute<'a>(
    principal: &'a Principal,
    attribute: &AttributeName,
) -> Result<&'a str, Meaningless> {
    principal.attribute(attribute.as_str()).ok_or_else(|| Meaningless::Attribute(attribute.clone()))
}

/// Reads a text as a value of a type: dates as `YYYY-MM-DD`, timestamps as
/// `YYYY-MM-DD HH:MM:SS` (or with a `T`), decimals with at most the column's digits.
pub(crate) fn read_value(text: &str, column_type: ColumnType) -> Option<Value> {
    Some(match column_type {
        ColumnType::Boolean => Value::Boolean(text.parse().ok()?),
        ColumnType::Int32 => Value::Int(text.parse::<i32>().ok()?.into()),
        ColumnType::Int64 => Value::Int(text.parse().ok()?),
        ColumnType::Float64 => Value::Float(text.parse().ok().filter(|f: &f64| f.is_finite())?),
        ColumnType::Decimal { precision, scale } => {
            Value::Decimal(read_decimal(text, precision, scale)?)
        }
        ColumnType::Date => Value::from(text.parse::<BatchDate>().ok()?),
        ColumnType::Timestamp => {
            let read = |format| NaiveDateTime::parse_from_str(text, format).ok();
            let moment = read("%Y-%m-%d %H:%M:%S%.f").or_else(|| read("%Y-%m-%dT%H:%M:%S%.f"))?;
            Value::Timestamp(moment.and_utc().timestamp_micros())
        }
        ColumnType::Text => Value::text(text),
    })
}

/// Reads `-12.5` as the unscaled number of a decimal; never rounds.
fn read_decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let missing = usize::try_from(scale).ok()?.checked_sub(fraction.len())?;
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let unscaled: i128 = format!("{whole}{fraction}{}", "0".repeat(missing)).parse().ok()?;
    (unscaled < 10_i128.checked_pow(precision.into())?).then_some(sign * unscaled)
}

#[cfg(test)]
mod tests;
