//! Adds and drops kinds of index over loaded tables, in one commit.
//!
//! Receives: changes from the operator. Hands on: a published snapshot. What was built for a
//! segment is used again where somebody else published in between and left the segment alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::{StreamExt, stream};
use martlet_core::{ColumnName, SegmentId, TableName};
use martlet_index::{HandChoices, IndexChoice, IndexKind};
use martlet_store::{AttachmentRef, Commit, CommitOutcome, SegmentRef, Store, TableVersion};

use super::error::ReindexError;
use super::segment::{Looking, Outcome, Place, Wish, fulfil};
use super::{ATTEMPTS, IndexChanged, IndexWork};
use crate::progress::{Progress, Stage};

/// Whether kinds are added or dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexDeed {
    /// They are built now, and by every later load.
    Add,
    /// They are taken away, and no later load builds them.
    Drop,
}

/// One change of the choice of kinds over a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexChange {
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: ColumnName,
    /// Added or dropped.
    pub deed: IndexDeed,
    /// The kinds.
    pub kinds: Vec<IndexKind>,
}

/// What was made for a segment that had these attachments.
#[derive(Debug)]
pub(super) struct Made {
    of: Vec<AttachmentRef>,
    outcome: Outcome,
}

/// What was made in earlier attempts.
pub(super) type Earlier = HashMap<SegmentId, Made>;

/// What is done about a kind that suits no segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsuitable {
    /// The whole change is refused: somebody made a mistake.
    Refuse,
    /// The rest is done: somebody is trying what there is.
    LeaveOut,
}

/// Makes the changes, all together, on the latest snapshot.
///
/// # Errors
/// [`ReindexError`]; the mart is then as it was.
pub async fn change_indexes(
    store: &Store,
    changes: &[IndexChange],
    unsuitable: Unsuitable,
    progress: &dyn Progress,
) -> Result<IndexChanged, ReindexError> {
    let mut earlier = Earlier::new();
    for _ in 0..ATTEMPTS {
        let base = store.latest().await?;
        let mut commit = store.begin(&base);
        let mut work = Vec::new();
        let tables: BTreeSet<&TableName> = changes.iter().map(|change| &change.table).collect();
        for name in tables {
            let unknown = || ReindexError::UnknownTable { table: name.clone() };
            let table = base.table(name.as_str()).ok_or_else(unknown)?;
            let changes: Vec<&IndexChange> =
                changes.iter().filter(|change| change.table == *name).collect();
            let (by_hand, wish) = planned(table, &changes)?;
            commit.set_settings(name, by_hand.encode());
            let outcomes =
                fulfil_all(store, &mut commit, table, &wish, &mut earlier, progress).await?;
            let done = sum(table, &outcomes);
            if unsuitable == Unsuitable::Refuse {
                refuse_unsuitable(&done, table, &wish)?;
            }
            work.extend(done);
        }
        if let CommitOutcome::Committed(snapshot) = commit.publish().await? {
            return Ok(IndexChanged { snapshot: snapshot.number(), work });
        }
    }
    Err(ReindexError::Conflict { attempts: ATTEMPTS })
}

/// What the table's choice becomes, and what that means for its segments.
fn planned(
    table: &TableVersion,
    changes: &[&IndexChange],
) -> Result<(HandChoices, Wish), ReindexError> {
    let schema = table.schema();
    let mut by_hand = HandChoices::decode(table.settings())?;
    let (mut present, mut absent) = (BTreeSet::new(), BTreeSet::new());
    for change in changes {
        let unknown = || ReindexError::UnknownColumn {
            table: schema.name().clone(),
            column: change.column.clone(),
        };
        let column = schema.position(change.column.as_str()).ok_or_else(unknown)?;
        let places: BTreeSet<Place> = change.kinds.iter().map(|kind| (column, *kind)).collect();
        let (wanted, other) = match change.deed {
            IndexDeed::Add => {
                by_hand.add(&change.column, &change.kinds);
                (&mut present, &mut absent)
            }
            IndexDeed::Drop => {
                by_hand.drop_kinds(&change.column, &change.kinds);
                (&mut absent, &mut present)
            }
        };
        other.retain(|place| !places.contains(place));
        wanted.extend(places);
    }
    let mut whole = vec![IndexChoice::Auto; schema.columns().len()];
    by_hand.apply(schema, &mut whole);
    let schema = Arc::new(schema.clone());
    Ok((by_hand, Wish { schema, present, absent, whole, looking: Looking::ByDescriptor }))
}

