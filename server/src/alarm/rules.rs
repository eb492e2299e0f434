//! The rules of a file: what is unusual, of whom, and what is done about it.
//!
//! Owns the form of `alarms.toml` and every bound on it. Must never let a rule through that
//! cannot be meant as it stands, nor one by which a stranger could shut a person out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use toml::{Table, Value};

use super::clock::{Clock, DAY, MINUTE, SECOND, offset};
use super::emergencies::RESERVED;
use super::error::AlarmError;
use super::fields::Fields;
use super::{syslog, webhook};

/// Rules in one file at most: each keeps something of everybody.
const RULES_MAX: usize = 64;
/// The greatest count that has to be kept one by one.
const KEPT_MAX: u64 = 2_000;

/// How much an alarm matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look in the week's review.
    Low,
    /// Worth a look today.
    Medium,
    /// Somebody looks now.
    High,
}

impl Severity {
    const WORDS: [(&'static str, Self); 3] =
        [("low", Self::Low), ("medium", Self::Medium), ("high", Self::High)];

    /// The word in the file and in alarms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What is done about somebody beside telling it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curbing {
    /// One statement at once, with a pause before each, in microseconds.
    Throttle { pause: i64 },
    /// Sessions closed, streams ended, no sign-in.
    Cut,
}

/// What an alarm leads to; it is on the audit record and in the alarms' own file in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Actions {
    pub(crate) notify: bool,
    pub(crate) curbing: Option<Curbing>,
    /// For how long, in microseconds; until it is lifted where nothing is said.
    pub(crate) lasts: Option<i64>,
}

/// Whom a rule is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) roles: BTreeSet<String>,
    pub(crate) except_roles: BTreeSet<String>,
    pub(crate) names: BTreeSet<String>,
    /// Only who leaves within so many days, or should have left.
    pub(crate) leaving_within: Option<i32>,
}

/// A figure of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Rows,
    /// The rows of the largest statement.
    Largest,
    Keys,
    Lookups,
    Statements,
}

/// What a figure is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    Own,
    Peers,
}

/// What is counted within a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Different constants of key columns.
    Keys,
    /// Look-ups of masked values.
    Lookups,
    /// Different constants of key columns of which nothing was found.
    Misses,
    /// Statements that were refused.
    Refusals,
    /// Sign-ins that were refused.
    SignIns,
    /// Statements with so many rows each.
    Large,
}

/// What a rule looks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Usual(Usual),
    OffHours { from: u32, until: u32, free_days: bool, rows: u64, keys: u64 },
    Crowd { principals: u64, window: i64 },
    Many { counted: Counted, count: u64, share: f64, rows: u64, window: i64 },
    Sequence { count: u64, step: u64, window: i64 },
    OwnNode { count: u64, share: f64, window: i64 },
    Narrow { shapes: u64, rows: u64, window: i64 },
    ExportThenDelete { rows: u64, window: i64 },
    TwoPlaces { window: i64 },
    Watched { statements: u64, window: i64, values: BTreeSet<String> },
}

/// More than one's usual figure, or than that of one's peers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usual {
    pub(crate) figure: Figure,
    pub(crate) against: Against,
    /// 1: the day's figure. 7 and 30: the sum of so many days.
    pub(crate) days: u64,
    pub(crate) factor: f64,
    pub(crate) floor: u64,
    /// The usual figure of whoever has no history and no peers.
    pub(crate) newcomer: u64,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) severity: Severity,
    pub(crate) about: About,
    pub(crate) kind: Kind,
    /// For how long the same is not said again of the same person, in microseconds.
    pub(crate) quiet: i64,
    pub(crate) actions: Actions,
}

impl Rule {
    /// How long the same is not said again: no longer than it holds somebody, who would be free
    /// for the rest of it.
    pub(super) fn says_again_after(&self) -> i64 {
        match (self.actions.curbing, self.actions.lasts) {
            (Some(_), Some(lasts)) => self.quiet.min(lasts),
            _ => self.quiet,
        }
    }
}

