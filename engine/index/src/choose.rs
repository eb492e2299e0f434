//! Which index kinds a column deserves, from its statistics.
//!
//! Reads statistics only, never rows, and never builds. What `auto` follows, column by column
//! of each segment:
//!
//! - few distinct values: `bitmap` and `codes`, more of them: `codes` alone;
//! - beyond a few hundred values numbers, dates and timestamps that are no key: `binned` besides,
//!   for ranges;
//! - without a dictionary numbers, dates and timestamps: `vector`, for sums, ranges and parts of dates; texts
//!   that are numbers (customer, mobile) too, where it takes five bytes at most;
//! - and texts and integers: `lookup`, for the rows of a key, unless zone maps find them;
//! - and texts that are no numbers: `ngram` and `texts`, for LIKE, without `lookup` where the texts are not
//!   single words, as names and addresses: seldom a key, and found by their pairs.
//!
//! `date_part` and `bit_sliced` are built where they are asked for by hand: `codes` and
//! `vector` answer the same conditions, and the sums, from columns that are there anyway.

use martlet_core::ColumnType;

use crate::by_hand::HandChoice;
use crate::descriptor::Descriptor;
use crate::kind::IndexKind;
use crate::statistics::{ColumnStatistics, Role, Spread};

/// Up to this many distinct values a column gets bitmaps: beyond it a bitmap holds too few
/// rows to be worth its header.
pub const BITMAP_DISTINCT_MAX: usize = 4_096;

/// Up to this many distinct values a column gets codes: beyond it the dictionary is as heavy
/// as the column.
pub const CODES_DISTINCT_MAX: usize = 65_536;

/// Up to this many distinct values a column is indexed however few rows there are.
pub const FEW_DISTINCT: usize = 64;

/// Up to this many distinct values a range joins bitmaps or walks over narrow codes; beyond it bins
/// tell it from fewer bits.
pub const UNBINNED_DISTINCT_MAX: usize = 256;

/// Beyond [`FEW_DISTINCT`] a value has to stand in so many rows on average: an index of a
/// column whose values hardly repeat is larger than the column and selects no better.
pub const REPEATS_MIN: usize = 4;

/// Bits of a key up to which one that tells rows apart gets a vector: nobody sums it, but joins
/// read it.
pub const IDENTITY_BITS_MAX: u32 = 32;

/// Bits of a number up to which a text that is one gets a vector.
pub const TEXT_BITS_MAX: u32 = 40;

/// Texts of at least so many bytes on average are searched for parts.
pub const SEARCHED_BYTES_MIN: usize = 5;

/// Texts of which more than so many of a hundred bytes are digits are numbers to a reader, and
/// have few pairs of characters, each of them everywhere.
pub const DIGITS_PERCENT_MAX: usize = 80;

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

    /// The kinds to build for such a column, each once.
    #[must_use]
    pub fn kinds(&self, column: &ColumnStatistics) -> Vec<IndexKind> {
        match self {
            Self::Auto => choose(column),
            Self::None => Vec::new(),
            Self::Kinds(kinds) => {
                IndexKind::ALL.into_iter().filter(|kind| kinds.contains(kind)).collect()
            }
            Self::AutoBut(by_hand) => {
                let auto = choose(column);
                let is_wanted = |kind: &IndexKind| {
                    by_hand.added.contains(kind)
                        || (auto.contains(kind) && !by_hand.dropped.contains(kind))
                };
                IndexKind::ALL.into_iter().filter(is_wanted).collect()
            }
        }
    }
}

/// The kinds that `auto` builds for a column.
#[must_use]
pub fn choose(column: &ColumnStatistics) -> Vec<IndexKind> {
    let coded = coded(column.distinct, column.rows);
    let is_bare = coded.is_empty();
    let is_wanted = |kind: &IndexKind| match kind {
        IndexKind::Bitmap | IndexKind::Codes => coded.contains(kind),
        IndexKind::Vector => is_bare && wants_vector(column),
        IndexKind::Binned => wants_bins(column),
        IndexKind::Lookup => is_bare && wants_lookup(column),
        IndexKind::Ngram | IndexKind::Texts => is_bare && wants_ngram(column),
        IndexKind::BitSliced | IndexKind::DatePart => false,
    };
    IndexKind::ALL.into_iter().filter(is_wanted).collect()
}

