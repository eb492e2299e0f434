//! A condition made into tests of rows, from whatever indexes are at hand.
//!
//! NOT is carried down to the single conditions, because what is not known to hold is not known
//! to fail: each is asked for the side that is wanted. A missing, damaged or unfitting index
//! makes a set wider and is never an error.

use std::ops::Range;
use std::sync::Arc;

use martlet_core::{Comparison, Predicate, TableSchema, Truth};

use super::row_test::RowTest;
use crate::descriptor::Descriptor;
use crate::kind::binned::Bins;
use crate::kind::bitmap::BitmapIndex;
use crate::kind::bitmaps::StoredBitmap;
use crate::kind::codes::WantedCodes;
use crate::kind::{Index, IndexKind};
use crate::logic::{Leaf, checked_leaf, ranges};
use crate::probe::{bins_come_first, is_usable, preferred, zone_truth};

/// A set of rows that satisfy a condition, or may.
pub(super) struct Compiled {
    pub(super) test: RowTest,
    /// Whether every row of the set satisfies it.
    pub(super) exact: bool,
}

impl Compiled {
    const fn exact(test: RowTest) -> Self {
        Self { test, exact: true }
    }

    /// Whether the bounds of its blocks settle it but for one block in so many.
    fn is_settled_by_blocks(&self) -> bool {
        const ONE_OPEN_OF: usize = 8;
        self.exact && self.test.open_blocks().is_some_and(|(open, all)| open * ONE_OPEN_OF <= all)
    }

    /// Whatever may be: if it is nothing, then nothing it is.
    const fn bound(test: RowTest) -> Self {
        let exact = matches!(test, RowTest::None);
        Self { test, exact }
    }
}

/// Which rows are asked for: where a condition is true, or where it is false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Holds,
    Fails,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Holds => Self::Fails,
            Self::Fails => Self::Holds,
        }
    }

    fn of(self, truth: &Truth) -> RowTest {
        match self {
            Self::Holds => RowTest::of(&truth.holds),
            Self::Fails => RowTest::of(&truth.fails()),
        }
    }

    /// The side of a condition that holds for these rows and is unknown for the nulls.
    fn of_rows(self, holds: RowTest, nulls: RowTest) -> RowTest {
        match self {
            Self::Holds => holds,
            Self::Fails => RowTest::any([holds, nulls]).negated(),
        }
    }
}

/// What a condition is compiled against: one segment and its opened indexes.
pub(super) struct Compiler<'a> {
    pub(super) schema: &'a TableSchema,
    pub(super) descriptor: &'a Descriptor,
    pub(super) indexes: &'a dyn Fn(usize, IndexKind) -> Option<Arc<Index>>,
}

impl Compiler<'_> {
    pub(super) fn compile(&self, predicate: &Predicate, side: Side) -> Compiled {
        match (predicate, side) {
            (Predicate::Constant(value), _) => {
                let every = *value == (side == Side::Holds);
                Compiled::exact(if every { RowTest::All } else { RowTest::None })
            }
            (Predicate::Not(part), _) => self.compile(part, side.other()),
            (Predicate::And(parts), Side::Holds) => self.each(&parts.iter().collect::<Vec<_>>()),
            (Predicate::Or(parts), Side::Fails) => {
                each(parts.iter().map(|part| self.compile(part, side)))
            }
            (Predicate::Or(parts), Side::Holds) | (Predicate::And(parts), Side::Fails) => {
                any(parts.iter().map(|part| self.compile(part, side)))
            }
            // Even of a null it is false that it is one of no values.
            (Predicate::In { values, .. }, _) if values.is_empty() => {
                self.compile(&Predicate::Constant(false), side)
            }
            _ => match checked_leaf(predicate, self.schema) {
                Some((column, leaf)) => self.leaf(column, &leaf, side),
                None => Compiled::bound(RowTest::All),
            },
        }
    }

    /// AND, both ends of a range as one condition.
    pub(super) fn each(&self, parts: &[&Predicate]) -> Compiled {
        let (ranges, others) = ranges(parts, self.schema);
        let ranges = ranges.iter().map(|(column, range)| self.leaf(*column, range, Side::Holds));
        each(ranges.chain(others.into_iter().map(|part| self.compile(part, Side::Holds))))
    }

    fn leaf(&self, column: usize, leaf: &Leaf<'_>, side: Side) -> Compiled {
        if let Leaf::Between(low, high) = leaf {
            return self.range(column, leaf, [low.leaf(), high.leaf()]);
        }
        let proven = zone_truth(column, leaf, self.descriptor);
        if proven.exact {
            return Compiled::exact(side.of(&proven));
        }
        match self.by_indexes(column, leaf, side) {
            // Rows that zone maps rule out are not looked at.
            Some(found) => each([found, Compiled::exact(side.of(&proven))]),
            None => Compiled::bound(side.of(&proven)),
        }
    }

    /// A range, which only stands where a condition is to hold: at once, where zone maps settle
    /// neither of its ends and an index knows ranges, else by its ends.
    fn range(&self, column: usize, range: &Leaf<'_>, ends: [Leaf<'_>; 2]) -> Compiled {
        let is_settled = |end: &Leaf<'_>| zone_truth(column, end, self.descriptor).exact;
        let found = match ends.iter().any(is_settled) {
            true => None,
            false => self.by_indexes(column, range, Side::Holds),
        };
        let proven = || ends.iter().map(|end| zone_truth(column, end, self.descriptor));
        match found {
            Some(found) if found.exact => {
                let within = proven().map(|end| Compiled::exact(RowTest::of(&end.holds)));
                each(std::iter::once(found).chain(within))
            }
            found => {
                let ends = each(ends.iter().map(|end| self.leaf(column, end, Side::Holds)));
                // Bounds narrow what the ends leave open, and leave nothing open themselves.
                let bound = found.filter(|_| !ends.exact);
                let bound = bound.map(|found| Compiled { exact: true, ..found });
                each(std::iter::once(ends).chain(bound))
            }
        }
    }

    fn by_indexes(&self, column: usize, leaf: &Leaf<'_>, side: Side) -> Option<Compiled> {
        let column_type = self.schema.columns()[column].column_type;
        let kinds = preferred(column, column_type, leaf, self.descriptor);
        let by_bins = || self.usable(column, IndexKind::Binned);
        let bins = if bins_come_first(&kinds) { by_bins() } else { None };
        let others = kinds.into_iter().filter(|kind| bins.is_none() || *kind != IndexKind::Binned);
        let found = others
            .filter_map(|kind| self.usable(column, kind))
            .find_map(|index| of_index(&index, leaf, side));
        match bins.and_then(|bins| of_bins(&bins, leaf, side)) {
            Some(of_bins) if !found.as_ref().is_some_and(Compiled::is_settled_by_blocks) => {
                Some(of_bins.settled_by(found))
            }
            _ => found,
        }
    }

    /// The index of a column, if it is at hand and fits.
    fn usable(&self, column: usize, kind: IndexKind) -> Option<Arc<Index>> {
        let fits =
            |index: &Arc<Index>| is_usable(index, column, self.schema, self.descriptor.rows());
        (self.indexes)(column, kind).filter(fits)
    }
}

