use super::*;
use crate::testing::{customer, example, today};

fn people(lines: &[&str]) -> Directory {
    let text = format!("name,roles,node,password,desk\n{}\n", lines.join("\n"));
    Directory::parse(&text).unwrap()
}

#[test]
fn everybody_is_reviewed_and_the_denied_have_no_line() {
    let directory =
        people(&["kim,teller,4403,,7", "lee,analyst,00,,", "max,,00,,", "nil,teller,,,7"]);
    let (bundle, tables) = (example(), [customer()]);
    let lines: Vec<Reviewed> = review(&directory, &tables, &bundle, today()).collect();
    let names: Vec<&str> = lines.iter().map(|line| line.principal.as_str()).collect();
    assert_eq!(names, ["kim", "lee"], "no role, and no node where a rule asks for it: denied");
    let kim = &lines[0];
    assert_eq!((kim.node.as_deref(), kim.table.as_str()), (Some("4403"), "customer"));
    assert_eq!(
        kim.rows,
        "permit desk equals desk = 7; restrict segment in [\"affluent\", \"mass\"]; \
         permit outlet within node = 4403"
    );
    assert_eq!(kim.rules, ["my-desk", "no-private-banking", "outlets-below-my-node"]);
    let name = kim.columns.iter().find(|column| column.name == "name").unwrap();
    assert_eq!((name.shown.as_str(), name.is_clear, name.may_look_up), ("mask:name", false, false));
    assert!(lines[1].may_explain);
}

#[test]
fn a_review_says_what_the_decision_gives() {
    let directory = people(&["kim,teller,4403,,7"]);
    let (bundle, tables) = (example(), [customer()]);
    let line = review(&directory, &tables, &bundle, today()).next().unwrap();
    let grant = crate::testing::granted(&crate::testing::principal("teller", "4403", "7"));
    let shown: Vec<(String, String)> =
        line.columns.into_iter().map(|column| (column.name, column.shown)).collect();
    let granted: Vec<(String, String)> =
        grant.columns().iter().map(|c| (c.name.to_string(), c.access.to_string())).collect();
    assert_eq!(shown, granted);
}
