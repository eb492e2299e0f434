//! The directory: everyone who may sign in, with roles and attributes, from a nightly feed.
//!
//! Owns sign-in by password, with a one-time code where the feed has a secret for it. A refused
//! sign-in takes the same work and gives the same text whether the name is unknown, has no
//! password, or the password, the code or the password's age is wrong.
//!
//! The feed is CSV with a header: `name,roles,node,password`, where wanted `totp` and
//! `password_changed`, and any further attributes. Roles are separated by `;`. An empty attribute
//! is an absent one. The word `ldap` as a password says that an LDAP directory knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use martlet_core::BatchDate;

use crate::checked::{CheckedBundle, Role};
use crate::duty::breaches_by_feed;
use crate::error::{RefusalReason, SignInRefused};
use crate::finding::{Finding, Place};
use crate::names::{AttributeName, RoleName};
use crate::parse::csv::{Row, read_rows};
use crate::password::StoredPassword;
use crate::principal::{Principal, SignedIn};
use crate::totp::{CODE_DIGITS, TotpSecret, UsedCodes};

/// The name under which findings speak of the feed.
const FILE: &str = "principals";

/// Columns that are not attributes: no rule may speak of a secret.
const FIXED: [&str; 5] = ["name", "roles", "password", "password_changed", "totp"];

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// The word in the feed's column `password` for those whose password an LDAP directory knows.
const LDAP: &str = "ldap";

struct Entry {
    principal: Principal,
    password: Password,
    changed: Changed,
    totp: Option<TotpSecret>,
    place: Place,
}

/// Where somebody's password is known.
enum Password {
    /// Nowhere: they sign in by other means.
    Nowhere,
    /// Here, as a hash.
    Here(StoredPassword),
    /// In an LDAP directory.
    Ldap,
}

impl Password {
    const fn here(&self) -> Option<&StoredPassword> {
        match self {
            Self::Here(stored) => Some(stored),
            Self::Nowhere | Self::Ldap => None,
        }
    }
}

/// When a password was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    /// The feed has no column for it: passwords do not age.
    Never,
    /// The feed has the column and nothing in it: too old, for all that is known.
    Unknown,
    /// On this day.
    On(BatchDate),
}

/// What someone presents to sign in.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The name.
    pub name: &'a str,
    /// The password; of a name with a second factor the code stands behind it, unless it is given
    /// by itself.
    pub password: &'a str,
    /// The one-time code, where it is given by itself.
    pub code: Option<&'a str>,
}

/// Prints the name alone.
impl fmt::Debug for Presented<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Presented({:?}, ..)", self.name)
    }
}

/// Under which terms a sign-in is judged.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The time: seconds since 1970-01-01 00:00 UTC.
    pub seconds: i64,
    /// How old a password may be.
    pub password_age: PasswordAge,
    /// The one-time codes that were taken before.
    pub used: &'a UsedCodes,
}

/// How old a password may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordAge {
    /// So many days, where the feed tells when it was set.
    Days(u32),
    /// It is not asked: for programs that made the directory's passwords themselves.
    Any,
}

/// One line of the directory as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'a> {
    /// The name.
    pub name: &'a str,
    /// The names of the roles.
    pub roles: Vec<&'a str>,
    /// The node of the organization, if there is one.
    pub node: Option<&'a str>,
}

/// Everyone who may sign in. The default directory is empty and refuses everyone.
#[derive(Default)]
pub struct Directory {
    entries: BTreeMap<Arc<str>, Entry>,
    decoy: Option<StoredPassword>,
}

impl fmt::Debug for Directory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Directory({} principals)", self.entries.len())
    }
}

