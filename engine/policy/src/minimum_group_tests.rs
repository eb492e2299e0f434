use super::*;
use crate::testing::{customer, example_with, principal, table, today};
use crate::{CheckedBundle, Decision, Grant, check, decide, diff, explain};

/// The example with more lines in its roles.
fn bundle(before_classes: &str, more_roles: &str) -> Result<CheckedBundle, Vec<String>> {
    let text = example_with("roles.toml", |text| {
        let changed =
            text.replace("may = [\"explain\"]", &format!("may = [\"explain\"]\n{before_classes}"));
        format!("{changed}\n{more_roles}\n")
    });
    check(&text, &[customer()])
        .map_err(|findings| findings.iter().map(ToString::to_string).collect())
}

fn granted(roles: &str, bundle: &CheckedBundle) -> Option<Grant> {
    match decide(&principal(roles, "4403", "7"), &customer(), bundle, today()) {
        Decision::Granted(grant) => Some(grant),
        Decision::Denied => None,
    }
}

fn groups(roles: &str, bundle: &CheckedBundle) -> Option<String> {
    granted(roles, bundle).unwrap().minimum_group().map(ToString::to_string)
}

const MORE: &str = "[[role]]\nname = \"stricter\"\ntables = [\"customer\"]\nminimum_group = 20\n\
                    [role.classes]\nopen = \"clear\"\n\
                    [[role]]\nname = \"heir\"\ninherits = [\"stricter\"]\nminimum_group = 5\n";

#[test]
fn the_largest_counts_and_nobody_loosens_it() {
    let bundle = bundle("minimum_group = 10\nminimum_group_by = \"customer_id\"", MORE).unwrap();
    assert_eq!(groups("analyst", &bundle).unwrap(), "at least 10 by customer_id");
    assert_eq!(groups("teller", &bundle), None);
    assert_eq!(groups("teller;analyst", &bundle).unwrap(), "at least 10 by customer_id");
    assert_eq!(groups("stricter", &bundle).unwrap(), "at least 20 rows");
    assert_eq!(groups("heir", &bundle).unwrap(), "at least 20 rows", "inherited");
}

#[test]
fn persons_count_where_one_role_counts_them_and_have_to_be_seen() {
    let seen =
        MORE.replace("open = \"clear\"\n", "open = \"clear\"\ncustomer_number = \"filter\"\n");
    let by = "minimum_group = 10\nminimum_group_by = \"customer_id\"";
    let both = bundle(by, &seen).unwrap();
    assert_eq!(
        groups("stricter;branch_reader", &both).unwrap(),
        "at least 20 rows",
        "a role that counts nothing has no column"
    );
    let counted =
        bundle(by, &seen.replace("_group = 20", "_group = 20\nminimum_group_by = \"desk\""))
            .unwrap();
    assert!(granted("stricter", &counted).is_some());
    assert!(granted("analyst;stricter", &counted).is_none(), "two columns cannot both be counted");
    let hidden = bundle(by, MORE).unwrap();
    assert!(granted("analyst;stricter", &hidden).is_none(), "what is hidden cannot be counted");
}

#[test]
fn a_minimum_is_part_of_the_fingerprint_and_of_what_covers_everything() {
    let print = |size: u32| {
        let line = format!("minimum_group = {size}");
        granted("analyst", &bundle(&line, "").unwrap()).unwrap().fingerprint()
    };
    assert_ne!(print(10), print(11));
    assert_ne!(
        granted("analyst", &bundle("minimum_group = 10", "").unwrap()).unwrap().fingerprint(),
        granted(
            "analyst",
            &bundle("minimum_group = 10\nminimum_group_by = \"customer_id\"", "").unwrap()
        )
        .unwrap()
        .fingerprint()
    );
}

