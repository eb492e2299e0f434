//! Beginnings and ends find each other, and the ring is bounded by count and by size.

use super::super::record::SIGN_IN;
use super::super::record::tests::entry;
use super::*;

const ENDING: Ending = Ending { rows: 7, bytes: 8, milliseconds: 9, outcome: Outcome::Completed };

fn whole(statement: &str) -> Line {
    Line::Whole { entry: entry(statement), ending: ENDING }
}

#[test]
fn an_end_completes_its_own_beginning() {
    let mut ring = Ring::new();
    let (first, second) = (entry("first"), entry("second"));
    ring.apply(Line::Begin { entry: first.clone() });
    ring.apply(Line::Begin { entry: second });
    ring.apply(Line::End { record_id: first.record_id, at: 0, ending: ENDING });
    let rows = ring.newest(10);
    assert_eq!(rows[1].ending, ENDING);
    assert_eq!(rows[0].ending.outcome, Outcome::Running);
    ring.abandon_running();
    assert_eq!(ring.newest(1)[0].ending.outcome, Outcome::Unknown);
}

#[test]
fn the_newest_come_first_and_the_limit_holds() {
    let mut ring = Ring::new();
    for number in 0..5 {
        ring.apply(whole(&number.to_string()));
    }
    let seen: Vec<String> = ring.newest(3).iter().map(|row| row.entry.statement.clone()).collect();
    assert_eq!(seen, ["4", "3", "2"]);
}

#[test]
fn large_statements_push_out_old_ones_and_late_ends_hit_nothing() {
    let mut ring = Ring::new();
    let early = entry("early");
    ring.apply(Line::Begin { entry: early.clone() });
    let large = "x".repeat(60_000);
    for _ in 0..=DISCLOSURES.text_bytes / large.len() {
        ring.apply(whole(&large));
    }
    assert!(ring.disclosures.text_bytes <= DISCLOSURES.text_bytes);
    assert!(ring.disclosures.running.is_empty());
    let before = ring.newest(usize::MAX);
    ring.apply(Line::End { record_id: early.record_id, at: 0, ending: ENDING });
    assert_eq!(ring.newest(usize::MAX), before);
}

#[test]
fn sign_ins_and_refusals_push_out_no_disclosure() {
    let mut ring = Ring::new();
    let disclosure = entry("select 1");
    ring.apply(Line::Begin { entry: disclosure.clone() });
    for decision in [Decision::Allowed, Decision::Denied] {
        for _ in 0..=DISCLOSURES.records / 2 {
            let method = Some("password".to_owned());
            let entry = Entry { decision, method, ..entry(SIGN_IN) };
            ring.apply(Line::Whole { entry, ending: ENDING });
        }
    }
    for decision in [Decision::Denied, Decision::Failed] {
        for _ in 0..=DISCLOSURES.records / 2 {
            // What somebody calls a sign-in is none.
            let entry = Entry { decision, ..entry(SIGN_IN) };
            ring.apply(Line::Whole { entry, ending: ENDING });
        }
    }
    ring.apply(Line::End { record_id: disclosure.record_id.clone(), at: 0, ending: ENDING });
    let rows = ring.newest(usize::MAX);
    assert_eq!(rows.len(), 1 + REFUSALS.records + SIGN_INS.records);
    let oldest = rows.last().unwrap();
    assert_eq!((&oldest.entry, oldest.ending), (&disclosure, ENDING));
}

#[test]
fn memory_holds_only_what_is_shown() {
    let mut ring = Ring::new();
    let large = "x".repeat(1024 * 1024);
    ring.apply(whole(&large));
    let rows = ring.newest(1);
    assert!(rows[0].entry.statement.len() < large.len());
    assert_eq!(rows[0].entry.cut.as_ref().unwrap().statement_bytes, large.len() as u64);
}
