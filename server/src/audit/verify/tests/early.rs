//! Whoever has the signing key removes what is not old enough, and says what they like about it.
//! The anchor was out of their reach.

use super::*;
use crate::audit::JournalOptions;
use crate::audit::chain::Head;
use crate::audit::disk::tests::Small;
use crate::audit::mark::{Opening, Pruning, Removed};
use crate::audit::scribe::Scribe;
use crate::audit::signing::Signer;

/// Which lie a notice tells, and when.
struct Lie {
    clock: fn() -> i64,
    /// The name that each removed file is said to have had; `None`: its own.
    name: Option<&'static str>,
    keeps_days: u32,
}

impl Lie {
    /// Names that are old enough, at a time that is true.
    const GOOD: Self = Self {
        clock: || noon("2026-11-23"),
        name: Some("audit-2020-01-01.jsonl"),
        keeps_days: 1_096,
    };
}

fn scribe(options: &JournalOptions, clock: fn() -> i64) -> Scribe {
    Scribe::open_on(clock, options, Box::new(Small::with_room(1 << 40))).unwrap()
}

/// Removes all files but that of the day, with a notice by hand.
fn remove_all(options: &JournalOptions, lie: &Lie) {
    let mut scribe = scribe(options, lie.clock);
    let all = names(&options.folder).unwrap();
    let old = &all[..all.len() - 1];
    let files = old.iter().map(|name| told(options, name, lie)).collect();
    let pruning = Pruning { at: (lie.clock)(), keeps_days: lie.keeps_days, files };
    scribe.append_mark(Mark::Pruned(pruning)).unwrap();
    old.iter().for_each(|name| std::fs::remove_file(options.folder.join(name)).unwrap());
}

fn told(options: &JournalOptions, name: &str, lie: &Lie) -> Removed {
    use crate::audit::recover::{Ending, scan_file};
    let scan = scan_file(&options.folder.join(name), Ending::AsItIs).unwrap();
    Removed {
        file: lie.name.unwrap_or(name).to_owned(),
        bytes: scan.bytes,
        digest: scan.digest,
        last: scan.head.map(|head| head.sequence),
        head: scan.head.map(|head| head.link),
    }
}

fn early(report: &Report) -> Vec<&TooEarly> {
    let problems = report.findings.iter().map(|finding| &finding.problem);
    problems
        .filter_map(|problem| match problem {
            Problem::PrunedTooEarly(early) => Some(early),
            _ => None,
        })
        .collect()
}

#[test]
fn whoever_prunes_by_a_clock_of_their_own_is_found() {
    let scene = Scene::original();
    let (_folder, options) = scene.laid_out();
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap() + chrono::Days::new(400);
    let pruned = prune_on(|| noon("2026-11-23"), &options, 180, today).unwrap();
    assert_eq!(pruned.files.len(), 4);
    for day in ["2026-11-23", "2031-11-23"] {
        let report = scene.proven(&options, Trust::Anchor, day);
        assert_eq!(problems(&report), ["pruned_too_early"; 2], "{:?}", report.findings);
        let (found, places) = (early(&report), &report.findings);
        let TooEarly::Files { files, newest, days, .. } = found[0] else { panic!("{found:?}") };
        assert_eq!((*files, newest.as_str(), *days), (1, "audit-2026-11-21.jsonl", 180));
        assert_eq!(places[0].file, "audit-2026-11-23.jsonl");
        let TooEarly::Line { at, .. } = found[1] else { panic!("{found:?}") };
        assert_eq!(*at, noon("2026-11-21"));
        assert_eq!((places[1].file.as_str(), places[1].line), ("audit-2026-11-22.jsonl", 1));
        assert!(places.iter().all(|place| place.line > 0 && place.sequence.is_some()));
    }
    // The notice says it by itself, so that it is found without an anchor too.
    assert_eq!(early(&scene.proven(&options, Trust::Key, "2026-11-23")).len(), 1);
}

#[test]
fn a_notice_that_names_older_files_is_found_by_the_anchor() {
    let scene = Scene::original();
    let (_folder, options) = scene.laid_out();
    remove_all(&options, &Lie::GOOD);
    // Also long after, when all of it is old.
    for day in ["2026-11-23", "2031-11-23"] {
        let report = scene.proven(&options, Trust::Anchor, day);
        assert_eq!(problems(&report), ["pruned_too_early"], "{:?}", report.findings);
        let TooEarly::Line { at, .. } = early(&report)[0] else { panic!("{:?}", report.findings) };
        assert_eq!(*at, noon("2026-11-22"));
    }
    // Without the anchor nothing but the notice speaks of what is gone.
    assert!(scene.proven(&options, Trust::Key, "2026-11-23").is_whole());
}

#[test]
fn a_notice_is_held_against_the_days_that_it_keeps_itself() {
    let scene = Scene::original();
    for (keeps_days, found) in [(0, false), (186, false), (187, true), (u32::MAX, true)] {
        let (_folder, options) = scene.laid_out();
        let lie = Lie { name: Some("audit-2026-05-20.jsonl"), keeps_days, ..Lie::GOOD };
        remove_all(&options, &lie);
        let report = scene.proven(&options, Trust::Key, "2026-11-23");
        assert_eq!(!early(&report).is_empty(), found, "{keeps_days}: {:?}", report.findings);
    }
}

#[test]
fn a_file_without_a_day_has_no_age() {
    let scene = Scene::original();
    let (_folder, options) = scene.laid_out();
    remove_all(&options, &Lie { name: Some("audit-long-ago.jsonl"), ..Lie::GOOD });
    assert_eq!(early(&scene.proven(&options, Trust::Key, "2026-11-23")).len(), 1);
}

