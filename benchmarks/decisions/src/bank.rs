//! A whole bank's tables, rules and people, as texts.
//!
//! Owns what they look like, with a change of the rules and one of the people that a reader notices.
//! Must never check or read them itself: they go the way of every bundle and every feed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use martlet_core::{ClassName, ColumnName, ColumnSchema, ColumnType, TableName, TableSchema};
use martlet_policy::{BundleText, PasswordCost, hash_password};

use crate::Arguments;

/// Everybody's.
pub(crate) const PASSWORD: &str = "benchmark: everybody alike";
/// Somebody of an outlet, to whom changes happen.
pub(crate) const TELLER: &str = "user5";

const TELLERS_ROLE: usize = 5;
const CLASSES: usize = 12;
const TABLES: usize = 8;
const COLUMNS: usize = 24;
const BASE_ROLES: usize = 20;

/// What a bank has in force.
#[derive(Debug)]
pub(crate) struct Bank {
    pub(crate) tables: Vec<TableSchema>,
    pub(crate) rules: BundleText,
    /// The rules by which [`TELLER`] has nothing of the first table.
    pub(crate) narrower: BundleText,
    pub(crate) feed: String,
    /// The feed in which [`TELLER`] is missing.
    pub(crate) without_teller: String,
}

impl Bank {
    /// Of so many outlets, roles and principals.
    pub(crate) fn of(arguments: &Arguments) -> Result<Self, String> {
        let feed = feed(arguments);
        let of_teller = format!("{TELLER},");
        let others = feed.lines().filter(|line| !line.starts_with(&of_teller));
        let without_teller = others.map(|line| format!("{line}\n")).collect();
        Ok(Self {
            tables: (0..TABLES).map(table).collect::<Result<_, _>>()?,
            rules: bundle(arguments, 0),
            narrower: bundle(arguments, 1),
            feed,
            without_teller,
        })
    }
}

fn table(number: usize) -> Result<TableSchema, String> {
    let column = |at: usize| {
        let name = if at == 0 { "outlet".to_owned() } else { format!("column{at}") };
        let class = if at == 0 { "class0".to_owned() } else { format!("class{}", at % CLASSES) };
        Ok(ColumnSchema {
            name: ColumnName::new(&name).map_err(|error| error.to_string())?,
            column_type: ColumnType::Text,
            nullable: true,
            class: Some(ClassName::new(&class).map_err(|error| error.to_string())?),
        })
    };
    let columns = (0..COLUMNS).map(column).collect::<Result<Vec<_>, String>>()?;
    let name = TableName::new(&format!("table{number}")).map_err(|error| error.to_string())?;
    TableSchema::new(name, columns, &[], &[]).map_err(|error| error.to_string())
}

/// A text is being written into a string, which cannot fail.
macro_rules! line {
    ($text:expr, $($what:tt)*) => { let _ = writeln!($text, $($what)*); };
}

/// The rules, in which the teller's role has the tables from one on.
fn bundle(arguments: &Arguments, tellers_first_table: usize) -> BundleText {
    let mut organization = "node,parent,level,name\nhead,,head_office,Head Office\n".to_owned();
    for outlet in 0..arguments.outlets {
        let (province, city) = (outlet / 100, outlet / 10);
        if outlet % 100 == 0 {
            line!(organization, "p{province},head,province,Province {province}");
        }
        if outlet % 10 == 0 {
            line!(organization, "c{city},p{province},city,City {city}");
        }
        line!(organization, "o{outlet},c{city},outlet,Outlet {outlet}");
    }
    let mut classes = String::new();
    for class in 0..CLASSES {
        line!(classes, "[[class]]\nname = \"class{class}\"\nmask = \"redact\"");
    }
    let files = [
        ("bundle.toml", "name = \"bank\"\nversion = \"1\"\nprofile = \"doc\"\n".to_owned()),
        ("organization.csv", organization),
        ("classes.toml", classes),
        ("roles.toml", roles(arguments, tellers_first_table)),
        ("rules.toml", rules()),
    ];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text));
    BundleText { files: files.collect::<BTreeMap<_, _>>() }
}

fn roles(arguments: &Arguments, tellers_first_table: usize) -> String {
    let mut text = String::new();
    for role in 0..arguments.roles.max(BASE_ROLES) {
        line!(text, "[[role]]\nname = \"role{role}\"");
        if role >= BASE_ROLES {
            line!(text, "inherits = [\"role{}\"]", role % BASE_ROLES);
            continue;
        }
        let first = if role == TELLERS_ROLE { tellers_first_table } else { 0 };
        let tables: Vec<String> = (first..TABLES).map(|table| format!("table{table}")).collect();
        line!(text, "tables = {tables:?}\n[role.classes]");
        for class in 0..CLASSES {
            let word = if (role + class) % 3 == 0 { "mask" } else { "clear" };
            line!(text, "class{class} = {:?}", if class == 0 { "clear" } else { word });
        }
    }
    text
}

/// Everybody sees what lies below their node.
fn rules() -> String {
    let mut text = String::new();
    for role in 0..BASE_ROLES {
        for table in 0..TABLES {
            line!(text, "[[row_rule]]\nname = \"below-{role}-{table}\"\neffect = \"permit\"");
            line!(text, "roles = [\"role{role}\"]\ntables = [\"table{table}\"]");
            line!(text, "column = \"outlet\"\nwithin = \"node\"");
        }
    }
    text
}

/// One in a thousand sits at head office, and few in provinces and cities.
fn feed(arguments: &Arguments) -> String {
    let hash = hash_password(PASSWORD, [7; 16], PasswordCost::Test);
    let mut text = "name,roles,node,password\n".to_owned();
    for user in 0..arguments.principals.max(10) {
        let outlet = user * 7 % arguments.outlets.max(1);
        let node = match user {
            _ if user % 1_000 == 0 => "head".to_owned(),
            _ if user % 100 == 2 => format!("p{}", outlet / 100),
            _ if user % 25 == 1 => format!("c{}", outlet / 10),
            _ => format!("o{outlet}"),
        };
        let role = user % arguments.roles.max(BASE_ROLES);
        line!(text, "user{user},role{role},{node},\"{hash}\"");
    }
    text
}
