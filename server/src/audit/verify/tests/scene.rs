//! A journal in memory: files from before the chain, the day it began, a day at whose end a
//! server was killed, and a day that goes on; laid out in a folder where it is to be proven.

use std::sync::OnceLock;

use super::*;
use crate::audit::JournalOptions;
use crate::audit::chain::Head;
use crate::audit::disk::tests::Small;
use crate::audit::mark::Checkpoint;
use crate::audit::record::{Ending, Line, Outcome, tests::entry};
use crate::audit::scribe::Scribe;
use crate::audit::signing::Signer;

/// Chained records of the journal.
pub(super) const RECORDS: u64 = 40 + 30 + 1_150;

/// Noon of the day on which the journal is proven.
pub(super) const NOW: &str = "2026-11-23";

/// Noon of a day, in microseconds since 1970.
pub(super) fn noon(day: &str) -> i64 {
    let day: chrono::NaiveDate = day.parse().unwrap();
    day.and_hms_opt(12, 0, 0).unwrap().and_utc().timestamp_micros()
}

/// What a proof believes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    Anchor,
    Key,
    Nothing,
}

/// A journal, its anchor and its keys.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) anchor: Vec<u8>,
    pub(super) key: PublicKey,
    private: String,
}

impl Scene {
    /// The journal as servers wrote it. Made once: it is the same for all.
    pub(super) fn original() -> Self {
        static ORIGINAL: OnceLock<Scene> = OnceLock::new();
        ORIGINAL.get_or_init(make).clone()
    }

    /// The journal in a folder.
    pub(super) fn laid_out(&self) -> (tempfile::TempDir, JournalOptions) {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        std::fs::create_dir(&options.folder).unwrap();
        for (name, bytes) in &self.files {
            std::fs::write(options.folder.join(name), bytes).unwrap();
        }
        std::fs::write(options.anchor.as_ref().unwrap(), &self.anchor).unwrap();
        write_private(&options.key, &self.private);
        (folder, options)
    }

    pub(super) fn verify(&self, trust: Trust) -> Report {
        let (_folder, options) = self.laid_out();
        self.proven(&options, trust, NOW)
    }

    /// What a proof says of a folder on a day.
    pub(super) fn proven(&self, options: &JournalOptions, trust: Trust, day: &str) -> Report {
        let check = Check {
            folder: options.folder.clone(),
            anchor: options.anchor.clone().filter(|_| trust == Trust::Anchor),
            keys: if trust == Trust::Nothing { Vec::new() } else { vec![self.key] },
            now: at(noon(day)),
        };
        verify(&check, &mut |_, _| ()).unwrap()
    }

    /// Every line: its file and where it begins.
    pub(super) fn lines(&self) -> Vec<(usize, usize)> {
        let mut lines = Vec::new();
        for (file, (_, bytes)) in self.files.iter().enumerate() {
            let ends = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1);
            let begins = std::iter::once(0).chain(ends).filter(|at| *at < bytes.len());
            lines.extend(begins.map(|at| (file, at)));
        }
        lines
    }

    pub(super) fn line(&self, (file, at): (usize, usize)) -> &[u8] {
        let bytes = &self.files[file].1[at..];
        &bytes[..memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1)]
    }

    pub(super) fn edit(&mut self, place: (usize, usize), change: impl Fn(&[u8]) -> Vec<u8>) {
        let line = self.line(place).to_vec();
        self.files[place.0].1.splice(place.1..place.1 + line.len(), change(&line));
    }

    pub(super) fn swap(&mut self, one: (usize, usize), other: (usize, usize)) {
        let (first, second) = (one.min(other), one.max(other));
        let (a, b) = (self.line(first).to_vec(), self.line(second).to_vec());
        // The later one first, so that the earlier place stays where it is.
        self.edit(second, |_| a.clone());
        self.edit(first, |_| b.clone());
    }

    pub(super) fn bytes(&self) -> usize {
        self.files.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Where a byte of all is.
    pub(super) fn byte(&self, mut at: usize) -> (usize, usize) {
        for (file, (_, bytes)) in self.files.iter().enumerate() {
            if at < bytes.len() {
                return (file, at);
            }
            at -= bytes.len();
        }
        unreachable!("the byte is one of theirs")
    }

    /// The file of the chained record of this number, and the number that it was written with.
    pub(super) fn chained_record(&self, number: usize) -> (usize, usize) {
        let text = format!("statement number {number:05}");
        let has =
            |(_, bytes): &(String, Vec<u8>)| memchr::memmem::find(bytes, text.as_bytes()).is_some();
        (self.files.iter().position(has).unwrap(), number)
    }
}

/// The journal with other lines; a line is left out where there is none.
pub(super) fn with_lines(scene: &Scene, change: impl Fn(usize, &[u8]) -> Option<Vec<u8>>) -> Scene {
    let mut changed = scene.clone();
    changed.files.iter_mut().for_each(|(_, bytes)| bytes.clear());
    for place in scene.lines() {
        let line = change(place.0, scene.line(place)).unwrap_or_default();
        changed.files[place.0].1.extend(line);
    }
    changed
}

