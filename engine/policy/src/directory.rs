//! The directory: everyone who may sign in, with roles and attributes, from a nightly feed.
//!
//! Owns sign-in by password. A refused sign-in takes the same work and gives the same text
//! whether the name is unknown, has no password, or the password is wrong.
//!
//! The feed is CSV with a header: `name,roles,node,password` and any further attributes.
//! Roles are separated by `;`. An empty attribute is an absent one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::checked::CheckedBundle;
use crate::error::SignInRefused;
use crate::finding::{Finding, Place};
use crate::names::{AttributeName, RoleName};
use crate::parse::csv::{Row, read_rows};
use crate::password::StoredPassword;
use crate::principal::{Principal, SignedIn};

/// The name under which findings speak of the feed.
const FILE: &str = "principals";

/// Columns that are not attributes.
const FIXED: [&str; 3] = ["name", "roles", "password"];

struct Entry {
    principal: Principal,
    password: Option<StoredPassword>,
    place: Place,
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
        if !findings.is_empty() {
            findings.sort_by_key(|finding| (finding.line, finding.column));
            return Err(findings);
        }
        let decoy = StoredPassword::decoy(entries.values().filter_map(|e| e.password.as_ref()));
        Ok(Self { entries, decoy })
    }

    /// Signs someone in.
    ///
    /// # Errors
    /// [`SignInRefused`], after the same work whatever the reason.
    pub fn sign_in(&self, name: &str, password: &str) -> Result<SignedIn, SignInRefused> {
        let entry = self.entries.get(name);
        match entry.and_then(|entry| Some((entry, entry.password.as_ref()?))) {
            Some((entry, stored)) if stored.verify(password) => {
                Ok(SignedIn { name: entry.principal.name.clone() })
            }
            Some(_) => Err(SignInRefused),
            None => {
                // Its answer does not matter; its work does.
                let _ = self.decoy.as_ref().is_some_and(|decoy| decoy.verify(password));
                Err(SignInRefused)
            }
        }
    }

    /// What the directory says about someone who signed in; `None` if it no longer knows them.
    #[must_use]
    pub fn principal(&self, signed_in: &SignedIn) -> Option<Principal> {
        self.entries.get(&*signed_in.name).map(|entry| entry.principal.clone())
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

    /// What of the directory the bundle does not know: roles and nodes that it does not
    /// define. Whoever has such a role is denied everything, so it is well to know.
    #[must_use]
    pub fn check_against(&self, bundle: &CheckedBundle) -> Vec<Finding> {
        let mut findings = Vec::new();
        for Entry { principal, place, .. } in self.entries.values() {
            for role in principal.roles().filter(|role| bundle.role(role.as_str()).is_none()) {
                findings.push(place.finding(format!("the policy has no role `{role}`")));
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
        "" => None,
        phc => StoredPassword::parse(phc)
            .map_err(|what| findings.push(row.place("password").finding(what)))
            .ok(),
    };
    let principal = Principal {
        name: Arc::from(name),
        roles: read_roles(row, findings),
        attributes: read_attributes(row),
    };
    (findings.len() == known_findings).then(|| Entry {
        principal,
        password,
        place: row.place("name"),
    })
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

#[cfg(test)]
mod tests;
