//! The bundle's files as words with their places: the form is right, the meaning unchecked.
//!
//! Receives: the bundle's text. Hands on: [`RawBundle`] to the check and to the diff. Never
//! looks at a table's schema and never relates one word to another.

pub(crate) mod csv;
pub(crate) mod governance;
mod minimum_group;
pub(crate) mod toml;

use crate::bundle::{
    BUNDLE_FILE, BundleText, CLASSES_FILE, COLUMNS_FILE, FILES, OPTIONAL_FILES, ORGANIZATION_FILE,
    ROLES_FILE, RULES_FILE,
};
use crate::finding::{Finding, Located, Place, Source};
use crate::rule::Literal;
use csv::{Row, read_rows};
use governance::{
    RawConflict, RawEmergency, RawOfficer, RawRisk, parse_conflict, parse_emergency, parse_officer,
    parse_risk,
};
pub(crate) use minimum_group::RawGroups;
use toml::Keys;

/// A word and where it stands.
pub(crate) type Word = Located<String>;

/// The bundle as it is written.
#[derive(Debug, Default)]
pub(crate) struct RawBundle {
    pub(crate) name: Option<Word>,
    pub(crate) version: Option<Word>,
    pub(crate) profile: Option<Word>,
    pub(crate) attributes: Vec<Word>,
    pub(crate) utc_offset: Option<Word>,
    pub(crate) lookups_per_hour: Option<Located<i64>>,
    pub(crate) approvals: Option<Located<i64>>,
    pub(crate) officers: Vec<RawOfficer>,
    pub(crate) nodes: Vec<RawNode>,
    pub(crate) classes: Vec<RawClass>,
    /// `None` if there is no such file; an empty file is something else.
    pub(crate) columns: Option<Vec<RawColumns>>,
    pub(crate) roles: Vec<RawRole>,
    pub(crate) rules: Vec<RawRule>,
    pub(crate) conflicts: Vec<RawConflict>,
    pub(crate) accepted_risks: Vec<RawRisk>,
    pub(crate) emergencies: Vec<RawEmergency>,
}

/// A line of `organization.csv`.
#[derive(Debug)]
pub(crate) struct RawNode {
    pub(crate) code: Word,
    pub(crate) parent: Word,
    pub(crate) level: Word,
    pub(crate) name: Word,
}

/// A `[[class]]`.
#[derive(Debug)]
pub(crate) struct RawClass {
    pub(crate) name: Word,
    pub(crate) pfi: Option<Word>,
    pub(crate) level: Option<Located<i64>>,
    pub(crate) mask: Option<Word>,
    pub(crate) purpose: Option<Word>,
    /// What its columns hold, where the mask does not tell.
    pub(crate) about: Option<Word>,
}

/// A `[[table]]` of `columns.toml`.
#[derive(Debug)]
pub(crate) struct RawColumns {
    pub(crate) table: Word,
    /// Column and class.
    pub(crate) columns: Vec<(Word, Word)>,
}

/// A `[[role]]`.
#[derive(Debug)]
pub(crate) struct RawRole {
    pub(crate) name: Word,
    pub(crate) inherits: Vec<Word>,
    pub(crate) tables: Vec<Word>,
    pub(crate) may: Vec<Word>,
    /// Classes whose raw values may be asked for.
    pub(crate) lookup: Vec<Word>,
    /// What its holder is there for, beside reading.
    pub(crate) duty: Option<Word>,
    /// Class and access word.
    pub(crate) classes: Vec<(Word, Word)>,
    pub(crate) groups: RawGroups,
}

impl RawRole {
    /// A role that says nothing.
    pub(crate) fn silent(name: Word) -> Self {
        Self {
            name,
            inherits: Vec::new(),
            tables: Vec::new(),
            may: Vec::new(),
            lookup: Vec::new(),
            duty: None,
            classes: Vec::new(),
            groups: RawGroups::default(),
        }
    }
}

