//! The checked bundle: a policy that fits the tables, resolved so that a decision only looks up.
//!
//! Made by [`mod@crate::check`] alone; its fields are private, so a policy that was not checked
//! cannot decide anything.

use std::collections::{BTreeMap, BTreeSet};

use martlet_core::{BatchDate, ClassName, TableName};

use crate::access::Sight;
use crate::bundle::PolicyVersion;
use crate::classification::Classification;
use crate::coherence::{AcceptedRisk, Kind};
use crate::duty::{Conflict, Duty};
use crate::emergency::EmergencyRule;
use crate::mask::{Mask, Profile};
use crate::minimum_group::GroupRule;
use crate::names::{AttributeName, RoleName};
use crate::officers::Officers;
use crate::organization::Organization;
use crate::rule::Rule;

/// A category of personal financial information (JR/T 0171).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pfi {
    /// Internal information, such as a date of opening.
    C1,
    /// What identifies a person or tells their finances.
    C2,
    /// What authenticates: passwords, biometrics. Never shown.
    C3,
}

impl Pfi {
    /// The word for it in `classes.toml`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::C1 => "C1",
            Self::C2 => "C2",
            Self::C3 => "C3",
        }
    }

    /// Reads the word; `None` if it is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::C1, Self::C2, Self::C3].into_iter().find(|pfi| pfi.word() == word)
    }
}

/// What a role may do beside reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// See how a statement is executed, with figures about rows that may be hidden.
    Explain,
    /// Ask what the rules show to somebody, and why.
    ExplainPolicy,
}

impl Capability {
    /// The word for it in `roles.toml`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Explain => "explain",
            Self::ExplainPolicy => "explain_policy",
        }
    }

    /// Reads the word; `None` if it is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Explain, Self::ExplainPolicy].into_iter().find(|one| one.word() == word)
    }
}

/// A class of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub name: ClassName,
    /// Its category (JR/T 0171), if given.
    pub pfi: Option<Pfi>,
    /// Its security level (JR/T 0197), 1 to 5, if given.
    pub level: Option<u8>,
    /// The mask that a role's word `mask` means.
    pub mask: Option<Mask>,
    /// What its columns hold, so far as that is known.
    pub about: Option<Kind>,
}

/// A role, with everything that it inherits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// Itself and every role that it inherits from, at any distance.
    pub family: BTreeSet<RoleName>,
    /// The tables that it grants.
    pub tables: BTreeSet<TableName>,
    /// What it says about classes; `Hidden` is an explicit `deny`. Silence is absence.
    pub sights: BTreeMap<ClassName, Sight>,
    /// What it may do beside reading.
    pub may: BTreeSet<Capability>,
    /// The classes whose columns it may ask by their raw values, though it sees them masked.
    pub lookups: BTreeSet<ClassName>,
    /// What its holder is there for, beside reading.
    pub duties: BTreeSet<Duty>,
    /// What it and those that it inherits from say of minimum group sizes; all of it counts.
    pub groups: BTreeSet<GroupRule>,
}

/// A policy bundle that was checked against the tables.
#[derive(Debug, Clone)]
pub struct CheckedBundle {
    pub(crate) version: PolicyVersion,
    pub(crate) name: String,
    pub(crate) profile: Profile,
    pub(crate) attributes: BTreeSet<AttributeName>,
    pub(crate) organization: Organization,
    pub(crate) classes: BTreeMap<ClassName, Class>,
    pub(crate) classification: Classification,
    pub(crate) roles: BTreeMap<RoleName, Role>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) utc_offset: UtcOffset,
    pub(crate) lookups_per_hour: u32,
    pub(crate) officers: Officers,
    pub(crate) conflicts: Vec<Conflict>,
    pub(crate) accepted_risks: Vec<AcceptedRisk>,
    pub(crate) emergencies: Vec<EmergencyRule>,
}

/// How far the bank's clocks are ahead of UTC, in minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UtcOffset(pub(crate) i32);

impl UtcOffset {
    /// Reads `+08:00` or `-03:30`; `None` if it is none, or no clock on Earth shows it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, clock) = match text.split_at_checked(1)? {
            ("+", clock) => (1, clock),
            ("-", clock) => (-1, clock),
            _ => return None,
        };
        let (hours, minutes) = clock.split_once(':')?;
        let number = |digits: &str| {
            let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| digits.parse::<i32>().ok()).flatten()
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        (hours <= 14 && minutes < 60).then(|| Self(sign * (hours * 60 + minutes)))
    }

    /// The day that the bank's calendars show at a moment, given in seconds since 1970-01-01
    /// 00:00 UTC; `None` beyond all calendars.
    #[must_use]
    pub fn day_of(self, seconds: i64) -> Option<BatchDate> {
        let local = seconds.checked_add(i64::from(self.0) * 60)?;
        BatchDate::from_days(i32::try_from(local.div_euclid(24 * 60 * 60)).ok()?)
    }
}

impl CheckedBundle {
    /// Which policy this is.
    #[must_use]
    pub const fn version(&self) -> &PolicyVersion {
        &self.version
    }

    /// The bundle's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much the partial masks leave open.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The attributes of principals that rules may speak of.
    pub fn attributes(&self) -> impl Iterator<Item = &AttributeName> {
        self.attributes.iter()
    }

    /// The organization's tree.
    #[must_use]
    pub const fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The classes, by name.
    pub fn classes(&self) -> impl Iterator<Item = &Class> {
        self.classes.values()
    }

    /// Which class of a loaded column counts.
    #[must_use]
    pub const fn classification(&self) -> &Classification {
        &self.classification
    }

    /// The roles, by name.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    /// The role of that name.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(name)
    }

    /// How far the bank's clocks are ahead of UTC: the days of rules are the bank's days.
    #[must_use]
    pub const fn utc_offset(&self) -> UtcOffset {
        self.utc_offset
    }

    /// How many look-ups by raw values one principal has in an hour.
    #[must_use]
    pub const fn lookups_per_hour(&self) -> u32 {
        self.lookups_per_hour
    }

    /// Who may approve a change of these rules, and how many have to.
    #[must_use]
    pub const fn officers(&self) -> &Officers {
        &self.officers
    }

    /// The roles that nobody may hold together.
    #[must_use]
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }

    /// What is shown together although one gives the other away, and why.
    #[must_use]
    pub fn accepted_risks(&self) -> &[AcceptedRisk] {
        &self.accepted_risks
    }

    /// The emergencies for which the rules provide, in the order of the file.
    #[must_use]
    pub fn emergencies(&self) -> &[EmergencyRule] {
        &self.emergencies
    }

    /// The emergency of that name.
    #[must_use]
    pub fn emergency(&self, name: &str) -> Option<&EmergencyRule> {
        self.emergencies.iter().find(|emergency| emergency.name == name)
    }

    /// The row rules, by name.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

#[cfg(test)]
#[path = "checked_tests.rs"]
mod tests;
