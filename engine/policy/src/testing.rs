//! What the tests of this crate share: the example bundle and tables that it fits.

use std::collections::BTreeMap;

use martlet_core::{BatchDate, ColumnName, ColumnSchema, ColumnType, TableName, TableSchema};

use crate::bundle::BundleText;
use crate::checked::CheckedBundle;
use crate::directory::Directory;
use crate::emergency::{EmergencyId, EmergencyRequest, Span};
use crate::grant::Grant;
use crate::key::OfficerSecret;
use crate::password::{PasswordCost, hash_password};
use crate::principal::Principal;
use crate::stored::Edition;
use crate::{Decision, Moment, check, decide};

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

/// The same to the second.
pub(crate) fn moment() -> Moment {
    Moment { day: today(), seconds: NOON }
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

/// When the emergencies of the tests begin: 2026-11-23, midnight UTC.
pub(crate) const NOON: i64 = 1_795_392_000;

/// An edition of no rules.
pub(crate) const EDITION: Edition = Edition([5; 32]);

pub(crate) fn officer_secret(seed: u8) -> OfficerSecret {
    OfficerSecret::from_bytes(&[seed; 32])
}

pub(crate) fn request(principal: &str, access: &str, from: i64, until: i64) -> EmergencyRequest {
    request_of(7, principal, access, from, until)
}

pub(crate) fn request_of(
    id: u8,
    principal: &str,
    access: &str,
    from: i64,
    until: i64,
) -> EmergencyRequest {
    request_under(EDITION, id, principal, access, from, until)
}

/// From so many seconds after the tests' beginning until so many.
pub(crate) fn request_under(
    edition: Edition,
    id: u8,
    principal: &str,
    access: &str,
    from: i64,
    until: i64,
) -> EmergencyRequest {
    let span = Span { from: NOON + from, until: NOON + until };
    let id = EmergencyId::from_bytes([id; 16]);
    EmergencyRequest::new(id, principal, access, "the core is down", span, edition).unwrap()
}

/// The example with the officers ann, bob and cas, and an emergency for tellers.
pub(crate) fn emergency_text() -> BundleText {
    let mut text = example_text();
    let mut officers = "approvals = 2\n".to_owned();
    for (name, seed) in [("ann", 1), ("bob", 2), ("cas", 3)] {
        let key = officer_secret(seed).public();
        officers.push_str(&format!("[[officer]]\nname = \"{name}\"\nkey = \"{key}\"\n"));
    }
    for (file, more) in [
        ("bundle.toml", officers.as_str()),
        ("roles.toml", EMERGENCY_ROLES),
        (
            "rules.toml",
            "\n[[row_rule]]\nname = \"outage-all\"\neffect = \"permit\"\nroles = [\"outage\"]\n\
             tables = [\"customer\"]\nall = true\n",
        ),
    ] {
        text.files.get_mut(file).unwrap().push_str(more);
    }
    text
}

pub(crate) const EMERGENCY_ROLES: &str = r#"
[[role]]
name = "outage"
tables = ["customer"]

[role.classes]
open = "clear"
customer_number = "clear"
name = "clear"
balance = "clear"

[[role]]
name = "writer"
duty = "rules"

[[role]]
name = "developer"

[[conflict]]
roles = ["developer", "outage"]

[[emergency]]
name = "core outage"
role = "outage"
may_ask = ["teller"]
hours = 2
approvers = 2
"#;

/// Ann is an officer; wil writes rules, dev develops, both beside; odd has a role that is none.
pub(crate) const EMERGENCY_PEOPLE: &str = "name,roles,node,password,desk\n\
    kim,teller,440301,,7\nlee,teller,440301,,7\nana,analyst,440301,,7\nann,teller,440301,,7\n\
    wil,writer;teller,440301,,7\ndev,developer;teller,440301,,7\nodd,ghost;teller,440301,,7\n";
