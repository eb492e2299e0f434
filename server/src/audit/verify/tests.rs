//! A journal of several days with all that happens to one: it proves, and after any one change
//! to it, it does not.

mod early;
mod million;
mod scene;

use proptest::prelude::*;
use scene::{Scene, Trust, at, forged, noon, with_lines};

use super::*;
use crate::audit::chain::Chained;
use crate::audit::mark::Mark;
use crate::audit::prune::prune_on;

fn problems(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.problem.word()).collect()
}

#[test]
fn a_journal_that_nobody_touched_is_whole() {
    let scene = Scene::original();
    for trust in [Trust::Anchor, Trust::Key, Trust::Nothing] {
        let report = scene.verify(trust);
        assert!(report.is_whole(), "{:?}", report.findings);
        assert_eq!(report.files, 5);
        assert_eq!(report.records, scene::RECORDS);
        assert_eq!(report.range.unwrap().0, 1);
        let crashes =
            report.remarks.iter().filter(|remark| matches!(remark, Remark::Crashed { .. }));
        assert_eq!(crashes.count(), 1, "{:?}", report.remarks);
        let before = report.remarks.iter().find(|of| matches!(of, Remark::BeforeTheChain { .. }));
        assert!(before.is_some(), "{:?}", report.remarks);
    }
}

#[test]
fn a_server_that_is_killed_leaves_a_whole_journal_with_a_remark() {
    let scene = Scene::original();
    let (name, bytes) = scene.files.last().unwrap();
    // Anywhere behind the last checkpoint but one: the anchor has that.
    let lines: Vec<usize> = memchr::memchr_iter(b'\n', bytes).collect();
    let unsigned = lines[lines.len() - 2] + 1;
    for cut in [unsigned, unsigned + 1, unsigned + 50, bytes.len() - 1] {
        let mut scene = scene.clone();
        scene.anchor = scene.anchor
            [..memchr::memrchr(b'\n', scene.anchor.trim_ascii_end()).unwrap() + 1]
            .to_vec();
        scene.files.last_mut().unwrap().1.truncate(cut);
        let report = scene.verify(Trust::Anchor);
        assert!(report.is_whole(), "{name} cut at {cut}: {:?}", report.findings);
        let torn = report.remarks.iter().any(|remark| matches!(remark, Remark::TornEnd { .. }));
        assert_eq!(torn, cut > unsigned, "{:?}", report.remarks);
        assert!(report.remarks.iter().any(|remark| matches!(remark, Remark::NotYetSigned { .. })));
    }
}

#[test]
fn a_finding_names_file_line_and_number() {
    let mut scene = Scene::original();
    let (file, line) = scene.chained_record(700);
    let bytes = &mut scene.files[file].1;
    let at = memchr::memmem::find(bytes, format!("statement number {line:05}").as_bytes());
    bytes[at.unwrap()] ^= 1;
    let report = scene.verify(Trust::Nothing);
    let name = scene.files[file].0.clone();
    assert_eq!(problems(&report), ["changed"]);
    let finding = &report.findings[0];
    let text = String::from_utf8(scene.files[file].1.clone()).unwrap();
    let read = Chained::read(text.lines().nth(finding.line as usize - 1).unwrap().as_bytes());
    assert_eq!(finding.file, name);
    assert_eq!(finding.sequence, Some(read.unwrap().sequence));
}

#[test]
fn a_changed_link_is_one_finding() {
    let mut scene = Scene::original();
    let (file, _) = scene.chained_record(700);
    let bytes = &mut scene.files[file].1;
    let lines: Vec<usize> = memchr::memchr_iter(b'\n', bytes).collect();
    let at = lines[lines.len() / 2] - 3;
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    assert_eq!(problems(&scene.verify(Trust::Nothing)), ["changed"]);
}

