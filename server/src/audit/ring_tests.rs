//! Beginnings and ends find each other, and the ring is bounded by count and by size.

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
    for _ in 0..=TEXT_BYTES_MAX / large.len() {
        ring.apply(whole(&large));
    }
    assert!(ring.text_bytes <= TEXT_BYTES_MAX);
    assert!(ring.running.is_empty());
    let before = ring.newest(usize::MAX);
    ring.apply(Line::End { record_id: early.record_id, at: 0, ending: ENDING });
    assert_eq!(ring.newest(usize::MAX), before);
}
