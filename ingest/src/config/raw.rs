//! What a load file says, word by word, each with its place in the text.
//!
//! Owns the spelling of the keys. Never decides what they mean: `checked` does.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLoad {
    pub(super) name: Spanned<String>,
    pub(super) reject_limit: Option<Spanned<Value>>,
    #[serde(default)]
    pub(super) table: Vec<Spanned<RawTable>>,
}

/// `[[table]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTable {
    pub(super) name: Spanned<String>,
    pub(super) mode: Spanned<String>,
    #[serde(default)]
    pub(super) primary_key: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) cluster_key: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) column: Vec<Spanned<RawColumn>>,
    #[serde(default)]
    pub(super) source: Vec<Spanned<RawSource>>,
}

/// `[[table.column]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawColumn {
    pub(super) name: Spanned<String>,
    #[serde(rename = "type")]
    pub(super) column_type: Spanned<String>,
    pub(super) class: Option<Spanned<String>>,
    pub(super) nullable: Option<Spanned<bool>>,
    pub(super) field: Option<Spanned<Value>>,
    pub(super) value: Option<Spanned<String>>,
    pub(super) index: Option<Spanned<Value>>,
    pub(super) format: Option<Spanned<Value>>,
    pub(super) two_digit_year_from: Option<Spanned<i64>>,
    pub(super) decimal_point: Option<Spanned<String>>,
    pub(super) thousands: Option<Spanned<String>>,
    pub(super) trim: Option<bool>,
    pub(super) null: Option<Spanned<Value>>,
}

/// `[[table.source]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    pub(super) system: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) files: Vec<Spanned<String>>,
    pub(super) format: Option<Spanned<String>>,
    pub(super) delimiter: Option<Spanned<String>>,
    pub(super) quote: Option<Spanned<String>>,
    pub(super) header: Option<Spanned<bool>>,
    pub(super) encoding: Option<Spanned<String>>,
    pub(super) null: Option<Spanned<Value>>,
    pub(super) quoted_empty: Option<Spanned<String>>,
    pub(super) newlines_in_values: Option<Spanned<bool>>,
    pub(super) decimal_point: Option<Spanned<String>>,
    pub(super) thousands: Option<Spanned<String>>,
    pub(super) trim: Option<bool>,
    pub(super) field_count: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) fields: BTreeMap<Spanned<String>, Spanned<Value>>,
}