impl Directory {
    /// Reads the feed.
    ///
    /// # Errors
    /// Every finding, in the order of lines; none repeats a password.
    pub fn parse(csv: &str) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let required = ["name", "roles", "node", "password"];
        let rows = read_rows(FILE, csv, &required, &mut findings);
        for (header, _) in rows.first().into_iter().flat_map(Row::fields) {
            if let Err(what) = AttributeName::new(header) {
                findings.push(Place::start(FILE).finding(format!("column `{header}`: {what}")));
            }
        }
        let mut entries = BTreeMap::new();
        for row in &rows {
            let Some(entry) = read_entry(row, &mut findings) else { continue };
            let name = entry.principal.name.clone();
            let place = entry.place;
            if entries.insert(name, entry).is_some() {
                findings.push(place.finding("this name stands here a second time"));
            }
        }
        check_ldap_names(&entries, &mut findings);
        if !findings.is_empty() {
            findings.sort_by_key(|finding| (finding.line, finding.column));
            return Err(findings);
        }
        let decoy = StoredPassword::decoy(entries.values().filter_map(|e| e.password.here()));
        Ok(Self { entries, decoy })
    }

    /// Signs someone in by a password alone, whatever its age; whoever has a second factor is
    /// refused. A server asks [`Directory::sign_in_on`].
    ///
    /// # Errors
    /// [`SignInRefused`], after the same work whatever the reason.
    pub fn sign_in(&self, name: &str, password: &str) -> Result<SignedIn, SignInRefused> {
        // Before 1970 there were no codes.
        let terms = Terms {
            seconds: i64::MIN,
            password_age: PasswordAge::Any,
            used: &UsedCodes::default(),
        };
        self.sign_in_on(Presented { name, password, code: None }, &terms)
    }

    /// Signs someone in.
    ///
    /// # Errors
    /// [`SignInRefused`], after the same work whatever the reason.
    pub fn sign_in_on(
        &self,
        presented: Presented<'_>,
        terms: &Terms<'_>,
    ) -> Result<SignedIn, SignInRefused> {
        let entry = self.entries.get(presented.name);
        let (password, code) = split(presented, entry.is_some_and(|entry| entry.totp.is_some()));
        let stored = entry.and_then(|entry| entry.password.here());
        // A decoy's answer does not matter; its work does.
        let verified = stored.or(self.decoy.as_ref()).is_some_and(|hash| hash.verify(password));
        let decoy = TotpSecret::decoy();
        let secret = entry.and_then(|entry| entry.totp.as_ref());
        let step = secret.unwrap_or(&decoy).step_of(code, terms.seconds);
        let refused = |reason| Err(SignInRefused(reason));
        let Some(entry) = entry.filter(|_| stored.is_some() && verified) else {
            return refused(RefusalReason::Password);
        };
        let name = &entry.principal.name;
        match (secret, step) {
            (Some(_), None) => refused(RefusalReason::Code),
            _ if is_too_old(entry.changed, terms) => refused(RefusalReason::PasswordExpired),
            (Some(_), Some(step)) if !terms.used.take(name, step) => {
                refused(RefusalReason::CodeUsed)
            }
            _ => Ok(SignedIn { name: Arc::clone(name), lent: Arc::default() }),
        }
    }

    /// Takes someone as signed in whose password an LDAP directory has found right; the code of a
    /// second factor is asked for here all the same. `lent` are the roles that it gives them
    /// beside the feed's, for as long as this sign-in counts.
    ///
    /// # Errors
    /// [`SignInRefused`] for the code, and for whoever's password is not the LDAP directory's.
    pub fn sign_in_by_ldap(
        &self,
        presented: Presented<'_>,
        terms: &Terms<'_>,
        lent: BTreeSet<RoleName>,
    ) -> Result<SignedIn, SignInRefused> {
        let Some(entry) = self.entry_of_ldap(presented.name) else {
            return Err(SignInRefused(RefusalReason::Password));
        };
        let name = &entry.principal.name;
        if let Some(secret) = &entry.totp {
            let (_, code) = split(presented, true);
            let step = secret.step_of(code, terms.seconds);
            let step = step.ok_or(SignInRefused(RefusalReason::Code))?;
            if !terms.used.take(name, step) {
                return Err(SignInRefused(RefusalReason::CodeUsed));
            }
        }
        Ok(SignedIn { name: Arc::clone(name), lent: Arc::new(lent) })
    }

    /// Whether an LDAP directory knows this name's password. Not for who asks to sign in.
    #[must_use]
    pub fn asks_ldap(&self, name: &str) -> bool {
        self.entry_of_ldap(name).is_some()
    }

    /// The password that the LDAP directory is to judge: what is presented, without a code behind
    /// it.
    #[must_use]
    pub fn password_for_ldap<'a>(&self, presented: Presented<'a>) -> &'a str {
        split(presented, self.asks_for_code(presented.name)).0
    }

    fn entry_of_ldap(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name).filter(|entry| matches!(entry.password, Password::Ldap))
    }

    /// Takes someone as signed in for whom the caller has other proof than a password: a token
    /// of an issuer that it trusts, a certificate. `None` if the directory does not know them.
    #[must_use]
    pub fn vouched_for(&self, name: &str) -> Option<SignedIn> {
        let entry = self.entries.get(name)?;
        Some(SignedIn { name: Arc::clone(&entry.principal.name), lent: Arc::default() })
    }

    /// Whether a password alone does not sign this name in. Not for who asks to sign in.
    #[must_use]
    pub fn asks_for_code(&self, name: &str) -> bool {
        self.entries.get(name).is_some_and(|entry| entry.totp.is_some())
    }

    /// What the directory says about someone who signed in, with the roles that came with the
    /// sign-in; `None` if it no longer knows them.
    #[must_use]
    pub fn principal(&self, signed_in: &SignedIn) -> Option<Principal> {
        let mut principal = self.entries.get(&*signed_in.name)?.principal.clone();
        principal.roles.extend(signed_in.lent.iter().cloned());
        Some(principal)
    }

    /// How many principals there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(AsRef::as_ref)
    }

    /// Everybody, by name: for decisions within this crate that show no row.
    pub(crate) fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.entries.values().map(|entry| &entry.principal)
    }

    /// The principal of a name, likewise.
    pub(crate) fn principal_named(&self, name: &str) -> Option<&Principal> {
        self.entries.get(name).map(|entry| &entry.principal)
    }

    /// What the directory holds, by name, for the officers' own table: plain text, from which
    /// no principal can be made, and no password.
    pub fn listing(&self) -> impl Iterator<Item = Listed<'_>> {
        self.entries.values().map(|Entry { principal, .. }| Listed {
            name: principal.name(),
            roles: principal.roles().map(RoleName::as_str).collect(),
            node: principal.attribute(AttributeName::NODE),
        })
    }

    /// What the feed says of somebody in one column, as plain text from which no principal can be
    /// made; `None` where it says nothing, and never a password.
    #[must_use]
    pub fn attribute_of(&self, name: &str, attribute: &str) -> Option<&str> {
        self.entries.get(name)?.principal.attribute(attribute)
    }

    /// What of the directory the bundle does not allow: roles and nodes that it does not define,
    /// and roles that nobody may hold together. Whoever has such roles is denied everything, so
    /// it is well to know.
    #[must_use]
    pub fn check_against(&self, bundle: &CheckedBundle) -> Vec<Finding> {
        let mut findings = Vec::new();
        for Entry { principal, place, .. } in self.entries.values() {
            for role in principal.roles().filter(|role| bundle.role(role.as_str()).is_none()) {
                findings.push(place.finding(format!("the policy has no role `{role}`")));
            }
            let held: Vec<&Role> =
                principal.roles().filter_map(|role| bundle.role(role.as_str())).collect();
            for breach in breaches_by_feed(Some(principal.name()), &held, bundle) {
                findings.push(place.finding(format!("separation of duties: {breach}")));
            }
            let node = principal.attribute(AttributeName::NODE);
            if node.is_some_and(|node| bundle.organization().node(node).is_none()) {
                findings.push(place.finding("`node` is not in the policy's organization"));
            }
        }
        findings.sort_by_key(|finding| (finding.line, finding.column));
        findings
    }
}

