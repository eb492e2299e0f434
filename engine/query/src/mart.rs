//! One state of the mart: a snapshot, the rules in force and the principals, loaded whole.
//!
//! Never half-changes: a new state is checked completely before it replaces the old one.

use std::sync::Arc;

use martlet_core::SnapshotNumber;
use martlet_policy::{BundleText, CheckedBundle, Directory, check};
use martlet_store::{Snapshot, Store};

use crate::error::QueryError;
use crate::system;

/// A snapshot together with the rules and principals under which it is read.
#[derive(Debug)]
pub struct Mart {
    snapshot: Snapshot,
    bundle: Option<Arc<CheckedBundle>>,
    directory: Arc<Directory>,
}

impl Mart {
    /// Loads the latest snapshot with its rules and principals, and checks them.
    ///
    /// # Errors
    /// [`QueryError::Store`] if anything stored cannot be read, [`QueryError::Rules`] if the
    /// stored policy does not fit the stored tables or the principals are malformed.
    pub async fn latest(store: &Store) -> Result<Self, QueryError> {
        Self::of_snapshot(store, store.latest().await?).await
    }

    pub(crate) async fn of_snapshot(store: &Store, snapshot: Snapshot) -> Result<Self, QueryError> {
        let bundle = match snapshot.policy() {
            Some(object) => Some(Arc::new(checked(&store.read(object).await?, &snapshot)?)),
            None => None,
        };
        let directory = match snapshot.principals() {
            Some(object) => directory(&store.read(object).await?)?,
            None => Directory::default(),
        };
        let directory = Arc::new(directory);
        Ok(Self { snapshot, bundle, directory })
    }

    /// An older snapshot's tables under this state's rules and principals: today's rules
    /// apply to yesterday's data.
    pub(crate) async fn at(
        &self,
        store: &Store,
        number: SnapshotNumber,
    ) -> Result<Self, QueryError> {
        let snapshot =
            store.snapshot(number).await.map_err(|_| QueryError::NoSnapshot { number })?;
        Ok(Self { snapshot, bundle: self.bundle.clone(), directory: Arc::clone(&self.directory) })
    }

    /// The snapshot.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The rules; without any, nobody sees anything.
    #[must_use]
    pub fn bundle(&self) -> Option<&CheckedBundle> {
        self.bundle.as_deref()
    }

    /// The principals.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The version of the rules, as the audit record names it; `none` without rules.
    #[must_use]
    pub fn policy_version(&self) -> String {
        self.bundle.as_ref().map_or_else(|| "none".into(), |bundle| bundle.version().to_string())
    }
}

fn checked(bytes: &[u8], snapshot: &Snapshot) -> Result<CheckedBundle, QueryError> {
    let text = BundleText::from_bytes(bytes)
        .map_err(|error| QueryError::Rules { what: "policy", reason: error.to_string() })?;
    let mut tables = system::schemas();
    tables.extend(snapshot.tables().values().map(|table| table.schema().clone()));
    check(&text, &tables).map_err(|findings| QueryError::Rules {
        what: "policy",
        reason: findings.first().map(ToString::to_string).unwrap_or_default(),
    })
}

fn directory(bytes: &[u8]) -> Result<Directory, QueryError> {
    let refused = |reason: String| QueryError::Rules { what: "principals", reason };
    let text = std::str::from_utf8(bytes).map_err(|_| refused("not UTF-8 text".into()))?;
    Directory::parse(text)
        .map_err(|findings| refused(findings.first().map(ToString::to_string).unwrap_or_default()))
}