/// Whether `auto` can have picked the kinds that a segment has of a column: its values were
/// counted, and what was built is what so many of them call for.
#[must_use]
pub fn is_as_auto_picks(segment: &Descriptor, column: usize) -> bool {
    let Some(distinct) = segment.zone_map(column).and_then(|zone| zone.distinct) else {
        return false;
    };
    let coded = coded(Some(distinct as usize), segment.rows() as usize);
    let are_many = distinct as usize > UNBINNED_DISTINCT_MAX;
    IndexKind::ALL.into_iter().all(|kind| {
        let is_built = segment.section(column, kind).is_some();
        match kind {
            IndexKind::Vector | IndexKind::Lookup | IndexKind::Ngram | IndexKind::Texts
                if coded.is_empty() =>
            {
                true
            }
            // Segments of before there were bins have none.
            IndexKind::Binned if are_many => true,
            _ => is_built == coded.contains(&kind),
        }
    })
}

/// The kinds that are made of a dictionary; none where the values are too many.
fn coded(distinct: Option<usize>, rows: usize) -> Vec<IndexKind> {
    let repeats =
        |distinct: usize| distinct <= FEW_DISTINCT || distinct.saturating_mul(REPEATS_MIN) <= rows;
    match distinct.filter(|distinct| repeats(*distinct)) {
        Some(..=BITMAP_DISTINCT_MAX) => vec![IndexKind::Bitmap, IndexKind::Codes],
        Some(..=CODES_DISTINCT_MAX) => vec![IndexKind::Codes],
        Some(_) | None => Vec::new(),
    }
}

fn wants_vector(column: &ColumnStatistics) -> bool {
    let is_narrow = |bits_max| column.number_bits.is_some_and(|bits| bits <= bits_max);
    match (column.column_type, column.role) {
        (ColumnType::Boolean, _) => false,
        (
            ColumnType::Decimal { .. }
            | ColumnType::Float64
            | ColumnType::Date
            | ColumnType::Timestamp,
            _,
        )
        | (ColumnType::Int32 | ColumnType::Int64, Role::Property) => true,
        (ColumnType::Int32 | ColumnType::Int64 | ColumnType::Text, Role::Identity) => {
            is_narrow(IDENTITY_BITS_MAX)
        }
        // Under a null there is room for a number too.
        (ColumnType::Text, Role::Property) => {
            is_narrow(TEXT_BITS_MAX) && 2 * column.nulls <= column.rows
        }
    }
}

fn wants_bins(column: &ColumnStatistics) -> bool {
    let has_order = match column.column_type {
        ColumnType::Int32
        | ColumnType::Int64
        | ColumnType::Decimal { .. }
        | ColumnType::Float64
        | ColumnType::Date
        | ColumnType::Timestamp => true,
        ColumnType::Boolean | ColumnType::Text => false,
    };
    let are_many = column.distinct.is_none_or(|distinct| distinct > UNBINNED_DISTINCT_MAX);
    has_order && are_many && column.role == Role::Property
}

fn wants_lookup(column: &ColumnStatistics) -> bool {
    let is_key = match column.column_type {
        ColumnType::Int32 | ColumnType::Int64 => true,
        ColumnType::Text => column.texts.is_some_and(|texts| texts.words_percent >= 50),
        _ => false,
    };
    column.spread == Spread::Scattered
        && (is_key || column.column_type == ColumnType::Text && !wants_ngram(column))
}

fn wants_ngram(column: &ColumnStatistics) -> bool {
    column.texts.is_some_and(|texts| {
        texts.mean_bytes >= SEARCHED_BYTES_MIN && texts.digits_percent <= DIGITS_PERCENT_MAX
    })
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
