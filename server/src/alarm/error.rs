//! Why alarms cannot be kept: a file that says something wrong, or a place that fails.

use std::path::PathBuf;

use martlet_core::{ErrorKind, Kinded};

/// Why the alarms cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum AlarmError {
    /// The file of rules cannot be read at all.
    #[error("the alarm rules in {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The rules say something that cannot be meant.
    #[error("the alarm rules are wrong: {0}")]
    Rules(String),
    /// The folder of the alarms' own state cannot be used.
    #[error("the alarms' folder {} cannot be used", path.display())]
    Unusable {
        /// The folder or a file in it.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// What is kept there is not what was written.
    #[error("{} is damaged: it says who is cut off, so nothing is served without it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// What is kept there is gone.
    #[error(
        "{} is missing, though the audit record has alarms that held people: it says who is cut off, \
         so nothing is served without it. Put it back from a copy; where all of them may go, write {{}} \
         into it, and tell the officers",
        path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The journal cannot be read back.
    #[error("the alarms cannot read the audit journal back")]
    Journal(#[source] crate::audit::AuditError),
}

impl Kinded for AlarmError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { .. } | Self::Rules(_) | Self::Unusable { .. } => ErrorKind::Invalid,
            Self::Damaged { .. } | Self::Missing { .. } => ErrorKind::Damaged,
            Self::Journal(error) => error.kind(),
        }
    }
}
