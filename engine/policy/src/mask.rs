//! Masks: what of a value is shown instead of the value.
//!
//! Every mask is total: whatever the value is, malformed or too short or empty, there is a
//! masked value, and it shows no more than the rule allows; what does not have the form that
//! the rule speaks of is hidden wholly. A masked array is always built anew, value by value:
//! it never shares a buffer with its input and holds no byte under a null.
//!
//! A null gives a null: that a value is missing is not hidden by a mask (a class whose
//! absence is a secret has to be denied, or masked as free text, where all is null).
//!
//! Receives: raw arrays from the scan, already cut to the rows that the grant shows.
//! Hands on: masked arrays to the user's own expressions.

mod account;
mod address;
mod amount;
mod card;
mod date;
mod email;
mod id_number;
mod mobile;
mod name;
mod token;

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, new_null_array};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimeUnit};
use martlet_core::ColumnType;

use crate::error::PolicyError;
use crate::names::Purpose;

pub use token::TokenKeys;

/// What stands in the place of a value that is hidden wholly.
pub const HIDDEN: &str = "***";

/// How much the partial masks leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// What banks commonly show on a clerk's screen.
    Doc,
    /// Markedly less.
    Strict,
}

impl Profile {
    /// The word for it in `bundle.toml`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Doc => "doc",
            Self::Strict => "strict",
        }
    }

    /// Reads the word; `None` if it is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Doc, Self::Strict].into_iter().find(|profile| profile.word() == word)
    }
}

/// How strict a mask is, from the mildest. Of several masks the strictest is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Strictness {
    /// Equal values stay equal, nothing of them is shown.
    Token,
    /// A part of the value is shown.
    Partial,
    /// A range that holds the value is shown.
    Band,
    /// Only that there is a value is shown.
    Redact,
    /// Nothing is shown.
    Null,
}

/// One way to hide a value. `docs/security.md` says what each leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mask {
    /// A person's name.
    Name(Profile),
    /// A resident's ID number.
    IdNumber(Profile),
    /// A mobile number.
    Mobile(Profile),
    /// A payment card's number.
    Card(Profile),
    /// An account's number.
    AccountNumber(Profile),
    /// A postal address.
    Address(Profile),
    /// An e-mail address.
    Email(Profile),
    /// A day of birth: the year is left.
    BirthDate(Profile),
    /// An amount: the band is left.
    BalanceBand(Profile),
    /// A memo, which may contain anything: always null.
    FreeText,
    /// `***`.
    Redact,
    /// A keyed token of this purpose.
    Token(Purpose),
}

impl Mask {
    /// Reads a mask's word in `classes.toml`; a token needs its purpose.
    #[must_use]
    pub fn parse(word: &str, profile: Profile, purpose: Option<&Purpose>) -> Option<Self> {
        Some(match word {
            "name" => Self::Name(profile),
            "id_number" => Self::IdNumber(profile),
            "mobile" => Self::Mobile(profile),
            "card" => Self::Card(profile),
            "account_number" => Self::AccountNumber(profile),
            "address" => Self::Address(profile),
            "email" => Self::Email(profile),
            "birth_date" => Self::BirthDate(profile),
            "balance_band" => Self::BalanceBand(profile),
            "free_text" => Self::FreeText,
            "redact" => Self::Redact,
            "token" => Self::Token(purpose?.clone()),
            _ => return None,
        })
    }

