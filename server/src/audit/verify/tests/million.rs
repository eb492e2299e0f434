//! How long a proof takes: run it by hand; the release profile only makes it quicker.
//!
//! `cargo test --workspace --lib -- --ignored --nocapture a_million_records`

use std::time::Instant;

use super::*;
use crate::audit::JournalOptions;
use crate::audit::disk::tests::Small;
use crate::audit::record::{Ending, Line, Outcome, now_micros, tests::entry};
use crate::audit::scribe::Scribe;

const RECORDS: u64 = 1_000_000;
const GROUP: u64 = 500;

/// Beginning and end of one statement, of the size that a bank's have.
fn bodies(number: u64) -> [Vec<u8>; 2] {
    let sql = format!(
        "SELECT c.segment, count(*), sum(a.balance) FROM customer c JOIN account a \
         ON a.customer_id = c.customer_id WHERE c.outlet = '{number:06}' AND a.opened_on >= \
         DATE '2026-01-01' GROUP BY c.segment ORDER BY 3 DESC"
    );
    let entry = entry(&sql);
    let ending = Ending { rows: 12, bytes: 900, milliseconds: 7, outcome: Outcome::Completed };
    let record_id = entry.record_id.clone();
    let end = Line::End { record_id, at: now_micros(), ending };
    [Line::Begin { entry }.to_json(), end.to_json()]
}

#[test]
#[ignore = "a measurement"]
fn a_million_records_are_proven() {
    let folder = tempfile::tempdir().unwrap();
    let options = JournalOptions {
        folder: folder.path().join("journal"),
        key: folder.path().join("key"),
        anchor: Some(folder.path().join("anchor")),
        new_anchor: false,
    };
    std::fs::create_dir(&options.folder).unwrap();
    let mut scribe = Scribe::open(&options, Box::new(Small::with_room(1 << 40))).unwrap();
    let began = Instant::now();
    for group in 0..RECORDS / GROUP {
        let bodies: Vec<_> = (0..GROUP).flat_map(|at| bodies(group * GROUP + at)).collect();
        let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        scribe.append(&bodies).unwrap();
    }
    scribe.checkpoint().unwrap();
    drop(scribe);
    println!("written in {:.2} s", began.elapsed().as_secs_f64());
    let check = Check {
        folder: options.folder,
        anchor: options.anchor,
        keys: Vec::new(),
        now: SystemTime::now(),
    };
    let began = Instant::now();
    let report = verify(&check, &mut |_, _| ()).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!(report.records, RECORDS);
    println!(
        "{} records, {} lines, {} checkpoints, {} bytes proven in {seconds:.2} s",
        report.records, report.lines, report.checkpoints, report.bytes
    );
}
