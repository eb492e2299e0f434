//! Which emergencies count: each proven by the rules, the officers and the people in force.
//!
//! Owns the only [`Emergency`]s there are, and the only way by which a principal comes under one.
//! Judged once for each state of a mart; what is left for each statement is the time. Whatever is
//! not proven counts for nobody.

use std::fmt;
use std::sync::Arc;

use super::approval::{EmergencyVerdict, judge_emergency};
use super::ledger::{Closing, EmergencyLedger, Opening};
use super::{APPROVERS_MIN, EmergencyId, EmergencyRequest, EmergencyRule, HOURS_MAX};
use crate::checked::{CheckedBundle, Role};
use crate::directory::Directory;
use crate::duty::{Breach, breaches, breaches_by_feed};
use crate::names::RoleName;
use crate::principal::Principal;
use crate::stored::Edition;

/// An emergency that was properly approved, under the rules in force. Only its time is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emergency {
    request: EmergencyRequest,
    role: RoleName,
    /// The digest of the rules that it was proven under: it is worth nothing under others.
    rules: [u8; 32],
    approved_by: Vec<String>,
}

impl Emergency {
    /// What was asked and approved.
    #[must_use]
    pub const fn request(&self) -> &EmergencyRequest {
        &self.request
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> EmergencyId {
        self.request.id()
    }

    /// The role that decides alone.
    #[must_use]
    pub const fn role(&self) -> &RoleName {
        &self.role
    }

    /// The officers whose approvals count.
    #[must_use]
    pub fn approved_by(&self) -> &[String] {
        &self.approved_by
    }

    /// Whether it was proven under these very rules.
    pub(crate) fn is_under(&self, bundle: &CheckedBundle) -> bool {
        self.rules == *bundle.version().digest()
    }
}

/// `core outage` for `kim` by the role `duty_all`, 2026-… to 2026-…, approved by ann, bob: why.
impl fmt::Display for Emergency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (request, role, by) = (&self.request, &self.role, self.approved_by.join(", "));
        let (access, principal) = (request.access(), request.principal());
        let (span, reason) = (request.span(), request.reason());
        write!(
            formatter,
            "`{access}` for `{principal}` by the role `{role}`, {span}, approved by {by}: {reason}"
        )
    }
}

/// Why what a mart keeps counts for nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmergencyRefused {
    /// The rules have changed since.
    #[error("other rules are in force than those that it was asked under")]
    OtherRules,
    /// There is no such emergency.
    #[error("the rules in force provide for no such emergency")]
    UnknownAccess,
    /// It lasts too long.
    #[error("it lasts longer than the {hours} hours that the rules in force allow")]
    TooLong {
        /// How long it may last.
        hours: u32,
    },
    /// Not enough approvals count.
    #[error("{needed} approvals of different officers are needed, and {counted} count")]
    TooFew {
        /// How many are needed.
        needed: usize,
        /// How many count.
        counted: usize,
    },
    /// There is no such person.
    #[error("there is no principal of that name")]
    UnknownPrincipal,
    /// The feed gives them a role that the rules do not have.
    #[error("the policy has no role `{0}`, which the directory gives the principal")]
    UnknownRole(RoleName),
    /// None of their roles lets them ask.
    #[error("no role of the principal may ask for it")]
    MayNotAsk,
    /// They would hold what nobody may hold together.
    #[error("separation of duties: {0}")]
    Duty(Breach),
    /// Two different requests have one id.
    #[error("two requests have this id")]
    IdTwice,
}

impl EmergencyRefused {
    /// Whether rules and people that changed since can be why: what was over before is not refused
    /// by that.
    const fn may_come_later(&self) -> bool {
        match self {
            Self::OtherRules
            | Self::UnknownPrincipal
            | Self::UnknownRole(_)
            | Self::MayNotAsk
            | Self::Duty(_) => true,
            Self::UnknownAccess | Self::TooLong { .. } | Self::TooFew { .. } | Self::IdTwice => {
                false
            }
        }
    }
}

/// How an emergency stands at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmergencyState {
    /// It has not begun.
    NotYet,
    /// It decides.
    Open,
    /// Its time is over.
    Over,
    /// Somebody closed it.
    Closed,
    /// It does not count.
    Refused(EmergencyRefused),
}

impl EmergencyState {
    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotYet => "not yet",
            Self::Open => "open",
            Self::Over => "over",
            Self::Closed => "closed",
            Self::Refused(_) => "refused",
        }
    }
}

/// One emergency that a mart keeps, and what came of its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedEmergency {
    opening: Opening,
    closing: Option<Closing>,
    proof: Result<Arc<Emergency>, EmergencyRefused>,
}

