//! The coherence of masks: what is hidden of one column must not stand beside it in another.
//!
//! For every role, and every two roles that somebody may hold together, what a table shows is
//! simulated on made-up people whose values fit together as those of real ones do: the actual
//! masks are run, and reconstructors put together what they leave. Where half or more of what is
//! hidden of a column follows from its neighbours, the rules are refused, or the bundle accepts
//! that risk by name and says why.
//!
//! Owns who is looked at, and what is said; `view` has what is shown together.

mod kind;
mod measure;
mod mind;
mod people;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use martlet_core::{ClassName, ColumnName, TableName};

use crate::access::{Access, Sight};
use crate::bundle::ROLES_FILE;
use crate::check::{Made, Tables, named};
use crate::checked::{Class, Role};
use crate::classification::Objection;
use crate::duty::{Conflict, breaches};
use crate::finding::{Finding, Place};
use crate::names::RoleName;
use crate::officers::Officers;
use crate::parse::governance::RawRisk;
use crate::parse::{RawBundle, Word};
use measure::{Measure, Shown};
use view::{Telling, View, Words, views, words};

pub use kind::Kind;

/// The part of what is hidden that may not follow from the neighbours; a margin for the last bits.
const TOO_MUCH: f64 = 0.5 - 1e-9;

/// A risk that a bundle takes knowingly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedRisk {
    /// What it is called.
    pub name: String,
    /// Whose risk: of these roles, and of those that inherit from them.
    pub roles: BTreeSet<RoleName>,
    /// The class that is given away.
    pub hidden: ClassName,
    /// The classes that give it away.
    pub beside: BTreeSet<ClassName>,
    /// Why it is taken.
    pub reason: String,
    /// How much of what is hidden follows, in percent: the most that was measured.
    pub percent: u8,
}

/// For officers: what it is called, whose it is, what is given away by what, and why.
impl fmt::Display for AcceptedRisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |names: Vec<String>| names.join(", ");
        let roles = listed(self.roles.iter().map(|role| format!("`{role}`")).collect());
        let beside = listed(self.beside.iter().map(|class| format!("`{class}`")).collect());
        let Self { name, hidden, reason, percent, .. } = self;
        write!(
            formatter,
            "`{name}` for {roles}: of `{hidden}` {percent} % of what is hidden can be told beside \
             {beside}: {reason}"
        )
    }
}

/// Something that is given away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Leak {
    hidden: ClassName,
    beside: BTreeSet<ClassName>,
}

/// Where, how much, and in which words.
#[derive(Debug, Clone)]
struct Found {
    leak: Leak,
    percent: u8,
    /// The hidden column, and those beside it, each with how it is shown.
    hidden: String,
    beside: String,
    /// All columns that give it away. What is given away is not among them: who hides that alone
    /// leaves what it is told by.
    tellers: BTreeSet<(TableName, ColumnName)>,
}

struct Check<'a> {
    raw: &'a RawBundle,
    roles: &'a BTreeMap<RoleName, Role>,
    conflicts: &'a [Conflict],
    risks: Vec<AcceptedRisk>,
    measure: Measure,
    /// What each role gives away by itself.
    of_role: BTreeMap<&'a RoleName, BTreeMap<Leak, Found>>,
    /// What two roles give away that neither does, with the first two that do.
    of_pair: BTreeMap<Leak, (&'a Role, &'a Role, Found)>,
}

