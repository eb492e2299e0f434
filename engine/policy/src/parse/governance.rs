//! The words of a bundle about itself: who may change it, and what nobody may hold together.
//!
//! The form only: officers and their number in `bundle.toml`, conflicts, accepted risks and
//! emergencies in `roles.toml`.

use super::Word;
use super::toml::Keys;
use crate::finding::{Finding, Located, Place};

/// An `[[officer]]`.
#[derive(Debug)]
pub(crate) struct RawOfficer {
    pub(crate) name: Word,
    pub(crate) key: Option<Word>,
}

/// A `[[conflict]]`.
#[derive(Debug)]
pub(crate) struct RawConflict {
    pub(crate) place: Place,
    pub(crate) roles: Vec<Word>,
}

/// An `[[accepted_risk]]`.
#[derive(Debug)]
pub(crate) struct RawRisk {
    pub(crate) name: Word,
    pub(crate) roles: Vec<Word>,
    /// The class that is given away.
    pub(crate) hidden: Option<Word>,
    /// The classes beside it that give it away.
    pub(crate) beside: Vec<Word>,
    pub(crate) reason: Option<Word>,
}

/// An `[[emergency]]`.
#[derive(Debug)]
pub(crate) struct RawEmergency {
    pub(crate) name: Word,
    /// The role that decides while it is open.
    pub(crate) role: Option<Word>,
    /// The roles whose holders may be given it.
    pub(crate) may_ask: Vec<Word>,
    pub(crate) hours: Option<Located<i64>>,
    pub(crate) approvers: Option<Located<i64>>,
}

pub(super) fn parse_officer(
    keys: &mut Keys<'_>,
    findings: &mut Vec<Finding>,
) -> Option<RawOfficer> {
    let name = keys.required_text("name", findings);
    let key = keys.required_text("key", findings);
    Some(RawOfficer { name: name?, key })
}

pub(super) fn parse_conflict(
    keys: &mut Keys<'_>,
    findings: &mut Vec<Finding>,
) -> Option<RawConflict> {
    keys.text("description", findings);
    Some(RawConflict { place: keys.place(), roles: keys.texts("roles", findings) })
}

pub(super) fn parse_risk(keys: &mut Keys<'_>, findings: &mut Vec<Finding>) -> Option<RawRisk> {
    let name = keys.required_text("name", findings);
    let roles = keys.texts("roles", findings);
    let hidden = keys.required_text("hidden", findings);
    let beside = keys.texts("beside", findings);
    let reason = keys.required_text("reason", findings);
    Some(RawRisk { name: name?, roles, hidden, beside, reason })
}

pub(super) fn parse_emergency(
    keys: &mut Keys<'_>,
    findings: &mut Vec<Finding>,
) -> Option<RawEmergency> {
    keys.text("description", findings);
    let name = keys.required_text("name", findings);
    let role = keys.required_text("role", findings);
    let may_ask = keys.texts("may_ask", findings);
    let hours = keys.integer("hours", findings);
    let approvers = keys.integer("approvers", findings);
    Some(RawEmergency { name: name?, role, may_ask, hours, approvers })
}
