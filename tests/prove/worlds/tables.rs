//! The tables of the bank in which the proof is made: columns, classes and what fills them.
//!
//! Every type that Martlet stores, every mask, columns that nobody sees between those that are
//! seen, and rules of every kind, as `policy` writes them.

use martlet_core::ColumnType;

use super::fill::Fill;

/// The principal whose eyes matter; of groups alone, the statisticians' do.
pub const READER: &str = "ulla";

/// How the names of those begin who are told of groups only. What one of them was told decides what
/// they are told next, so each asks in one statement only.
pub const STATISTICIAN: &str = "stan";

/// A customer's column that was loaded as open and that the officers did not name.
pub const UNNAMED: &str = "stray";

/// An entry's column that was loaded as open and that the officers named as something else.
pub const NAMED_OTHERWISE: &str = "adrift";

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    /// The stored type, as load files write it.
    raw: &'static str,
    known: Known,
    pub class: Option<&'static str>,
    pub fill: Fill,
}

/// What the reader knows of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Its values, of this type, as they are or under a mask.
    Shown(&'static str),
    /// Its values stand in conditions and are never shown.
    InConditions,
    /// It does not exist for them.
    Nothing,
}

impl Column {
    /// The stored type.
    pub fn raw_type(&self) -> ColumnType {
        ColumnType::parse(self.raw).expect("a column's type")
    }

    /// The type that the reader sees.
    pub fn shown_type(&self) -> Option<ColumnType> {
        match self.known {
            Known::Shown(name) => Some(ColumnType::parse(name).expect("a column's type")),
            Known::InConditions | Known::Nothing => None,
        }
    }

    /// The type that the copy has: of what is shown, and of what stands in conditions.
    pub fn copied_type(&self) -> Option<ColumnType> {
        match self.known {
            Known::InConditions => Some(self.raw_type()),
            Known::Shown(_) | Known::Nothing => self.shown_type(),
        }
    }

    /// Whether the reader may only use it in conditions.
    pub fn is_for_conditions(&self) -> bool {
        self.known == Known::InConditions
    }
}

/// How a row of a table is hidden: all of these columns hold what a rule does not allow.
pub type Guard = &'static [&'static str];

/// One table.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// Ways to be hidden; none if every row is seen.
    pub guards: &'static [Guard],
    /// Columns by which a world may sort its segments.
    pub clusters: &'static [&'static str],
    /// The part of the rows, in a thousand of the largest table's, that are visible.
    pub share: usize,
    pub granted: To,
}

/// To whom a table is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    Reader,
    /// [`STATISTICIAN`]s, who are told groups of enough persons.
    Statisticians,
    Nobody,
}

const fn clear(name: &'static str, column_type: &'static str, fill: Fill) -> Column {
    let known = Known::Shown(column_type);
    Column { name, raw: column_type, known, class: Some("open"), fill }
}

const fn masked(
    name: &'static str,
    (raw, shown): (&'static str, &'static str),
    class: &'static str,
    fill: Fill,
) -> Column {
    Column { name, raw, known: Known::Shown(shown), class: Some(class), fill }
}

const fn unshown(name: &'static str, raw: &'static str, fill: Fill) -> Column {
    Column { name, raw, known: Known::InConditions, class: Some("unshown"), fill }
}

const fn hidden(
    name: &'static str,
    raw: &'static str,
    class: Option<&'static str>,
    fill: Fill,
) -> Column {
    Column { name, raw, known: Known::Nothing, class, fill }
}

/// Loaded as open, which the officers' `columns.toml` does not say: see [`super::policy`].
const fn misclassed(name: &'static str, fill: Fill) -> Column {
    hidden(name, "text", Some("open"), fill)
}

const OUTLETS: Fill =
    Fill::Choice { inside: &["o11", "o12", "o13"], outside: &["o21", "o22", "o31", "c2"] };
const SEGMENTS: Fill =
    Fill::Choice { inside: &["mass", "affluent"], outside: &["private", "staff"] };
const CLERKS: Fill = Fill::Choice { inside: &["ulla"], outside: &["ulf", "uta", "Ulla"] };
const KINDS: Fill =
    Fill::Choice { inside: &["card", "cash", "transfer"], outside: &["gold", "bribe"] };
const OWNERS: Fill = Fill::Choice { inside: &["ulla"], outside: &["owner", "heir", ""] };

const SURVEY_KINDS: Fill =
    Fill::Choice { inside: &["yes", "no", "maybe", "none"], outside: &["never"] };