impl JudgedEmergency {
    /// What was asked.
    #[must_use]
    pub const fn request(&self) -> &EmergencyRequest {
        &self.opening.request
    }

    /// Whether it is this one.
    #[must_use]
    pub fn is_of(&self, opening: &Opening) -> bool {
        self.opening == *opening
    }

    /// Who approved it by their own word, proven or not.
    pub fn said_to_approve(&self) -> impl Iterator<Item = &str> {
        self.opening.approvals.iter().map(super::approval::EmergencyApproval::officer)
    }

    /// Who closed it, if anybody did.
    #[must_use]
    pub const fn closing(&self) -> Option<&Closing> {
        self.closing.as_ref()
    }

    /// The emergency itself, if it is proven under the rules in force; it need not be open.
    ///
    /// # Errors
    /// [`EmergencyRefused`] if it is not.
    pub fn proof(&self) -> Result<&Arc<Emergency>, &EmergencyRefused> {
        self.proof.as_ref()
    }

    /// How it stands at a moment.
    #[must_use]
    pub fn state(&self, seconds: i64) -> EmergencyState {
        let is_over = seconds >= self.request().span().until;
        match &self.proof {
            _ if self.closing.is_some() => EmergencyState::Closed,
            Ok(_) if is_over => EmergencyState::Over,
            Err(why) if is_over && why.may_come_later() => EmergencyState::Over,
            Err(why) => EmergencyState::Refused(why.clone()),
            Ok(_) if self.request().span().includes(seconds) => EmergencyState::Open,
            Ok(_) => EmergencyState::NotYet,
        }
    }

    /// All of it in one line for an officer.
    #[must_use]
    pub fn in_words(&self, seconds: i64) -> String {
        let (request, state) = (self.request(), self.state(seconds));
        let by = self.said_to_approve().collect::<Vec<_>>().join(", ");
        let (id, access, span) = (request.id(), request.access(), request.span());
        let mut line = format!("emergency {id}: `{access}`, {}, {span}", state.word());
        if let Ok(proven) = &self.proof {
            line.push_str(&format!(", role `{}`", proven.role));
        }
        line.push_str(&format!(", approved by {by}: {}", request.reason()));
        match (&state, &self.closing) {
            (EmergencyState::Refused(why), _) => line.push_str(&format!("; {why}")),
            (_, Some(closing)) => {
                line.push_str(&format!("; closed by {}: {}", closing.by(), closing.reason()));
            }
            _ => {}
        }
        line
    }
}

/// The emergencies of one state of a mart. By default there are none.
#[derive(Debug, Clone, Default)]
pub struct Emergencies {
    ledger: EmergencyLedger,
    judged: Vec<JudgedEmergency>,
}

impl Emergencies {
    /// Proves what a mart keeps, under the rules of an edition and the people in force.
    #[must_use]
    pub fn judge(
        ledger: EmergencyLedger,
        edition: Edition,
        bundle: &CheckedBundle,
        directory: &Directory,
    ) -> Self {
        let court = Court { ledger: &ledger, edition, bundle, directory };
        let judged = ledger.openings().map(|opening| JudgedEmergency {
            closing: ledger.closing(opening.request.id()).cloned(),
            proof: court.prove(opening).map(Arc::new),
            opening: opening.clone(),
        });
        let judged = judged.collect();
        Self { ledger, judged }
    }

    /// What a mart keeps that has no rules: nothing of it counts, and nothing is forgotten.
    #[must_use]
    pub const fn unjudged(ledger: EmergencyLedger) -> Self {
        Self { ledger, judged: Vec::new() }
    }

    /// What the mart keeps.
    #[must_use]
    pub const fn ledger(&self) -> &EmergencyLedger {
        &self.ledger
    }

    /// Each of them, in the order in which they were written down.
    pub fn iter(&self) -> impl Iterator<Item = &JudgedEmergency> {
        self.judged.iter()
    }

    /// Those of one principal.
    pub fn of(&self, principal: &str) -> impl Iterator<Item = &JudgedEmergency> {
        self.judged.iter().filter(move |judged| judged.request().principal() == principal)
    }

    /// Whether one of this id decides at a moment.
    #[must_use]
    pub fn is_open(&self, id: EmergencyId, seconds: i64) -> bool {
        self.open_at(seconds).any(|emergency| emergency.id() == id)
    }

    /// The principal under their emergency, if one decides at that moment. Of two that do, the one
    /// that began first.
    #[must_use]
    pub fn elevate(&self, principal: Principal, seconds: i64) -> Principal {
        let theirs = self
            .open_at(seconds)
            .filter(|emergency| emergency.request.principal() == principal.name());
        let first = theirs.min_by_key(|one| (one.request.span().from, one.id())).cloned();
        Principal { emergency: first, ..principal }
    }

