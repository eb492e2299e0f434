//! An engine for tests of the doors: a mart in memory with one principal and no rules.

use std::sync::Arc;

use bytes::Bytes;
use martlet_policy::{PasswordCost, TokenKeys, hash_password};
use martlet_query::{Engine, EngineOptions, SystemRecords};
use martlet_store::{CommitOutcome, Store};

use crate::audit::Journal;

/// An engine that knows ann, whose password is `secret`.
pub(super) async fn engine_with_ann(journal: &Arc<Journal>) -> Engine {
    let store = Store::open("memory://").unwrap();
    let hash = hash_password("secret", [7; 16], PasswordCost::Test);
    let feed = format!("name,roles,node,password\nann,teller,,\"{hash}\"\n");
    let mut commit = store.begin(&store.latest().await.unwrap());
    commit.set_principals(Bytes::from(feed));
    assert!(matches!(commit.publish().await.unwrap(), CommitOutcome::Committed(_)));
    let records: Arc<dyn SystemRecords> = Arc::<Journal>::clone(journal);
    let keys = TokenKeys::from_master(&[1; 32]);
    Engine::open(store, EngineOptions::default(), records, keys).await.unwrap()
}
