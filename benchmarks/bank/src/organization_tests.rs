use std::collections::HashSet;

use super::*;

fn bank(outlets: u32) -> Organization {
    Organization::new(&BankPlan { outlets, ..BankPlan::default() })
}

#[test]
fn there_are_exactly_as_many_outlets_as_planned() {
    for outlets in [1, 2, 3, 7, 40, 999, 3_000, 20_000] {
        let organization = bank(outlets);
        assert_eq!(organization.outlets.len(), outlets as usize);
    }
}

#[test]
fn every_node_has_its_parent_before_it_and_a_code_of_its_own() {
    for outlets in [1, 40, 3_000] {
        let mut seen = HashSet::new();
        for node in bank(outlets).nodes() {
            assert!(node.parent.is_empty() || seen.contains(&node.parent), "{node:?}");
            assert!(seen.insert(node.code.clone()), "{node:?}");
        }
    }
}

#[test]
fn the_demo_has_31_provinces_and_some_300_cities() {
    let nodes = bank(3_000).nodes();
    let count = |level| nodes.iter().filter(|node| node.level == level).count();
    assert_eq!(count("head_office"), 1);
    assert_eq!(count("province"), 31);
    assert!((290..=360).contains(&count("city")), "{}", count("city"));
    assert_eq!(count("outlet"), 3_000);
}

#[test]
fn codes_show_the_way_up() {
    for node in bank(300).nodes() {
        if node.level == "city" || node.level == "outlet" {
            assert!(node.code.starts_with(&node.parent));
        }
    }
}

#[test]
fn the_largest_province_is_the_most_populous() {
    assert_eq!(bank(3_000).largest_province(), "44");
}