const TEXT: (&str, &str) = ("text", "text");

const CUSTOMER: &[Column] = &[
    hidden("secret", "text", None, Fill::Secret),
    clear("customer_id", "int64", Fill::Key),
    clear("outlet", "text", OUTLETS),
    clear("segment", "text", SEGMENTS),
    masked("name", TEXT, "name", Fill::Name),
    masked("id_number", TEXT, "id_number", Fill::IdNumber),
    masked("mobile", TEXT, "mobile", Fill::Mobile),
    masked("phone", ("int64", "text"), "mobile", Fill::MobileNumber),
    hidden("secret_number", "int64", None, Fill::SecretNumber),
    masked("card", TEXT, "card", Fill::Card),
    masked("account", TEXT, "account", Fill::Account),
    masked("address", TEXT, "address", Fill::Address),
    masked("email", TEXT, "email", Fill::Email),
    masked("birth_date", ("date", "int32"), "birth_date", Fill::BirthDate),
    masked("birth_at", ("timestamp", "int32"), "birth_date", Fill::BirthMoment),
    masked("balance", ("decimal(18,2)", "text"), "balance", Fill::BandOfMoney),
    masked("wealth", ("float64", "text"), "balance", Fill::BandOfFloat),
    masked("credit_limit", ("int64", "text"), "balance", Fill::BandOfNumber),
    hidden("shade", "text", Some("dark"), Fill::Secret),
    masked("memo", TEXT, "memo", Fill::FreeText),
    masked("remark", TEXT, "remark", Fill::RedactedText),
    masked("marks", ("int32", "text"), "remark", Fill::RedactedNumber),
    masked("tax_id", TEXT, "tax", Fill::Token("tax")),
    masked("ref_id", ("int64", "text"), "reference", Fill::NumberToken("reference")),
    masked("fax", TEXT, "both", Fill::Mobile),
    masked("pager", TEXT, "rivals", Fill::RedactedMobile),
    hidden("hush", "text", Some("hush"), Fill::Secret),
    clear("z", "int32", Fill::NonZero),
    clear("zero", "int32", Fill::Number { low: 0, high: 4 }),
    clear("txt", "text", Fill::Digits),
    clear("code", "text", Fill::Mixed),
    clear("since", "timestamp", Fill::Moment),
    clear("opened", "date", Fill::Day),
    clear("active", "boolean", Fill::Flag),
    clear("score", "float64", Fill::Eighths),
    clear("amount", "decimal(18,2)", Fill::Money),
    clear("big", "int64", Fill::Number { low: 1, high: 100_000_000_000 }),
    misclassed(UNNAMED, Fill::Secret),
];

const ENTRY: &[Column] = &[
    clear("entry_id", "int64", Fill::Key),
    clear("customer_id", "int64", Fill::Reference(0)),
    clear("product_id", "int32", Fill::Number { low: 1, high: 14 }),
    clear("outlet", "text", OUTLETS),
    clear("clerk", "text", CLERKS),
    hidden("channel", "text", None, Fill::Secret),
    clear("kind", "text", KINDS),
    clear("level", "int32", Fill::Level),
    clear("booked_on", "date", Fill::Day),
    clear("booked_at", "timestamp", Fill::Moment),
    clear("amount", "decimal(15,2)", Fill::Money),
    clear("fee", "float64", Fill::Eighths),
    clear("points", "int32", Fill::Number { low: -20, high: 300 }),
    clear("note", "text", Fill::Words),
    masked("counter", TEXT, "account", Fill::Account),
    clear("flag", "boolean", Fill::Flag),
    clear("z", "int32", Fill::NonZero),
    clear("txt", "text", Fill::Digits),
    masked("customer_tax", TEXT, "tax", Fill::Token("tax")),
    hidden("hidden_level", "int32", Some("dark"), Fill::RedactedNumber),
    misclassed(NAMED_OTHERWISE, Fill::Secret),
];

const PRODUCT: &[Column] = &[
    clear("product_id", "int32", Fill::Key),
    clear("product", "text", Fill::Words),
    clear("rate", "float64", Fill::Eighths),
    clear("sold_from", "date", Fill::Day),
    clear("price", "decimal(10,2)", Fill::Money),
];

const OUTLET: &[Column] = &[
    clear(
        "code",
        "text",
        Fill::Choice { inside: &["o11", "o12", "o13", "o21", "o22", "o31"], outside: &[""] },
    ),
    hidden("manager", "text", None, Fill::Secret),
    clear("seats", "int32", Fill::Number { low: 1, high: 40 }),
    masked("phone", TEXT, "mobile", Fill::Mobile),
];

