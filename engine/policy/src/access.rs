//! What is seen of a column, and which of several answers counts.
//!
//! The one place that knows the order of strictness.

use std::fmt;

use crate::mask::{Mask, Strictness};

/// How a column that is shown is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// As it is.
    Clear,
    /// As it is, but in conditions and joins only: it is never shown, nor what is made of it.
    Unshown,
    /// Masked.
    Masked(Mask),
}

/// What is seen of a class or a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sight {
    /// It is shown, in this way.
    Shown(Access),
    /// It does not exist for the reader.
    Hidden,
}

/// `clear`, `filter`, `token:<purpose>` or `mask:<mask>`.
impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clear => formatter.write_str("clear"),
            Self::Unshown => formatter.write_str("filter"),
            Self::Masked(token @ Mask::Token(_)) => token.fmt(formatter),
            Self::Masked(mask) => write!(formatter, "mask:{mask}"),
        }
    }
}

/// The access, or `deny`.
impl fmt::Display for Sight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown(access) => access.fmt(formatter),
            Self::Hidden => formatter.write_str("deny"),
        }
    }
}

impl Sight {
    /// How strict it is: `Clear` below all others, `Hidden` above.
    const fn rank(&self) -> (u8, Option<Strictness>) {
        match self {
            Self::Shown(Access::Clear) => (0, None),
            Self::Shown(Access::Unshown) => (1, None),
            Self::Shown(Access::Masked(mask)) => (2, Some(mask.strictness())),
            Self::Hidden => (3, None),
        }
    }

    /// Whether something of the value is left to be seen or compared, and not all.
    fn leaves_a_part(&self) -> bool {
        match self {
            Self::Shown(Access::Unshown) => true,
            Self::Shown(Access::Masked(mask)) => mask.strictness() < Strictness::Redact,
            Self::Shown(Access::Clear) | Self::Hidden => false,
        }
    }

    /// The strictest of several, whatever their order; hidden if there is none.
    ///
    /// Two that each leave another part (tokens of two purposes, a token and a part of the value,
    /// conditions only and a mask) cannot be compared, and either would give one role's rows what
    /// only the other role may see of its own: then nothing but `***` is shown.
    #[must_use]
    pub fn strictest(sights: impl IntoIterator<Item = Self>) -> Self {
        let all: Vec<Self> = sights.into_iter().collect();
        let Some(strictest) = all.iter().max_by_key(|sight| sight.rank()) else {
            return Self::Hidden;
        };
        let is_rival = |sight: &Self| sight.leaves_a_part() && sight != strictest;
        if strictest.leaves_a_part() && all.iter().any(is_rival) {
            return Self::Shown(Access::Masked(Mask::Redact));
        }
        strictest.clone()
    }
}

#[cfg(test)]
mod tests;