/// A `[[row_rule]]`.
#[derive(Debug)]
pub(crate) struct RawRule {
    pub(crate) name: Word,
    pub(crate) effect: Option<Word>,
    pub(crate) roles: Vec<Word>,
    pub(crate) tables: Vec<Word>,
    pub(crate) column: Option<Word>,
    pub(crate) within: Option<Word>,
    pub(crate) equals: Option<Word>,
    pub(crate) one_of: Option<Located<Vec<Located<Literal>>>>,
    pub(crate) at_least: Option<Located<Literal>>,
    pub(crate) below: Option<Located<Literal>>,
    pub(crate) all: Option<Located<bool>>,
    pub(crate) effective_from: Option<Located<Literal>>,
    pub(crate) effective_until: Option<Located<Literal>>,
}

/// Reads every file of the bundle. What cannot be read is a finding and left out.
pub(crate) fn parse(text: &BundleText, findings: &mut Vec<Finding>) -> RawBundle {
    check_files(text, findings);
    let mut raw = RawBundle::default();
    if let Some(text) = text.files.get(BUNDLE_FILE) {
        parse_bundle(text, &mut raw, findings);
    }
    if let Some(text) = text.files.get(ORGANIZATION_FILE) {
        raw.nodes = parse_organization(text, findings);
    }
    raw.classes = parse_list(text, CLASSES_FILE, "class", parse_class, findings);
    let has_columns = text.files.contains_key(COLUMNS_FILE);
    raw.columns =
        has_columns.then(|| parse_list(text, COLUMNS_FILE, "table", parse_columns, findings));
    parse_roles(text, &mut raw, findings);
    raw.rules = parse_list(text, RULES_FILE, "row_rule", parse_rule, findings);
    raw
}

/// Every required file has to be there, and none that is not of a bundle: a misspelt file name
/// must not switch rules off.
fn check_files(text: &BundleText, findings: &mut Vec<Finding>) {
    for file in FILES.into_iter().filter(|file| !text.files.contains_key(*file)) {
        findings.push(Place::start(file).finding("this file of the bundle is missing"));
    }
    let known = || FILES.into_iter().chain(OPTIONAL_FILES);
    for name in text.files.keys().filter(|name| known().all(|file| file != name.as_str())) {
        let (files, optional) = (FILES.join(", "), OPTIONAL_FILES.join(", "));
        let message =
            format!("not a file of a policy bundle; these are {files} and, if wanted, {optional}");
        findings.push(Finding { file: name.clone(), line: 1, column: 1, message });
    }
}

fn parse_bundle(text: &str, raw: &mut RawBundle, findings: &mut Vec<Finding>) {
    let mut keys = toml::read(Source::new(BUNDLE_FILE, text), findings);
    raw.name = keys.required_text("name", findings);
    raw.version = keys.required_text("version", findings);
    raw.profile = keys.required_text("profile", findings);
    raw.attributes = keys.texts("attributes", findings);
    raw.utc_offset = keys.text("utc_offset", findings);
    raw.lookups_per_hour = keys.integer("lookups_per_hour", findings);
    raw.approvals = keys.integer("approvals", findings);
    raw.officers = take_list(&mut keys, "officer", parse_officer, findings);
    keys.finish(findings);
}

fn parse_organization(text: &str, findings: &mut Vec<Finding>) -> Vec<RawNode> {
    let required = ["node", "parent", "level", "name"];
    let word =
        |row: &Row, header| Located { value: row.get(header).to_owned(), place: row.place(header) };
    read_rows(ORGANIZATION_FILE, text, &required, findings)
        .iter()
        .map(|row| RawNode {
            code: word(row, "node"),
            parent: word(row, "parent"),
            level: word(row, "level"),
            name: word(row, "name"),
        })
        .collect()
}

