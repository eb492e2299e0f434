//! A bundle as a snapshot keeps it: its text, and who approved it on which rules.
//!
//! Owns the stored bytes and the question whether rules may follow others. The bundle's digest
//! stays that of its text alone; an *edition* is a bundle in its place: it also stands for all
//! that it followed and who approved that, so that a bundle that comes back is another edition
//! and no old approval fits it.
//!
//! Receives: stored bytes from the snapshot. Hands on: the text to [`mod@crate::check`]. Whatever
//! cannot be read or proven may not follow.

use std::fmt;

use crate::approval::{Approval, Step, Verdict, judge};
use crate::bundle::BundleText;
use crate::error::PolicyError;
use crate::key::write_hex;
use crate::officers::Officers;

/// The first bytes of a bundle that is stored with what it followed; the number changes with
/// the layout. One that followed nothing is stored as its text alone.
const MAGIC: &[u8] = b"martlet policy edition 1\n";

/// Of what an edition's digest is made, said in its first bytes; likewise a seal's.
const EDITION: &[u8] = b"martlet policy edition digest 1\n";
const SEAL: &[u8] = b"martlet policy seal 1\n";

/// A bundle in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edition(pub(crate) [u8; 32]);

impl fmt::Display for Edition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(formatter, &self.0)
    }
}

/// What a bundle followed: the rules that were in force, whose officers approved it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Base {
    text: BundleText,
    /// Stands for what these rules followed themselves.
    seal: [u8; 32],
}

impl Base {
    fn edition(&self) -> Edition {
        edition(&self.text, &self.seal)
    }
}

/// A bundle with what it followed and who approved that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBundle {
    text: BundleText,
    base: Option<Base>,
    approvals: Vec<Approval>,
}

/// Why rules may not follow others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unapproved {
    /// The file that names the officers cannot be read any more.
    #[error("the officers of the rules in force cannot be read, so nobody can approve others")]
    NoOfficers,
    /// It was made to follow other rules, or none.
    #[error(
        "{needed} approvals of officers are needed, and it was not made to follow the rules in force"
    )]
    OtherBase {
        /// How many.
        needed: usize,
    },
    /// Not enough approvals count.
    #[error("{needed} approvals of different officers are needed, and {counted} count")]
    TooFew {
        /// How many are needed.
        needed: usize,
        /// How many count.
        counted: usize,
    },
}

impl StoredBundle {
    /// The first rules, which follow none.
    #[must_use]
    pub const fn first(text: BundleText) -> Self {
        Self { text, base: None, approvals: Vec::new() }
    }

    /// Rules that follow those in force, approved by these.
    ///
    /// # Errors
    /// [`Unapproved`] if too few of the approvals count; those that do not are not kept.
    pub fn following(
        text: BundleText,
        in_force: &Self,
        approvals: &[Approval],
    ) -> Result<Self, Unapproved> {
        let officers = Officers::of(&in_force.text).map_err(|_| Unapproved::NoOfficers)?;
        let step = Step { bundle: text.digest(), base: in_force.edition() };
        let verdicts = judge(approvals, &officers, &step);
        let counting = approvals.iter().zip(verdicts).filter(|(_, of)| *of == Verdict::Counts);
        let approvals = counting.map(|(approval, _)| approval.clone()).collect();
        let base = Base { text: in_force.text.clone(), seal: in_force.seal() };
        let next = Self { text, base: Some(base), approvals };
        next.may_follow(in_force).map(|()| next)
    }

    /// The bundle itself.
    #[must_use]
    pub const fn text(&self) -> &BundleText {
        &self.text
    }

    /// Who approved it.
    #[must_use]
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// The bundle in its place.
    #[must_use]
    pub fn edition(&self) -> Edition {
        edition(&self.text, &self.seal())
    }

    /// The edition that it followed.
    #[must_use]
    pub fn base(&self) -> Option<Edition> {
        self.base.as_ref().map(Base::edition)
    }

    /// The officers who had to approve it; `None` if it is the first, or they cannot be read.
    #[must_use]
    pub fn approving_officers(&self) -> Option<Officers> {
        Officers::of(&self.base.as_ref()?.text).ok()
    }

    /// Whether these rules may come into force while others are.
    ///
    /// # Errors
    /// [`Unapproved`] if the officers of the rules in force did not say so.
    pub fn may_follow(&self, in_force: &Self) -> Result<(), Unapproved> {
        if self.edition() == in_force.edition() {
            return Ok(());
        }
        self.proven(&in_force.text, in_force.edition())
    }

