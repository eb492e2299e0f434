//! Lines are linked over days and restarts, signed in time, and never half there.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::super::chain::Chained;
use super::super::disk::tests::Small;
use super::super::signing::is_signed;
use super::*;

const END: &[u8] = b"{\"event\":\"end\"}";

fn open(folder: &Path, clock: fn() -> i64) -> Scribe {
    let disk = Box::new(Small::with_room(1 << 40));
    Scribe::open_on(clock, &JournalOptions::in_folder(folder), disk).unwrap()
}

/// Noon of 2026-11-22.
fn first_day() -> i64 {
    1_795_348_800_000_000
}

fn second_day() -> i64 {
    first_day() + 24 * 3_600 * 1_000_000
}

fn events(folder: &Path, name: &str) -> Vec<(u64, String)> {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let event = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let sequence = Chained::read(line.as_bytes()).unwrap().sequence;
        (sequence, value["event"].as_str().unwrap().to_owned())
    };
    text.lines().map(event).collect()
}

fn named(events: &[(u64, &str)]) -> Vec<(u64, String)> {
    events.iter().map(|(sequence, event)| (*sequence, (*event).to_owned())).collect()
}

#[test]
fn the_chain_goes_on_over_days_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut scribe = open(folder.path(), first_day);
    scribe.append(&[END]).unwrap();
    scribe.clock = second_day;
    scribe.append(&[END]).unwrap();
    scribe.checkpoint().unwrap();
    // The clock was set back: the newer day goes on.
    scribe.clock = first_day;
    scribe.append(&[END]).unwrap();
    drop(scribe);
    drop(open(folder.path(), second_day));
    let first = named(&[(1, "chain_started"), (2, "checkpoint"), (3, "end")]);
    assert_eq!(events(folder.path(), &name_at(first_day())), first);
    let second = named(&[
        (4, "day_started"),
        (5, "checkpoint"),
        (6, "end"),
        (7, "checkpoint"),
        (8, "end"),
        (9, "opened"),
        (10, "checkpoint"),
    ]);
    assert_eq!(events(folder.path(), &name_at(second_day())), second);
}

/// A file goes by its day, so no signature of a later day may stand in it.
#[test]
fn what_a_day_left_unsigned_is_signed_in_the_file_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut scribe = open(folder.path(), first_day);
    scribe.append(&[END]).unwrap();
    scribe.clock = second_day;
    scribe.checkpoint().unwrap();
    let first = named(&[(1, "chain_started"), (2, "checkpoint"), (3, "end")]);
    assert_eq!(events(folder.path(), &name_at(first_day())), first);
    let second = named(&[(4, "day_started"), (5, "checkpoint")]);
    assert_eq!(events(folder.path(), &name_at(second_day())), second);
}

#[test]
fn a_thousand_lines_are_signed() {
    let folder = tempfile::tempdir().unwrap();
    let mut scribe = open(folder.path(), first_day);
    scribe.append(&vec![END; 2_500]).unwrap();
    assert_eq!(scribe.unsigned.lines, 500);
    let text = fs::read_to_string(folder.path().join(name_at(first_day()))).unwrap();
    let marks = text
        .lines()
        .filter_map(|line| Mark::from_json(&Chained::read(line.as_bytes()).unwrap().body()));
    let covers: Vec<u64> = marks
        .filter_map(|mark| match mark {
            Mark::Checkpoint(checkpoint) => {
                assert!(is_signed(&checkpoint));
                Some(checkpoint.covers)
            }
            _ => None,
        })
        .collect();
    assert_eq!(covers, [1, 1_002, 2_003]);
    scribe.checkpoint().unwrap();
    scribe.checkpoint().unwrap();
    let last = events(folder.path(), &name_at(first_day())).pop().unwrap();
    assert_eq!(last, (2_505, "checkpoint".into()), "nothing is signed twice");
}

#[test]
fn what_a_disk_did_not_take_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Small::with_room(1 << 40);
    let options = JournalOptions::in_folder(folder.path());
    let mut scribe = Scribe::open_on(first_day, &options, Box::new(disk.clone())).unwrap();
    scribe.append(&[END]).unwrap();
    disk.room.store(70, Ordering::SeqCst);
    assert!(scribe.append(&[END, END]).is_err());
    disk.room.store(1 << 40, Ordering::SeqCst);
    scribe.append(&[b"{\"event\":\"whole\"}"]).unwrap();
    let expected = named(&[(1, "chain_started"), (2, "checkpoint"), (3, "end"), (4, "whole")]);
    assert_eq!(events(folder.path(), &name_at(first_day())), expected);
}

/// A disk whose failed writes can be taken back no more.
struct Stuck(Small);

impl Disk for Stuck {
    fn append(&self, file: &mut fs::File, bytes: &[u8]) -> io::Result<()> {
        self.0.append(file, bytes)
    }

    fn cut(&self, _: &fs::File, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

#[test]
fn what_cannot_be_taken_back_is_named_in_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Small::with_room(1 << 40);
    let options = JournalOptions::in_folder(folder.path());
    // The reserve is there already: this disk could not make it.
    Reserve::open(folder.path(), &disk).unwrap();
    let stuck = Box::new(Stuck(disk.clone()));
    let mut scribe = Scribe::open_on(first_day, &options, stuck).unwrap();
    disk.room.store(9, Ordering::SeqCst);
    assert!(scribe.append(&[END]).is_err());
    disk.room.store(1 << 40, Ordering::SeqCst);
    scribe.append(&[END]).unwrap();
    let text = fs::read_to_string(folder.path().join(name_at(first_day()))).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[2], "{\"event\":");
    let opened = Mark::from_json(&Chained::read(lines[3].as_bytes()).unwrap().body()).unwrap();
    let Mark::Opened(opening) = opened else { panic!("{opened:?}") };
    assert_eq!(opening.unchained[0].bytes, 10);
    assert_eq!(lines.len(), 6);
}
