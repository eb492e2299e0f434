//! What the tests of this crate share: the example bundle and tables that it fits.

use std::collections::BTreeMap;

use martlet_core::{BatchDate, ColumnName, ColumnSchema, ColumnType, TableName, TableSchema};

use crate::bundle::BundleText;
use crate::checked::CheckedBundle;
use crate::directory::Directory;
use crate::grant::Grant;
use crate::password::{PasswordCost, hash_password};
use crate::principal::Principal;
use crate::{Decision, check, decide};

/// The files that `docs/security.md` shows.
pub(crate) const EXAMPLE: [(&str, &str); 5] = [
    ("bundle.toml", include_str!("../tests/data/bundle/bundle.toml")),
    ("organization.csv", include_str!("../tests/data/bundle/organization.csv")),
    ("classes.toml", include_str!("../tests/data/bundle/classes.toml")),
    ("roles.toml", include_str!("../tests/data/bundle/roles.toml")),
    ("rules.toml", include_str!("../tests/data/bundle/rules.toml")),
];

pub(crate) const MONEY: ColumnType = ColumnType::Decimal { precision: 18, scale: 2 };

/// The day of every decision in the tests.
pub(crate) fn today() -> BatchDate {
    "2026-11-22".parse().unwrap()
}

pub(crate) const PASSWORD: &str = "a long enough password";

pub(crate) fn bundle_text(files: &[(&str, &str)]) -> BundleText {
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    BundleText { files: files.iter().map(own).collect::<BTreeMap<_, _>>() }
}

pub(crate) fn example_text() -> BundleText {
    bundle_text(&EXAMPLE)
}

/// The example with one file's text changed.
pub(crate) fn example_with(file: &str, change: impl Fn(&str) -> String) -> BundleText {
    let mut text = example_text();
    let changed = change(&text.files[file]);
    assert_ne!(changed, text.files[file], "the change has to change something");
    text.files.insert(file.to_owned(), changed);
    text
}

/// A table of nullable columns, each with its type and its class (empty: none).
pub(crate) fn table(name: &str, columns: &[(&str, ColumnType, &str)]) -> TableSchema {
    let columns = columns
        .iter()
        .map(|(name, column_type, class)| ColumnSchema {
            name: ColumnName::new(name).unwrap(),
            column_type: *column_type,
            nullable: true,
            class: ColumnName::new(class).ok(),
        })
        .collect();
    TableSchema::new(TableName::new(name).unwrap(), columns, &[], &[]).unwrap()
}

pub(crate) fn customer() -> TableSchema {
    table(
        "customer",
        &[
            ("customer_id", ColumnType::Text, "customer_number"),
            ("outlet", ColumnType::Text, "open"),
            ("desk", ColumnType::Int32, "open"),
            ("segment", ColumnType::Text, "open"),
            ("name", ColumnType::Text, "name"),
            ("born", ColumnType::Date, "birth_date"),
            ("balance", MONEY, "balance"),
            ("note", ColumnType::Text, "memo"),
            ("unclassed", ColumnType::Text, ""),
        ],
    )
}

pub(crate) fn example() -> CheckedBundle {
    check(&example_text(), &[customer()]).unwrap()
}

/// Someone with these roles, this node and this desk, by way of a real sign-in.
pub(crate) fn principal(roles: &str, node: &str, desk: &str) -> Principal {
    let hash = hash_password(PASSWORD, [1; 16], PasswordCost::Test);
    let feed = format!("name,roles,node,password,desk\nkim,{roles},{node},\"{hash}\",{desk}\n");
    let directory = Directory::parse(&feed).unwrap();
    directory.principal(&directory.sign_in("kim", PASSWORD).unwrap()).unwrap()
}

/// The grant on the customers under the example; panics if denied.
pub(crate) fn granted(principal: &Principal) -> Grant {
    match decide(principal, &customer(), &example(), today()) {
        Decision::Granted(grant) => grant,
        Decision::Denied => panic!("denied"),
    }
}