/// Reads a file that is a list of `[[key]]` tables.
fn parse_list<T>(
    text: &BundleText,
    file: &'static str,
    key: &str,
    parse_one: impl Fn(&mut Keys<'_>, &mut Vec<Finding>) -> Option<T>,
    findings: &mut Vec<Finding>,
) -> Vec<T> {
    let Some(text) = text.files.get(file) else { return Vec::new() };
    let mut keys = toml::read(Source::new(file, text), findings);
    let items = take_list(&mut keys, key, parse_one, findings);
    keys.finish(findings);
    items
}

/// Takes every `[[key]]` of a file that may hold other things too.
fn take_list<T>(
    keys: &mut Keys<'_>,
    key: &str,
    parse_one: impl Fn(&mut Keys<'_>, &mut Vec<Finding>) -> Option<T>,
    findings: &mut Vec<Finding>,
) -> Vec<T> {
    let mut items = Vec::new();
    for mut item in keys.tables(key, findings) {
        items.extend(parse_one(&mut item, findings));
        item.finish(findings);
    }
    items
}

fn parse_roles(text: &BundleText, raw: &mut RawBundle, findings: &mut Vec<Finding>) {
    let Some(text) = text.files.get(ROLES_FILE) else { return };
    let mut keys = toml::read(Source::new(ROLES_FILE, text), findings);
    raw.roles = take_list(&mut keys, "role", parse_role, findings);
    raw.conflicts = take_list(&mut keys, "conflict", parse_conflict, findings);
    raw.accepted_risks = take_list(&mut keys, "accepted_risk", parse_risk, findings);
    raw.emergencies = take_list(&mut keys, "emergency", parse_emergency, findings);
    keys.finish(findings);
}

fn parse_class(keys: &mut Keys<'_>, findings: &mut Vec<Finding>) -> Option<RawClass> {
    keys.text("description", findings);
    let name = keys.required_text("name", findings);
    let (pfi, level) = (keys.text("pfi", findings), keys.integer("level", findings));
    let (mask, purpose) = (keys.text("mask", findings), keys.text("purpose", findings));
    let about = keys.text("about", findings);
    Some(RawClass { name: name?, pfi, level, mask, purpose, about })
}

fn parse_columns(keys: &mut Keys<'_>, findings: &mut Vec<Finding>) -> Option<RawColumns> {
    keys.text("description", findings);
    let table = keys.required_text("name", findings);
    let columns = keys.text_table("columns", findings);
    Some(RawColumns { table: table?, columns })
}

fn parse_role(keys: &mut Keys<'_>, findings: &mut Vec<Finding>) -> Option<RawRole> {
    keys.text("description", findings);
    let name = keys.required_text("name", findings);
    let inherits = keys.texts("inherits", findings);
    let tables = keys.texts("tables", findings);
    let may = keys.texts("may", findings);
    let lookup = keys.texts("lookup", findings);
    let duty = keys.text("duty", findings);
    let groups = minimum_group::parse(keys, findings);
    let classes = keys.text_table("classes", findings);
    Some(RawRole { name: name?, inherits, tables, may, lookup, duty, classes, groups })
}

fn parse_rule(keys: &mut Keys<'_>, findings: &mut Vec<Finding>) -> Option<RawRule> {
    keys.text("description", findings);
    let name = keys.required_text("name", findings);
    let effect = keys.required_text("effect", findings);
    let roles = keys.texts("roles", findings);
    let tables = keys.texts("tables", findings);
    let column = keys.text("column", findings);
    let (within, equals) = (keys.text("within", findings), keys.text("equals", findings));
    let (one_of, all) = (keys.literals("in", findings), keys.boolean("all", findings));
    let (at_least, below) = (keys.literal("at_least", findings), keys.literal("below", findings));
    let effective_from = keys.literal("effective_from", findings);
    let effective_until = keys.literal("effective_until", findings);
    Some(RawRule {
        name: name?,
        effect,
        roles,
        tables,
        column,
        within,
        equals,
        one_of,
        at_least,
        below,
        all,
        effective_from,
        effective_until,
    })
}
