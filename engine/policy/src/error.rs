//! What can go wrong in this crate outside a bundle's own text (that gives findings).
//!
//! No text here ever holds a cell's value, a password or a hash.

use std::path::PathBuf;

use martlet_core::{ErrorKind, Kinded};

/// Why a policy could not be read, or a mask not be applied.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A file or folder of the bundle cannot be read.
    #[error("cannot read {path}: {source}; check that the policy bundle's folder is right")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file of the bundle is larger than a bundle's file can be.
    #[error("{path} has {bytes} bytes; a bundle's file has at most {limit}")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Stored bytes are not a policy bundle.
    #[error("the stored policy bundle is damaged: {what}")]
    Damaged {
        /// What does not fit.
        what: &'static str,
    },
    /// A text is not an officer's approval.
    #[error("this is not an approval of a policy bundle: {what}")]
    NotAnApproval {
        /// What does not fit.
        what: &'static str,
    },
    /// Stored bytes are not what a mart keeps of emergencies.
    #[error("what the mart keeps of emergencies is damaged")]
    EmergenciesDamaged,
    /// A text is no request, approval or closing of an emergency.
    #[error("this is not the paper of an emergency that was expected: {what}")]
    NotAnEmergency {
        /// What does not fit.
        what: &'static str,
    },
    /// A line of such a text is missing, out of its place, or does not say what it should.
    #[error(
        "this is not the paper of an emergency that was expected: its line `{word}` is missing, out of place or malformed"
    )]
    EmergencyLine {
        /// The line's first word.
        word: &'static str,
    },
    /// A mask was handed an array of a type that the grant did not name.
    #[error("the mask `{mask}` cannot be applied to a column of type {given}")]
    MaskMismatch {
        /// The mask.
        mask: &'static str,
        /// The array's type.
        given: String,
    },
}

impl Kinded for PolicyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { .. }
            | Self::TooLarge { .. }
            | Self::NotAnApproval { .. }
            | Self::NotAnEmergency { .. }
            | Self::EmergencyLine { .. } => ErrorKind::Invalid,
            Self::Damaged { .. } | Self::EmergenciesDamaged => ErrorKind::Damaged,
            Self::MaskMismatch { .. } => ErrorKind::Bug,
        }
    }
}

/// A sign-in was refused. There is one text, whoever asked: an unknown name, a wrong password, a
/// wrong code and a password that is too old are not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name or the password is wrong")]
pub struct SignInRefused(pub(crate) RefusalReason);

impl SignInRefused {
    /// Why: for the audit record, never for who asked.
    #[must_use]
    pub const fn reason(&self) -> RefusalReason {
        self.0
    }
}

/// Why a sign-in was refused, as the audit record has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalReason {
    /// No such name, no password, or another one.
    Password,
    /// The password was right and the one-time code missing or wrong.
    Code,
    /// The password and the code were right; the code, or a later one, was used before.
    CodeUsed,
    /// The password was right and is too old.
    PasswordExpired,
}

impl RefusalReason {
    /// The words in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
            Self::CodeUsed => "code used before",
            Self::PasswordExpired => "password expired",
        }
    }
}

impl Kinded for SignInRefused {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Denied
    }
}