/// Fulfils the wish for every segment of the table, several at a time, and puts the new
/// attachments into the commit.
pub(super) async fn fulfil_all(
    store: &Store,
    commit: &mut Commit,
    table: &TableVersion,
    wish: &Wish,
    earlier: &mut Earlier,
    progress: &dyn Progress,
) -> Result<Vec<Outcome>, ReindexError> {
    let name = table.schema().name().as_str();
    let total: u64 = table.segments().iter().map(|segment| segment.object().size_bytes()).sum();
    let mut done = 0;
    progress.stage(name, Stage::Index, 0, total);
    let known: HashMap<SegmentId, Outcome> =
        table.segments().iter().filter_map(|segment| again(earlier, segment)).collect();
    let mut made = Vec::new();
    {
        let commit = &*commit;
        let known = &known;
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        let mut running = stream::iter(table.segments())
            .map(|segment| async move {
                let outcome = match known.get(&segment.id()) {
                    Some(outcome) => Ok(outcome.clone()),
                    None => fulfil(store, commit, segment, wish).await,
                };
                (segment, outcome)
            })
            .buffer_unordered(at_once);
        while let Some((segment, outcome)) = running.next().await {
            made.push((segment, outcome?));
            done += segment.object().size_bytes();
            progress.stage(name, Stage::Index, done, total);
        }
    }
    let mut outcomes = Vec::with_capacity(made.len());
    for (segment, outcome) in made {
        if let Some(attachment) = &outcome.attachment {
            let attachments = vec![attachment.clone()];
            commit.replace_attachments(table.schema().name(), segment.id(), attachments)?;
        }
        let of = segment.attachments().to_vec();
        earlier.insert(segment.id(), Made { of, outcome: outcome.clone() });
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// What an earlier attempt made for the segment, if the segment has not changed since.
fn again(earlier: &Earlier, segment: &SegmentRef) -> Option<(SegmentId, Outcome)> {
    let made = earlier.get(&segment.id())?;
    (made.of == segment.attachments()).then(|| (segment.id(), made.outcome.clone()))
}

/// Adds up what was done, by column and kind.
pub(super) fn sum(table: &TableVersion, outcomes: &[Outcome]) -> Vec<IndexWork> {
    let schema = table.schema();
    let mut sums: BTreeMap<Place, IndexWork> = BTreeMap::new();
    let mut add = |place: Place, count: &dyn Fn(&mut IndexWork)| {
        let Some(column) = schema.columns().get(place.0) else { return };
        count(sums.entry(place).or_insert_with(|| IndexWork {
            table: schema.name().clone(),
            column: column.name.clone(),
            kind: place.1,
            built: 0,
            bytes: 0,
            micros: 0,
            dropped: 0,
            declined: 0,
        }));
    };
    for outcome in outcomes {
        for section in &outcome.built {
            add((section.column, section.kind), &|work| {
                work.built += 1;
                work.bytes += section.length;
                work.micros += section.build_micros;
            });
        }
        for place in &outcome.dropped {
            add(*place, &|work| work.dropped += 1);
        }
        for place in &outcome.declined {
            add(*place, &|work| work.declined += 1);
        }
    }
    sums.into_values().collect()
}

/// A kind that suits no segment at all is a mistake, and nothing is committed.
fn refuse_unsuitable(
    work: &[IndexWork],
    table: &TableVersion,
    wish: &Wish,
) -> Result<(), ReindexError> {
    let segments = table.segments().len() as u64;
    let is_wished = |one: &&IndexWork| {
        let column = table.schema().position(one.column.as_str());
        column.is_some_and(|column| wish.present.contains(&(column, one.kind)))
    };
    match work.iter().filter(is_wished).find(|one| one.declined == segments) {
        Some(one) => Err(ReindexError::NotApplicable {
            table: one.table.clone(),
            column: one.column.clone(),
            kind: one.kind,
        }),
        None => Ok(()),
    }
}
