//! The end of a chain is found whatever a crash left behind it.

use std::fs;

use super::*;
use crate::audit::JournalOptions;
use crate::audit::disk::tests::Small;
use crate::audit::scribe::Scribe;

fn scribe(folder: &Path) -> Scribe {
    let disk = Box::new(Small::with_room(1 << 40));
    Scribe::open(&JournalOptions::in_folder(folder), disk).unwrap()
}

fn written(lines: usize) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let mut scribe = scribe(folder.path());
    for _ in 0..lines {
        scribe.append(&[b"{\"event\":\"end\"}"]).unwrap();
    }
    let path = folder.path().join(&names(folder.path()).unwrap()[0]);
    (folder, path)
}

#[test]
fn an_empty_folder_has_no_chain() {
    let folder = tempfile::tempdir().unwrap();
    let found = recover(folder.path()).unwrap();
    assert_eq!((found.head, found.newest_file), (None, None));
}

#[test]
fn every_cut_is_recovered_as_far_as_whole_lines_go() {
    let (folder, path) = written(3);
    let whole = fs::read(&path).unwrap();
    let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in second..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let found = recover(folder.path()).unwrap();
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count() as u64;
        let torn = !whole[..cut].ends_with(b"\n");
        // A line that lacks its newline alone is whole.
        let is_complete = torn && whole.get(cut) == Some(&b'\n');
        assert_eq!(found.head.unwrap().sequence, lines + u64::from(is_complete), "cut at {cut}");
        assert_eq!(found.ends_torn, torn);
        assert_eq!(found.unchained.is_empty(), !torn || is_complete, "cut at {cut}");
    }
}

#[test]
fn nothing_behind_garbage_counts_unless_it_is_signed() {
    let (folder, path) = written(4);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    // The second of four ends is garbage, as where a disk lost a page of the last flush.
    let broken = [lines[0], lines[1], lines[2], "####", lines[4], lines[5], ""].join("\n");
    fs::write(&path, &broken).unwrap();
    let found = recover(folder.path()).unwrap();
    assert_eq!(found.head.unwrap().sequence, 3);
    assert_eq!(found.signed.unwrap().head.sequence, 1);
    let left = ["####", lines[4], lines[5], ""].join("\n");
    assert_eq!(found.unchained[0].bytes, left.len() as u64);
    // Signed behind it: whoever put garbage there did it later.
    fs::write(&path, &text).unwrap();
    drop(scribe(folder.path()));
    let signed = fs::read_to_string(&path).unwrap().replace(lines[3], "####");
    fs::write(&path, &signed).unwrap();
    let found = recover(folder.path()).unwrap();
    assert_eq!(found.head.unwrap().sequence, signed.lines().count() as u64);
    assert!(found.unchained.is_empty());
}

#[test]
fn what_was_written_before_the_chain_is_named_with_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("audit-2020-01-01.jsonl"), "{\"event\":\"end\"}\n{\"ev").unwrap();
    fs::write(folder.path().join("audit-2020-01-02.jsonl"), "{\"event\":\"end\"}\n").unwrap();
    let found = recover(folder.path()).unwrap();
    let spans: Vec<_> =
        found.unchained.iter().map(|span| (span.file.as_str(), span.bytes)).collect();
    assert_eq!(spans, [("audit-2020-01-01.jsonl", 20), ("audit-2020-01-02.jsonl", 16)]);
    assert_eq!(found.head, None);
}
