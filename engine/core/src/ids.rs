//! Names and numbers that must not be mixed up: each is a type of its own.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use crate::limits::NAME_BYTES_MAX;

/// Why a name, number or date was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not a name: lower-case ASCII letters, digits and `_`, beginning with a letter.
    #[error(
        "`{name}` is not a name: use lower-case letters, digits and `_`, beginning with a letter, at most {NAME_BYTES_MAX} bytes"
    )]
    Name {
        /// What was given.
        name: String,
    },
    /// Not a date of the form `YYYY-MM-DD`.
    #[error("`{text}` is not a date: write it as YYYY-MM-DD")]
    Date {
        /// What was given.
        text: String,
    },
    /// Not the text form of an id.
    #[error("`{text}` is not an id: expected 32 hexadecimal digits")]
    Hex {
        /// What was given.
        text: String,
    },
}

fn check_name(name: &str, dots_allowed: bool) -> Result<(), IdError> {
    let well_formed = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let parts: Vec<&str> = name.split('.').collect();
    let parts_max = if dots_allowed { 2 } else { 1 };
    if name.len() <= NAME_BYTES_MAX
        && parts.len() <= parts_max
        && parts.iter().all(|part| well_formed(part))
    {
        Ok(())
    } else {
        Err(IdError::Name { name: name.chars().take(NAME_BYTES_MAX).collect() })
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, dots: $dots:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and makes the name.
            ///
            /// # Errors
            /// [`IdError::Name`] if it is not lower-case letters, digits and `_`.
            pub fn new(name: &str) -> Result<Self, IdError> {
                check_name(name, $dots)?;
                Ok(Self(Arc::from(name)))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type!(
    /// The name of a table: `customer`, or with its schema, `system.audit_record`.
    /// A name without a schema belongs to the schema `mart`.
    TableName, dots: true
);
name_type!(
    /// The name of a column.
    ColumnName, dots: false
);

impl TableName {
    /// The schema that holds every table of the nightly load.
    pub const MART_SCHEMA: &'static str = "mart";
    /// The schema of Martlet's own tables (audit records, rules).
    pub const SYSTEM_SCHEMA: &'static str = "system";

    /// The schema part: `mart` where none is written.
    #[must_use]
    pub fn schema_part(&self) -> &str {
        self.0.split_once('.').map_or(Self::MART_SCHEMA, |(schema, _)| schema)
    }

    /// The table part.
    #[must_use]
    pub fn table_part(&self) -> &str {
        self.0.split_once('.').map_or(&*self.0, |(_, table)| table)
    }

    /// Whether the table is one of Martlet's own.
    #[must_use]
    pub fn is_system(&self) -> bool {
        self.schema_part() == Self::SYSTEM_SCHEMA
    }
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Makes the id of sixteen bytes that the caller drew at random.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The sixteen bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let refused = || IdError::Hex { text: text.chars().take(64).collect() };
                if text.len() != 32 || !text.is_ascii() {
                    return Err(refused());
                }
                let mut bytes = [0_u8; 16];
                for (byte, at) in bytes.iter_mut().zip((0..32).step_by(2)) {
                    *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| refused())?;
                }
                Ok(Self(bytes))
            }
        }
    };
}

random_id!(
    /// One immutable segment of a table.
    SegmentId
);
random_id!(
    /// One attempt to commit, by which an unknown outcome is resolved.
    CommitId
);

/// The number of a snapshot. Snapshot 0 is the empty mart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SnapshotNumber(u64);

impl SnapshotNumber {
    /// The empty mart, which exists without an object.
    pub const EMPTY: Self = Self(0);

    /// The snapshot with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for SnapshotNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The business date of a night's batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchDate(NaiveDate);

impl BatchDate {
    /// The batch of this day.
    #[must_use]
    pub const fn new(date: NaiveDate) -> Self {
        Self(date)
    }

    /// The day as a calendar date.
    #[must_use]
    pub const fn date(self) -> NaiveDate {
        self.0
    }

    /// Days since 1970-01-01, as Arrow's `Date32` counts.
    #[must_use]
    pub fn days(self) -> i32 {
        self.0.num_days_from_ce() - DAYS_FROM_CE_TO_EPOCH
    }

    /// The day that lies this many days after 1970-01-01, if the calendar has it.
    #[must_use]
    pub fn from_days(days: i32) -> Option<Self> {
        NaiveDate::from_num_days_from_ce_opt(days.checked_add(DAYS_FROM_CE_TO_EPOCH)?).map(Self)
    }
}

/// `NaiveDate` counts days from 1 January of year 1; Arrow from 1970-01-01.
pub(crate) const DAYS_FROM_CE_TO_EPOCH: i32 = 719_163;

impl fmt::Display for BatchDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl FromStr for BatchDate {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map(Self)
            .map_err(|_| IdError::Date { text: text.chars().take(32).collect() })
    }
}
