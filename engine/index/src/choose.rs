//! Which index kinds a column deserves, from how many distinct values it has.
//!
//! Reads statistics only, never rows, and never builds.

use crate::by_hand::HandChoice;
use crate::kind::IndexKind;

/// Up to this many distinct values a column gets bitmaps: beyond it a bitmap holds too few
/// rows to be worth its header.
pub const BITMAP_DISTINCT_MAX: usize = 4_096;

/// Up to this many distinct values a column gets codes: beyond it the dictionary is as heavy
/// as the column.
pub const CODES_DISTINCT_MAX: usize = 65_536;

/// Up to this many distinct values a column is indexed however few rows there are.
pub const FEW_DISTINCT: usize = 64;

/// Beyond [`FEW_DISTINCT`] a value has to stand in so many rows on average: an index of a
/// column whose values hardly repeat is larger than the column and selects no better.
pub const REPEATS_MIN: usize = 4;

/// What the load file says of a column's indexes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum IndexChoice {
    /// The kinds that the column's statistics call for.
    #[default]
    Auto,
    /// None; the zone map is always kept.
    None,
    /// These kinds, however many values there are.
    Kinds(Vec<IndexKind>),
    /// The kinds that the statistics call for, less those dropped by hand, and those added by
    /// hand.
    AutoBut(HandChoice),
}

impl IndexChoice {
    /// The distinct values up to which the column has to be encoded at all.
    pub(crate) fn distinct_max(&self) -> Option<usize> {
        let encoded = [IndexKind::Bitmap, IndexKind::Codes];
        match self {
            Self::AutoBut(by_hand) if encoded.iter().any(|kind| by_hand.added.contains(kind)) => {
                Some(usize::MAX)
            }
            Self::Auto | Self::AutoBut(_) => Some(CODES_DISTINCT_MAX),
            Self::None => None,
            Self::Kinds(kinds) => {
                encoded.iter().any(|kind| kinds.contains(kind)).then_some(usize::MAX)
            }
        }
    }

    /// The kinds to build for a column with so many distinct values in so many rows, each once.
    #[must_use]
    pub fn kinds(&self, distinct: usize, rows: usize) -> Vec<IndexKind> {
        match self {
            Self::Auto => choose(distinct, rows).to_vec(),
            Self::None => Vec::new(),
            Self::Kinds(kinds) => {
                IndexKind::ALL.into_iter().filter(|kind| kinds.contains(kind)).collect()
            }
            Self::AutoBut(by_hand) => {
                let auto = choose(distinct, rows);
                let is_wanted = |kind: &IndexKind| {
                    by_hand.added.contains(kind)
                        || (auto.contains(kind) && !by_hand.dropped.contains(kind))
                };
                IndexKind::ALL.into_iter().filter(is_wanted).collect()
            }
        }
    }
}

/// The kinds that `auto` builds for a column with so many distinct values in so many rows.
#[must_use]
pub const fn choose(distinct: usize, rows: usize) -> &'static [IndexKind] {
    if distinct > FEW_DISTINCT && distinct.saturating_mul(REPEATS_MIN) > rows {
        &[]
    } else if distinct <= BITMAP_DISTINCT_MAX {
        &[IndexKind::Bitmap, IndexKind::Codes]
    } else if distinct <= CODES_DISTINCT_MAX {
        &[IndexKind::Codes]
    } else {
        &[]
    }
}