/// Where alarms are sent to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notify {
    pub(crate) webhook: Option<String>,
    pub(crate) webhook_ca: Option<PathBuf>,
    pub(crate) syslog: Option<String>,
}

/// All rules of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    pub(crate) clock: Clock,
    pub(crate) keys: Vec<String>,
    pub(crate) nodes: Vec<String>,
    pub(crate) notify: Notify,
    pub(crate) rules: Vec<Rule>,
}

impl Rules {
    /// The built-in rules as a file, with every field explained.
    pub const EXAMPLE: &'static str = include_str!("example.toml");

    /// The rules that count where no file is given.
    ///
    /// # Errors
    /// None: a test reads them.
    pub fn builtin() -> Result<Self, AlarmError> {
        Self::parse(Self::EXAMPLE)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`AlarmError::Unreadable`], or [`AlarmError::Rules`] with everything that is wrong.
    pub fn read(path: &Path) -> Result<Self, AlarmError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| AlarmError::Unreadable { path: path.to_path_buf(), source })?;
        Self::parse_in(&text, path.parent().unwrap_or_else(|| Path::new(".")))
    }

    /// Reads a text; lists of watched customers are looked for in the working folder.
    ///
    /// # Errors
    /// [`AlarmError::Rules`] with everything that is wrong.
    pub fn parse(text: &str) -> Result<Self, AlarmError> {
        Self::parse_in(text, Path::new("."))
    }

    fn parse_in(text: &str, folder: &Path) -> Result<Self, AlarmError> {
        let table: Table = toml::from_str(text)
            .map_err(|error| AlarmError::Rules(error.to_string().trim().to_owned()))?;
        let mut findings = Vec::new();
        let rules = whole(table, folder, &mut findings);
        if findings.is_empty() { Ok(rules) } else { Err(AlarmError::Rules(findings.join("; "))) }
    }

    /// The rules' names, with their severity.
    pub fn names(&self) -> impl Iterator<Item = (&str, Severity)> {
        self.rules.iter().map(|rule| (rule.name.as_str(), rule.severity))
    }
}

fn whole(mut table: Table, folder: &Path, findings: &mut Vec<String>) -> Rules {
    let notify = sub_table(&mut table, "notify", findings);
    let listed = match table.remove("rule") {
        Some(Value::Array(rules)) => rules,
        None => Vec::new(),
        Some(_) => {
            findings.push("`rule` must be a list: [[rule]]".to_owned());
            Vec::new()
        }
    };
    let mut top = Fields::new("the file".to_owned(), table, findings);
    let clock = clock(&mut top);
    let (keys, nodes) = (lower(top.texts("keys")), lower(top.texts("nodes")));
    top.end();
    let notify = sinks(notify, folder, findings);
    let mut rules: Vec<Rule> = Vec::new();
    for (at, listed) in listed.into_iter().enumerate() {
        let Value::Table(listed) = listed else { continue };
        let rule = rule(at, listed, folder, findings);
        if rules.iter().any(|other| other.name == rule.name) {
            findings.push(format!("the name `{}` stands twice", rule.name));
        }
        rules.push(rule);
    }
    if rules.len() > RULES_MAX {
        findings.push(format!("{} rules are more than {RULES_MAX}", rules.len()));
    }
    Rules { clock, keys, nodes, notify, rules }
}

fn sub_table(table: &mut Table, key: &str, findings: &mut Vec<String>) -> Table {
    match table.remove(key) {
        Some(Value::Table(sub)) => sub,
        None => Table::new(),
        Some(_) => {
            findings.push(format!("`{key}` must be a table: [{key}]"));
            Table::new()
        }
    }
}

fn lower(texts: Vec<String>) -> Vec<String> {
    texts.into_iter().map(|text| text.to_lowercase()).collect()
}

