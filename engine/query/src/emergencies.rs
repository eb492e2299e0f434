//! What a mart keeps of emergencies, followed from snapshot to snapshot.
//!
//! A snapshot says what it holds; what earlier ones held is not forgotten, so a closing that a
//! later snapshot leaves out stays one. What cannot be read may have been a closing: it closes all
//! that was known before it. Never says that anything counts: `martlet-policy` proves it.

use std::time::{SystemTime, UNIX_EPOCH};

use martlet_core::SnapshotNumber;
use martlet_policy::EmergencyLedger;
use martlet_store::{ObjectRef, Snapshot, Store};

use crate::approved::is_damage;
use crate::error::QueryError;

/// Everything that is known of emergencies with a snapshot.
///
/// # Errors
/// [`QueryError::Store`] if a snapshot, or what it keeps, cannot be reached.
pub async fn known(store: &Store, snapshot: &Snapshot) -> Result<EmergencyLedger, QueryError> {
    follow(store, snapshot, EmergencyLedger::default(), SnapshotNumber::EMPTY).await
}

/// The same, where all of it up to another snapshot is known already.
pub(crate) async fn follow(
    store: &Store,
    snapshot: &Snapshot,
    mut ledger: EmergencyLedger,
    after: SnapshotNumber,
) -> Result<EmergencyLedger, QueryError> {
    for object in store.emergencies_between(after, snapshot.number()).await? {
        match read(store, &object).await {
            Ok(more) => ledger.learn(&more),
            Err(error) if is_damage(&error) => {
                tracing::error!(%error, "what the mart keeps of emergencies is lost: all are closed");
                ledger.close_all(seconds().unwrap_or_default());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(ledger)
}

async fn read(store: &Store, object: &ObjectRef) -> Result<EmergencyLedger, QueryError> {
    let bytes = store.read(object).await?;
    EmergencyLedger::from_bytes(&bytes)
        .map_err(|error| QueryError::Rules { what: "emergencies", reason: error.to_string() })
}

/// Seconds since 1970-01-01 00:00 UTC by this machine's clock; `None` if it shows an earlier time.
#[must_use]
pub fn seconds() -> Option<i64> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_1970.as_secs()).ok()
}
