//! The page calls nothing shown that is not.

use std::path::Path;

use martlet_tests::evidence::proof::{Asked, Planted, faults, runs};
use martlet_tests::evidence::run::{Came, Run};
use martlet_tests::mutants::patch::{Patch, planted};
use martlet_tests::mutants::results::{Entry, Fate, Results};

fn line(of: &[(&str, u64)]) -> String {
    let known = ["differences", "canary_hits", "reference_mismatches", "broken", "unaudited"];
    let mut line = serde_json::json!({ "seed": 7, "first": 0, "statements": 100, "answered": 80 });
    known.iter().for_each(|name| line[*name] = 0.into());
    of.iter().for_each(|(name, number)| line[*name] = (*number).into());
    line.to_string()
}

fn open(of: &[(&str, u64)]) -> bool {
    Asked::read(&line(of)).unwrap()[0].open().is_some()
}

#[test]
fn a_run_is_clean_that_asked_and_found_nothing() {
    assert!(!open(&[]));
    assert!(!open(&[("mutants_caught", 3), ("mutants_total", 3)]));
    for found in ["differences", "canary_hits", "reference_mismatches", "broken", "unaudited"] {
        assert!(open(&[(found, 1)]), "{found}");
    }
    assert!(open(&[("answered", 50)]), "few were answered");
    assert!(open(&[("statements", 0), ("answered", 0)]));
    assert!(open(&[("mutants_caught", 2), ("mutants_total", 3)]));
    assert!(Asked::read("\n").is_err(), "no run is no proof");
    let broken = format!("{}\n{{", line(&[]));
    assert!(Asked::read(&broken).unwrap_err().starts_with("line 2: "));
}

#[test]
fn runs_are_told_one_by_one_and_together() {
    let one = runs(&Asked::read(&line(&[])).unwrap());
    assert!(one.ends_with("| 7, 0 | 100 | 80 | 0 | 0 | 0 | 0 | 0 |\n"), "{one}");
    let next = line(&[("first", 100), ("differences", 1), ("unaudited", 2)]);
    let both = runs(&Asked::read(&format!("{}\n{next}\n", line(&[]))).unwrap());
    assert!(both.starts_with(&one), "{both}");
    let rows = &both[one.len()..];
    assert_eq!(
        rows,
        "| 7, 100 | 100 | 80 | 1 | 0 | 0 | 0 | 2 |\n| together | 200 | 160 | 1 | 0 | 0 | 0 | 2 |\n"
    );
}

#[test]
fn a_fault_is_noticed_only_by_what_is_certain_of_this_very_patch() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results.json");
    let patches = planted(&Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants"), "").unwrap();
    let entry = |patch: &Patch, fate: Fate| Entry { patch: patch.digest.clone(), fate, seconds: 1 };
    let found = || Fate::Found { by: "canary".into(), statement: Some(4) };
    let fates =
        [found(), Fate::NotFound, Fate::NotBuilt, Fate::Broken { why: "x".into() }, found()];
    let mut results = Results::of_state(&file, "0123456789, 4000 statements");
    for (patch, fate) in patches.iter().zip(fates) {
        results.keep(&patch.name, entry(patch, fate)).unwrap();
    }
    results
        .keep(&patches[4].name, Entry { patch: "another".into(), ..entry(&patches[4], found()) })
        .unwrap();
    let results = [Results::read(&file).unwrap()];
    let planted = Planted::of(patches[..6].to_vec(), &results);
    let open: Vec<bool> = planted.iter().map(|planted| planted.open().is_some()).collect();
    assert_eq!(open, [false, true, true, true, true, true]);
    let table = faults(&planted);
    assert!(table.contains("1 of 6 were noticed"), "{table}");
    assert!(table.contains("found by canary at statement 4 | 01234567 |"), "{table}");
}

#[test]
fn a_test_passed_if_it_did_in_every_binary() {
    let run = Run::read(
        "test a::b ... ok\ntest a::c ... FAILED\ntest a::b ... FAILED\nnothing\n\
        test d - should panic ... ok\ntest e ... ignored, slow\n",
    );
    let came = ["a::b", "a::c", "d", "e", "f"].map(|name| run.came(name));
    assert_eq!(came, [Came::Failed, Came::Failed, Came::Passed, Came::Ignored, Came::NotRun]);
}
