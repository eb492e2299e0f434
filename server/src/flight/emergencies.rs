//! Emergencies of a running server: each stands on the record before it counts here.
//!
//! Owns who asks, as the gate's caller becomes a principal: under their emergency, where one is
//! open and its taking over is on disk. Also tells the record what was refused and what has ended.
//! Must never let one count that is not on record, and decides nothing: `martlet-policy` proves
//! each, and the engine's clock begins and ends it.
//!
//! Receives: callers from `service` and `statement`, the state of the mart from the engine.
//! Hands on: principals; notices to the audit journal, from which the alarms hear of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use martlet_policy::{
    Emergency, EmergencyId, EmergencyRequest, EmergencyState, JudgedEmergency, Principal,
};
use martlet_query::{Engine, Mart};
use tokio::sync::Mutex;
use tonic::Status;

use super::status;
use crate::audit::{AuditError, EMERGENCY_OPENED, Ending, Entry, Journal, Outcome, RecordId};
use crate::authenticate::{Caller, Refused};

/// How often it is looked what has begun, was refused or has ended.
const BEAT: Duration = Duration::from_secs(1);
/// Refusals that one server records at most; beyond them it logs. Whoever can write the mart could
/// otherwise fill the record with them.
const REFUSALS_MAX: usize = 1_000;
/// What the notices are recorded as coming from.
const CLIENT: &str = "martlet emergencies";
/// How the other notices begin.
const REFUSED: &str = "emergency refused";
const ENDED: &str = "emergency ended";

/// Takes emergencies over, and tells the record.
pub(crate) struct EmergencyDesk {
    engine: Engine,
    journal: Arc<Journal>,
    told: Mutex<Told>,
}

/// What this server's record says.
#[derive(Debug, Default)]
struct Told {
    /// Those that were opened and not ended, with whose they are and why.
    open: BTreeMap<EmergencyId, (String, String)>,
    /// Those that were refused or have ended.
    done: BTreeSet<EmergencyId>,
}

impl Told {
    /// As the newest notices have it.
    fn of(notices: &[Entry]) -> Self {
        let mut told = Self::default();
        for entry in notices {
            let Some(id) = entry.emergency.as_deref().and_then(EmergencyId::parse) else {
                continue;
            };
            if entry.statement.starts_with(EMERGENCY_OPENED) {
                let reason = entry.emergency_reason.clone().unwrap_or_default();
                told.done.remove(&id);
                told.open.insert(id, (entry.principal.clone(), reason));
            } else {
                told.open.remove(&id);
                told.done.insert(id);
            }
        }
        told
    }
}

impl fmt::Debug for EmergencyDesk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EmergencyDesk(..)")
    }
}

impl EmergencyDesk {
    /// Takes up what the journal says to be open.
    pub(crate) fn new(engine: Engine, journal: Arc<Journal>) -> Self {
        let told = Mutex::new(Told::of(&journal.notices()));
        Self { engine, journal, told }
    }

    /// Who asks, in this state of the mart and at this moment.
    pub(crate) async fn asker(&self, caller: &Caller, mart: &Mart) -> Result<Principal, Status> {
        let asker = self.engine.asker(&caller.signed_in, mart).ok_or(Refused::NoSession)?;
        if let Some(emergency) = asker.emergency() {
            let taken = self.take_over(emergency, mart).await;
            taken.map_err(|error| status::of(&error))?;
        }
        Ok(asker)
    }

