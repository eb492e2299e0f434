//! The decision once more, slow and obvious: cell by cell, from what the roles and rules say,
//! without sets, families or predicates. The property tests hold the real one against it.
//!
//! A policy here is plain data; [`Policy::text`] writes it as a bundle, so that the parser and
//! the check are on the tested way too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use martlet_core::{ColumnType, TableSchema};

use crate::bundle::BundleText;
use crate::testing::{MONEY, bundle_text, table};

/// The tree of every reference policy: code, parent, level.
pub(crate) const TREE: [(&str, &str, &str); 6] = [
    ("00", "", "head_office"),
    ("1", "00", "province"),
    ("11", "1", "outlet"),
    ("12", "1", "outlet"),
    ("2", "00", "province"),
    ("21", "2", "outlet"),
];

/// Every class and the word of its mask, with how strict that is (see [`strictness`]).
pub(crate) const CLASSES: [(&str, &str, u8); 5] = [
    ("open", "redact", 5),
    ("person", "name", 3),
    ("money", "balance_band", 4),
    ("memo", "free_text", 6),
    ("score", "redact", 5),
];

/// One row rule.
#[derive(Debug, Clone)]
pub(crate) struct RuleSpec {
    pub(crate) permits: bool,
    pub(crate) roles: BTreeSet<usize>,
    pub(crate) tables: BTreeSet<&'static str>,
    pub(crate) condition: ConditionSpec,
    /// First and last day, as text; every decision of the tests is of [`TODAY`].
    pub(crate) days: (Option<&'static str>, Option<&'static str>),
}

/// Days as text compare like days.
pub(crate) const TODAY: &str = "2026-11-22";

/// Which rows.
#[derive(Debug, Clone)]
pub(crate) enum ConditionSpec {
    All,
    WithinNode,
    EqualsTier,
    SegmentIn(BTreeSet<&'static str>),
    ScoreIn(BTreeSet<i64>),
    /// From the first on and below the second; one of them is there.
    ScoreBetween(Option<i64>, Option<i64>),
}

/// One role as it is written. It may inherit from roles of lower numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoleSpec {
    pub(crate) inherits: BTreeSet<usize>,
    pub(crate) tables: BTreeSet<&'static str>,
    pub(crate) explain: bool,
    pub(crate) lookup: BTreeSet<&'static str>,
    pub(crate) words: BTreeMap<&'static str, &'static str>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    /// A number beyond the policy's roles is a role that it does not know.
    pub(crate) roles: BTreeSet<usize>,
    pub(crate) node: &'static str,
    pub(crate) tier: &'static str,
}

/// A row's values as text; an absent one is null.
pub(crate) type Row = BTreeMap<&'static str, &'static str>;

/// A whole policy.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) roles: Vec<RoleSpec>,
    pub(crate) rules: Vec<RuleSpec>,
    /// Table, column and class, if there is such a file.
    pub(crate) columns: Option<Vec<[&'static str; 3]>>,
}

pub(crate) fn tables() -> [TableSchema; 2] {
    let columns = [
        ("outlet", ColumnType::Text, "open"),
        ("segment", ColumnType::Text, "open"),
        ("score", ColumnType::Int32, "score"),
        ("holder", ColumnType::Text, "person"),
        ("balance", MONEY, "money"),
        ("note", ColumnType::Text, "memo"),
        ("unclassed", ColumnType::Text, ""),
    ];
    [table("customer", &columns), table("account", &columns[..5])]
}

/// How strict a word about a class is: clear, filter, token, partial, band, redact, null, hidden.
fn strictness(class: &str, word: &str) -> u8 {
    match word {
        "clear" => 0,
        "filter" => 1,
        "mask" => CLASSES.iter().find(|(name, ..)| *name == class).map_or(7, |(.., rank)| *rank),
        word if word.starts_with("token:") => 2,
        "redact" => 5,
        _ => 7,
    }
}

/// The strictest of several words; two masks that each show something and differ show only `***`.
fn strictest(class: &str, words: &[String]) -> String {
    let mut best = words.first().cloned().unwrap_or_else(|| "silent".to_owned());
    let rank = |word: &str| strictness(class, word);
    for word in words {
        if rank(word) > rank(&best) {
            best.clone_from(word);
        }
    }
    let shows = |word: &str| (1..5).contains(&rank(word));
    let differs = |word: &String| shows(word) && shows(&best) && *word != best;
    if words.iter().any(differs) { "redact".to_owned() } else { best }
}

impl Policy {
    fn inherits_from(&self, role: usize, ancestor: usize) -> bool {
        role == ancestor
            || self.roles[role].inherits.iter().any(|next| self.inherits_from(*next, ancestor))
    }

    fn family(&self, role: usize) -> Vec<usize> {
        (0..self.roles.len()).filter(|other| self.inherits_from(role, *other)).collect()
    }

