//! Whether what is being delivered may go on.
//!
//! Owns the question that an open stream is asked again and again: is its session still open, is
//! its principal still in the feed, and would the rules in force still decide the same of every
//! table that it reads, also where an emergency under which it began has ended? Must never answer yes because it could not find out: who cannot be asked
//! about for half a minute is cut.
//!
//! Receives: the caller, the snapshot and the sights of a statement from `statement`.
//! Hands on: the reason to cut to `deliver`.

use std::sync::Arc;
use std::time::Duration;

use martlet_core::{BatchDate, SnapshotNumber};
use martlet_policy::EmergencyId;
use martlet_query::{Engine, Mart, Sights, today};
use tokio::time::Instant;

use crate::authenticate::{Caller, Gate};

/// For how long it may be impossible to decide anew, as while the store does not answer.
const UNDECIDED_MAX: Duration = Duration::from_secs(30);

/// Why a delivery is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revoked {
    /// Its session has ended, or its principal has left the feed.
    Session,
    /// The rules in force do not show its principal the same any more.
    Grant,
    /// The emergency is over under which it was shown.
    Emergency,
}

/// Under which rules, and on which day, something was last decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecidedIn {
    rules: SnapshotNumber,
    day: Option<BatchDate>,
}

impl DecidedIn {
    /// Of a decision that is made from this state from now on.
    pub(crate) fn of(mart: &Mart) -> Self {
        Self { rules: mart.in_force(), day: mart.bundle().and_then(today) }
    }
}

/// What one delivery stands on.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) gate: Arc<Gate>,
    pub(crate) engine: Engine,
    pub(crate) caller: Caller,
    /// The snapshot that it reads.
    pub(crate) snapshot: SnapshotNumber,
    /// What it was shown when it was planned.
    pub(crate) sights: Sights,
    pub(crate) decided_in: DecidedIn,
    /// The emergency under which that was decided. One that begins later changes nothing here.
    pub(crate) under: Option<EmergencyId>,
    pub(crate) checked_every: Duration,
}

impl Standing {
    /// Waits until there is a reason to cut. It asks at once, before the first row.
    pub(crate) async fn revoked(mut self) -> Revoked {
        let mut decided_at = Instant::now();
        loop {
            if !self.gate.still_open(self.caller.session) {
                return Revoked::Session;
            }
            match self.decides_the_same().await {
                Some(Ok(())) => decided_at = Instant::now(),
                Some(Err(revoked)) => return revoked,
                None if decided_at.elapsed() >= UNDECIDED_MAX => return Revoked::Grant,
                None => {}
            }
            tokio::time::sleep(self.checked_every).await;
        }
    }

    /// Whether the rules in force show the same; `None` if that cannot be found out now.
    async fn decides_the_same(&mut self) -> Option<Result<(), Revoked>> {
        let current = self.engine.mart();
        let in_force = DecidedIn::of(&current);
        let is_open = |id: &EmergencyId| {
            self.engine.now().is_some_and(|now| current.emergencies().is_open(*id, now))
        };
        let under = self.under.filter(is_open);
        if in_force == self.decided_in && under == self.under {
            return Some(Ok(()));
        }
        let read = if current.snapshot().number() == self.snapshot {
            current
        } else {
            // A store that hangs must not keep the session from being asked about.
            let read = self.engine.mart_at(self.snapshot);
            tokio::time::timeout(self.checked_every, read).await.ok()?.ok()?
        };
        let signed_in = &self.caller.signed_in;
        let Some(principal) = self.engine.asker_under(signed_in, &read, under) else {
            return Some(Err(Revoked::Grant));
        };
        if !self.sights.hold_in(&self.engine.session(&principal, &read)) {
            let is_ended = under != self.under;
            return Some(Err(if is_ended { Revoked::Emergency } else { Revoked::Grant }));
        }
        (self.decided_in, self.under) = (in_force, under);
        Some(Ok(()))
    }
}
