//! What is no longer needed: snapshots that are kept no longer, objects that none names.
//!
//! The only place that deletes. In two steps with a waiting time between them: a snapshot is
//! first retired, which hides it, and what it alone named is removed later, so that a statement
//! that runs on it ends before its rows go. Never touches an object that a snapshot names, and
//! leaves everything as it is if one of them cannot be read: then nothing can be called unused.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use chrono::{DateTime, Utc};
use martlet_core::SnapshotNumber;
use object_store::ObjectMeta;

use crate::error::StoreError;
use crate::layout;
use crate::manifest::codec::{self, SnapshotHead};
use crate::manifest::{Deletion, SegmentRef};
use crate::store::Store;

/// An object that no snapshot names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// Its path in the mart.
    pub path: String,
    /// Its size.
    pub size_bytes: u64,
}

impl Store {
    /// Hides all snapshots but the last ones, and gives the numbers of those that it hid. What
    /// they alone name stays until [`Self::remove_orphans`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if one of them is not whole, [`StoreError::Access`] if storage
    /// failed. Those that were hidden until then stay so; try again.
    pub async fn retire(&self, keep: NonZeroUsize) -> Result<Vec<SnapshotNumber>, StoreError> {
        let mut numbers = self.numbers().await?;
        numbers.truncate(numbers.len().saturating_sub(keep.get()));
        let mut hidden = Vec::with_capacity(numbers.len());
        for number in numbers {
            let path = layout::snapshot(number);
            let Some(sealed) = self.objects().get(&path).await? else { continue };
            codec::decode_snapshot(&path, number, &sealed)?;
            // Never without the snapshot: at worst it stands in both places.
            self.objects().put_sealed(&layout::retired(number), sealed).await?;
            self.objects().delete(&path).await?;
            hidden.push(number);
        }
        Ok(hidden)
    }

    /// Every object that no snapshot names, a retired one neither: what loads left behind that
    /// were broken off, and what loads that still run have staged.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a snapshot is not whole: then nothing can be called unused.
    pub async fn orphans(&self) -> Result<Vec<Orphan>, StoreError> {
        let found = self.list_referred().await?;
        let named = self.named_paths(&HashSet::new()).await?;
        let unnamed = found.iter().filter(|object| !named.contains(object.location.as_ref()));
        Ok(unnamed.map(Orphan::of).collect())
    }

    /// Removes the objects that no snapshot names, and with them what snapshots name that were
    /// retired, unless they are younger than the waiting time; gives those that were removed.
    ///
    /// The waiting time has to be longer than the longest load and the longest statement: what a
    /// running load has staged is named by no snapshot either.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a snapshot is not whole: then nothing is removed.
    /// [`StoreError::Access`] if storage failed; the mart is whole, try again.
    pub async fn remove_orphans(&self, older_than: Duration) -> Result<Vec<Orphan>, StoreError> {
        let waited = Waited::since(older_than);
        // Listed before the snapshots are read: what a snapshot begins to name meanwhile is
        // either named then, or younger than this list.
        let found = self.list_referred().await?;
        let expired = self.expired(&waited).await?;
        let named = self.named_paths(&expired).await?;
        // First, so that no snapshot is ever left that names an object which is not there.
        for number in &expired {
            self.objects().delete(&layout::retired(*number)).await?;
        }
        let mut removed = Vec::new();
        for object in found.iter().filter(|object| waited.is_over(object)) {
            if !named.contains(object.location.as_ref()) {
                self.objects().delete(object.location.as_ref()).await?;
                removed.push(Orphan::of(object));
            }
        }
        Ok(removed)
    }

    /// Every object that a snapshot could name, by path.
    async fn list_referred(&self) -> Result<Vec<ObjectMeta>, StoreError> {
        let mut found = Vec::new();
        for folder in layout::REFERRED {
            found.extend(self.objects().list(folder).await?);
        }
        found.sort_by(|left, right| left.location.cmp(&right.location));
        Ok(found)
    }

    /// Retired snapshots whose objects nobody waits for any more.
    async fn expired(&self, waited: &Waited) -> Result<HashSet<SnapshotNumber>, StoreError> {
        let retired = self.objects().list(layout::RETIRED).await?;
        let expired = retired.iter().filter(|object| waited.is_over(object));
        Ok(expired.filter_map(|object| layout::retired_number(object.location.as_ref())).collect())
    }

    /// Every object that a snapshot names, but for retired ones that are `expired`.
    async fn named_paths(
        &self,
        expired: &HashSet<SnapshotNumber>,
    ) -> Result<HashSet<String>, StoreError> {
        let mut named = HashSet::new();
        // In this order: one that is retired meanwhile is found in one place or the other.
        for head in self.heads().await? {
            self.add_named(&head, &mut named).await?;
        }
        for object in self.objects().list(layout::RETIRED).await? {
            let path = object.location.as_ref();
            let number = layout::retired_number(path).filter(|number| !expired.contains(number));
            let Some(number) = number else { continue };
            let Some(sealed) = self.objects().get(path).await? else { continue };
            self.add_named(&codec::decode_snapshot(path, number, &sealed)?, &mut named).await?;
        }
        Ok(named)
    }

    async fn add_named(
        &self,
        head: &SnapshotHead,
        named: &mut HashSet<String>,
    ) -> Result<(), StoreError> {
        let documents = [&head.policy, &head.principals, &head.emergencies].into_iter().flatten();
        named.extend(documents.map(|object| object.path().to_owned()));
        for (_, part) in &head.tables {
            if named.insert(part.path().to_owned()) {
                let table = self.table_version(part).await?;
                named.extend(table.segments().iter().flat_map(|segment| paths_of(segment)));
            }
        }
        Ok(())
    }
}

impl Orphan {
    fn of(object: &ObjectMeta) -> Self {
        Self { path: object.location.to_string(), size_bytes: object.size }
    }
}

/// The moment before which an object must have been written to be removed.
struct Waited {
    before: Option<DateTime<Utc>>,
}

impl Waited {
    /// A waiting time that is longer than the calendar is never over.
    fn since(older_than: Duration) -> Self {
        let waiting = chrono::TimeDelta::from_std(older_than).ok();
        let before = waiting.and_then(|waiting| Utc::now().checked_sub_signed(waiting));
        Self { before }
    }

    fn is_over(&self, object: &ObjectMeta) -> bool {
        self.before.is_some_and(|before| object.last_modified <= before)
    }
}

fn paths_of(segment: &SegmentRef) -> impl Iterator<Item = String> {
    let attached = segment.attachments().iter().map(|attachment| attachment.object());
    let deleted = segment.deletions().iter().filter_map(Deletion::object);
    let objects = std::iter::once(segment.object()).chain(attached).chain(deleted);
    objects.map(|object| object.path().to_owned())
}

#[cfg(test)]
#[path = "retention_tests.rs"]
mod tests;
