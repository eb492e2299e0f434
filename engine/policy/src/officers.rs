//! The officers of a bundle: who may approve a change of the rules, and how many it takes.
//!
//! The officers that count are always those of the rules in force: a bundle that is to follow
//! them cannot let itself in. Receives: the bundle's text. Hands on: names and keys to
//! [`crate::stored`], names to [`crate::duty`].

use crate::bundle::{BUNDLE_FILE, BundleText};
use crate::finding::Finding;
use crate::key::OfficerKey;
use crate::parse::governance::RawOfficer;
use crate::parse::{RawBundle, parse};

/// A name is one line of an approval's file; it has at most so many bytes.
const NAME_BYTES_MAX: usize = 128;

/// Someone who may approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// The name; a principal of the same name is the same person.
    pub name: String,
    /// What the approvals are proven with.
    pub key: OfficerKey,
}

/// Everyone who may approve, and how many have to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Officers {
    officers: Vec<Officer>,
    needed: usize,
}

impl Officers {
    /// The officers of a bundle, whatever tables there are.
    ///
    /// # Errors
    /// What is wrong with the file that names them: then nobody can approve.
    pub fn of(text: &BundleText) -> Result<Self, Vec<Finding>> {
        // The other files can be large and say nothing of officers, and every change of the rules
        // since the first is judged by them.
        let file = text.files.get_key_value(BUNDLE_FILE);
        let files = file.map(|(name, text)| (name.clone(), text.clone())).into_iter().collect();
        let mut findings = Vec::new();
        let raw = parse(&BundleText { files }, &mut findings);
        let officers = Self::check(&raw, &mut findings);
        findings.retain(|finding| finding.file == BUNDLE_FILE);
        if findings.is_empty() { Ok(officers) } else { Err(findings) }
    }

    /// Reads the officers and their number; what is wrong is a finding.
    pub(crate) fn check(raw: &RawBundle, findings: &mut Vec<Finding>) -> Self {
        let mut officers: Vec<Officer> = Vec::new();
        for raw in &raw.officers {
            let Some(officer) = check_officer(raw, findings) else { continue };
            if officers.iter().any(|other| other.name == officer.name) {
                let message = format!("the officer `{}` stands here a second time", officer.name);
                findings.push(raw.name.place.finding(message));
            }
            if let Some(other) = officers.iter().find(|other| other.key == officer.key) {
                let message = format!(
                    "`{}` and `{}` have one key: they would be one officer; everybody needs their own",
                    other.name, officer.name
                );
                let place = raw.key.as_ref().map_or(raw.name.place, |key| key.place);
                findings.push(place.finding(message));
            }
            officers.push(officer);
        }
        let needed = check_needed(raw, findings);
        Self { officers, needed }
    }

    /// How many different officers have to approve a change of these rules; none by 0.
    #[must_use]
    pub const fn needed(&self) -> usize {
        self.needed
    }

    /// The officers, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Officer> {
        self.officers.iter()
    }

    /// The officer of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Officer> {
        self.officers.iter().find(|officer| officer.name == name)
    }
}

fn check_officer(raw: &RawOfficer, findings: &mut Vec<Finding>) -> Option<Officer> {
    let name = raw.name.value.trim();
    let is_name =
        !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
    if !is_name {
        let message = format!(
            "an officer's name is a text of one line, of {NAME_BYTES_MAX} bytes at most, and not empty"
        );
        findings.push(raw.name.place.finding(message));
    }
    let word = raw.key.as_ref()?;
    let key = OfficerKey::parse(&word.value);
    if key.is_none() {
        let message = "an officer's `key` is an Ed25519 public key of 64 lower-case hexadecimal \
                       digits, as `martlet policy officer-key` prints it";
        findings.push(word.place.finding(message));
    }
    Some(Officer { name: is_name.then(|| name.to_owned())?, key: key? })
}

/// More approvals than officers would mean that the rules can never be changed again.
fn check_needed(raw: &RawBundle, findings: &mut Vec<Finding>) -> usize {
    let Some(number) = &raw.approvals else { return 0 };
    let most = raw.officers.len();
    usize::try_from(number.value).ok().filter(|needed| *needed <= most).unwrap_or_else(|| {
        let message = format!(
            "`approvals` is a number from 0 to that of the officers, which is {most}: who would approve?"
        );
        findings.push(number.place.finding(message));
        0
    })
}

#[cfg(test)]
mod tests;