    /// Whether these rules were approved by the officers of those that they say they followed.
    /// Where nothing else is known, this is all that can be proven.
    ///
    /// # Errors
    /// [`Unapproved`] if they were not.
    pub fn own_proof(&self) -> Result<(), Unapproved> {
        match &self.base {
            None => Ok(()),
            Some(base) => self.proven(&base.text, base.edition()),
        }
    }

    fn proven(&self, in_force: &BundleText, edition: Edition) -> Result<(), Unapproved> {
        let officers = Officers::of(in_force).map_err(|_| Unapproved::NoOfficers)?;
        let needed = officers.needed();
        if needed == 0 {
            return Ok(());
        }
        if self.base() != Some(edition) {
            return Err(Unapproved::OtherBase { needed });
        }
        let step = Step { bundle: self.text.digest(), base: edition };
        let verdicts = judge(&self.approvals, &officers, &step);
        let counted = verdicts.iter().filter(|verdict| **verdict == Verdict::Counts).count();
        if counted < needed { Err(Unapproved::TooFew { needed, counted }) } else { Ok(()) }
    }

    /// Stands for what these rules followed: nothing but zeros for the first.
    fn seal(&self) -> [u8; 32] {
        let Some(base) = &self.base else { return [0; 32] };
        let mut hasher = blake3::Hasher::new();
        hasher.update(SEAL).update(&base.edition().0).update(approvals_text(self).as_bytes());
        hasher.finalize().into()
    }

    /// What a snapshot keeps.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let text = self.text.to_bytes();
        let Some(base) = &self.base else { return text };
        let (base_text, approvals) = (base.text.to_bytes(), approvals_text(self));
        let parts: [&[u8]; 4] = [&text, &base_text, &base.seal, approvals.as_bytes()];
        let mut bytes = MAGIC.to_vec();
        for part in parts {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend(part);
        }
        bytes
    }

    /// Reads what [`StoredBundle::to_bytes`] wrote, or a bundle's text alone.
    ///
    /// # Errors
    /// [`PolicyError::Damaged`] if it is neither.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PolicyError> {
        let Some(mut rest) = bytes.strip_prefix(MAGIC) else {
            return BundleText::from_bytes(bytes).map(Self::first);
        };
        let text = BundleText::from_bytes(take_part(&mut rest)?)?;
        let base_text = BundleText::from_bytes(take_part(&mut rest)?)?;
        let seal = <[u8; 32]>::try_from(take_part(&mut rest)?)
            .map_err(|_| PolicyError::Damaged { what: "a seal has 32 bytes" })?;
        let approvals = read_approvals(take_part(&mut rest)?)?;
        if !rest.is_empty() {
            return Err(PolicyError::Damaged { what: "something stands behind its approvals" });
        }
        Ok(Self { text, base: Some(Base { text: base_text, seal }), approvals })
    }
}

fn edition(text: &BundleText, seal: &[u8; 32]) -> Edition {
    let mut hasher = blake3::Hasher::new();
    hasher.update(EDITION).update(&text.digest()).update(seal);
    Edition(hasher.finalize().into())
}

/// One approval after the other, with an empty line between.
fn approvals_text(stored: &StoredBundle) -> String {
    stored.approvals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn read_approvals(bytes: &[u8]) -> Result<Vec<Approval>, PolicyError> {
    let damaged = PolicyError::Damaged { what: "its approvals cannot be read" };
    let Ok(text) = std::str::from_utf8(bytes) else { return Err(damaged) };
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let read: Result<Vec<Approval>, PolicyError> =
        text.split("\n\n").map(Approval::parse).collect();
    read.map_err(|_| damaged)
}

/// Takes one length-prefixed part off the front.
pub(crate) fn take_part<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], PolicyError> {
    let cut = PolicyError::Damaged { what: "it is cut off" };
    let Some((length, after)) = rest.split_first_chunk::<8>() else { return Err(cut) };
    let Ok(length) = usize::try_from(u64::from_le_bytes(*length)) else { return Err(cut) };
    let Some((part, after)) = after.split_at_checked(length) else { return Err(cut) };
    *rest = after;
    Ok(part)
}

#[cfg(test)]
mod tests;