#[test]
fn each_mistake_is_found() {
    for (lines, expected) in [
        ("minimum_group = 1", "`minimum_group` is a number from 2 to 1000"),
        ("minimum_group = 1001", "`minimum_group` is a number from 2 to 1000"),
        ("minimum_group = -3", "`minimum_group` is a number from 2 to 1000"),
        ("minimum_group = \"ten\"", "`minimum_group` has to be a whole number"),
        ("minimum_group_by = \"customer_id\"", "says nothing without `minimum_group`"),
        (
            "minimum_group = 10\nminimum_group_by = \"customer\"",
            "it has no column `customer`, by which persons are counted",
        ),
        ("minimum_group = 10\nminimum_group_by = \"Customer Id\"", "is not a column's name"),
        ("minimum_group = 10\nminimum_group_by = \"note\"", "does not see `note` of `customer`"),
        ("minimum_group = 10\nminimum_group_by = \"unclassed\"", "does not see `unclassed`"),
    ] {
        let found = bundle(lines, "").unwrap_err();
        assert!(found.iter().any(|line| line.contains(expected)), "{lines}: {found:?}");
    }
}

#[test]
fn an_heir_is_found_that_counts_by_two_columns() {
    let heir = "[[role]]\nname = \"heir\"\ninherits = [\"analyst\"]\nminimum_group = 5\n\
                minimum_group_by = \"desk\"\n";
    let found = bundle("minimum_group = 10\nminimum_group_by = \"customer_id\"", heir).unwrap_err();
    assert!(found.iter().any(|line| line.contains("by different columns")), "{found:?}");
}

#[test]
fn a_table_without_the_column_is_denied_and_not_counted_by_rows() {
    let role = |by: Option<&str>| {
        let mut role = bundle("minimum_group = 10", "").unwrap().role("analyst").unwrap().clone();
        let size = NonZeroU32::new(10).unwrap();
        let by = by.map(|name| ColumnName::new(name).unwrap());
        role.groups = BTreeSet::from([GroupRule { size, by }]);
        role
    };
    let rates = table("rates", &[("day", martlet_core::ColumnType::Date, "open")]);
    let of = |role: &Role, table: &TableSchema| MinimumGroup::of(table, &[role]);
    let by = ColumnName::new("customer_id").unwrap();
    assert_eq!(of(&role(Some("customer_id")), &rates), Err(Uncountable::NoColumn(by)));
    assert!(of(&role(Some("customer_id")), &customer()).unwrap().unwrap().persons.is_some());
    assert_eq!(of(&role(None), &rates).unwrap().unwrap().persons, None);
}

#[test]
fn lowering_removing_and_counting_otherwise_have_a_star() {
    let with = |lines: &str| {
        example_with("roles.toml", |text| {
            text.replace("may = [\"explain\"]", &format!("may = [\"explain\"]\n{lines}\n"))
        })
    };
    let (ten, twenty) = (with("minimum_group = 10"), with("minimum_group = 20"));
    let by = with("minimum_group = 10\nminimum_group_by = \"customer_id\"");
    let none = crate::testing::example_text();
    assert_eq!(diff(&none, &ten), ["  role `analyst`: minimum group (none) -> 10"]);
    assert_eq!(diff(&ten, &twenty), ["  role `analyst`: minimum group 10 -> 20"]);
    assert_eq!(diff(&twenty, &ten), ["* role `analyst`: minimum group 20 -> 10"]);
    assert_eq!(diff(&ten, &none), ["* role `analyst`: minimum group 10 -> (none)"]);
    assert_eq!(diff(&ten, &by), ["* role `analyst`: minimum group 10 -> 10 by `customer_id`"]);
}

#[test]
fn officers_read_it() {
    let bundle = bundle("minimum_group = 10\nminimum_group_by = \"customer_id\"", "").unwrap();
    let lines = explain(&principal("analyst", "00", "7"), &customer(), &bundle, today());
    for expected in [
        "role `analyst`: grants the table, in groups of at least 10",
        "groups: at least 10 by customer_id",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected}: {lines:#?}");
    }
    let directory = crate::Directory::parse("name,roles,node,password\nlee,analyst,00,\n").unwrap();
    let tables = [customer()];
    let rows = crate::review(&directory, &tables, &bundle, today()).next().unwrap().rows;
    assert!(rows.ends_with("; groups: at least 10 by customer_id"), "{rows}");
}
