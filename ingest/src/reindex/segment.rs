//! One segment's index object, made anew where it has to be.
//!
//! Receives: what is wished for the segment. Hands on: an attachment in the place of those it
//! has, or word that nothing is to be done. Reads only the columns that are indexed anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use futures::TryStreamExt;
use martlet_core::limits::BATCH_ROWS_MAX;
use martlet_core::{ErrorKind, Kinded, Selection, TableSchema};
use martlet_index::{
    Built, Descriptor, Index, IndexChoice, IndexKind, KeptSection, SectionRef, amend, build,
};
use martlet_store::{AttachmentRef, Commit, SegmentRef, Store};
use tokio::task::spawn_blocking;

use super::error::ReindexError;

/// An index of a segment: the column's position and the kind.
pub(super) type Place = (usize, IndexKind);

/// What is wished for every segment of a table.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) schema: Arc<TableSchema>,
    /// Indexes that have to be there.
    pub(super) present: BTreeSet<Place>,
    /// Indexes that must not be there.
    pub(super) absent: BTreeSet<Place>,
    /// What is built where nothing can be understood of what a segment has.
    pub(super) whole: Vec<IndexChoice>,
    pub(super) looking: Looking,
}

/// How closely a segment's indexes are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looking {
    /// The descriptors are believed: a segment that has what it should is left alone.
    ByDescriptor,
    /// Every section is read and proven.
    AtEverySection,
}

/// What became of a segment.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    /// What is to be attached; `None` where all stays as it is.
    pub(super) attachment: Option<AttachmentRef>,
    /// Sections that were looked at.
    pub(super) examined: u64,
    pub(super) built: Vec<SectionRef>,
    pub(super) dropped: Vec<Place>,
    /// Indexes that were wished for and do not apply to the values.
    pub(super) declined: Vec<Place>,
}

impl Outcome {
    fn untouched(examined: u64) -> Self {
        let (built, dropped, declined) = (Vec::new(), Vec::new(), Vec::new());
        Self { attachment: None, examined, built, dropped, declined }
    }
}

/// What a segment has.
struct Examined {
    /// The zone maps, if any descriptor can be understood.
    base: Option<Descriptor>,
    sound: Vec<KeptSection>,
    damaged: BTreeSet<Place>,
    sections: u64,
}

/// Makes the segment's index object anew, if the wish asks for it.
pub(super) async fn fulfil(
    store: &Store,
    commit: &Commit,
    segment: &SegmentRef,
    wish: &Wish,
) -> Result<Outcome, ReindexError> {
    if wish.looking == Looking::ByDescriptor && is_fulfilled(segment, wish) {
        return Ok(Outcome::untouched(0));
    }
    let examined = examine(store, segment).await?;
    let sections = examined.sections;
    let Some(base) = examined.base else {
        let rows = read(store, segment, &wish.schema, &all_columns(&wish.schema)).await?;
        let (schema, choices) = (Arc::clone(&wish.schema), wish.whole.clone());
        let built = in_background(move || build(&schema, &rows, &choices)).await?;
        let sections_built = built.descriptor.sections().to_vec();
        let attachment = Some(attach(commit, segment, &wish.schema, built).await?);
        let outcome = Outcome::untouched(sections);
        return Ok(Outcome { attachment, built: sections_built, ..outcome });
    };
    let place = |kept: &KeptSection| (kept.section.column, kept.section.kind);
    let dropped: Vec<Place> =
        examined.sound.iter().map(place).filter(|at| wish.absent.contains(at)).collect();
    let kept: Vec<KeptSection> =
        examined.sound.into_iter().filter(|kept| !wish.absent.contains(&place(kept))).collect();
    let there: BTreeSet<Place> = kept.iter().map(place).collect();
    let to_build: BTreeSet<Place> = examined
        .damaged
        .difference(&wish.absent)
        .chain(wish.present.difference(&there))
        .copied()
        .collect();
    if to_build.is_empty() && dropped.is_empty() && examined.damaged.is_empty() {
        return Ok(Outcome::untouched(sections));
    }
    let rebuilt = rebuild(store, segment, wish, base, kept, &to_build).await?;
    let is_new = |section: &&SectionRef| to_build.contains(&(section.column, section.kind));
    let built: Vec<SectionRef> =
        rebuilt.descriptor.sections().iter().filter(is_new).cloned().collect();
    let declined: Vec<Place> = to_build
        .iter()
        .filter(|(column, kind)| rebuilt.descriptor.section(*column, *kind).is_none())
        .copied()
        .collect();
    if built.is_empty() && dropped.is_empty() && examined.damaged.is_empty() {
        return Ok(Outcome { declined, ..Outcome::untouched(sections) });
    }
    let attachment = Some(attach(commit, segment, &wish.schema, rebuilt).await?);
    Ok(Outcome { attachment, examined: sections, built, dropped, declined })
}