/// What bins say of a condition.
struct OfBins {
    /// Rows that satisfy it, or may.
    bound: RowTest,
    /// Rows of which it is not known; none where bins end where the condition does.
    open: RowTest,
}

impl OfBins {
    /// The rows that satisfy the condition, given what another index says of it.
    fn settled_by(self, other: Option<Compiled>) -> Compiled {
        let Self { bound, open } = self;
        if matches!(open, RowTest::None) {
            return Compiled::exact(bound);
        }
        match other {
            // The bound stands by itself: of several conditions every bound is asked before any
            // row is looked at.
            Some(other) if other.exact => {
                let failing = RowTest::each([open, other.test.negated()]);
                Compiled::exact(RowTest::each([bound, failing.negated()]))
            }
            _ => Compiled::bound(bound),
        }
    }
}

fn of_bins(index: &Arc<Index>, leaf: &Leaf<'_>, side: Side) -> Option<OfBins> {
    let binned = index.as_binned()?;
    let Bins { sure, open } = binned.bins(leaf)?;
    let rows = |bins: Vec<Range<u32>>| match binned.rows_of(&bins) {
        0 => RowTest::None,
        count if count == u64::from(binned.rows()) => RowTest::All,
        _ => RowTest::InBins(Arc::clone(index), bins),
    };
    let sure = match side {
        Side::Holds => sure,
        // Neither null's bin nor one that may satisfy it.
        Side::Fails => {
            let mut others: Vec<Range<u32>> =
                sure.into_iter().chain(open.iter().cloned()).chain(std::iter::once(0..1)).collect();
            others.sort_unstable_by_key(|bins| bins.start);
            gaps(&others, binned.end())
        }
    };
    let either = joined([sure, open.clone()].concat());
    Some(OfBins { bound: rows(either), open: rows(open) })
}

/// The same bins, ascending, and those that touch as one: each end costs a look at every row.
fn joined(mut bins: Vec<Range<u32>>) -> Vec<Range<u32>> {
    bins.sort_unstable_by_key(|bins| bins.start);
    let mut runs: Vec<Range<u32>> = Vec::with_capacity(bins.len());
    for bins in bins {
        match runs.last_mut() {
            Some(run) if run.end == bins.start => run.end = bins.end,
            _ => runs.push(bins),
        }
    }
    runs
}

/// AND.
fn each(parts: impl IntoIterator<Item = Compiled>) -> Compiled {
    let mut tests = Vec::new();
    let mut exact = true;
    for part in parts {
        if matches!(part.test, RowTest::None) {
            // However wide the others are: nothing is within them.
            return Compiled::exact(RowTest::None);
        }
        exact &= part.exact;
        tests.push(part.test);
    }
    Compiled { test: RowTest::each(tests), exact }
}

/// OR.
fn any(parts: impl IntoIterator<Item = Compiled>) -> Compiled {
    let mut tests = Vec::new();
    let mut exact = true;
    for part in parts {
        if part.exact && matches!(part.test, RowTest::All) {
            // Whatever the others may hold for: it holds for every row.
            return part;
        }
        exact &= part.exact;
        tests.push(part.test);
    }
    Compiled { test: RowTest::any(tests), exact }
}

