//! Why a row was refused, in the words of the reject file.
//!
//! Owns the list of reasons. A reason never quotes the value: the raw row stands beside it.

use std::fmt;

use martlet_core::limits::LINE_BYTES_MAX;

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    TooLong,
    Encoding { name: &'static str },
    UnclosedQuote,
    UnclosedQuoteAtEnd,
    TextAfterQuote,
    FieldCount { found: usize, expected: usize },
    FieldCountAtEnd { found: usize, expected: usize },
    Null,
    Empty { type_name: &'static str },
    NotBoolean,
    NotInteger,
    OutOfRange { type_name: &'static str },
    NotNumber,
    NotFinite,
    TooManyIntegerDigits { most: usize },
    TooManyDecimals { scale: usize },
    NotOfFormat { formats: String },
    NoSuchDay,
    TimeOfDay,
    TooPrecise,
    TextTooLong,
    DuplicateKey { columns: String },
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(out, "the row is longer than {LINE_BYTES_MAX} bytes"),
            Self::Encoding { name } => write!(out, "the row is not valid {name} text"),
            Self::UnclosedQuote => out.write_str("a quote is opened and not closed in this row"),
            Self::UnclosedQuoteAtEnd => out.write_str(
                "a quote is opened and not closed: the file is cut off in the middle of this row",
            ),
            Self::TextAfterQuote => {
                out.write_str("text follows the closing quote; a quote inside a value is doubled")
            }
            Self::FieldCount { found, expected } => {
                write!(out, "the row has {found} fields and {expected} are expected")
            }
            Self::FieldCountAtEnd { found, expected } => write!(
                out,
                "the row has {found} fields and {expected} are expected: the file is cut off in the middle of this row"
            ),
            Self::Null => out.write_str("null in a column that is never null"),
            Self::Empty { type_name } => {
                write!(out, "empty, which is not {type_name} and not one of the null marks")
            }
            Self::NotBoolean => out
                .write_str("not a boolean: write true or false, t or f, yes or no, y or n, 1 or 0"),
            Self::NotInteger => out.write_str("not a whole number"),
            Self::OutOfRange { type_name } => write!(out, "out of the range of {type_name}"),
            Self::NotNumber => out.write_str("not a number"),
            Self::NotFinite => out.write_str("not a finite number"),
            Self::TooManyIntegerDigits { most } => {
                write!(out, "more than {most} digits before the decimal point")
            }
            Self::TooManyDecimals { scale } => {
                write!(out, "more than {scale} digits behind the decimal point")
            }
            Self::NotOfFormat { formats } => write!(out, "not of the format {formats}"),
            Self::NoSuchDay => out.write_str("no such day or time in the calendar"),
            Self::TimeOfDay => out.write_str("has a time of day, which a date cannot keep"),
            Self::TooPrecise => out.write_str("finer than a microsecond"),
            Self::TextTooLong => out.write_str("the text is too long to be stored"),
            Self::DuplicateKey { columns } => {
                write!(out, "an earlier row of the batch has the same primary key ({columns})")
            }
        }
    }
}

impl Reason {
    /// The reason when the row is the file's last and has no line end: what looks torn there
    /// is most likely a delivery that was cut off.
    pub(crate) fn at_end_of_file(self) -> Self {
        match self {
            Self::UnclosedQuote => Self::UnclosedQuoteAtEnd,
            Self::FieldCount { found, expected } if found < expected => {
                Self::FieldCountAtEnd { found, expected }
            }
            other => other,
        }
    }
}
