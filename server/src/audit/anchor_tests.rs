//! A journal that is behind its anchor is not opened, and an anchor outlasts a torn line.

use std::fs;

use super::*;
use crate::audit::JournalOptions;
use crate::audit::disk::tests::Small;
use crate::audit::scribe::Scribe;

struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn options(&self) -> JournalOptions {
        let at = |name: &str| self.folder.path().join(name);
        fs::create_dir_all(at("journal")).unwrap();
        let anchor = Some(at("anchor"));
        JournalOptions { folder: at("journal"), key: at("key"), anchor, new_anchor: false }
    }

    fn open(&self) -> Result<Scribe, AuditError> {
        self.open_as(&self.options())
    }

    fn open_as(&self, options: &JournalOptions) -> Result<Scribe, AuditError> {
        Scribe::open(options, Box::new(Small::with_room(1 << 40)))
    }

    /// With the words that the anchor is new.
    fn open_new(&self) -> Result<Scribe, AuditError> {
        self.open_as(&JournalOptions { new_anchor: true, ..self.options() })
    }

    /// A journal with a line that the anchor signs, and the journal before that line.
    fn written(&self) -> Vec<u8> {
        let mut scribe = self.open().unwrap();
        let begun = fs::read(self.file()).unwrap();
        scribe.append(&[b"{\"event\":\"end\"}"]).unwrap();
        scribe.checkpoint().unwrap();
        begun
    }

    fn append_to_anchor(&self, text: &[u8]) {
        let path = self.options().anchor.unwrap();
        fs::write(&path, [&fs::read(&path).unwrap(), text].concat()).unwrap();
    }

    fn is_behind(&self) -> bool {
        matches!(self.open(), Err(AuditError::BehindAnchor { .. }))
    }

    fn file(&self) -> PathBuf {
        let names = crate::audit::day_files::names(&self.options().folder).unwrap();
        self.options().folder.join(&names[0])
    }

    fn anchor(&self) -> String {
        fs::read_to_string(self.options().anchor.unwrap()).unwrap()
    }
}

#[test]
fn checkpoints_go_to_both_places() {
    let scene = Scene::new();
    let mut scribe = scene.open().unwrap();
    scribe.append(&[b"{\"event\":\"end\"}"]).unwrap();
    scribe.checkpoint().unwrap();
    drop(scribe);
    drop(scene.open().unwrap());
    let covers: Vec<u64> =
        scene.anchor().lines().map(|line| read_line(line.as_bytes()).unwrap().covers).collect();
    assert_eq!(covers, [1, 3, 5]);
}

#[test]
fn a_journal_that_was_cut_exchanged_or_removed_is_not_opened() {
    let scene = Scene::new();
    let mut scribe = scene.open().unwrap();
    let path = scene.file();
    let begun = fs::read(&path).unwrap();
    scribe.append(&[b"{\"event\":\"end\"}"]).unwrap();
    scribe.checkpoint().unwrap();
    drop(scribe);
    let behind = |scene: &Scene| matches!(scene.open(), Err(AuditError::BehindAnchor { .. }));
    fs::write(&path, &begun).unwrap();
    assert!(behind(&scene), "it was cut");
    fs::remove_file(&path).unwrap();
    assert!(behind(&scene), "it was removed");
    let other = Scene::new();
    drop(other.open().unwrap());
    fs::copy(other.file(), &path).unwrap();
    assert!(behind(&scene), "it was exchanged");
}

#[test]
fn a_torn_line_of_the_anchor_is_ended_and_passed_over() {
    let scene = Scene::new();
    drop(scene.open().unwrap());
    let path = scene.options().anchor.unwrap();
    let mut torn = fs::read(&path).unwrap();
    torn.extend_from_slice(b"{\"event\":\"che");
    fs::write(&path, &torn).unwrap();
    drop(scene.open().unwrap());
    let text = scene.anchor();
    let good = text.lines().filter(|line| read_line(line.as_bytes()).is_some()).count();
    assert_eq!((good, text.lines().count()), (2, 3));
}

#[test]
fn checkpoints_wait_for_an_anchor_that_is_away() {
    let scene = Scene::new();
    let mut scribe = scene.open().unwrap();
    let path = scene.options().anchor.unwrap();
    let away = path.with_extension("away");
    fs::rename(&path, &away).unwrap();
    fs::create_dir(&path).unwrap();
    scribe.append(&[b"{\"event\":\"end\"}"]).unwrap();
    scribe.checkpoint().unwrap();
    assert!(scribe.may_begin(), "for a minute");
    fs::remove_dir(&path).unwrap();
    fs::rename(&away, &path).unwrap();
    scribe.attend();
    assert_eq!(scene.anchor().lines().count(), 2);
}

#[test]
fn an_earlier_checkpoint_once_more_hides_no_cut() {
    let scene = Scene::new();
    let begun = scene.written();
    let first = format!("{}\n", scene.anchor().lines().next().unwrap());
    scene.append_to_anchor(first.as_bytes());
    drop(scene.open().unwrap());
    scene.append_to_anchor(first.as_bytes());
    fs::write(scene.file(), begun).unwrap();
    assert!(scene.is_behind());
}

#[test]
fn other_lines_at_the_end_hide_no_cut() {
    let scene = Scene::new();
    let begun = scene.written();
    let long = [vec![b'x'; 3 * 64 * 1024], b"\n".to_vec()].concat();
    for others in [b"nothing that is of use\n".repeat(6_000), long] {
        scene.append_to_anchor(&others);
        drop(scene.open().unwrap());
        scene.append_to_anchor(&others);
    }
    fs::write(scene.file(), begun).unwrap();
    assert!(scene.is_behind());
}