/// Checks what is shown together; gives the risks that were accepted.
pub(crate) fn check(
    made: &Made<'_>,
    tables: &Tables<'_>,
    objections: &mut Vec<Objection>,
    findings: &mut Vec<Finding>,
) -> Vec<AcceptedRisk> {
    let Made { raw, classes, roles, conflicts } = *made;
    let risks = raw.accepted_risks.iter();
    let risks = risks.filter_map(|risk| check_risk(risk, classes, roles, findings)).collect();
    let measure = Measure::default();
    let (of_role, of_pair) = (BTreeMap::new(), BTreeMap::new());
    let mut check = Check { raw, roles, conflicts, risks, measure, of_role, of_pair };
    let looked_at: Vec<(View<'_>, Words<'_>)> = views(tables, classes)
        .into_iter()
        .map(|view| {
            let words = words(&view, roles);
            (view, words)
        })
        .collect();
    for (view, words) in &looked_at {
        check.look_at_roles(view, words);
    }
    check.report_roles(objections);
    for (view, words) in &looked_at {
        check.look_at_pairs(view, words);
    }
    check.report_pairs(objections);
    check.risks
}

impl<'a> Check<'a> {
    fn look_at_roles(&mut self, view: &View<'_>, words: &Words<'a>) {
        for (said, roles) in words {
            let Some(seen) = view.together(said, said) else { continue };
            let found = leaks(view, &seen, &mut self.measure);
            for role in roles {
                let of_role = self.of_role.entry(&role.name).or_default();
                for found in &found {
                    let first = of_role.entry(found.leak.clone()).or_insert_with(|| found.clone());
                    first.tellers.extend(found.tellers.iter().cloned());
                }
            }
        }
    }

    /// A role that inherits what gives away is not blamed again.
    fn report_roles(&mut self, objections: &mut Vec<Objection>) {
        let of_role = std::mem::take(&mut self.of_role);
        for (name, leaks) in &of_role {
            let Some(role) = self.roles.get(name.as_str()) else { continue };
            let of_parent = |leak: &Leak| {
                let mut parents = role.family.iter().filter(|parent| *parent != *name);
                parents.any(|parent| of_role.get(parent).is_some_and(|of| of.contains_key(leak)))
            };
            for (leak, found) in leaks {
                if !self.accepts(&[role], found) && !of_parent(leak) {
                    objections.push(self.objection(&[role], found));
                }
            }
        }
        self.of_role = of_role;
    }

    fn look_at_pairs(&mut self, view: &View<'_>, words: &Words<'a>) {
        // Most pairs see what others see: a bank has hundreds of roles and few sorts of them.
        let mut known: BTreeMap<Vec<Sight>, Vec<Found>> = BTreeMap::new();
        let entries: Vec<_> =
            words.iter().map(|(said, roles)| (said, view.together(said, said), roles)).collect();
        for (at, (said, alone, roles)) in entries.iter().enumerate() {
            for (other_said, other_alone, others) in &entries[..at] {
                let Some(seen) = view.together(said, other_said) else { continue };
                if [alone, other_alone].into_iter().flatten().any(|alone| *alone == seen) {
                    continue;
                }
                let found = known
                    .entry(seen)
                    .or_insert_with_key(|seen| leaks(view, seen, &mut self.measure));
                for found in found.iter() {
                    self.look_at_holders(roles, others, found);
                }
            }
        }
    }

    /// The first two of these roles that somebody may hold together and that nobody answers for.
    fn look_at_holders(&mut self, roles: &[&'a Role], others: &[&'a Role], found: &Found) {
        for role in roles {
            for other in others {
                let held = [*role, *other];
                let of_one = held.iter().any(|role| {
                    self.of_role.get(&role.name).is_some_and(|of| of.contains_key(&found.leak))
                });
                let may_hold = || breaches(None, &held, &Officers::default(), self.conflicts);
                if of_one || !may_hold().is_empty() || self.accepts(&held, found) {
                    continue;
                }
                let first = (*role, *other, found.clone());
                let (.., first) = self.of_pair.entry(found.leak.clone()).or_insert(first);
                first.tellers.extend(found.tellers.iter().cloned());
                return;
            }
        }
    }

    fn report_pairs(&self, objections: &mut Vec<Objection>) {
        for (role, other, found) in self.of_pair.values() {
            objections.push(self.objection(&[*role, *other], found));
        }
    }

