//! A record survives its line, one line is one record, and long statements are bounded.

use proptest::prelude::*;

use super::*;

pub(crate) fn entry(statement: &str) -> Entry {
    Entry {
        record_id: RecordId::draw().unwrap(),
        at: 1_763_787_600_123_456,
        principal: "teller".into(),
        peer: "127.0.0.1:5".into(),
        client: "test".into(),
        purpose: None,
        method: None,
        refused_because: None,
        statement_id: None,
        statement: String::new(),
        fingerprint: None,
        cut: None,
        parameters: None,
        parameters_in: None,
        tables: vec!["customer".into()],
        columns: vec!["customer.name".into()],
        column_access: BTreeMap::from([("customer.name".into(), "mask:name".into())]),
        lookups: 0,
        emergency: None,
        emergency_reason: None,
        policy_version: "2026-11-22.1".into(),
        snapshot: 3,
        decision: Decision::Allowed,
    }
    .with_statement(statement)
}

const ENDING: Ending = Ending { rows: 1, bytes: 2, milliseconds: 3, outcome: Outcome::Completed };

#[test]
fn a_time_is_written_so_that_people_can_read_it() {
    let json = String::from_utf8(Line::Begin { entry: entry("select 1") }.to_json()).unwrap();
    assert!(json.contains("\"at\":\"2025-11-22T05:00:00.123456Z\""), "{json}");
    assert!(json.contains("\"event\":\"begin\""), "{json}");
}

#[test]
fn a_record_from_before_the_newer_fields_is_read() {
    let json = String::from_utf8(Line::Begin { entry: entry("select 1") }.to_json()).unwrap();
    let old = json.replace(r#""column_access":{"customer.name":"mask:name"},"#, "");
    assert_ne!(old, json);
    let Some(Line::Begin { entry }) = Line::from_json(old.as_bytes()) else { panic!("{old}") };
    assert_eq!((entry.purpose, entry.fingerprint), (None, None));
    assert_eq!((entry.emergency, entry.emergency_reason), (None, None));
    assert!(entry.column_access.is_empty());
}

#[test]
fn a_long_statement_keeps_its_beginning_length_and_digest() {
    let statement = "é".repeat(STATEMENT_BYTES_KEPT);
    let entry = entry(&statement);
    assert!(entry.statement.len() <= STATEMENT_BYTES_KEPT);
    assert!(statement.starts_with(&entry.statement));
    let cut = entry.cut.unwrap();
    assert_eq!(cut.statement_bytes, statement.len() as u64);
    assert_eq!(cut.statement_digest, blake3::hash(statement.as_bytes()).to_hex().to_string());
}

#[test]
fn every_statement_that_can_run_is_kept_whole_and_shown_in_part() {
    let statement = "x".repeat(STATEMENT_BYTES_MAX);
    let kept = entry(&statement).with_parameters(Some(format!("('{statement}')")));
    assert_eq!((&kept.statement, &kept.cut), (&statement, &None));
    assert_eq!(kept.parameters.as_ref().unwrap().len(), PARAMETER_BYTES_KEPT);
    let shown = kept.shown();
    assert_eq!(shown.statement.len(), STATEMENT_BYTES_SHOWN);
    assert_eq!(shown.cut.unwrap().statement_bytes, statement.len() as u64);
    let parameters = shown.parameters.unwrap();
    assert!(parameters.len() <= PARAMETER_BYTES_SHOWN && parameters.ends_with('…'));
}

proptest! {
    #[test]
    fn a_line_gives_back_its_record(statement in "\\PC{0,40}|[\\x00-\\x7f]{0,20}", kind in 0..3) {
        let line = match kind {
            0 => Line::Begin { entry: entry(&statement) },
            1 => Line::End { record_id: RecordId::draw().unwrap(), at: 5, ending: ENDING },
            _ => Line::Whole { entry: entry(&statement).with_parameters(Some(statement)), ending: ENDING },
        };
        let json = line.to_json();
        prop_assert!(!json.contains(&b'\n'));
        prop_assert_eq!(Line::from_json(&json), Some(line));
    }

    #[test]
    fn a_torn_line_is_no_record(at in 0_usize..200) {
        let json = Line::Whole { entry: entry("select 1"), ending: ENDING }.to_json();
        prop_assert_eq!(Line::from_json(&json[..at.min(json.len() - 1)]), None);
    }
}

#[test]
fn of_what_is_refused_the_beginning_is_kept_from_its_first_word_on() {
    let long = format!(
        "/* {} */ -- more\n DELETE FROM customer -- {}",
        "x".repeat(20_000),
        "y".repeat(20_000)
    );
    for decision in [Decision::Denied, Decision::Failed] {
        let refused = Entry { decision, ..entry("") }.with_statement(&long);
        assert!(refused.statement.starts_with("DELETE FROM customer -- yyy"));
        assert_eq!(refused.statement.len(), REFUSED_BYTES_KEPT);
        let cut = refused.cut.unwrap();
        assert_eq!(cut.statement_bytes, long.len() as u64);
        assert_eq!(cut.statement_digest, blake3::hash(long.as_bytes()).to_hex().to_string());
    }
    let allowed = Entry { decision: Decision::Allowed, ..entry("") }.with_statement(&long);
    assert_eq!((allowed.statement.as_str(), allowed.cut), (long.as_str(), None));
}