/// Reads one line; `None` if what is wrong with it is now among the findings.
fn read_entry(row: &Row, findings: &mut Vec<Finding>) -> Option<Entry> {
    let known_findings = findings.len();
    let name = row.get("name");
    if name.is_empty() || name.chars().any(char::is_control) {
        findings.push(row.place("name").finding("the name is missing or has a control character"));
    }
    let password = match row.get("password") {
        "" => Password::Nowhere,
        LDAP => Password::Ldap,
        phc => match StoredPassword::parse(phc) {
            Ok(stored) => Password::Here(stored),
            Err(what) => {
                findings.push(row.place("password").finding(what));
                Password::Nowhere
            }
        },
    };
    let totp = match row.get("totp") {
        "" => None,
        secret => TotpSecret::parse(secret)
            .map_err(|what| findings.push(row.place("totp").finding(what)))
            .ok(),
    };
    let changed = read_changed(row, findings);
    let principal = Principal {
        name: Arc::from(name),
        roles: read_roles(row, findings),
        attributes: read_attributes(row),
        emergency: None,
    };
    (findings.len() == known_findings).then(|| Entry {
        principal,
        password,
        changed,
        totp,
        place: row.place("name"),
    })
}

/// An LDAP directory takes names for equal that differ in case, in blanks or in accents, so two
/// people here could be one person there. Hence ASCII alone, and no two that differ in case.
fn check_ldap_names(entries: &BTreeMap<Arc<str>, Entry>, findings: &mut Vec<Finding>) {
    let mut known = BTreeSet::new();
    for (name, entry) in entries {
        if !matches!(entry.password, Password::Ldap) {
            continue;
        }
        if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            let what = "a name whose password is `ldap` has ASCII letters, digits and signs only";
            findings.push(entry.place.finding(what));
        }
        if !known.insert(name.to_ascii_lowercase()) {
            let what = "another name whose password is `ldap` differs from this one in case only";
            findings.push(entry.place.finding(what));
        }
    }
}