    fn grants(&self, role: usize, table: &str) -> bool {
        self.family(role).iter().any(|member| self.roles[*member].tables.contains(table))
    }

    /// What a role with its family says about a class; `None` is silence.
    fn word(&self, role: usize, class: &str) -> Option<String> {
        let said = |member: &usize| self.roles[*member].words.get(class).map(|w| (*w).to_owned());
        let words: Vec<String> = self.family(role).iter().filter_map(said).collect();
        if words.is_empty() { None } else { Some(strictest(class, &words)) }
    }

    /// The class of a column, if it counts.
    fn class<'a>(&self, table: &'a TableSchema, column: &str) -> Option<&'a str> {
        let class = table.column(column)?.class.as_ref()?.as_str();
        let named = [table.name().as_str(), column, class];
        let counts = self.columns.as_ref().is_none_or(|columns| columns.contains(&named));
        counts.then_some(class)
    }

    fn counts(&self, rule: &RuleSpec, asker: &Asker, table: &str) -> bool {
        let (from, until) = rule.days;
        from.is_none_or(|from| from <= TODAY)
            && until.is_none_or(|until| TODAY <= until)
            && rule.tables.contains(table)
            && asker.roles.iter().any(|role| {
                rule.roles.iter().any(|named| self.inherits_from(*role, *named))
                    && (!rule.permits || self.grants(*role, table))
            })
    }

    /// Whether a rule that counts can be decided at all for this asker.
    fn decidable(rule: &RuleSpec, asker: &Asker) -> bool {
        match rule.condition {
            ConditionSpec::WithinNode => TREE.iter().any(|(code, ..)| *code == asker.node),
            ConditionSpec::EqualsTier => !asker.tier.is_empty(),
            _ => true,
        }
    }

    /// Whether the table exists for the asker.
    pub(crate) fn knows(&self, asker: &Asker, table: &TableSchema) -> bool {
        let name = table.name().as_str();
        asker.roles.iter().all(|role| *role < self.roles.len())
            && asker.roles.iter().any(|role| self.grants(*role, name))
            && table
                .columns()
                .iter()
                .any(|c| self.access(asker, table, c.name.as_str()) != "hidden")
            && self.rules.iter().all(|r| !self.counts(r, asker, name) || Self::decidable(r, asker))
    }

    /// How the asker sees a column: `clear`, `token:…`, `mask:…` or `hidden`.
    pub(crate) fn access(&self, asker: &Asker, table: &TableSchema, column: &str) -> String {
        let Some(class) = self.class(table, column) else { return "hidden".to_owned() };
        let mut words = Vec::new();
        for role in &asker.roles {
            match self.word(*role, class) {
                Some(word) => words.push(word),
                None if self.grants(*role, table.name().as_str()) => {
                    words.push("silent".to_owned())
                }
                None => {}
            }
        }
        let mask = CLASSES.iter().find(|(name, ..)| *name == class).map_or("", |(_, mask, _)| mask);
        match strictest(class, &words).as_str() {
            "mask" => format!("mask:{mask}"),
            "redact" => "mask:redact".to_owned(),
            "deny" | "silent" => "hidden".to_owned(),
            word => word.to_owned(),
        }
    }

    /// Whether the asker sees a row of a table that exists for them.
    pub(crate) fn sees(&self, asker: &Asker, table: &TableSchema, row: &Row) -> bool {
        let counting = |permits: bool| {
            let name = table.name().as_str();
            self.rules
                .iter()
                .filter(move |rule| rule.permits == permits && self.counts(rule, asker, name))
        };
        counting(true).any(|rule| holds(&rule.condition, asker, row))
            && counting(false).all(|rule| holds(&rule.condition, asker, row))
    }

    /// Whether every role that grants the table may explain.
    pub(crate) fn explains(&self, asker: &Asker, table: &TableSchema) -> bool {
        let may =
            |role: &usize| self.family(*role).iter().any(|member| self.roles[*member].explain);
        let granting = |role: &&usize| self.grants(**role, table.name().as_str());
        asker.roles.iter().filter(granting).all(may)
    }

    /// Whether every role that grants the table may look the column up, which is not hidden.
    pub(crate) fn looks_up(&self, asker: &Asker, table: &TableSchema, column: &str) -> bool {
        let Some(class) = self.class(table, column) else { return false };
        let may = |role: &usize| {
            self.family(*role).iter().any(|member| self.roles[*member].lookup.contains(class))
        };
        let granting = |role: &&usize| self.grants(**role, table.name().as_str());
        self.access(asker, table, column) != "hidden"
            && asker.roles.iter().filter(granting).all(may)
    }

    /// The policy as a bundle's files.
    pub(crate) fn text(&self) -> BundleText {
        let mut organization = "node,parent,level,name\n".to_owned();
        for (code, parent, level) in TREE {
            writeln!(organization, "{code},{parent},{level},Somewhere").unwrap();
        }
        let mut classes = String::new();
        for (name, mask, _) in CLASSES {
            writeln!(classes, "[[class]]\nname = {name:?}\nmask = {mask:?}").unwrap();
        }
        let mut text = bundle_text(&[
            (
                "bundle.toml",
                "name = \"r\"\nversion = \"1\"\nprofile = \"doc\"\nattributes = [\"tier\"]",
            ),
            ("organization.csv", &organization),
            ("classes.toml", &classes),
            ("roles.toml", &self.roles_text()),
            ("rules.toml", &self.rules_text()),
        ]);
        let columns = self.columns.as_deref().map(columns_text);
        text.files.extend(columns.map(|columns| ("columns.toml".to_owned(), columns)));
        text
    }

    fn roles_text(&self) -> String {
        let mut text = String::new();
        for (number, role) in self.roles.iter().enumerate() {
            let may = if role.explain { "[\"explain\"]" } else { "[]" };
            let (inherits, tables) = (role_names(&role.inherits), &role.tables);
            writeln!(text, "[[role]]\nname = \"r{number}\"\ninherits = {inherits:?}").unwrap();
            writeln!(text, "tables = {:?}\nmay = {may}", Vec::from_iter(tables)).unwrap();
            writeln!(text, "lookup = {:?}\n[role.classes]", Vec::from_iter(&role.lookup)).unwrap();
            for (class, word) in &role.words {
                writeln!(text, "{class} = {word:?}").unwrap();
            }
        }
        text
    }

    fn rules_text(&self) -> String {
        let mut text = String::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let effect = if rule.permits { "permit" } else { "restrict" };
            let (roles, tables) = (role_names(&rule.roles), Vec::from_iter(&rule.tables));
            writeln!(text, "[[row_rule]]\nname = \"rule{number}\"\neffect = {effect:?}").unwrap();
            writeln!(text, "roles = {roles:?}\ntables = {tables:?}").unwrap();
            match &rule.condition {
                ConditionSpec::All => writeln!(text, "all = true"),
                ConditionSpec::WithinNode => {
                    writeln!(text, "column = \"outlet\"\nwithin = \"node\"")
                }
                ConditionSpec::EqualsTier => {
                    writeln!(text, "column = \"segment\"\nequals = \"tier\"")
                }
                ConditionSpec::SegmentIn(values) => {
                    writeln!(text, "column = \"segment\"\nin = {:?}", Vec::from_iter(values))
                }
                ConditionSpec::ScoreIn(values) => {
                    writeln!(text, "column = \"score\"\nin = {:?}", Vec::from_iter(values))
                }
                ConditionSpec::ScoreBetween(low, high) => {
                    let bound = |key: &str, bound: &Option<i64>| {
                        bound.map_or_else(String::new, |bound| format!("{key} = {bound}\n"))
                    };
                    let (low, high) = (bound("at_least", low), bound("below", high));
                    writeln!(text, "column = \"score\"\n{low}{high}")
                }
            }
            .unwrap();
            for (key, day) in [("effective_from", rule.days.0), ("effective_until", rule.days.1)] {
                let line = day.map_or_else(String::new, |day| format!("{key} = {day:?}\n"));
                text.push_str(&line);
            }
        }
        text
    }
}

