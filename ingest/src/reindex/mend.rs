//! Checks attached indexes and builds anew what is damaged or missing.
//!
//! Receives: which indexes to look at, from the operator or from a server that met damage.
//! Hands on: a published snapshot where something had to be mended, else nothing. What is right
//! stays as it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use martlet_core::{SnapshotNumber, TableName};
use martlet_index::{HandChoices, IndexChoice};
use martlet_store::{CommitOutcome, Snapshot, Store, TableVersion};

use super::change::{Earlier, fulfil_all, sum};
use super::error::ReindexError;
use super::segment::{Looking, Wish};
use super::{ATTEMPTS, IndexWork};
use crate::progress::Progress;

/// Which indexes are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Those of every table.
    All,
    /// Those of one table.
    Table(TableName),
    /// Those of the table that has an attachment at this path, if any still has.
    Holding(String),
}

/// What came of mending.
#[derive(Debug, Clone)]
pub struct Mended {
    /// The snapshot that has sound indexes; `None` if nothing had to be mended.
    pub snapshot: Option<SnapshotNumber>,
    /// Segments that were looked at.
    pub segments: u64,
    /// Index sections that were read and proven.
    pub sections: u64,
    /// What was built anew, ascending.
    pub work: Vec<IndexWork>,
}

/// Checks indexes of the latest snapshot and builds anew what is damaged or missing.
///
/// # Errors
/// [`ReindexError`]; the mart is then as it was. A damaged segment is an error: an index can
/// only be built from sound rows.
pub async fn mend_indexes(
    store: &Store,
    which: &Which,
    progress: &dyn Progress,
) -> Result<Mended, ReindexError> {
    let mut earlier = Earlier::new();
    for _ in 0..ATTEMPTS {
        let base = store.latest().await?;
        let mut commit = store.begin(&base);
        let mut mended = Mended { snapshot: None, segments: 0, sections: 0, work: Vec::new() };
        let mut is_changed = false;
        for table in chosen(&base, which)? {
            let wish = wish(table)?;
            let outcomes =
                fulfil_all(store, &mut commit, table, &wish, &mut earlier, progress).await?;
            mended.segments += outcomes.len() as u64;
            mended.sections += outcomes.iter().map(|outcome| outcome.examined).sum::<u64>();
            is_changed |= outcomes.iter().any(|outcome| outcome.attachment.is_some());
            mended.work.extend(sum(table, &outcomes).into_iter().filter(|work| work.built > 0));
        }
        if !is_changed {
            return Ok(mended);
        }
        if let CommitOutcome::Committed(snapshot) = commit.publish().await? {
            return Ok(Mended { snapshot: Some(snapshot.number()), ..mended });
        }
    }
    Err(ReindexError::Conflict { attempts: ATTEMPTS })
}

fn chosen<'a>(base: &'a Snapshot, which: &Which) -> Result<Vec<&'a TableVersion>, ReindexError> {
    let all = base.tables().values().map(AsRef::as_ref);
    Ok(match which {
        Which::All => all.collect(),
        Which::Table(name) => {
            let unknown = || ReindexError::UnknownTable { table: name.clone() };
            vec![base.table(name.as_str()).ok_or_else(unknown)?.as_ref()]
        }
        Which::Holding(path) => all.filter(|table| holds(table, path)).collect(),
    })
}

fn holds(table: &TableVersion, path: &str) -> bool {
    let mut attachments = table.segments().iter().flat_map(|segment| segment.attachments());
    attachments.any(|attachment| attachment.object().path() == path)
}

/// Whatever is there has to be sound, and what was chosen by hand has to be there.
fn wish(table: &TableVersion) -> Result<Wish, ReindexError> {
    let schema = table.schema();
    let by_hand = HandChoices::decode(table.settings())?;
    let (mut present, mut absent) = (BTreeSet::new(), BTreeSet::new());
    for (position, column) in schema.columns().iter().enumerate() {
        if let Some(choice) = by_hand.of(&column.name) {
            present.extend(choice.added.iter().map(|kind| (position, *kind)));
            absent.extend(choice.dropped.iter().map(|kind| (position, *kind)));
        }
    }
    let mut whole = vec![IndexChoice::Auto; schema.columns().len()];
    by_hand.apply(schema, &mut whole);
    let schema = Arc::new(schema.clone());
    Ok(Wish { schema, present, absent, whole, looking: Looking::AtEverySection })
}
