//! The fingerprint of a grant: equal only if what is seen is equal.
//!
//! Every part is written with its length or a tag before it, so no two different grants give
//! the same bytes.

use std::collections::BTreeSet;

use martlet_core::{Comparison, Predicate, TableSchema, Value};

use super::{ExplainRight, Grant, LookupRight};
use crate::access::Access;
use crate::mask::{Mask, Profile};
use crate::minimum_group::MinimumGroup;
use crate::rule::RowRule;

/// Written first, so that these bytes are never taken for something else's.
const DOMAIN: &str = "martlet grant 3";
const SIGHT_DOMAIN: &str = "martlet sight 2";
const ROWS_DOMAIN: &str = "martlet rows 1";

pub(super) fn of(grant: &Grant) -> [u8; 32] {
    let mut writer = Writer::default();
    writer.text(DOMAIN);
    writer.bytes(grant.version.digest());
    writer.sight(grant);
    writer.digest()
}

/// Of what is shown alone, under whichever policy.
pub(super) fn of_sight(grant: &Grant) -> [u8; 32] {
    let mut writer = Writer::default();
    writer.text(SIGHT_DOMAIN);
    writer.sight(grant);
    writer.digest()
}

/// Of which rows are shown alone: the rule, and where it finds its columns.
pub(super) fn of_rows(rows: &RowRule, table: &TableSchema) -> [u8; 32] {
    let mut writer = Writer::default();
    writer.text(ROWS_DOMAIN);
    writer.rows(rows);
    let ruled = match rows {
        RowRule::All | RowRule::None => BTreeSet::new(),
        RowRule::Where(predicate) => predicate.columns(),
    };
    let columns = table.columns().iter().enumerate();
    for (position, column) in columns.filter(|(_, column)| ruled.contains(&column.name)) {
        writer.count(position);
        writer.text(column.name.as_str());
        writer.text(&column.column_type.name());
    }
    writer.digest()
}

/// Gathered and digested at once: a rule may name thousands of codes, and a digest takes long blocks
/// in a fraction of the time of short ones.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn digest(&self) -> [u8; 32] {
        blake3::hash(&self.0).into()
    }

    fn sight(&mut self, grant: &Grant) {
        self.text(grant.table.as_str());
        self.tag(u8::from(grant.explain == ExplainRight::Given));
        self.count(grant.columns.len());
        for (granted, column_type) in grant.columns.iter().zip(&grant.types) {
            self.count(granted.position);
            self.text(granted.name.as_str());
            self.text(&column_type.name());
            self.access(&granted.access);
            self.tag(u8::from(granted.lookup == LookupRight::Given));
        }
        self.rows(&grant.rows);
        self.group(grant.minimum_group.as_ref());
    }

    fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&(count as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.tag(tag);
        self.bytes(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn access(&mut self, access: &Access) {
        let mask = match access {
            Access::Clear => return self.tag(0),
            Access::Masked(mask) => mask,
            Access::Unshown => return self.tag(2),
        };
        self.tag(1);
        self.text(mask.word());
        match mask {
            Mask::Name(profile)
            | Mask::IdNumber(profile)
            | Mask::Mobile(profile)
            | Mask::Card(profile)
            | Mask::AccountNumber(profile)
            | Mask::Address(profile)
            | Mask::Email(profile)
            | Mask::BirthDate(profile)
            | Mask::BalanceBand(profile) => self.tag(u8::from(*profile == Profile::Strict)),
            Mask::FreeText | Mask::Redact => {}
            Mask::Token(purpose) => self.text(purpose.as_str()),
        }
    }

    fn group(&mut self, group: Option<&MinimumGroup>) {
        let Some(MinimumGroup { size, persons }) = group else { return self.tag(0) };
        self.tag(1);
        self.count(size.get() as usize);
        self.tag(u8::from(persons.is_some()));
        if let Some(column) = persons {
            self.text(column.as_str());
        }
    }

    fn rows(&mut self, rows: &RowRule) {
        match rows {
            RowRule::All => self.tag(0),
            RowRule::None => self.tag(1),
            RowRule::Where(predicate) => {
                self.tag(2);
                self.predicate(predicate);
            }
        }
    }

    fn predicate(&mut self, predicate: &Predicate) {
        match predicate {
            Predicate::Constant(value) => {
                self.tag(0);
                self.tag(u8::from(*value));
            }
            Predicate::Compare { column, comparison, value } => {
                self.tag(1);
                self.text(column.as_str());
                self.tag(comparison_tag(*comparison));
                self.value(value);
            }
            Predicate::In { column, values } => {
                self.tag(2);
                self.text(column.as_str());
                self.count(values.len());
                values.iter().for_each(|value| self.value(value));
            }
            Predicate::IsNull { column } => {
                self.tag(3);
                self.text(column.as_str());
            }
            Predicate::Like { column, pattern } => {
                self.tag(7);
                self.text(column.as_str());
                self.text(pattern.as_str());
            }
            Predicate::Part { column, part, comparison, value } => {
                self.tag(8);
                self.text(column.as_str());
                self.text(part.name());
                self.tag(comparison_tag(*comparison));
                self.bytes(&value.to_le_bytes());
            }
            Predicate::And(parts) => self.parts(4, parts),
            Predicate::Or(parts) => self.parts(5, parts),
            Predicate::Not(part) => self.parts(6, std::slice::from_ref(part)),
        }
    }

    fn parts(&mut self, tag: u8, parts: &[Predicate]) {
        self.tag(tag);
        self.count(parts.len());
        parts.iter().for_each(|part| self.predicate(part));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Boolean(value) => self.tagged(0, &[u8::from(*value)]),
            Value::Int(value) => self.tagged(1, &value.to_le_bytes()),
            Value::Float(value) => self.tagged(2, &value.to_bits().to_le_bytes()),
            Value::Decimal(value) => self.tagged(3, &value.to_le_bytes()),
            Value::Date(value) => self.tagged(4, &value.to_le_bytes()),
            Value::Timestamp(value) => self.tagged(5, &value.to_le_bytes()),
            Value::Text(value) => self.tagged(6, value.as_bytes()),
        }
    }
}

const fn comparison_tag(comparison: Comparison) -> u8 {
    match comparison {
        Comparison::Equal => 0,
        Comparison::NotEqual => 1,
        Comparison::Less => 2,
        Comparison::LessOrEqual => 3,
        Comparison::Greater => 4,
        Comparison::GreaterOrEqual => 5,
    }
}
