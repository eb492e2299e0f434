use std::fs;

use super::super::record::tests::entry;
use super::super::record::{Ending, Outcome};
use super::*;

#[test]
fn the_last_answered_statement_on_a_table_counts() {
    let folder = tempfile::tempdir().unwrap();
    let time = entry("").at;
    let whole = |principal: &str, table: &str, later: i64, decision: Decision| {
        let mut entry = entry("q");
        entry.principal = principal.into();
        entry.tables = vec![table.into()];
        entry.at += later;
        entry.decision = decision;
        Line::Whole { entry, ending: Ending::without_rows(Outcome::Completed) }
    };
    let emergency = match whole("kim", "card", 2, Decision::Allowed) {
        Line::Whole { entry, ending } => {
            let emergency = Some("07".to_owned());
            Line::Whole { entry: crate::audit::Entry { emergency, ..entry }, ending }
        }
        other => other,
    };
    let lines = [
        emergency,
        whole("kim", "customer", 5, Decision::Allowed),
        whole("kim", "customer", 3, Decision::Allowed),
        whole("kim", "account", 1, Decision::Denied),
        whole("lee", "customer", 9, Decision::Allowed),
    ];
    let text: Vec<u8> =
        lines.iter().flat_map(|line| [line.to_json(), b"\n".to_vec()].concat()).collect();
    fs::write(folder.path().join("audit-2025-11-22.jsonl"), text).unwrap();
    let uses = last_uses(folder.path()).unwrap();
    assert_eq!(uses.of("kim", "customer"), Some(time + 5), "the later one, wherever it stands");
    assert_eq!(uses.of("kim", "account"), None, "a refusal is no use");
    assert_eq!(uses.of("kim", "card"), None, "nor is what an emergency showed");
    assert_eq!(uses.of("lee", "customer"), Some(time + 9));
    assert_eq!(uses.of("max", "customer"), None);
}
