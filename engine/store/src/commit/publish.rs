//! Makes a commit visible: the only place where a snapshot comes into being.
//!
//! Receives: a commit with everything staged. Hands on: a [`CommitOutcome`].
//! Order matters: all that the snapshot names is durable before the snapshot is created, and
//! the creation is conditional, so of two publishers one wins. Never deletes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use martlet_core::{CommitId, SnapshotNumber, TableName};

use super::{Commit, CommitOutcome};
use crate::error::{StoreError, innermost_reason};
use crate::layout;
use crate::manifest::codec::{self, SnapshotHead};
use crate::manifest::{TableContent, TableVersion};
use crate::object::ObjectRef;
use crate::object::access::Objects;
use crate::snapshot::Snapshot;

/// How often the creation is tried, or its outcome read back, before an error is given.
const ATTEMPTS: u32 = 4;
/// The first pause between attempts; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

impl Commit {
    /// Makes all changes visible together, as the snapshot after the base.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if a table that is appended to has other columns in the base, or
    /// the batch that it drops is settled;
    /// [`StoreError::Superseded`] if a segment that is changed is no longer in the base as it
    /// was; [`StoreError::Misuse`] if the commit drops such a segment itself;
    /// [`StoreError::Access`] if what the snapshot names could not be written;
    /// [`StoreError::NotPublished`] if the snapshot could not be created and is not there;
    /// [`StoreError::OutcomeUnknown`] if that could not be found out. In each case the mart
    /// is whole, and nothing was deleted.
    pub async fn publish(self) -> Result<CommitOutcome, StoreError> {
        let tables = self.write_tables().await?;
        let policy = self.write_document(self.policy.as_ref(), layout::policy).await?;
        let principals = self.write_document(self.principals.as_ref(), layout::principals).await?;
        let emergencies =
            self.write_document(self.emergencies.as_ref(), layout::emergencies).await?;
        let committed_at = chrono::Utc::now().timestamp_micros();
        let head = SnapshotHead {
            number: self.base.number().next(),
            commit_id: self.id,
            committed_at,
            tables: tables.iter().map(|(name, table)| (name.clone(), table.part.clone())).collect(),
            batches: self.batches_after(committed_at),
            policy: policy.or_else(|| self.base.policy().cloned()),
            principals: principals.or_else(|| self.base.principals().cloned()),
            emergencies: emergencies.or_else(|| self.base.emergencies().cloned()),
        };
        let path = layout::snapshot(head.number);
        let sealed = codec::encode_snapshot(&head);
        // What is about to be promised is read as every reader will read it.
        let head = codec::decode_snapshot(&path, head.number, &sealed)?;
        match create(self.store.objects(), head.number, head.commit_id, sealed).await? {
            Creation::Ours => {
                self.store.note_published(head.number);
                Ok(CommitOutcome::Committed(Snapshot::new(head, tables)))
            }
            Creation::Theirs => Ok(CommitOutcome::Conflicted(Box::new(self))),
        }
    }

    /// Every table after the commit; the parts of those that changed are written.
    async fn write_tables(&self) -> Result<BTreeMap<TableName, Arc<TableVersion>>, StoreError> {
        let mut tables = self.base.tables().clone();
        let changed: BTreeSet<&TableName> =
            self.tables.keys().chain(self.settings.keys()).collect();
        for name in changed {
            let sealed = codec::encode_table(&self.table_after(name).await?);
            let digest = blake3::hash(&sealed);
            let path = layout::table_part(name, digest.as_bytes());
            let part = ObjectRef::describe(&path, &sealed);
            let table = codec::decode_table(&part, &sealed)?;
            if tables.get(name).is_none_or(|before| before.part != part) {
                self.store.objects().put(&part, sealed).await?;
            }
            tables.insert(name.clone(), Arc::new(table));
        }
        Ok(tables)
    }

    /// What the part of a table says after the commit.
    async fn table_after(&self, name: &TableName) -> Result<TableContent, StoreError> {
        let before = self.base.table(name.as_str());
        let mut content = match (self.tables.get(name), before) {
            (Some(change), _) => change.content_after(&self.store, before).await?,
            (None, Some(table)) => table.content.clone(),
            (None, None) => {
                return Err(StoreError::misuse(format!(
                    "settings were made for table `{name}`, which does not exist"
                )));
            }
        };
        if let Some(settings) = self.settings.get(name) {
            content.settings = settings.clone();
        }
        Ok(content)
    }

    async fn write_document(
        &self,
        document: Option<&Bytes>,
        place: impl Fn(&[u8; 32]) -> String,
    ) -> Result<Option<ObjectRef>, StoreError> {
        let Some(bytes) = document else { return Ok(None) };
        let path = place(blake3::hash(bytes).as_bytes());
        self.put(&path, bytes.clone()).await.map(Some)
    }
}

/// Whose snapshot stands under the number.
enum Creation {
    Ours,
    Theirs,
}

/// Creates the snapshot's object, and does not trust any answer but success: a store may say
/// "exists" of an object that our own lost request created, and may say "failed" of a request
/// that took effect. Only what can be read back counts.
async fn create(
    objects: &Objects,
    number: SnapshotNumber,
    id: CommitId,
    sealed: Bytes,
) -> Result<Creation, StoreError> {
    let path = layout::snapshot(number);
    let mut reason = String::new();
    let mut pause = FIRST_PAUSE;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        match objects.create(&path, sealed.clone()).await {
            Ok(()) => return Ok(Creation::Ours),
            Err(error) => reason = innermost_reason(&error),
        }
        match read_back(objects, &path, number).await {
            Ok(Some(found)) if found.commit_id == id => return Ok(Creation::Ours),
            Ok(Some(_)) => return Ok(Creation::Theirs),
            Ok(None) => {}
            Err(StoreError::Access { .. }) => {
                return Err(StoreError::OutcomeUnknown { number, commit: id, reason });
            }
            Err(damage) => return Err(damage),
        }
    }
    Err(StoreError::NotPublished { number, reason })
}

/// The snapshot under the path, if there is one; asked again while the storage fails.
async fn read_back(
    objects: &Objects,
    path: &str,
    number: SnapshotNumber,
) -> Result<Option<SnapshotHead>, StoreError> {
    let mut pause = FIRST_PAUSE;
    let mut attempt = 1;
    loop {
        match objects.get(path).await {
            Ok(None) => return Ok(None),
            Ok(Some(sealed)) => return codec::decode_snapshot(path, number, &sealed).map(Some),
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(_) => tokio::time::sleep(pause).await,
        }
        attempt += 1;
        pause *= 2;
    }
}

#[cfg(test)]
#[path = "publish_tests.rs"]
mod tests;