    /// The principal under this very emergency, if it is theirs and decides at that moment.
    #[must_use]
    pub fn elevate_by(&self, principal: Principal, id: EmergencyId, seconds: i64) -> Principal {
        let mut theirs = self
            .open_at(seconds)
            .filter(|one| one.id() == id && one.request.principal() == principal.name());
        let this = theirs.next().cloned();
        Principal { emergency: this, ..principal }
    }

    fn open_at(&self, seconds: i64) -> impl Iterator<Item = &Arc<Emergency>> {
        let unclosed = self.judged.iter().filter(|judged| judged.closing.is_none());
        let proven = unclosed.filter_map(|judged| judged.proof.as_ref().ok());
        proven.filter(move |emergency| emergency.request.span().includes(seconds))
    }
}

/// What every emergency of a state is judged by.
struct Court<'a> {
    ledger: &'a EmergencyLedger,
    edition: Edition,
    bundle: &'a CheckedBundle,
    directory: &'a Directory,
}

impl Court<'_> {
    fn prove(&self, opening: &Opening) -> Result<Emergency, EmergencyRefused> {
        let request = &opening.request;
        if request.rules() != self.edition {
            return Err(EmergencyRefused::OtherRules);
        }
        let rule = self.bundle.emergency(request.access());
        let rule = rule.ok_or(EmergencyRefused::UnknownAccess)?;
        let hours = rule.hours.min(HOURS_MAX);
        if request.span().is_longer_than(hours) {
            return Err(EmergencyRefused::TooLong { hours });
        }
        let is_other =
            |other: &Opening| other.request.id() == request.id() && other.request != *request;
        if self.ledger.openings().any(is_other) {
            return Err(EmergencyRefused::IdTwice);
        }
        self.prove_asker(request, rule)?;
        let approved_by = self.approvers(opening, rule)?;
        let (request, role) = (request.clone(), rule.role.clone());
        Ok(Emergency { request, role, rules: *self.bundle.version().digest(), approved_by })
    }

    /// The officers whose approvals count; enough of them.
    fn approvers(
        &self,
        opening: &Opening,
        rule: &EmergencyRule,
    ) -> Result<Vec<String>, EmergencyRefused> {
        let Opening { request, approvals } = opening;
        let verdicts = judge_emergency(approvals, self.bundle.officers(), request);
        let counting = approvals.iter().zip(verdicts);
        let counting = counting.filter(|(_, verdict)| *verdict == EmergencyVerdict::Counts);
        let names: Vec<String> =
            counting.map(|(approval, _)| approval.officer().to_owned()).collect();
        let needed = rule.approvers.max(APPROVERS_MIN);
        if names.len() < needed {
            return Err(EmergencyRefused::TooFew { needed, counted: names.len() });
        }
        Ok(names)
    }

    /// Whether the rules let this person be given it.
    fn prove_asker(
        &self,
        request: &EmergencyRequest,
        rule: &EmergencyRule,
    ) -> Result<(), EmergencyRefused> {
        let principal = self.directory.principal_named(request.principal());
        let principal = principal.ok_or(EmergencyRefused::UnknownPrincipal)?;
        let find = |name: &RoleName| {
            let role = self.bundle.role(name.as_str());
            role.ok_or_else(|| EmergencyRefused::UnknownRole(name.clone()))
        };
        let held = principal.roles().map(find).collect::<Result<Vec<&Role>, _>>()?;
        let may_ask = |role: &&Role| !role.family.is_disjoint(&rule.may_ask);
        if !held.iter().any(may_ask) {
            return Err(EmergencyRefused::MayNotAsk);
        }
        let elevated = find(&rule.role)?;
        let breach = breach_under(principal, held, elevated, self.bundle);
        breach.map_or(Ok(()), |breach| Err(EmergencyRefused::Duty(breach)))
    }
}

/// The first thing that somebody breaks who holds these roles and comes under another.
pub(crate) fn breach_under<'a>(
    principal: &Principal,
    mut held: Vec<&'a Role>,
    elevated: &'a Role,
    bundle: &CheckedBundle,
) -> Option<Breach> {
    let name = Some(principal.name());
    let by_feed = breaches_by_feed(name, &held, bundle).into_iter().next();
    held.push(elevated);
    by_feed
        .or_else(|| breaches(name, &held, bundle.officers(), bundle.conflicts()).into_iter().next())
}

#[cfg(test)]
mod tests;