    /// Whether the bundle takes the risk for one of these roles.
    fn accepts(&mut self, held: &[&Role], found: &Found) -> bool {
        let mut accepted = false;
        for risk in &mut self.risks {
            let is_it = risk.hidden == found.leak.hidden
                && found.leak.beside.is_subset(&risk.beside)
                && held.iter().any(|role| !role.family.is_disjoint(&risk.roles));
            if is_it {
                risk.percent = risk.percent.max(found.percent);
                accepted = true;
            }
        }
        accepted
    }

    fn objection(&self, held: &[&Role], found: &Found) -> Objection {
        let who: Vec<String> = held.iter().map(|role| format!("`{}`", role.name)).collect();
        let who = match held {
            [_] => format!("the role {}", who.join("")),
            _ => format!("who holds the roles {}", who.join(" and ")),
        };
        let Found { percent, hidden, beside, .. } = found;
        let message = format!(
            "{hidden} is given away to {who}: beside {beside}, {percent} % of what is hidden can be \
             told; deny or redact one of them, or accept the risk by name (`[[accepted_risk]]`)"
        );
        let finding = self.place(held, &found.leak).finding(message);
        Objection { finding, columns: found.tellers.clone() }
    }

    /// The word about the hidden class, else one about what is beside it, else the role's name.
    fn place(&self, held: &[&Role], leak: &Leak) -> Place {
        let written =
            |role: &&Role| self.raw.roles.iter().find(|raw| raw.name.value == role.name.as_str());
        let raws: Vec<_> = held.iter().filter_map(written).collect();
        for class in [&leak.hidden].into_iter().chain(&leak.beside) {
            let word = |(of, _): &&(Word, Word)| of.value == class.as_str();
            if let Some((_, word)) = raws.iter().find_map(|raw| raw.classes.iter().find(word)) {
                return word.place;
            }
        }
        raws.first().map_or(Place::start(ROLES_FILE), |raw| raw.name.place)
    }
}

/// What is given away where this is seen.
fn leaks(view: &View<'_>, seen: &[Sight], measure: &mut Measure) -> Vec<Found> {
    let telling = &view.telling;
    let shown: Vec<Shown> =
        telling.iter().zip(seen).map(|(telling, sight)| (telling.kind, sight.clone())).collect();
    let is_told = |sight: &Sight| matches!(sight, Sight::Shown(Access::Clear | Access::Masked(_)));
    let mut found = Vec::new();
    for (at, target) in shown.iter().enumerate() {
        if target.1 == Sight::Shown(Access::Clear) {
            continue;
        }
        let tells = |other: &usize| {
            let (kind, sight) = &shown[*other];
            *other != at && is_told(sight) && kind.subject() == target.0.subject()
        };
        let others: Vec<usize> = (0..shown.len()).filter(tells).collect();
        let mut report = |beside: &[usize], share: f64| {
            found.push(describe(view, seen, at, beside, share));
        };
        let mut rest = Vec::new();
        for other in others {
            match given_away(target, &[&shown[other]], measure) {
                Some(share) => report(&[other], share),
                None => rest.push(other),
            }
        }
        let beside: Vec<&Shown> = rest.iter().map(|other| &shown[*other]).collect();
        if let Some(share) = given_away(target, &beside, measure) {
            let needed = needed(target, &rest, &shown, measure);
            report(&needed, share);
        }
    }
    found
}

/// How much follows, if it is too much, and more than the column itself tells.
fn given_away(target: &Shown, beside: &[&Shown], measure: &mut Measure) -> Option<f64> {
    if beside.is_empty() {
        return None;
    }
    let share = measure.recovered(target, beside);
    (share >= TOO_MUCH && share > measure.recovered(target, &[])).then_some(share)
}