fn read_changed(row: &Row, findings: &mut Vec<Finding>) -> Changed {
    match row.get("password_changed") {
        "" if row.has("password_changed") => Changed::Unknown,
        "" => Changed::Never,
        day => day.parse().map_or_else(
            |_| {
                let what = "`password_changed` is not a day of the form 2026-11-22";
                findings.push(row.place("password_changed").finding(what));
                Changed::Unknown
            },
            Changed::On,
        ),
    }
}

fn read_roles(row: &Row, findings: &mut Vec<Finding>) -> BTreeSet<RoleName> {
    let words = row.get("roles").split(';').map(str::trim).filter(|word| !word.is_empty());
    words
        .filter_map(|word| {
            RoleName::new(word)
                .map_err(|what| findings.push(row.place("roles").finding(what.to_string())))
                .ok()
        })
        .collect()
}

/// The attributes that are not empty. Headers were checked before.
fn read_attributes(row: &Row) -> BTreeMap<AttributeName, Arc<str>> {
    row.fields()
        .filter(|(header, value)| !FIXED.contains(header) && !value.is_empty())
        .filter_map(|(header, value)| Some((AttributeName::new(header).ok()?, Arc::from(value))))
        .collect()
}

/// Parts the password from the code that may stand behind it.
fn split<'a>(presented: Presented<'a>, has_secret: bool) -> (&'a str, &'a str) {
    let Presented { password, code, .. } = presented;
    if let Some(code) = code {
        return (password, code);
    }
    let at = password.len().checked_sub(CODE_DIGITS).filter(|_| has_secret);
    at.and_then(|at| password.split_at_checked(at)).unwrap_or((password, ""))
}

/// Whether a password's day lies too far back, or ahead: a day that is still to come, but for
/// one that has begun elsewhere, would keep it good for as long as one likes.
fn is_too_old(changed: Changed, terms: &Terms<'_>) -> bool {
    let PasswordAge::Days(days_max) = terms.password_age else { return false };
    match changed {
        Changed::Never => false,
        Changed::Unknown => true,
        Changed::On(day) => {
            let age = terms.seconds.div_euclid(SECONDS_PER_DAY) - i64::from(day.days());
            !(-1..=i64::from(days_max)).contains(&age)
        }
    }
}

#[cfg(test)]
mod tests;