/// What one index says; `None` where it says nothing or proves damaged.
fn of_index(index: &Arc<Index>, leaf: &Leaf<'_>, side: Side) -> Option<Compiled> {
    let found = match &**index {
        Index::Bitmap(bitmaps) => of_bitmaps(bitmaps, leaf, side),
        Index::Codes(_) => of_codes(index, leaf, side),
        Index::Vector(_) => of_vector(index, leaf, side),
        _ => None,
    };
    found.map(Compiled::exact).or_else(|| {
        let truth = index.reader().truth(leaf)?.ok()?;
        let test = side.of(&truth);
        Some(if truth.exact { Compiled::exact(test) } else { Compiled::bound(test) })
    })
}

/// Of up to so many bitmaps it is looked up which side of a condition costs less; of more the one
/// of fewer bitmaps is taken.
const BITMAPS_WEIGHED_MAX: usize = 32;

fn of_bitmaps(index: &BitmapIndex, leaf: &Leaf<'_>, side: Side) -> Option<RowTest> {
    let nulls = RowTest::any_of(index.stored_nulls().ok()?);
    if matches!(leaf, Leaf::IsNull) {
        return Some(side.of_rows(nulls, RowTest::None));
    }
    let wanted = leaf.matching(index.values());
    let others = gaps(&wanted, index.values().len());
    let takes_wanted = if count(&wanted) + count(&others) <= BITMAPS_WEIGHED_MAX {
        cost(&index.stored(&wanted).ok()?) <= cost(&index.stored(&others).ok()?)
    } else {
        count(&wanted) <= count(&others)
    };
    let (side, positions) = if takes_wanted { (side, wanted) } else { (side.other(), others) };
    Some(side.of_rows(RowTest::any_of(index.stored(&positions).ok()?), nulls))
}

fn cost(bitmaps: &[StoredBitmap]) -> u64 {
    bitmaps.iter().map(StoredBitmap::cost).sum()
}

fn of_codes(index: &Arc<Index>, leaf: &Leaf<'_>, side: Side) -> Option<RowTest> {
    let codes = index.as_codes()?;
    let null = codes.dictionary().len();
    let is_null = null..null + 1;
    let wanted = WantedCodes::new(match (leaf, side) {
        (Leaf::IsNull, Side::Holds) => vec![is_null],
        (Leaf::IsNull, Side::Fails) => gaps(&[is_null], null + 1),
        (leaf, Side::Holds) => leaf.matching(codes.dictionary()),
        (leaf, Side::Fails) => gaps(&leaf.matching(codes.dictionary()), null),
    });
    if wanted.is_empty() {
        return Some(RowTest::None);
    }
    Some(RowTest::CodesWithin(Arc::clone(index), Arc::new(wanted)))
}

fn of_vector(index: &Arc<Index>, leaf: &Leaf<'_>, side: Side) -> Option<RowTest> {
    let vector = index.as_vector()?;
    let nulls = RowTest::of(&vector.nulls());
    let between = |keys: Range<i128>| RowTest::KeysBetween(Arc::clone(index), keys);
    // Under a null there is some key.
    let present = |test: RowTest, side: Side| match side {
        Side::Holds => RowTest::each([test, nulls.clone().negated()]),
        Side::Fails => side.of_rows(test, nulls.clone()),
    };
    Some(match leaf {
        Leaf::IsNull => side.of_rows(nulls, RowTest::None),
        Leaf::Compare(comparison, constant) => {
            let keys = vector.form().keys_that(*comparison, constant)?;
            let side = if *comparison == Comparison::NotEqual { side.other() } else { side };
            present(between(keys), side)
        }
        Leaf::Between(low, high) => {
            let low = vector.form().keys_that(low.comparison, &low.value)?;
            let high = vector.form().keys_that(high.comparison, &high.value)?;
            present(between(low.start.max(high.start)..low.end.min(high.end)), side)
        }
        Leaf::In(values) => {
            let keys = values.iter().filter_map(|value| vector.key_of(value)).collect();
            present(RowTest::KeysIn(Arc::clone(index), Arc::new(keys)), side)
        }
        Leaf::Part(part, comparison, constant) => {
            let keys = vector.form().keys_of_part(*part, *comparison, *constant)?;
            present(RowTest::any(keys.into_iter().map(between)), side)
        }
        Leaf::Like(_) => return None,
    })
}

fn count(ranges: &[Range<usize>]) -> usize {
    ranges.iter().map(ExactSizeIterator::len).sum()
}

/// The positions below `end` that the ranges, which are ascending and disjoint, leave out.
pub(crate) fn gaps<T: Copy + Ord + Default>(ranges: &[Range<T>], end: T) -> Vec<Range<T>> {
    let starts = std::iter::once(T::default()).chain(ranges.iter().map(|range| range.end));
    let ends = ranges.iter().map(|range| range.start).chain(std::iter::once(end));
    starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect()
}