    /// The word for it in `classes.toml`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Name(_) => "name",
            Self::IdNumber(_) => "id_number",
            Self::Mobile(_) => "mobile",
            Self::Card(_) => "card",
            Self::AccountNumber(_) => "account_number",
            Self::Address(_) => "address",
            Self::Email(_) => "email",
            Self::BirthDate(_) => "birth_date",
            Self::BalanceBand(_) => "balance_band",
            Self::FreeText => "free_text",
            Self::Redact => "redact",
            Self::Token(_) => "token",
        }
    }

    /// The words of all masks, for messages.
    pub const WORDS: [&'static str; 12] = [
        "name",
        "id_number",
        "mobile",
        "card",
        "account_number",
        "address",
        "email",
        "birth_date",
        "balance_band",
        "free_text",
        "redact",
        "token",
    ];

    /// How strict it is.
    #[must_use]
    pub const fn strictness(&self) -> Strictness {
        match self {
            Self::Token(_) => Strictness::Token,
            Self::Name(_)
            | Self::IdNumber(_)
            | Self::Mobile(_)
            | Self::Card(_)
            | Self::AccountNumber(_)
            | Self::Address(_)
            | Self::Email(_) => Strictness::Partial,
            Self::BirthDate(_) | Self::BalanceBand(_) => Strictness::Band,
            Self::Redact => Strictness::Redact,
            Self::FreeText => Strictness::Null,
        }
    }

    /// Whether it can hide a column of this type.
    #[must_use]
    pub const fn applies_to(&self, column_type: ColumnType) -> bool {
        use ColumnType as Type;
        match self {
            Self::Name(_) | Self::Address(_) | Self::Email(_) => matches!(column_type, Type::Text),
            Self::IdNumber(_)
            | Self::Mobile(_)
            | Self::Card(_)
            | Self::AccountNumber(_)
            | Self::Token(_) => matches!(column_type, Type::Text | Type::Int32 | Type::Int64),
            Self::BirthDate(_) => matches!(column_type, Type::Date | Type::Timestamp),
            Self::BalanceBand(_) => matches!(
                column_type,
                Type::Int32 | Type::Int64 | Type::Float64 | Type::Decimal { .. }
            ),
            Self::FreeText | Self::Redact => true,
        }
    }

    /// The type of the masked column: `int32` for a birth date (a year), else text.
    #[must_use]
    pub const fn output_type(&self, _column_type: ColumnType) -> ColumnType {
        match self {
            Self::BirthDate(_) => ColumnType::Int32,
            _ => ColumnType::Text,
        }
    }

    /// Whether exactly those values are null that were null before, so that a null test says the
    /// same of the stored value.
    #[must_use]
    pub const fn keeps_nulls(&self) -> bool {
        match self {
            Self::Name(_)
            | Self::IdNumber(_)
            | Self::Mobile(_)
            | Self::Card(_)
            | Self::AccountNumber(_)
            | Self::Address(_)
            | Self::Email(_)
            | Self::Redact
            | Self::Token(_) => true,
            // Also null for what has no year, no band; and always.
            Self::BirthDate(_) | Self::BalanceBand(_) | Self::FreeText => false,
        }
    }

    /// Masks an array: as many values as before, freshly built, null where the input is null
    /// (and, for what has no year or no band, where the value is out of the calendar or not a
    /// number).
    ///
    /// # Errors
    /// [`PolicyError::MaskMismatch`] if the mask does not apply to the array's type; never
    /// because of a value.
    pub fn apply(&self, values: &ArrayRef, keys: &TokenKeys) -> Result<ArrayRef, PolicyError> {
        let mismatch = || PolicyError::MaskMismatch {
            mask: self.word(),
            given: values.data_type().to_string(),
        };
        let column_type = column_type(values.data_type()).ok_or_else(mismatch)?;
        if !self.applies_to(column_type) {
            return Err(mismatch());
        }
        let masked = match self {
            Self::Name(profile) => map_text(values, |value| name::mask(value, *profile)),
            Self::IdNumber(profile) => map_text(values, |value| id_number::mask(value, *profile)),
            Self::Mobile(profile) => map_text(values, |value| mobile::mask(value, *profile)),
            Self::Card(profile) => map_text(values, |value| card::mask(value, *profile)),
            Self::AccountNumber(profile) => {
                map_text(values, |value| account::mask(value, *profile))
            }
            Self::Address(profile) => map_text(values, |value| address::mask(value, *profile)),
            Self::Email(profile) => map_text(values, |value| email::mask(value, *profile)),
            Self::BirthDate(profile) => date::mask(values, *profile),
            Self::BalanceBand(profile) => amount::mask(values, *profile),
            Self::FreeText => Some(new_null_array(&DataType::Utf8, values.len())),
            Self::Redact => Some(redact(values)),
            Self::Token(purpose) => {
                let key = keys.key(purpose);
                map_text(values, |value| key.token(value))
            }
        };
        masked.ok_or_else(mismatch)
    }
}

/// As `classes.toml` writes it; a token with its purpose, as `roles.toml` does.
impl fmt::Display for Mask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(purpose) => write!(formatter, "token:{purpose}"),
            mask => formatter.write_str(mask.word()),
        }
    }
}

/// The column type that is stored as this Arrow type.
fn column_type(data_type: &DataType) -> Option<ColumnType> {
    Some(match data_type {
        DataType::Boolean => ColumnType::Boolean,
        DataType::Int32 => ColumnType::Int32,
        DataType::Int64 => ColumnType::Int64,
        DataType::Float64 => ColumnType::Float64,
        DataType::Decimal128(precision, scale) => {
            ColumnType::Decimal { precision: *precision, scale: *scale }
        }
        DataType::Date32 => ColumnType::Date,
        DataType::Timestamp(TimeUnit::Microsecond, None) => ColumnType::Timestamp,
        DataType::Utf8 => ColumnType::Text,
        _ => return None,
    })
}

/// `***` for every value.
fn redact(values: &ArrayRef) -> ArrayRef {
    let hide = |row| values.is_valid(row).then_some(HIDDEN);
    Arc::new((0..values.len()).map(hide).collect::<StringArray>())
}

/// Builds a text array by masking each value's text; whole numbers are written in decimal
/// digits. `None` for every other type.
fn map_text(values: &ArrayRef, mask: impl Fn(&str) -> String) -> Option<ArrayRef> {
    let masked: StringArray = match values.data_type() {
        DataType::Utf8 => {
            values.as_string_opt::<i32>()?.iter().map(|value| value.map(&mask)).collect()
        }
        DataType::Int32 => {
            let numbers = values.as_primitive_opt::<Int32Type>()?;
            numbers.iter().map(|value| value.map(|number| mask(&number.to_string()))).collect()
        }
        DataType::Int64 => {
            let numbers = values.as_primitive_opt::<Int64Type>()?;
            numbers.iter().map(|value| value.map(|number| mask(&number.to_string()))).collect()
        }
        _ => return None,
    };
    Some(Arc::new(masked))
}

/// The characters of a number as people write it, without spaces and hyphens; `None` if
/// anything but ASCII letters and digits is left.
fn compact(value: &str) -> Option<String> {
    let kept: String = value.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    kept.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(kept)
}

/// Whether a text is ASCII digits and nothing else.
fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a character is a Chinese one.
const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{323AF}')
}

#[cfg(test)]
mod tests;