#[test]
fn the_end_can_be_cut_off_unseen_only_where_there_is_no_anchor() {
    let mut scene = Scene::original();
    let bytes = &mut scene.files.last_mut().unwrap().1;
    let last = memchr::memrchr(b'\n', &bytes[..bytes.len() - 1]).unwrap();
    bytes.truncate(last + 1);
    assert!(scene.verify(Trust::Nothing).is_whole());
    assert_eq!(problems(&scene.verify(Trust::Anchor)), ["not_as_anchored"]);
    scene.files.clear();
    assert!(problems(&scene.verify(Trust::Anchor)).contains(&"empty"));
}

#[test]
fn who_has_no_key_cannot_write_another_history() {
    let scene = Scene::original();
    for own_key in [false, true] {
        let changed = forged(&scene, 40, own_key);
        let report = changed.verify(Trust::Key);
        let expected = if own_key { "foreign_key" } else { "forged" };
        assert!(problems(&report).contains(&expected), "{:?}", problems(&report));
        assert!(!changed.verify(Trust::Anchor).is_whole());
        assert!(!changed.verify(Trust::Nothing).is_whole());
    }
}

#[test]
fn checkpoints_cannot_be_left_out_of_a_forged_history() {
    let scene = Scene::original();
    let first = scene
        .files
        .iter()
        .position(|(_, bytes)| bytes.starts_with(b"{\"event\":\"opened"))
        .unwrap();
    let stripped = with_lines(&scene, |file, line| {
        let is_checkpoint = line.starts_with(b"{\"event\":\"checkpoint");
        (file < first || !is_checkpoint).then(|| line.to_vec())
    });
    let relinked = forged(&stripped, 0, false);
    assert!(problems(&relinked.verify(Trust::Nothing)).contains(&"unsigned"));
}

#[test]
fn pruned_files_are_not_missed_and_others_are() {
    let scene = Scene::original();
    let (folder, options) = scene.laid_out();
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
    let refused = prune_on(|| noon(scene::NOW), &options, 100, today);
    assert!(matches!(refused, Err(AuditError::KeptTooShortly { .. })));
    // 2026-05-20 and older: the two from before the chain, and the day that it began.
    let pruned = prune_on(|| noon(scene::NOW), &options, 186, today).unwrap();
    assert_eq!(pruned.files.len(), 3);
    let check = Check {
        folder: options.folder.clone(),
        anchor: options.anchor.clone(),
        keys: Vec::new(),
        now: at(noon(scene::NOW)),
    };
    let report = verify(&check, &mut |_, _| ()).unwrap();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert!(report.remarks.iter().any(|remark| matches!(remark, Remark::Pruned { files: 3, .. })));
    // Again: nothing is old enough any more.
    assert_eq!(prune_on(|| noon(scene::NOW), &options, 186, today).unwrap().files.len(), 0);
    let next = names(&options.folder).unwrap()[0].clone();
    std::fs::remove_file(options.folder.join(next)).unwrap();
    let report = verify(&check, &mut |_, _| ()).unwrap();
    assert!(problems(&report).contains(&"no_beginning"), "{:?}", problems(&report));
    drop(folder);
}

#[test]
fn whoever_prunes_without_the_key_is_found() {
    let scene = Scene::original();
    let (folder, options) = scene.laid_out();
    let own = crate::audit::JournalOptions {
        key: folder.path().join("own.key"),
        anchor: None,
        ..options.clone()
    };
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
    prune_on(|| noon(scene::NOW), &own, 186, today).unwrap();
    for keys in [vec![scene.key], Vec::new()] {
        let (folder, anchor) = (own.folder.clone(), options.anchor.clone());
        let check = Check { folder, anchor, keys, now: at(noon(scene::NOW)) };
        assert!(!verify(&check, &mut |_, _| ()).unwrap().is_whole());
    }
}

#[test]
fn an_anchor_that_says_nothing_proves_nothing() {
    let mut scene = Scene::original();
    scene.anchor.clear();
    let report = scene.verify(Trust::Anchor);
    assert_eq!(problems(&report), ["anchor_empty"]);
    assert!(report.findings[0].file.ends_with("anchor"), "{:?}", report.findings);
}

