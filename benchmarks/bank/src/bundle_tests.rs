use std::collections::BTreeSet;

use super::*;
use crate::entity::{ENTITIES, Entity};

/// The entities whose rows belong to a customer and an outlet.
fn customer_entities() -> impl Iterator<Item = &'static Entity> {
    let has_outlet = |entity: &&Entity| entity.columns.iter().any(|c| c.name == "outlet");
    ENTITIES.into_iter().filter(has_outlet)
}

fn entries(text: &str, key: &str) -> Vec<toml::Table> {
    let text: toml::Table = text.parse().unwrap();
    text[key].as_array().unwrap().iter().map(|entry| entry.as_table().unwrap().clone()).collect()
}

fn strings(entry: &toml::Table, key: &str) -> BTreeSet<String> {
    let list = entry.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    list.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn role(name: &str) -> toml::Table {
    let roles = entries(ROLES, "role");
    roles.into_iter().find(|role| role["name"].as_str() == Some(name)).unwrap()
}

#[test]
fn every_class_that_a_role_names_is_defined() {
    let known: BTreeSet<String> = entries(CLASSES, "class")
        .iter()
        .map(|class| class["name"].as_str().unwrap().to_owned())
        .collect();
    for role in entries(ROLES, "role") {
        for class in role["classes"].as_table().unwrap().keys() {
            assert!(known.contains(class), "{class} of {}", role["name"]);
        }
    }
}

/// A customer table without a row rule would be empty, and one without a grant invisible.
#[test]
fn every_customer_table_is_granted_and_ruled_for_those_who_see_customers() {
    let tables: BTreeSet<String> =
        customer_entities().map(|entity| entity.table.to_owned()).collect();
    assert_eq!(tables.len(), 7);
    for holder in ["branch_reader", "analyst"] {
        assert!(tables.is_subset(&strings(&role(holder), "tables")), "{holder}");
    }
    for user in ["teller", "manager", "analyst"] {
        let ruled: BTreeSet<String> = entries(RULES, "row_rule")
            .iter()
            .filter(|rule| strings(rule, "roles").contains(user))
            .flat_map(|rule| strings(rule, "tables"))
            .collect();
        let all: BTreeSet<String> = ENTITIES.iter().map(|e| e.table.to_owned()).collect();
        assert_eq!(ruled, all, "{user}");
    }
}

#[test]
fn auditor_and_security_see_no_table_of_the_feed() {
    for user in ["auditor", "security"] {
        let tables = strings(&role(user), "tables");
        assert!(!tables.is_empty());
        assert!(tables.iter().all(|table| table.starts_with("system.")), "{user}");
    }
}
