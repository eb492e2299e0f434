//! The planted faults fit the source of today, and what came of them is kept as it should be.

use std::path::{Path, PathBuf};
use std::process::Command;

use martlet_tests::mutants::patch::{Notices, Patch, planted};
use martlet_tests::mutants::results::{Entry, Fate, Results};
use martlet_tests::mutants::{copy, some};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn all() -> Vec<Patch> {
    planted(&source().join("tests/mutants"), "").unwrap()
}

#[test]
fn every_planted_fault_fits_the_source() {
    let misfits: Vec<String> = all()
        .into_iter()
        .filter(|patch| {
            let check = Command::new("git")
                .args(["apply", "--check"])
                .arg(&patch.path)
                .current_dir(source())
                .output()
                .unwrap();
            !check.status.success() || patch.touched.is_empty()
        })
        .map(|patch| patch.name)
        .collect();
    assert!(misfits.is_empty(), "{misfits:?}");
    assert!(all().len() >= 25, "{}", all().len());
}

#[test]
fn every_fault_says_what_is_wrong_and_never_changes_a_test() {
    for patch in all() {
        assert!(patch.what.ends_with('.') && !patch.what.starts_with("diff"), "{}", patch.name);
        let of_tests = patch.touched.iter().find(|file| file.contains("test"));
        assert_eq!(of_tests, None, "{}", patch.name);
    }
}

#[test]
fn tests_that_have_to_notice_a_fault_are_named_by_their_files() {
    let tests = source().join("tests");
    for patch in all() {
        let Notices::Tests(names) = &patch.notices else { continue };
        assert!(!names.is_empty());
        for name in names {
            let path = name.replace("::", "/");
            let (folder, last) = path.rsplit_once('/').unwrap();
            let is_file = tests.join(format!("{path}.rs")).is_file() || tests.join(&path).is_dir();
            let stands_in = |file: PathBuf| {
                std::fs::read_to_string(file)
                    .is_ok_and(|text| text.contains(&format!("fn {last}(")))
            };
            let is_test = stands_in(tests.join(format!("{folder}.rs")))
                || stands_in(tests.join(folder).join("mod.rs"));
            assert!(is_file || is_test, "{}: {name}", patch.name);
        }
    }
}

#[test]
fn faults_in_upper_crates_come_first_and_those_for_tests_last() {
    let all = all();
    let place = |name: &str| all.iter().position(|patch| patch.name == name).unwrap();
    assert!(place("server-ticket-not-bound") < place("query-scrub-skipped"));
    assert!(place("query-scrub-skipped") < place("policy-no-permit-is-all"));
    let first_for_tests = all.iter().position(|patch| patch.notices != Notices::Statements);
    let last_for_statements = all.iter().rposition(|patch| patch.notices == Notices::Statements);
    assert!(last_for_statements < first_for_tests);
}

#[test]
fn each_turn_takes_others_until_all_were_taken() {
    let all = all();
    let mut taken: Vec<String> = (0..all.len().div_ceil(3) as u64)
        .flat_map(|turn| some(all.clone(), 3, turn))
        .map(|patch| patch.name)
        .collect();
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), all.len());
    assert!(some(Vec::new(), 3, 7).is_empty());
    assert_eq!(some(all.clone(), 1_000, 5).len(), all.len());
}

#[test]
fn what_is_certain_is_kept_for_the_same_source_and_patch() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results.json");
    let mut patches = all();
    let entry = |patch: &Patch, fate: Fate| Entry { patch: patch.digest.clone(), fate, seconds: 1 };
    let fates = [
        Fate::Found { by: "canary".into(), statement: Some(17) },
        Fate::Found { by: "security::approvals".into(), statement: None },
        Fate::NotFound,
        Fate::NotBuilt,
        Fate::Broken { why: "x".into() },
    ];
    let mut results = Results::of_state(&file, "one");
    for (patch, fate) in patches.iter().zip(&fates) {
        assert_eq!(results.of(patch), None);
        results.keep(&patch.name, entry(patch, fate.clone())).unwrap();
    }
    let kept = Results::of_state(&file, "one");
    for (patch, fate) in patches.iter().zip(&fates[..3]) {
        assert_eq!(kept.of(patch).map(|entry| &entry.fate), Some(fate));
    }
    assert_eq!(kept.of(&patches[3]), None, "it may be built the next time");
    assert_eq!(kept.of(&patches[4]), None);
    assert_eq!(Results::of_state(&file, "another").of(&patches[0]), None);
    patches[0].digest = "another".into();
    assert_eq!(kept.of(&patches[0]), None);
    std::fs::write(&file, "{").unwrap();
    assert_eq!(Results::of_state(&file, "one").of(&patches[1]), None);
}

#[test]
fn the_state_of_a_source_is_what_is_built_but_for_the_faults() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    for part in [".cargo", "benchmarks", "engine", "ingest", "proto", "server", "tests/mutants"] {
        std::fs::create_dir_all(at(part)).unwrap();
    }
    for file in ["Cargo.toml", "Cargo.lock", "engine/a.rs", "tests/mutants/a.patch"] {
        std::fs::write(at(file), file).unwrap();
    }
    let state = || copy::state(folder.path()).unwrap();
    let before = state();
    std::fs::write(at("tests/mutants/a.patch"), "another").unwrap();
    std::fs::create_dir_all(at("docs")).unwrap();
    std::fs::write(at("docs/a.md"), "another").unwrap();
    assert_eq!(state(), before);
    std::fs::write(at("engine/a.rs"), "another").unwrap();
    assert_ne!(state(), before);
}