/// The journal with one record rewritten and everything behind it linked anew, by somebody who
/// has not the key: checkpoints keep their signature, or have one of another key.
pub(super) fn forged(scene: &Scene, record: usize, own_key: bool) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let own = own_key.then(|| Signer::open(&folder.path().join("own")).unwrap());
    let head = std::cell::Cell::new(Head::START);
    let text = format!("statement number {record:05}");
    with_lines(scene, |_, line| {
        let Some(chained) = Chained::read(line.trim_ascii_end()) else {
            return Some(line.to_vec());
        };
        let body = String::from_utf8(chained.body()).unwrap();
        let body = body.replace(&text, "statement number XXXXX").into_bytes();
        let body = match Mark::from_json(&body) {
            Some(mark) => remarked(mark, head.get(), own.as_ref()).to_json(),
            None => body,
        };
        let (mut next, mut out) = (head.get(), Vec::new());
        next.seal(&body, &mut out);
        head.set(next);
        Some(out)
    })
}

fn remarked(mark: Mark, head: Head, own: Option<&Signer>) -> Mark {
    match mark {
        Mark::Checkpoint(checkpoint) if checkpoint.covered() == head => {
            Mark::Checkpoint(checkpoint)
        }
        Mark::Checkpoint(checkpoint) => Mark::Checkpoint(match own {
            Some(own) => own.sign(checkpoint.journal, head, checkpoint.at),
            None => Checkpoint { covers: head.sequence, head: head.link, ..checkpoint },
        }),
        Mark::Opened(mut opening) => {
            opening.previous = head.link;
            Mark::Opened(opening)
        }
        Mark::DayStarted(mut start) => {
            start.previous = head.link;
            Mark::DayStarted(start)
        }
        other => other,
    }
}

pub(super) fn at(micros: i64) -> SystemTime {
    UNIX_EPOCH + std::time::Duration::from_micros(micros.try_into().unwrap())
}

fn options(folder: &Path) -> JournalOptions {
    JournalOptions {
        folder: folder.join("journal"),
        key: folder.join("key"),
        anchor: Some(folder.join("anchor")),
        new_anchor: false,
    }
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A record that was over at once, unlike every other.
pub(super) fn body(number: u64) -> Vec<u8> {
    let ending = Ending::without_rows(Outcome::Completed);
    Line::Whole { entry: entry(&format!("statement number {number:05}")), ending }.to_json()
}

fn append(scribe: &mut Scribe, numbers: std::ops::Range<u64>) {
    for number in numbers {
        scribe.append(&[&body(number)]).unwrap();
    }
}

fn make() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    std::fs::create_dir(&options.folder).unwrap();
    let disk = || Box::new(Small::with_room(1 << 40));
    let old = |numbers: std::ops::Range<u64>| -> Vec<u8> {
        numbers.flat_map(|number| [body(number), b"\n".to_vec()].concat()).collect()
    };
    // From before the chain: a day that ended torn, a whole one, and a part of the day it began.
    let write = |day: &str, bytes: Vec<u8>| {
        std::fs::write(options.folder.join(format!("audit-{day}.jsonl")), bytes).unwrap();
    };
    write("2026-05-18", [old(90_000..90_005), b"{\"event\":\"begi".to_vec()].concat());
    write("2026-05-19", old(90_010..90_015));
    write("2026-05-20", old(90_020..90_023));
    let mut scribe = Scribe::open_on(|| noon("2026-05-20"), &options, disk()).unwrap();
    append(&mut scribe, 0..40);
    scribe.checkpoint().unwrap();
    drop(scribe);
    let mut scribe = Scribe::open_on(|| noon("2026-11-21"), &options, disk()).unwrap();
    append(&mut scribe, 40..70);
    drop(scribe);
    // The server was killed while it wrote; the next one found half a line.
    let killed = options.folder.join("audit-2026-11-21.jsonl");
    let torn = [std::fs::read(&killed).unwrap(), b"{\"event\":\"whole\",\"rec".to_vec()].concat();
    std::fs::write(&killed, torn).unwrap();
    let mut scribe = Scribe::open_on(|| noon("2026-11-22"), &options, disk()).unwrap();
    append(&mut scribe, 70..1_220);
    scribe.checkpoint().unwrap();
    drop(scribe);
    let names = names(&options.folder).unwrap();
    let file = |name: String| {
        let bytes = std::fs::read(options.folder.join(&name)).unwrap();
        (name, bytes)
    };
    Scene {
        files: names.into_iter().map(file).collect(),
        anchor: std::fs::read(options.anchor.as_ref().unwrap()).unwrap(),
        key: Signer::read(&options.key).unwrap().public(),
        private: std::fs::read_to_string(&options.key).unwrap(),
    }
}
