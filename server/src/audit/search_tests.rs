//! Records are found by what is asked, newest last, whole across midnight.

use std::fs;

use super::super::record::tests::entry;
use super::*;

const ENDING: Ending = Ending { rows: 7, bytes: 9, milliseconds: 1, outcome: Outcome::Completed };

fn write(folder: &Path, name: &str, lines: &[Line]) {
    let text: Vec<u8> =
        lines.iter().flat_map(|line| [line.to_json(), b"\n".to_vec()].concat()).collect();
    fs::write(folder.join(name), text).unwrap();
}

fn whole(statement: &str, change: impl Fn(&mut Entry)) -> Line {
    let mut entry = entry(statement);
    change(&mut entry);
    Line::Whole { entry, ending: ENDING }
}

fn statements(folder: &Path, query: &Query) -> Vec<String> {
    newest(folder, query).unwrap().into_iter().map(|found| found.entry.statement).collect()
}

#[test]
fn filters_are_all_held() {
    let folder = tempfile::tempdir().unwrap();
    let time = entry("").at;
    write(
        folder.path(),
        "audit-2025-11-22.jsonl",
        &[
            whole("1", |_| {}),
            whole("2", |entry| entry.principal = "eve".into()),
            whole("3", |entry| entry.tables = vec!["account".into()]),
            whole("4", |entry| entry.decision = Decision::Denied),
            whole("5", |entry| entry.at += 10),
        ],
    );
    let all = Query { limit: 10, ..Query::default() };
    let find = |query: Query| statements(folder.path(), &query);
    assert_eq!(find(all.clone()), ["1", "2", "3", "4", "5"]);
    assert_eq!(find(Query { limit: 2, ..all.clone() }), ["4", "5"]);
    assert_eq!(find(Query { principal: Some("eve".into()), ..all.clone() }), ["2"]);
    assert_eq!(find(Query { table: Some("account".into()), ..all.clone() }), ["3"]);
    assert_eq!(find(Query { decision: Some(Decision::Denied), ..all.clone() }), ["4"]);
    assert_eq!(find(Query { since: Some(time + 1), ..all.clone() }), ["5"]);
    assert_eq!(find(Query { until: Some(time + 1), limit: 1, ..all }), ["4"]);
}

#[test]
fn an_end_after_midnight_belongs_to_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let (late, left) = (entry("late"), entry("left"));
    let end = |of: &Entry| Line::End { record_id: of.record_id.clone(), at: 5, ending: ENDING };
    let begin = |of: &Entry| Line::Begin { entry: of.clone() };
    write(folder.path(), "audit-2025-11-21.jsonl", &[begin(&late), begin(&left)]);
    write(folder.path(), "audit-2025-11-22.jsonl", &[whole("new", |_| {}), end(&late)]);
    let found = newest(folder.path(), &Query { limit: 10, ..Query::default() }).unwrap();
    let outcomes: Vec<_> =
        found.iter().map(|one| (one.entry.statement.as_str(), one.ending.outcome)).collect();
    let expected =
        [("late", Outcome::Completed), ("left", Outcome::Unknown), ("new", Outcome::Completed)];
    assert_eq!(outcomes, expected);
}

#[test]
fn a_day_that_cannot_hold_the_time_is_not_read() {
    let query = |since, until| Query { since, until, ..Query::default() };
    let noon = 1_763_812_800_000_000; // 2025-11-22 12:00 UTC
    let may = |query: Query, day: &str| query.may_be_in(&format!("audit-2025-11-{day}.jsonl"));
    assert!(may(query(Some(noon), None), "22") && may(query(Some(noon), None), "23"));
    assert!(!may(query(Some(noon), None), "21"));
    assert!(may(query(None, Some(noon)), "22") && may(query(None, Some(noon)), "23"));
    assert!(!may(query(None, Some(noon)), "24"));
}