const VAULT: &[Column] = &[
    clear("vault_id", "int64", Fill::Key),
    clear("owner", "text", OWNERS),
    clear("content", "text", Fill::Words),
    clear("worth", "decimal(18,2)", Fill::Money),
];

/// What stands in conditions only, and what may be looked up.
const LOAN: &[Column] = &[
    clear("loan_id", "int64", Fill::Key),
    unshown("borrower", "text", Fill::Unshown),
    clear("outlet", "text", OUTLETS),
    masked("passport", TEXT, "passport", Fill::SoughtText),
    clear("level", "int32", Fill::Number { low: 1, high: 5 }),
    unshown("income", "int64", Fill::UnshownNumber),
    clear("amount", "decimal(15,2)", Fill::Money),
    hidden("secret", "text", None, Fill::Secret),
    masked("serial", ("int64", "text"), "serial", Fill::SoughtNumber),
    clear("note", "text", Fill::Words),
];

const GUARANTEE: &[Column] = &[
    clear("guarantee_id", "int64", Fill::Key),
    clear("outlet", "text", OUTLETS),
    unshown("borrower", "text", Fill::Unshown),
    clear("covered", "decimal(15,2)", Fill::Money),
];

/// What is told in groups of enough persons.
const SURVEY: &[Column] = &[
    clear("survey_id", "int64", Fill::Key),
    clear("person", "int64", Fill::Number { low: 1, high: 40 }),
    clear("outlet", "text", OUTLETS),
    clear("kind", "text", SURVEY_KINDS),
    clear("level", "int32", Fill::Number { low: 1, high: 4 }),
    clear("answered_on", "date", Fill::Day),
    clear("amount", "decimal(15,2)", Fill::Money),
    clear("points", "int32", Fill::Number { low: -3, high: 12 }),
];

const LIMBO: &[Column] =
    &[clear("limbo_id", "int64", Fill::Key), clear("content", "text", Fill::Words)];

const PAYROLL: &[Column] =
    &[clear("employee", "text", Fill::Secret), clear("salary", "int64", Fill::SecretNumber)];

/// Every table; the last one is in one world only.
pub const TABLES: [Table; 10] = [
    Table {
        name: "customer",
        columns: CUSTOMER,
        guards: &[&["outlet"], &["segment"]],
        clusters: &["outlet", "customer_id", "segment"],
        share: 150,
        granted: To::Reader,
    },
    Table {
        name: "entry",
        columns: ENTRY,
        guards: &[&["outlet", "clerk"], &["kind"], &["level"]],
        clusters: &["outlet", "entry_id", "booked_on", "customer_id"],
        share: 1000,
        granted: To::Reader,
    },
    Table {
        name: "product",
        columns: PRODUCT,
        guards: &[],
        clusters: &[],
        share: 5,
        granted: To::Reader,
    },
    Table {
        name: "outlet",
        columns: OUTLET,
        guards: &[],
        clusters: &[],
        share: 3,
        granted: To::Reader,
    },
    Table {
        name: "vault",
        columns: VAULT,
        guards: &[&["owner"]],
        clusters: &["owner"],
        share: 0,
        granted: To::Reader,
    },
    Table {
        name: "loan",
        columns: LOAN,
        guards: &[&["outlet"]],
        clusters: &["outlet", "loan_id", "borrower", "passport"],
        share: 100,
        granted: To::Reader,
    },
    Table {
        name: "guarantee",
        columns: GUARANTEE,
        guards: &[&["outlet"]],
        clusters: &["outlet", "borrower"],
        share: 60,
        granted: To::Reader,
    },
    Table {
        name: "survey",
        columns: SURVEY,
        guards: &[&["outlet"]],
        clusters: &["outlet", "person", "kind"],
        share: 60,
        granted: To::Statisticians,
    },
    // Granted, but no rule permits a row of it.
    Table {
        name: "limbo",
        columns: LIMBO,
        guards: &[&["content"]],
        clusters: &[],
        share: 0,
        granted: To::Reader,
    },
    Table {
        name: "payroll",
        columns: PAYROLL,
        guards: &[],
        clusters: &[],
        share: 0,
        granted: To::Nobody,
    },
];

/// The table that only one world has.
pub const ONLY_IN_FIRST: &str = "payroll";