/// One change that somebody may make to a journal.
#[derive(Debug, Clone)]
enum Deed {
    FlipBit { at: prop::sample::Index, bit: u8 },
    DeleteLine { line: prop::sample::Index },
    SwapLines { one: prop::sample::Index, other: prop::sample::Index },
    DoubleLine { line: prop::sample::Index, to: prop::sample::Index },
    Truncate { at: prop::sample::Index },
    RemoveFile { file: prop::sample::Index },
    ExchangeFiles { one: prop::sample::Index, other: prop::sample::Index },
    RemoveCheckpoint { which: prop::sample::Index },
    Rewrite { record: prop::sample::Index, own_key: bool },
}

fn deed() -> impl Strategy<Value = Deed> {
    use prop::sample::Index;
    prop_oneof![
        6 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Deed::FlipBit { at, bit }),
        2 => any::<Index>().prop_map(|line| Deed::DeleteLine { line }),
        2 => any::<(Index, Index)>().prop_map(|(one, other)| Deed::SwapLines { one, other }),
        2 => any::<(Index, Index)>().prop_map(|(line, to)| Deed::DoubleLine { line, to }),
        3 => any::<Index>().prop_map(|at| Deed::Truncate { at }),
        1 => any::<Index>().prop_map(|file| Deed::RemoveFile { file }),
        1 => any::<(Index, Index)>().prop_map(|(one, other)| Deed::ExchangeFiles { one, other }),
        1 => any::<Index>().prop_map(|which| Deed::RemoveCheckpoint { which }),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(record, own_key)| Deed::Rewrite { record, own_key }),
    ]
}

/// Does the deed; `None` if it changes nothing.
fn done(deed: &Deed, original: &Scene) -> Option<Scene> {
    let mut scene = original.clone();
    let lines = scene.lines();
    match deed {
        Deed::FlipBit { at, bit } => {
            let (file, at) = scene.byte(at.index(scene.bytes()));
            scene.files[file].1[at] ^= 1 << bit;
        }
        Deed::DeleteLine { line } => scene.edit(lines[line.index(lines.len())], |_| Vec::new()),
        Deed::SwapLines { one, other } => {
            let (one, other) = (lines[one.index(lines.len())], lines[other.index(lines.len())]);
            scene.swap(one, other);
        }
        Deed::DoubleLine { line, to } => {
            let copy = scene.line(lines[line.index(lines.len())]).to_vec();
            scene.edit(lines[to.index(lines.len())], |line| [line, &copy].concat());
        }
        Deed::Truncate { at } => {
            let (file, at) = scene.byte(at.index(scene.bytes()));
            scene.files[file].1.truncate(at);
        }
        Deed::RemoveFile { file } => {
            scene.files.remove(file.index(scene.files.len()));
        }
        Deed::ExchangeFiles { one, other } => {
            let (one, other) = (one.index(scene.files.len()), other.index(scene.files.len()));
            let bytes = scene.files[one].1.clone();
            scene.files[one].1 = std::mem::replace(&mut scene.files[other].1, bytes);
        }
        Deed::RemoveCheckpoint { which } => {
            let is_checkpoint = |line: &&(usize, usize)| {
                Chained::read(scene.line(**line).trim_ascii_end())
                    .and_then(|chained| Mark::from_json(&chained.body()))
                    .is_some_and(|mark| matches!(mark, Mark::Checkpoint(_)))
            };
            let all: Vec<_> = lines.iter().filter(is_checkpoint).copied().collect();
            scene.edit(all[which.index(all.len())], |_| Vec::new());
        }
        Deed::Rewrite { record, own_key } => scene = forged(&scene, record.index(1_000), *own_key),
    }
    (scene.files != original.files).then_some(scene)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn no_deed_stays_unseen(deed in deed()) {
        let original = Scene::original();
        if let Some(changed) = done(&deed, &original) {
            let report = changed.verify(Trust::Anchor);
            prop_assert!(!report.is_whole(), "{deed:?}");
            for finding in &report.findings {
                prop_assert!(!finding.problem.to_string().is_empty());
            }
        }
    }
}