/// Those without which less would follow.
fn needed(target: &Shown, beside: &[usize], shown: &[Shown], measure: &mut Measure) -> Vec<usize> {
    let all: Vec<&Shown> = beside.iter().map(|at| &shown[*at]).collect();
    let share = measure.recovered(target, &all);
    let mut needed = Vec::new();
    for at in beside {
        let others = beside.iter().filter(|other| *other != at).map(|other| &shown[*other]);
        if measure.recovered(target, &others.collect::<Vec<_>>()) < share {
            needed.push(*at);
        }
    }
    if needed.is_empty() { beside.to_vec() } else { needed }
}

fn describe(view: &View<'_>, seen: &[Sight], hidden: usize, beside: &[usize], share: f64) -> Found {
    let telling = &view.telling;
    let in_words = |at: usize| {
        let Telling { class, place, .. } = &telling[at];
        format!("`{place}` (class `{class}`: {})", seen[at])
    };
    let others = beside.iter().map(|at| in_words(*at)).collect::<Vec<_>>().join(" and ");
    let classes: BTreeSet<ClassName> = beside.iter().map(|at| telling[*at].class.clone()).collect();
    Found {
        tellers: view.columns_of(&classes),
        leak: Leak { hidden: telling[hidden].class.clone(), beside: classes },
        percent: (share * 100.0).round() as u8,
        hidden: in_words(hidden),
        beside: match &view.joined_by {
            Some(key) => format!("{others} (joined by `{}`)", key.column),
            None => others,
        },
    }
}

/// Reads an `[[accepted_risk]]`; it needs a reason, and only what is there can be named.
fn check_risk(
    raw: &RawRisk,
    classes: &BTreeMap<ClassName, Class>,
    roles: &BTreeMap<RoleName, Role>,
    findings: &mut Vec<Finding>,
) -> Option<AcceptedRisk> {
    let known_findings = findings.len();
    for word in [Some(&raw.name), raw.reason.as_ref()].into_iter().flatten() {
        if word.value.trim().is_empty() || word.value.chars().any(char::is_control) {
            findings.push(word.place.finding("this must be a text of one line, and not empty"));
        }
    }
    let mut known = BTreeSet::new();
    for word in &raw.roles {
        let Some(name) = named(word, RoleName::new, findings) else { continue };
        if !roles.contains_key(&name) {
            findings.push(word.place.finding(format!("there is no role `{name}`")));
        }
        known.insert(name);
    }
    for word in raw.hidden.iter().chain(&raw.beside) {
        if !classes.contains_key(word.value.as_str()) {
            findings.push(word.place.finding(format!("there is no class `{}`", word.value)));
        }
    }
    if known.is_empty() || raw.beside.is_empty() {
        let message = "an accepted risk has `roles`, whose it is, and `beside`, the classes that \
                       give the hidden one away";
        findings.push(raw.name.place.finding(message));
    }
    let class = |word: &Word| ClassName::new(&word.value).ok();
    let (hidden, reason) = (class(raw.hidden.as_ref()?)?, raw.reason.as_ref()?.value.clone());
    (findings.len() == known_findings).then(|| AcceptedRisk {
        name: raw.name.value.clone(),
        roles: known,
        hidden,
        beside: raw.beside.iter().filter_map(class).collect(),
        reason,
        percent: 0,
    })
}

/// A risk that is accepted and not there would hide one that comes later. It is for officers to
/// remove: a load that takes a column away makes needless what they accepted.
pub(crate) fn report_needless(
    risks: &[AcceptedRisk],
    raw: &RawBundle,
    findings: &mut Vec<Finding>,
) {
    for risk in risks.iter().filter(|risk| risk.percent == 0) {
        let written = raw.accepted_risks.iter().find(|raw| raw.name.value == risk.name);
        let Some(written) = written else { continue };
        let message = format!(
            "nothing needs the accepted risk `{}`: no two columns of these classes give it away; \
             remove it",
            risk.name
        );
        findings.push(written.name.place.finding(message));
    }
}

#[cfg(test)]
mod tests;
