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
            Self::Unreadable { .. } | Self::TooLarge { .. } => ErrorKind::Invalid,
            Self::Damaged { .. } => ErrorKind::Damaged,
            Self::MaskMismatch { .. } => ErrorKind::Bug,
        }
    }
}

/// A sign-in was refused. There is one reason and one text, whoever asked: an unknown name and
/// a wrong password are not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name or the password is wrong")]
pub struct SignInRefused;

impl Kinded for SignInRefused {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Denied
    }
}