    /// Looks after the emergencies for ever.
    pub(crate) async fn keep(self: Arc<Self>) {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            beat.tick().await;
            let looked = self.look().await;
            if let (Err(error), false) = (&looked, failing) {
                tracing::error!(%error, "an emergency cannot be recorded; it is tried again");
            }
            failing = looked.is_err();
        }
    }

    /// Records what has begun, what does not count and what has ended since the last time.
    async fn look(&self) -> Result<(), AuditError> {
        let mart = self.engine.mart();
        // Without a time nothing is open any more.
        let now = self.engine.now().unwrap_or(i64::MAX);
        for judged in mart.emergencies().iter() {
            if let (EmergencyState::Open, Ok(emergency)) = (judged.state(now), judged.proof()) {
                self.take_over(emergency, &mart).await?;
            }
        }
        for judged in mart.emergencies().iter() {
            if let EmergencyState::Refused(why) = judged.state(now) {
                self.refuse(judged.request(), &why.to_string(), &mart).await?;
            }
        }
        self.end(&mart, now).await
    }

    async fn take_over(&self, emergency: &Emergency, mart: &Mart) -> Result<(), AuditError> {
        let (id, request) = (emergency.id(), emergency.request());
        let mut told = self.told.lock().await;
        if told.open.contains_key(&id) {
            return Ok(());
        }
        let (principal, reason) = (request.principal(), request.reason());
        let text = format!("{EMERGENCY_OPENED}: {emergency}");
        self.record(id, principal, reason, &text, mart).await?;
        tracing::warn!(%id, principal, "an emergency is open");
        told.open.insert(id, (principal.to_owned(), reason.to_owned()));
        told.done.remove(&id);
        Ok(())
    }

    /// One that was open here ends, and is not refused beside.
    async fn refuse(
        &self,
        request: &EmergencyRequest,
        why: &str,
        mart: &Mart,
    ) -> Result<(), AuditError> {
        let id = request.id();
        let mut told = self.told.lock().await;
        if told.open.contains_key(&id) || told.done.contains(&id) {
            return Ok(());
        }
        let (principal, access) = (request.principal(), request.access());
        if told.done.len() < REFUSALS_MAX {
            let text = format!("{REFUSED}: `{access}` for `{principal}`: {why}");
            self.record(id, principal, request.reason(), &text, mart).await?;
        }
        tracing::error!(%id, principal, why, "an emergency does not count");
        told.done.insert(id);
        Ok(())
    }

    async fn end(&self, mart: &Mart, now: i64) -> Result<(), AuditError> {
        let mut told = self.told.lock().await;
        let is_over = |id: &EmergencyId| !mart.emergencies().is_open(*id, now);
        let over: Vec<EmergencyId> = told.open.keys().copied().filter(is_over).collect();
        for id in over {
            let Some((principal, reason)) = told.open.get(&id) else { continue };
            let text = format!("{ENDED}: {}", why_over(mart, id, now));
            self.record(id, principal, reason, &text, mart).await?;
            tracing::warn!(%id, principal, "an emergency has ended");
            told.open.remove(&id);
            told.done.insert(id);
        }
        Ok(())
    }

    async fn record(
        &self,
        id: EmergencyId,
        principal: &str,
        reason: &str,
        text: &str,
        mart: &Mart,
    ) -> Result<(), AuditError> {
        let record_id = RecordId::draw().map_err(|_| AuditError::NoRandomBytes)?;
        let entry = Entry {
            emergency: Some(id.to_string()),
            emergency_reason: Some(reason.to_owned()),
            ..Entry::notice(record_id, principal.to_owned(), CLIENT, text, mart)
        };
        self.journal.whole(entry, Ending::without_rows(Outcome::Completed)).await
    }
}

/// Why one of this id is not open.
fn why_over(mart: &Mart, id: EmergencyId, now: i64) -> String {
    // Others may have put the same request beside it, with fewer approvals.
    let of_id = mart.emergencies().iter().filter(|judged| judged.request().id() == id);
    let judged = of_id.max_by_key(|judged| judged.proof().is_ok());
    match (judged.map(|judged| judged.state(now)), judged.and_then(JudgedEmergency::closing)) {
        (_, Some(closing)) => format!("closed by {}: {}", closing.by(), closing.reason()),
        (Some(EmergencyState::Over), _) => "its time is over".to_owned(),
        (Some(EmergencyState::Refused(why)), _) => why.to_string(),
        _ => "the mart does not keep it any more".to_owned(),
    }
}