fn clock(top: &mut Fields<'_>) -> Clock {
    let mut clock = Clock::default();
    if let Some(text) = top.text("utc_offset") {
        match offset(&text) {
            Some(ahead) => clock.ahead = ahead,
            None => top.find("`utc_offset` must be written as \"+08:00\" or \"-03:30\""),
        }
    }
    for day in top.texts("holidays") {
        match NaiveDate::parse_from_str(&day, "%Y-%m-%d") {
            Ok(date) => {
                clock.holidays.insert(date);
            }
            Err(_) => top.find("`holidays` must be days such as \"2026-10-01\""),
        }
    }
    clock
}

fn sinks(table: Table, folder: &Path, findings: &mut Vec<String>) -> Notify {
    let mut fields = Fields::new("[notify]".to_owned(), table, findings);
    let notify = Notify {
        webhook: fields.text("webhook"),
        webhook_ca: fields.text("webhook_ca").map(|file| folder.join(file)),
        syslog: fields.text("syslog"),
    };
    if let Some(url) = &notify.webhook {
        let webhook = webhook::Target::parse(url)
            .map_err(|what| format!("`webhook` {what}"))
            .and_then(|target| {
                let proven_by = notify.webhook_ca.as_deref();
                webhook::Webhook::new(target, proven_by).map_err(|error| error.to_string())
            });
        if let Err(what) = webhook {
            fields.find(&what);
        }
    }
    if let Some(place) = &notify.syslog
        && let Err(what) = syslog::Target::parse(place)
    {
        fields.find(&format!("`syslog` {what}"));
    }
    fields.end();
    notify
}

fn rule(at: usize, table: Table, folder: &Path, findings: &mut Vec<String>) -> Rule {
    let name = table.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let place = if name.is_empty() { format!("rule {}", at + 1) } else { format!("rule `{name}`") };
    let mut fields = Fields::new(place, table, findings);
    let _ = fields.text("name");
    let well_named = |part: char| part.is_ascii_lowercase() || part.is_ascii_digit() || part == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(well_named) {
        fields.find("`name` must be a word of a-z, 0-9 and -, of 64 characters at most");
    }
    if name.starts_with(RESERVED) {
        fields.find("names that begin with `emergency-` are those of the built-in alarms");
    }
    let severity = fields.word("severity", &Severity::WORDS, Severity::Medium);
    let quiet = fields.maybe_time("quiet").unwrap_or(DAY);
    let about = about(&mut fields);
    let kind = kind(&mut fields, folder);
    let actions = actions(&mut fields, &kind);
    fields.end();
    Rule { name, severity, about, kind, quiet, actions }
}

fn about(fields: &mut Fields<'_>) -> About {
    let set = |texts: Vec<String>| texts.into_iter().collect::<BTreeSet<_>>();
    let days = fields.count_or("leaving_within_days", 0);
    About {
        roles: set(fields.texts("roles")),
        except_roles: set(fields.texts("except_roles")),
        names: set(fields.texts("names")),
        leaving_within: (days > 0).then(|| i32::try_from(days).unwrap_or(i32::MAX)),
    }
}

fn actions(fields: &mut Fields<'_>, kind: &Kind) -> Actions {
    let mut actions = Actions::default();
    let words = fields.texts("actions");
    let pause = fields.maybe_time("pause");
    actions.lasts = fields.maybe_time("for");
    for word in &words {
        match word.as_str() {
            "notify" => actions.notify = true,
            "throttle" if actions.curbing.is_none() => {
                let pause = pause.unwrap_or(5 * SECOND);
                if pause > MINUTE {
                    fields.find("`pause` must be a minute at most");
                }
                actions.curbing = Some(Curbing::Throttle { pause });
            }
            "cut" => actions.curbing = Some(Curbing::Cut),
            "throttle" => {}
            _ => fields.find("`actions` may be \"notify\", \"throttle\" and \"cut\""),
        }
    }
    if matches!(kind, Kind::Many { counted: Counted::SignIns, .. }) && actions.curbing.is_some() {
        fields.find("refused sign-ins may only notify: by wrong passwords a stranger could shut a person out");
    }
    actions
}

