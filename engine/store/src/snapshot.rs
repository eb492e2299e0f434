//! One published state of the mart. It never changes, and holding it costs nothing.
//!
//! Made only from a manifest that was read and checked, or was just published.

use std::collections::BTreeMap;
use std::sync::Arc;

use martlet_core::{BatchDate, CommitId, SnapshotNumber, TableName};

use crate::manifest::codec::SnapshotHead;
use crate::manifest::{BatchLabel, BatchRecord, TableVersion};
use crate::object::ObjectRef;

/// An immutable view of the whole mart; cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Snapshot {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    head: SnapshotHead,
    tables: BTreeMap<TableName, Arc<TableVersion>>,
}

impl Snapshot {
    /// Snapshot 0: the empty mart, which exists without an object.
    pub(crate) fn empty() -> Self {
        let head = SnapshotHead {
            number: SnapshotNumber::EMPTY,
            commit_id: CommitId::from_bytes([0; 16]),
            committed_at: 0,
            tables: Vec::new(),
            batches: Vec::new(),
            policy: None,
            principals: None,
            emergencies: None,
        };
        Self::new(head, BTreeMap::new())
    }

    pub(crate) fn new(head: SnapshotHead, tables: BTreeMap<TableName, Arc<TableVersion>>) -> Self {
        Self { state: Arc::new(State { head, tables }) }
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> SnapshotNumber {
        self.state.head.number
    }

    /// The commit that made it; all zero for snapshot 0.
    #[must_use]
    pub fn commit_id(&self) -> CommitId {
        self.state.head.commit_id
    }

    /// When it was committed, in microseconds since 1970-01-01 00:00 UTC; 0 for snapshot 0.
    #[must_use]
    pub fn committed_at(&self) -> i64 {
        self.state.head.committed_at
    }

    /// Every table, by name.
    #[must_use]
    pub fn tables(&self) -> &BTreeMap<TableName, Arc<TableVersion>> {
        &self.state.tables
    }

    /// The table of that name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Arc<TableVersion>> {
        self.state.tables.get(name)
    }

    /// Every batch that it holds, in the order in which they were committed.
    #[must_use]
    pub fn batches(&self) -> &[BatchRecord] {
        &self.state.head.batches
    }

    /// The batch of that label.
    #[must_use]
    pub fn batch(&self, label: &BatchLabel) -> Option<&BatchRecord> {
        self.batches().iter().find(|batch| batch.label() == label)
    }

    /// The latest business date of its batches; `None` before the first batch.
    #[must_use]
    pub fn newest_date(&self) -> Option<BatchDate> {
        newest_date(&self.state.head)
    }

    /// The policy bundle, if one was applied.
    #[must_use]
    pub fn policy(&self) -> Option<&ObjectRef> {
        self.state.head.policy.as_ref()
    }

    /// The feed of principals, if there was one.
    #[must_use]
    pub fn principals(&self) -> Option<&ObjectRef> {
        self.state.head.principals.as_ref()
    }

    /// What the mart keeps of emergencies, if there ever was one.
    #[must_use]
    pub fn emergencies(&self) -> Option<&ObjectRef> {
        self.state.head.emergencies.as_ref()
    }
}

pub(crate) fn newest_date(head: &SnapshotHead) -> Option<BatchDate> {
    head.batches.iter().map(BatchRecord::date).max()
}

/// What a list of snapshots tells of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// Its number.
    pub number: SnapshotNumber,
    /// The commit that made it.
    pub commit_id: CommitId,
    /// When it was committed, in microseconds since 1970-01-01 00:00 UTC.
    pub committed_at: i64,
    /// The latest business date of its batches; `None` before the first batch.
    pub newest_date: Option<BatchDate>,
    /// The names of its tables.
    pub tables: Vec<TableName>,
    /// How many batches it holds.
    pub batches: usize,
}

impl From<&SnapshotHead> for SnapshotSummary {
    fn from(head: &SnapshotHead) -> Self {
        Self {
            number: head.number,
            commit_id: head.commit_id,
            committed_at: head.committed_at,
            newest_date: newest_date(head),
            tables: head.tables.iter().map(|(name, _)| name.clone()).collect(),
            batches: head.batches.len(),
        }
    }
}
