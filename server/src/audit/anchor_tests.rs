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
        JournalOptions { folder: at("journal"), key: at("key"), anchor: Some(at("anchor")) }
    }

    fn open(&self) -> Result<Scribe, AuditError> {
        Scribe::open(&self.options(), Box::new(Small::with_room(1 << 40)))
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