#[test]
fn a_last_checkpoint_that_lacks_its_line_break_counts() {
    let scene = Scene::new();
    let begun = scene.written();
    let path = scene.options().anchor.unwrap();
    fs::write(&path, scene.anchor().trim_end()).unwrap();
    fs::write(scene.file(), begun).unwrap();
    assert!(scene.is_behind());
}

#[test]
fn an_anchor_that_is_away_at_the_beginning_is_not_made_anew() {
    let scene = Scene::new();
    scene.written();
    let path = scene.options().anchor.unwrap();
    let kept = scene.anchor();
    fs::remove_file(&path).unwrap();
    let missing = |scene: &Scene| matches!(scene.open(), Err(AuditError::AnchorMissing { .. }));
    assert!(missing(&scene) && !path.exists());
    fs::write(&path, "").unwrap();
    assert!(missing(&scene), "an empty file says as little");
    fs::write(&path, &kept).unwrap();
    drop(scene.open().unwrap());
}

#[test]
fn a_new_anchor_is_said_to_be_new_once() {
    let scene = Scene::new();
    drop(scene.open_as(&JournalOptions { anchor: None, ..scene.options() }).unwrap());
    assert!(matches!(scene.open(), Err(AuditError::AnchorMissing { .. })));
    drop(scene.open_new().unwrap());
    assert!(matches!(scene.open_new(), Err(AuditError::AnchorNotNew { .. })));
    drop(scene.open().unwrap());
    assert_eq!(scene.anchor().lines().count(), 2);
}

#[test]
fn an_anchor_without_a_checkpoint_of_the_journals_keys_is_refused() {
    let (scene, other) = (Scene::new(), Scene::new());
    scene.written();
    other.written();
    for text in ["nothing that is of use\n".to_owned(), other.anchor()] {
        fs::write(scene.options().anchor.unwrap(), &text).unwrap();
        assert!(matches!(scene.open(), Err(AuditError::AnchorForeign { .. })), "{text}");
        assert_eq!(scene.anchor(), text);
    }
}

#[test]
fn nobody_else_can_sign_that_the_journal_is_longer() {
    let scene = Scene::new();
    scene.written();
    let newest = scene.anchor().lines().last().unwrap().to_owned();
    let changed = newest.replacen("\"covers\":3", "\"covers\":9", 1);
    assert_ne!(changed, newest);
    scene.append_to_anchor(format!("{changed}\n").as_bytes());
    let own = crate::audit::signing::Signer::open(&scene.folder.path().join("own")).unwrap();
    let newest = read_line(newest.as_bytes()).unwrap();
    let covered = crate::audit::chain::Head { sequence: 99, link: newest.head };
    let foreign = Mark::Checkpoint(own.sign(newest.journal, covered, newest.at)).to_json();
    scene.append_to_anchor(&[foreign, b"\n".to_vec()].concat());
    drop(scene.open().unwrap());
}

#[test]
fn checkpoints_of_an_earlier_key_are_good() {
    let scene = Scene::new();
    let begun = scene.written();
    let whole = fs::read(scene.file()).unwrap();
    let renewed = JournalOptions { key: scene.folder.path().join("renewed"), ..scene.options() };
    fs::write(scene.file(), begun).unwrap();
    let cut = scene.open_as(&renewed);
    assert!(matches!(cut, Err(AuditError::BehindAnchor { .. })), "the earlier key signed more");
    fs::write(scene.file(), whole).unwrap();
    drop(scene.open_as(&renewed).unwrap());
    drop(scene.open_as(&renewed).unwrap());
    // The renewed key's checkpoints did not come to the anchor: the earlier one's are enough,
    // also where only the heading of an earlier day names that key.
    let early: String = scene.anchor().lines().take(2).map(|line| format!("{line}\n")).collect();
    fs::write(scene.options().anchor.unwrap(), &early).unwrap();
    let day = scene.file();
    let text = fs::read_to_string(&day).unwrap();
    let opened = text.find("{\"event\":\"opened\"").unwrap();
    fs::write(day.with_file_name("audit-2020-01-01.jsonl"), &text[..opened]).unwrap();
    fs::write(&day, &text[opened..]).unwrap();
    drop(scene.open_as(&renewed).unwrap());
}

#[test]
fn an_anchor_that_vanishes_is_away_and_not_made_anew() {
    let scene = Scene::new();
    let mut scribe = scene.open().unwrap();
    let path = scene.options().anchor.unwrap();
    let kept = scene.anchor();
    let end = |scribe: &mut Scribe| {
        scribe.append(&[b"{\"event\":\"end\"}"]).unwrap();
        scribe.checkpoint().unwrap();
        assert!(scribe.may_begin(), "for a minute");
    };
    fs::remove_file(&path).unwrap();
    end(&mut scribe);
    assert!(!path.exists());
    // What lies below a mount point is not the anchor.
    fs::write(&path, "").unwrap();
    end(&mut scribe);
    assert_eq!(scene.anchor(), "");
    fs::write(&path, kept).unwrap();
    scribe.attend();
    let covers: Vec<u64> =
        scene.anchor().lines().map(|line| read_line(line.as_bytes()).unwrap().covers).collect();
    assert_eq!(covers, [1, 3, 5]);
    drop(scribe);
    drop(scene.open().unwrap());
}
