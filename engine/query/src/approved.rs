//! Which rules are in force: the last ones that the officers of those before them approved.
//!
//! A snapshot says which rules it holds; whether they may come into force is said by the rules
//! that were in force. So every change since is followed, one after the other. Whatever cannot be
//! read or proven is passed over, and a snapshot that holds it cannot be taken over. Never
//! decides who is an officer: it asks `martlet-policy`.

use std::sync::Arc;

use martlet_core::{ErrorKind, Kinded, SnapshotNumber};
use martlet_policy::StoredBundle;
use martlet_store::{ObjectRef, Snapshot, Store};

use crate::error::QueryError;

/// How far the changes were followed before: a snapshot, and the rules in force with it.
#[derive(Debug, Clone)]
pub(crate) struct Followed {
    after: SnapshotNumber,
    rules: Option<Arc<StoredBundle>>,
}

impl Followed {
    pub(crate) const fn of(after: SnapshotNumber, rules: Option<Arc<StoredBundle>>) -> Self {
        Self { after, rules }
    }

    /// From the oldest snapshot that is kept.
    pub(crate) const fn nothing() -> Self {
        Self { after: SnapshotNumber::EMPTY, rules: None }
    }
}

/// The rules in force with a snapshot, whether it holds them or others that nobody approved; none
/// before the first.
///
/// # Errors
/// [`QueryError::Store`] if a snapshot cannot be read.
pub async fn rules_in_force(
    store: &Store,
    snapshot: &Snapshot,
) -> Result<Option<Arc<StoredBundle>>, QueryError> {
    follow(store, snapshot, Followed::nothing()).await
}

/// The rules that a snapshot holds.
///
/// # Errors
/// [`QueryError::Rules`] if they are not those in force.
pub(crate) async fn rules_of(
    store: &Store,
    snapshot: &Snapshot,
    followed: Followed,
) -> Result<Option<Arc<StoredBundle>>, QueryError> {
    let in_force = follow(store, snapshot, followed).await?;
    let held = match snapshot.policy() {
        Some(object) => Some(read(store, object).await?),
        None => None,
    };
    match (held, in_force) {
        (None, None) => Ok(None),
        (Some(held), Some(rules)) if held.edition() == rules.edition() => Ok(Some(rules)),
        (Some(held), Some(rules)) => {
            let why = held.may_follow(&rules).err();
            let why =
                why.map_or_else(|| "other rules are in force".to_owned(), |why| why.to_string());
            Err(refused(why))
        }
        (Some(held), None) => Err(refused(
            held.own_proof()
                .err()
                .map_or_else(|| "they are not in force".to_owned(), |why| why.to_string()),
        )),
        (None, Some(_)) => {
            Err(refused("the snapshot has none, and others are in force".to_owned()))
        }
    }
}

fn refused(why: String) -> QueryError {
    QueryError::Rules { what: "policy", reason: format!("it was not approved: {why}") }
}

/// Follows every change of the rules since, up to a snapshot.
async fn follow(
    store: &Store,
    snapshot: &Snapshot,
    followed: Followed,
) -> Result<Option<Arc<StoredBundle>>, QueryError> {
    let mut rules = followed.rules;
    for object in store.policies_between(followed.after, snapshot.number()).await? {
        let next = match read(store, &object).await {
            Ok(next) => next,
            // Damaged rules were never in force; a snapshot that holds them cannot be loaded. But
            // what follows them cannot be the first rules, which nobody has to approve.
            Err(error) if rules.is_some() && is_damage(&error) => continue,
            Err(error) => return Err(error),
        };
        let may_follow = match &rules {
            Some(in_force) => next.may_follow(in_force),
            None => next.own_proof(),
        };
        if may_follow.is_ok() {
            rules = Some(Arc::new(next));
        }
    }
    Ok(rules)
}

pub(crate) fn is_damage(error: &QueryError) -> bool {
    matches!(error, QueryError::Rules { .. }) || error.kind() == ErrorKind::Damaged
}

async fn read(store: &Store, object: &ObjectRef) -> Result<StoredBundle, QueryError> {
    let bytes = store.read(object).await?;
    StoredBundle::from_bytes(&bytes)
        .map_err(|error| QueryError::Rules { what: "policy", reason: error.to_string() })
}