#[test]
fn a_notice_from_the_future_is_found_on_its_day_and_ever_after() {
    let scene = Scene::original();
    let (_folder, options) = scene.laid_out();
    remove_all(&options, &Lie { clock: || noon("2027-12-28"), name: None, keeps_days: 180 });
    let report = scene.proven(&options, Trust::Key, "2026-11-23");
    assert!(problems(&report).contains(&"pruned_at_wrong_time"), "{:?}", problems(&report));
    // A server that knows the time goes on: that stays in the chain.
    drop(scribe(&options, || noon("2026-11-24")));
    let report = scene.proven(&options, Trust::Anchor, "2031-11-23");
    assert!(problems(&report).contains(&"pruned_at_wrong_time"), "{:?}", problems(&report));
}

#[test]
fn a_journal_that_is_begun_anew_within_its_last_file_is_found_by_the_anchor() {
    let scene = Scene::original();
    let (_folder, options) = scene.laid_out();
    let head = crate::audit::recover::recover(&options.folder).unwrap();
    let (journal, behind) = (head.journal.unwrap(), head.head.unwrap());
    let signer = Signer::read(&options.key).unwrap();
    let file = "audit-2026-11-22.jsonl";
    let now = noon("2026-11-22");
    let opening = Mark::Opened(Opening {
        at: now,
        journal,
        key: signer.public(),
        file: file.into(),
        previous: behind.link,
        unchained: Vec::new(),
    });
    let removed = Removed {
        file: "audit-2020-01-01.jsonl".into(),
        bytes: 1,
        digest: behind.link,
        last: Some(behind.sequence),
        head: Some(behind.link),
    };
    let notice = Mark::Pruned(Pruning { at: now, keeps_days: 1_096, files: vec![removed] });
    let (mut head, mut lines) = (behind, Vec::new());
    for mark in [opening, notice] {
        head.seal(&mark.to_json(), &mut lines);
        let checkpoint = Mark::Checkpoint(signer.sign(journal, head, now));
        head.seal(&checkpoint.to_json(), &mut lines);
    }
    for name in names(&options.folder).unwrap() {
        std::fs::remove_file(options.folder.join(name)).unwrap();
    }
    std::fs::write(options.folder.join(file), lines).unwrap();
    let report = scene.proven(&options, Trust::Anchor, "2026-11-23");
    assert_eq!(problems(&report), ["pruned_too_early"], "{:?}", report.findings);
    // The server goes on behind it, and its checkpoints are in the anchor: found all the same.
    drop(scribe(&options, || noon("2026-11-23")));
    let report = scene.proven(&options, Trust::Anchor, "2026-11-24");
    assert_eq!(problems(&report), ["pruned_too_early"], "{:?}", report.findings);
}

/// A checkpoint over a line that is gone tells its time, wherever it stands in the anchor.
#[test]
fn a_time_of_ones_own_before_the_true_one_excuses_nothing() {
    let scene = Scene::original();
    let (_folder, options) = scene.laid_out();
    let signer = Signer::read(&options.key).unwrap();
    let anchor = options.anchor.as_ref().unwrap();
    let text = String::from_utf8(scene.anchor.clone()).unwrap();
    // Each true line has one before it that says it is years old.
    let shadowed = text.lines().flat_map(|line| {
        let Some(Mark::Checkpoint(true_one)) = Mark::from_json(line.as_bytes()) else {
            panic!("{line}")
        };
        let head = Head { sequence: true_one.covers, link: true_one.head };
        let old = signer.sign(true_one.journal, head, noon("2020-01-01"));
        [Mark::Checkpoint(old).to_json(), line.as_bytes().to_vec()]
    });
    let shadowed: Vec<u8> = shadowed.flat_map(|line| [line, b"\n".to_vec()].concat()).collect();
    std::fs::write(anchor, shadowed).unwrap();
    remove_all(&options, &Lie::GOOD);
    let report = scene.proven(&options, Trust::Anchor, "2026-11-23");
    assert_eq!(problems(&report), ["pruned_too_early"], "{:?}", report.findings);
}

/// What a crash left stands in no chain: nobody signed it.
#[test]
fn a_notice_among_what_a_crash_left_removes_nothing() {
    use std::io::Write as _;
    let scene = Scene::original();
    let (_folder, options) = scene.laid_out();
    let options = JournalOptions { anchor: None, ..options };
    let old = names(&options.folder).unwrap()[2].clone();
    let lie = Lie { name: Some("audit-2020-01-01.jsonl"), ..Lie::GOOD };
    let files = vec![told(&options, &old, &lie)];
    let pruning = Pruning { at: noon("2026-11-22"), keeps_days: 1_096, files };
    let head = crate::audit::recover::recover(&options.folder).unwrap().head.unwrap();
    let mut wrong = Head { link: crate::audit::hex::Digest::ZERO, ..head };
    let mut line = Vec::new();
    wrong.seal(&Mark::Pruned(pruning).to_json(), &mut line);
    let newest = options.folder.join("audit-2026-11-22.jsonl");
    let mut file = std::fs::OpenOptions::new().append(true).open(newest).unwrap();
    file.write_all(&line).unwrap();
    drop(scribe(&options, || noon("2026-11-23")));
    assert!(scene.proven(&options, Trust::Key, "2026-11-23").is_whole());
    for name in &names(&options.folder).unwrap()[..3] {
        std::fs::remove_file(options.folder.join(name)).unwrap();
    }
    let report = scene.proven(&options, Trust::Key, "2026-11-23");
    assert!(problems(&report).contains(&"no_beginning"), "{:?}", problems(&report));
}