fn kind(fields: &mut Fields<'_>, folder: &Path) -> Kind {
    let words = [
        ("usual", 0),
        ("off_hours", 1),
        ("crowd", 2),
        ("many", 3),
        ("sequence", 4),
        ("own_node", 5),
        ("narrow", 6),
        ("export_then_delete", 7),
        ("two_places", 8),
        ("watched", 9),
    ];
    match fields.word("kind", &words, usize::MAX) {
        0 => Kind::Usual(usual(fields)),
        1 => Kind::OffHours {
            from: fields.minute("from"),
            until: fields.minute("until"),
            free_days: fields.flag("free_days", true),
            rows: fields.count("rows"),
            keys: fields.count("keys"),
        },
        2 => Kind::Crowd { principals: kept(fields, "principals"), window: fields.time("window") },
        3 => Kind::Many {
            counted: fields.word("counted", &COUNTED, Counted::Keys),
            count: kept(fields, "count"),
            share: fields.share_or("share", 0.0),
            rows: fields.count_or("rows", 10_000),
            window: fields.time("window"),
        },
        4 => Kind::Sequence {
            count: kept(fields, "count"),
            step: fields.count("step"),
            window: fields.time("window"),
        },
        5 => Kind::OwnNode {
            count: kept(fields, "count"),
            share: fields.share("share"),
            window: fields.time("window"),
        },
        6 => Kind::Narrow {
            shapes: kept(fields, "shapes"),
            rows: fields.count("rows"),
            window: fields.time("window"),
        },
        7 => Kind::ExportThenDelete { rows: fields.count("rows"), window: fields.time("window") },
        8 => Kind::TwoPlaces { window: fields.time("window") },
        9 => watched(fields, folder),
        _ => {
            fields.find("`kind` is missing");
            Kind::TwoPlaces { window: DAY }
        }
    }
}

const COUNTED: [(&str, Counted); 6] = [
    ("keys", Counted::Keys),
    ("lookups", Counted::Lookups),
    ("misses", Counted::Misses),
    ("refusals", Counted::Refusals),
    ("sign_ins", Counted::SignIns),
    ("large", Counted::Large),
];

/// A count that is kept one by one, for everybody.
fn kept(fields: &mut Fields<'_>, key: &str) -> u64 {
    let count = fields.count(key);
    if count > KEPT_MAX {
        fields.find(&format!("`{key}` must be {KEPT_MAX} at most"));
    }
    count.min(KEPT_MAX)
}

fn usual(fields: &mut Fields<'_>) -> Usual {
    let figures = [
        ("rows", Figure::Rows),
        ("largest", Figure::Largest),
        ("keys", Figure::Keys),
        ("lookups", Figure::Lookups),
        ("statements", Figure::Statements),
    ];
    let days = fields.count_or("days", 1);
    if ![1, 7, 30].contains(&days) {
        fields.find("`days` must be 1, 7 or 30");
    }
    let against =
        fields.word("against", &[("own", Against::Own), ("peers", Against::Peers)], Against::Own);
    if days == 30 && against == Against::Own {
        fields.find("thirty days are held against those of one's peers: `against = \"peers\"`");
    }
    let figure = fields.word("figure", &figures, Figure::Rows);
    if days != 1 && figure == Figure::Largest {
        fields.find("the largest statement is that of one day: `days = 1`");
    }
    Usual {
        figure,
        against,
        days,
        factor: fields.factor("factor"),
        floor: fields.count("floor"),
        newcomer: fields.count_or("newcomer", 1),
    }
}

fn watched(fields: &mut Fields<'_>, folder: &Path) -> Kind {
    let mut values: BTreeSet<String> = fields.texts("values").into_iter().collect();
    if let Some(file) = fields.text("file") {
        match std::fs::read_to_string(folder.join(file)) {
            Ok(text) => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                values.extend(lines.map(ToOwned::to_owned));
            }
            Err(error) => fields.find(&format!("`file` cannot be read: {error}")),
        }
    }
    Kind::Watched { statements: kept(fields, "statements"), window: fields.time("window"), values }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
