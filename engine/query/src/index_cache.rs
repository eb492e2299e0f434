//! Opened index sections, kept in memory up to a number of bytes.
//!
//! A section that cannot be read or proves damaged is reported once and treated as missing:
//! the answer then comes from the segment. Never turns a broken index into an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use martlet_core::{ErrorKind, Kinded};
use martlet_index::{Index, IndexKind, SectionRef};
use martlet_store::{AttachmentRef, KeptRange, Lease, Store};
use moka::sync::Cache;

/// Where a section lies: the object's digest and the offset in it.
type SectionKey = ([u8; 32], u64);

/// What a cached section costs beside what it holds.
const ENTRY_BYTES: usize = 128;

/// A section that was passed over so often is opened: to open it costs about as much as decoding
/// a page so often.
const OFTEN: u32 = 8;
/// Sections of which it is remembered how often they were passed over.
const PASSED_OVER_MAX: u64 = 65_536;

/// An opened section, with what tells its use to whoever bounds the mapped memory.
#[derive(Debug, Clone)]
struct Kept {
    index: Arc<Index>,
    lease: Lease,
}

impl Kept {
    fn bytes(&self) -> usize {
        self.index.memory_bytes() + self.lease.held_bytes()
    }

    fn used(self) -> Arc<Index> {
        self.lease.used();
        self.index
    }
}

/// The cache; cheap to share.
#[derive(Debug)]
pub(crate) struct IndexCache {
    sections: Cache<SectionKey, Option<Kept>>,
    passed_over: Cache<SectionKey, Arc<AtomicU32>>,
}

impl IndexCache {
    pub(crate) fn new(bytes_max: u64) -> Self {
        let sections = Cache::builder()
            .max_capacity(bytes_max)
            .weigher(|_: &SectionKey, kept: &Option<Kept>| {
                let held = kept.as_ref().map_or(0, Kept::bytes);
                u32::try_from(held + ENTRY_BYTES).unwrap_or(u32::MAX)
            })
            .build();
        Self { sections, passed_over: Cache::new(PASSED_OVER_MAX) }
    }

    /// Notes that a statement has too few rows to open a section for, and tells whether so many
    /// had that it pays by now.
    pub(crate) fn is_often_passed_over(
        &self,
        attachment: &AttachmentRef,
        section: &SectionRef,
    ) -> bool {
        let times = self.passed_over.get_with(key(attachment, section), Arc::default);
        // A number alone; nothing is read by it.
        times.fetch_add(1, Ordering::Relaxed) >= OFTEN
    }

    /// The section, if it is open already.
    pub(crate) fn opened(
        &self,
        attachment: &AttachmentRef,
        section: &SectionRef,
    ) -> Option<Arc<Index>> {
        self.sections.get(&key(attachment, section)).flatten().map(Kept::used)
    }

    /// The opened section, or `None` if it cannot be used.
    pub(crate) async fn section(
        &self,
        store: &Store,
        attachment: &AttachmentRef,
        section: &SectionRef,
        rows: u32,
    ) -> Option<Arc<Index>> {
        let key = key(attachment, section);
        if let Some(known) = self.sections.get(&key) {
            return known.map(Kept::used);
        }
        let opened = match open(store, attachment, section, rows).await {
            Opened::Sound(kept) => Some(kept),
            Opened::Damaged => None,
            // It may be readable the next time, so this is not remembered.
            Opened::Unreadable => return None,
        };
        self.sections.insert(key, opened.clone());
        opened.map(|kept| kept.index)
    }
}

fn key(attachment: &AttachmentRef, section: &SectionRef) -> SectionKey {
    (*attachment.object().digest(), section.offset)
}

/// How opening a section ended.
enum Opened {
    Sound(Kept),
    /// Its bytes are not what was written.
    Damaged,
    /// The storage did not give them.
    Unreadable,
}

async fn open(
    store: &Store,
    attachment: &AttachmentRef,
    section: &SectionRef,
    rows: u32,
) -> Opened {
    let range = section.offset..section.offset + section.length;
    let KeptRange { bytes, lease } = match store.map_range(attachment.object(), range).await {
        Ok(kept) => kept,
        Err(error) => {
            tracing::warn!(%error, object = attachment.object().path(), "index section is unreadable; its segment answers");
            return match error.kind() {
                ErrorKind::Damaged => Opened::Damaged,
                _ => Opened::Unreadable,
            };
        }
    };
    match Index::open_proven(section, &bytes, rows) {
        Ok(index) => Opened::Sound(Kept { index: Arc::new(index), lease }),
        Err(error) => {
            tracing::warn!(%error, object = attachment.object().path(), "index section is damaged; its segment answers");
            Opened::Damaged
        }
    }
}

/// The sections of one segment that a question needs, opened.
#[derive(Debug, Default)]
pub(crate) struct OpenedIndexes {
    opened: Vec<(usize, IndexKind, Arc<Index>)>,
}

impl OpenedIndexes {
    pub(crate) fn insert(&mut self, column: usize, kind: IndexKind, index: Arc<Index>) {
        self.opened.push((column, kind, index));
    }

    pub(crate) fn get(&self, column: usize, kind: IndexKind) -> Option<Arc<Index>> {
        self.opened
            .iter()
            .find(|(of_column, of_kind, _)| *of_column == column && *of_kind == kind)
            .map(|(_, _, index)| Arc::clone(index))
    }
}