/// Whether the descriptors say that a segment has what it should.
fn is_fulfilled(segment: &SegmentRef, wish: &Wish) -> bool {
    let descriptors: Option<Vec<Descriptor>> = segment
        .attachments()
        .iter()
        .map(|attachment| Descriptor::decode(attachment.descriptor()).ok())
        .collect();
    let Some(descriptors) = descriptors.filter(|descriptors| !descriptors.is_empty()) else {
        return false;
    };
    let has = |(column, kind): &Place| {
        descriptors.iter().any(|descriptor| descriptor.section(*column, *kind).is_some())
    };
    wish.present.iter().all(has) && !wish.absent.iter().any(has)
}

/// Reads and proves every section of every attachment.
async fn examine(store: &Store, segment: &SegmentRef) -> Result<Examined, ReindexError> {
    let mut examined =
        Examined { base: None, sound: Vec::new(), damaged: BTreeSet::new(), sections: 0 };
    let mut seen = BTreeSet::new();
    for attachment in segment.attachments() {
        let Some(descriptor) = Descriptor::decode(attachment.descriptor())
            .ok()
            .filter(|descriptor| descriptor.rows() == segment.rows())
        else {
            continue;
        };
        for section in descriptor.sections() {
            let place = (section.column, section.kind);
            if !seen.insert(place) {
                continue;
            }
            examined.sections += 1;
            match read_section(store, attachment, section, segment.rows()).await? {
                Some(kept) => examined.sound.push(kept),
                None => {
                    examined.damaged.insert(place);
                }
            }
        }
        examined.base.get_or_insert(descriptor);
    }
    Ok(examined)
}

/// A section, proven; `None` if it is damaged.
async fn read_section(
    store: &Store,
    attachment: &AttachmentRef,
    section: &SectionRef,
    rows: u32,
) -> Result<Option<KeptSection>, ReindexError> {
    let range = section.offset..section.offset + section.length;
    let bytes = match store.read_range(attachment.object(), range).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::Damaged => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let section = section.clone();
    in_background(move || {
        let is_sound = Index::open(&section, &bytes, rows).is_ok();
        Ok(is_sound.then_some(KeptSection { section, bytes }))
    })
    .await
}

async fn rebuild(
    store: &Store,
    segment: &SegmentRef,
    wish: &Wish,
    base: Descriptor,
    kept: Vec<KeptSection>,
    to_build: &BTreeSet<Place>,
) -> Result<Built, ReindexError> {
    let mut by_column: BTreeMap<usize, Vec<IndexKind>> = BTreeMap::new();
    for (column, kind) in to_build {
        by_column.entry(*column).or_default().push(*kind);
    }
    let columns: Vec<usize> = by_column.keys().copied().collect();
    let rows = read(store, segment, &wish.schema, &columns).await?;
    let wanted: Vec<(usize, Vec<IndexKind>)> = by_column.into_iter().collect();
    let schema = Arc::clone(&wish.schema);
    in_background(move || amend(&schema, &base, &kept, &rows, &wanted)).await
}

fn all_columns(schema: &TableSchema) -> Vec<usize> {
    (0..schema.columns().len()).collect()
}

/// Columns of the whole segment, in stored order, deleted rows included: an index covers all.
async fn read(
    store: &Store,
    segment: &SegmentRef,
    schema: &TableSchema,
    columns: &[usize],
) -> Result<RecordBatch, ReindexError> {
    let reader = store.open_segment(schema, segment).await?;
    let narrow = reader.schema(columns);
    if columns.is_empty() {
        return Ok(RecordBatch::new_empty(narrow));
    }
    let all = Selection::all(segment.rows());
    let batches: Vec<RecordBatch> =
        reader.read(columns, &all, BATCH_ROWS_MAX).try_collect().await?;
    concat_batches(&narrow, &batches).map_err(|_| ReindexError::Worker)
}

async fn attach(
    commit: &Commit,
    segment: &SegmentRef,
    schema: &TableSchema,
    built: Built,
) -> Result<AttachmentRef, ReindexError> {
    let descriptor = built.descriptor.encode();
    Ok(commit.attach_to(schema.name(), segment.id(), built.bytes, descriptor).await?)
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, martlet_index::IndexError> + Send + 'static,
) -> Result<T, ReindexError> {
    Ok(spawn_blocking(work).await.map_err(|_| ReindexError::Worker)??)
}
