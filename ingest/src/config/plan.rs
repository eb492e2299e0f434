//! What a load file means: the checked form that the load works from.
//!
//! Owns the types of a plan. A value of them exists only if it was checked against the rules
//! in `checked`, so nothing later asks again whether a key names a column.

use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use martlet_core::TableSchema;
use martlet_index::IndexChoice;

use crate::check::time::TimeFormats;

/// How many rows of a batch may be bad before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectLimit {
    /// At most so many, over all files.
    Rows(u64),
    /// Any number; has to be spelled `"unlimited"`.
    Unlimited,
}

impl RejectLimit {
    /// Whether so many bad rows refuse the batch.
    #[must_use]
    pub const fn is_passed_by(self, rejected: u64) -> bool {
        match self {
            Self::Rows(limit) => rejected > limit,
            Self::Unlimited => false,
        }
    }
}

/// What a batch does to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadMode {
    /// The batch is the table's whole content.
    Replace,
    /// The batch's rows join those of earlier dates.
    Append,
    /// The batch's rows join those of earlier dates and take the place of those that have the
    /// same primary key.
    Upsert,
    /// The batch names primary keys; the rows that have them go.
    Delete,
}

impl LoadMode {
    /// The word of the load file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
        }
    }

    /// Whether the batch's keys decide which rows of earlier batches go.
    pub(crate) const fn supersedes(self) -> bool {
        matches!(self, Self::Upsert | Self::Delete)
    }
}

/// One table of the load.
#[derive(Debug, Clone)]
pub(crate) struct TablePlan {
    /// Of a table whose rows are deleted: its primary key alone.
    pub(crate) schema: TableSchema,
    pub(crate) mode: LoadMode,
    /// One per column of the schema.
    pub(crate) indexes: Vec<IndexChoice>,
    pub(crate) sources: Vec<SourcePlan>,
}

/// Files of one form that feed a table.
#[derive(Debug, Clone)]
pub(crate) struct SourcePlan {
    pub(crate) system: Option<String>,
    /// Patterns as written, with `{date}` and `{yyyymmdd}` still in them.
    pub(crate) patterns: Vec<String>,
    pub(crate) format: FileFormat,
    /// One per column of the schema.
    pub(crate) rules: Vec<ColumnRule>,
}

/// The form of a source's files.
#[derive(Debug, Clone)]
pub(crate) enum FileFormat {
    Delimited(Dialect),
    Parquet,
}

/// How a delimited file is cut into records and fields.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub(crate) delimiter: char,
    pub(crate) quote: Option<char>,
    pub(crate) header: Header,
    pub(crate) encoding: &'static Encoding,
    pub(crate) newlines: Newlines,
}

/// Whether a file's first record names its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    Named,
    /// Without a header; every record has exactly so many fields.
    Absent {
        fields: usize,
    },
}

/// What a line end inside quotes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Newlines {
    /// It ends the record, so that a torn quote costs one row and never its neighbours.
    EndRecords,
    /// It belongs to the value.
    InValues,
}

/// Where a column's values come from and how they are read.
#[derive(Debug, Clone)]
pub(crate) struct ColumnRule {
    pub(crate) input: Input,
    pub(crate) parse: Parse,
    pub(crate) nulls: NullMarks,
    pub(crate) trim: Trim,
}

/// Where a column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// The field that the header (or the Parquet schema) calls so.
    Named(String),
    /// The field at this position, from 0.
    Position(usize),
    /// Known without reading the row.
    Derived(Derived),
}

/// Values that come from the load itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derived {
    BatchDate,
    SourceSystem,
    FileName,
}

/// Whether spaces around a value are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trim {
    Keep,
    Spaces,
}

/// Which texts stand for null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NullMarks {
    pub(crate) empty: Empty,
    /// Other than the empty text.
    pub(crate) words: Vec<String>,
}

/// What an empty field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    /// Always null.
    Null,
    /// Null, unless it stands in quotes: then an empty text.
    NullUnlessQuoted,
    /// An empty text, which only a text column can take.
    Value,
}

/// How a column's text is read.
#[derive(Debug, Clone)]
pub(crate) enum Parse {
    Boolean,
    Int32(NumberStyle),
    Int64(NumberStyle),
    Float64(NumberStyle),
    Decimal { precision: u8, scale: u8, style: NumberStyle },
    Date(TimeFormats),
    Timestamp(TimeFormats),
    Text,
}

impl Parse {
    /// What a text has to be, for messages.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::Int32(_) | Self::Int64(_) => "a whole number",
            Self::Float64(_) | Self::Decimal { .. } => "a number",
            Self::Date(_) => "a date",
            Self::Timestamp(_) => "a timestamp",
            Self::Text => "a text",
        }
    }
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumberStyle {
    pub(crate) decimal_point: u8,
    pub(crate) thousands: Option<u8>,
}

impl NumberStyle {
    pub(crate) const PLAIN: Self = Self { decimal_point: b'.', thousands: None };
}

/// A checked load file.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// What messages call the load file.
    pub(crate) path: PathBuf,
    pub(crate) input: PathBuf,
    /// The load file's own bytes: part of the batch's digest.
    pub(crate) text: String,
    pub(crate) name: String,
    pub(crate) reject_limit: RejectLimit,
    pub(crate) tables: Vec<TablePlan>,
}

impl LoadPlan {
    /// The load file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The batch's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many bad rows are let pass.
    #[must_use]
    pub const fn reject_limit(&self) -> RejectLimit {
        self.reject_limit
    }

    /// The tables that the batch brings rows to, in the load file's order.
    pub fn tables(&self) -> impl Iterator<Item = (&TableSchema, LoadMode)> {
        let bringing = self.tables.iter().filter(|table| table.mode != LoadMode::Delete);
        bringing.map(|table| (&table.schema, table.mode))
    }
}
