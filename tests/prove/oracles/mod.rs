//! How a test decides: each oracle looks at answers and says what is wrong with them.

pub mod canary;
pub mod logs;
pub mod remnants;
pub mod same;

/// Which promise is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Oracle {
    /// O1: a hidden byte left.
    Canary,
    /// O1, in what was logged meanwhile: by this statement or by one that was asked at the same time.
    Log,
    /// O2: two worlds told apart.
    Worlds,
    /// O3: the answer is not that of the filtered and masked copy.
    Reference,
    /// O4: a name that is forbidden is not refused like one that there is not.
    Denial,
    /// O5: an attempt is not on record.
    Record,
    /// A statement met something that should be impossible: a panic, a broken promise.
    Broken,
}

impl Oracle {
    /// What it is called in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::Log => "canary in a log",
            Self::Worlds => "two worlds",
            Self::Reference => "reference",
            Self::Denial => "uniform denial",
            Self::Record => "audit record",
            Self::Broken => "broken",
        }
    }
}