fn columns_text(columns: &[[&str; 3]]) -> String {
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    for [table, column, class] in columns {
        let table = tables
            .entry(table)
            .or_insert_with(|| format!("[[table]]\nname = {table:?}\n[table.columns]\n"));
        writeln!(table, "{column} = {class:?}").unwrap();
    }
    tables.into_values().collect()
}

fn role_names(numbers: &BTreeSet<usize>) -> Vec<String> {
    numbers.iter().map(|number| format!("r{number}")).collect()
}

fn holds(condition: &ConditionSpec, asker: &Asker, row: &Row) -> bool {
    let (outlet, segment) = (row.get("outlet").copied(), row.get("segment").copied());
    match condition {
        ConditionSpec::All => true,
        ConditionSpec::WithinNode => outlet.is_some_and(|outlet| lies_below(outlet, asker.node)),
        ConditionSpec::EqualsTier => segment.is_some_and(|segment| segment == asker.tier),
        ConditionSpec::SegmentIn(values) => segment.is_some_and(|s| values.contains(s)),
        ConditionSpec::ScoreIn(values) => {
            row.get("score").is_some_and(|score| values.contains(&score.parse().unwrap()))
        }
        ConditionSpec::ScoreBetween(low, high) => row.get("score").is_some_and(|score| {
            let score: i64 = score.parse().unwrap();
            low.is_none_or(|low| low <= score) && high.is_none_or(|high| score < high)
        }),
    }
}

/// Walks up from a code.
fn lies_below(code: &str, node: &str) -> bool {
    let Some((_, parent, _)) = TREE.iter().find(|(known, ..)| *known == code) else { return false };
    code == node || !parent.is_empty() && lies_below(parent, node)
}
