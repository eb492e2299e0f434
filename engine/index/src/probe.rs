//! A predicate to the rows where it holds and where it fails, from indexes and zone maps.
//!
//! Owns what zone maps prove, the order in which kinds are asked, which sections are worth reading,
//! and the truth of a whole predicate, set by set: what the filter is held against in tests, and
//! what settles texts.
//! Receives: a predicate and whatever indexes are at hand, from the query.
//! Hands on: a [`Truth`] that is exact where a proof exists, and an upper bound elsewhere.
//! A missing, damaged or unfitting index makes the answer wider and is never an error. Never
//! reads a file: which sections are worth reading is told by [`sections_wanted`].

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use martlet_core::{
    ColumnType, Comparison, LikePattern, Predicate, Selection, TableSchema, Truth, Value,
};
use roaring::RoaringBitmap;

use crate::descriptor::{Descriptor, SectionRef};
use crate::kind::texts;
use crate::kind::{Answers, Index, IndexKind};
use crate::logic::{Leaf, truth_of};
use crate::zone::{PAGE_ROWS, ZoneMap};

/// A range over more distinct values than this is scanned in codes rather than joined from
/// bitmaps, where both exist.
const BITMAPS_JOINED_MAX: u32 = 256;

/// Where the predicate holds and fails in a segment.
///
/// `indexes` gives the opened index of a column (by position in the schema) and kind, or
/// `None` where there is none or it was not read. Constants that do not fit their column, and
/// columns that the schema does not have, leave their part unknown.
#[must_use]
pub fn probe(
    predicate: &Predicate,
    schema: &TableSchema,
    descriptor: &Descriptor,
    indexes: &dyn Fn(usize, IndexKind) -> Option<Arc<Index>>,
) -> Truth {
    truth_of(predicate, schema, descriptor.rows(), &mut |column, leaf| {
        leaf_truth(column, leaf, schema, descriptor, indexes)
    })
}

fn leaf_truth(
    column: usize,
    leaf: &Leaf<'_>,
    schema: &TableSchema,
    descriptor: &Descriptor,
    indexes: &dyn Fn(usize, IndexKind) -> Option<Arc<Index>>,
) -> Truth {
    let proven = zone_truth(column, leaf, descriptor);
    if proven.exact {
        return proven;
    }
    let fits = |index: &Index| is_usable(index, column, schema, descriptor.rows());
    let column_type = schema.columns()[column].column_type;
    preferred(column, column_type, leaf, descriptor)
        .into_iter()
        .filter_map(|kind| indexes(column, kind).filter(|index| fits(index)))
        .find_map(|index| index.reader().truth(leaf)?.ok())
        .map_or_else(|| proven.clone(), |answer| narrowed(answer, &proven))
}

/// The sections that a probe of this predicate would use: none where zone maps settle it.
#[must_use]
pub fn sections_wanted(
    predicate: &Predicate,
    schema: &TableSchema,
    descriptor: &Descriptor,
) -> Vec<SectionRef> {
    let mut wanted = BTreeSet::new();
    let by_zones = truth_of(predicate, schema, descriptor.rows(), &mut |column, leaf| {
        let proven = zone_truth(column, leaf, descriptor);
        if !proven.exact {
            let column_type = schema.columns()[column].column_type;
            let kinds = preferred(column, column_type, leaf, descriptor);
            let bins = bins_come_first(&kinds).then_some(IndexKind::Binned);
            // Behind the bins whoever settles what they leave open.
            let built = bins.into_iter().chain(kinds.first().copied());
            wanted.extend(built.map(|kind| (column, kind)));
        }
        proven
    });
    if by_zones.exact || by_zones.holds.is_none() {
        return Vec::new();
    }
    let section = |(column, kind)| descriptor.section(column, kind).cloned();
    wanted.into_iter().filter_map(section).collect()
}

/// The rows among these where the predicate holds, exactly, where the texts of `texts` indexes
/// and what else there is settle it; `None` where it stays open.
///
/// Texts are read of these rows alone.
#[must_use]
pub fn settled(
    predicate: &Predicate,
    schema: &TableSchema,
    descriptor: &Descriptor,
    indexes: &dyn Fn(usize, IndexKind) -> Option<Arc<Index>>,
    among: &Selection,
) -> Option<Selection> {
    // Each leaf is right for these rows, whatever it says of others, and so is the whole.
    let truth = truth_of(predicate, schema, descriptor.rows(), &mut |column, leaf| {
        indexes(column, IndexKind::Texts)
            .filter(|index| is_usable(index, column, schema, descriptor.rows()))
            .and_then(|index| {
                let holds = index.as_texts()?.matching(leaf, among)?;
                Some(Truth::exact_but(holds, index.nulls()))
            })
            .unwrap_or_else(|| leaf_truth(column, leaf, schema, descriptor, indexes))
    });
    truth.exact.then(|| truth.holds.and(among))
}

/// The sections that [`settled`] would use; none where no texts are among them.
#[must_use]
pub fn sections_settling(
    predicate: &Predicate,
    schema: &TableSchema,
    descriptor: &Descriptor,
) -> Vec<SectionRef> {
    let mut wanted = BTreeSet::new();
    truth_of(predicate, schema, descriptor.rows(), &mut |column, leaf| {
        let has_texts = descriptor.section(column, IndexKind::Texts).is_some();
        if has_texts && texts::settles(leaf) {
            wanted.insert((column, IndexKind::Texts));
        } else {
            let column_type = schema.columns()[column].column_type;
            let kinds = preferred(column, column_type, leaf, descriptor);
            wanted.extend(kinds.first().map(|kind| (column, *kind)));
        }
        Truth::unknown(descriptor.rows())
    });
    if wanted.iter().all(|(_, kind)| *kind != IndexKind::Texts) {
        return Vec::new();
    }
    let section = |(column, kind)| descriptor.section(column, kind).cloned();
    wanted.into_iter().filter_map(section).collect()
}

/// The kinds that can answer a leaf, the best first: those that answer exactly, and among them
/// the faster. A look-up stands before those that have to walk over every row: the few rows
/// that it leaves open are read in less time.
pub(crate) fn preferred(
    column: usize,
    column_type: ColumnType,
    leaf: &Leaf<'_>,
    descriptor: &Descriptor,
) -> Vec<IndexKind> {
    let mut kinds: Vec<IndexKind> = IndexKind::ALL
        .into_iter()
        .filter(|kind| kind.answers(leaf, column_type) != Answers::Not)
        .filter(|kind| descriptor.section(column, *kind).is_some())
        .collect();
    let distinct =
        descriptor.section(column, IndexKind::Bitmap).map_or(0, |section| section.distinct);
    kinds.sort_by_key(|kind| {
        let is_open =
            *kind != IndexKind::Lookup && kind.answers(leaf, column_type) != Answers::Exactly;
        (is_open, cost(*kind, leaf, distinct))
    });
    kinds
}

/// Whether bins are asked before the kinds that can answer a leaf: where the best of those walks
/// over every row, while bins leave it few.
pub(crate) fn bins_come_first(kinds: &[IndexKind]) -> bool {
    let is_walked = |kind: &IndexKind| {
        matches!(
            kind,
            IndexKind::Codes | IndexKind::Vector | IndexKind::BitSliced | IndexKind::Binned
        )
    };
    kinds.contains(&IndexKind::Binned) && kinds.first().is_some_and(is_walked)
}

/// The order of the kinds that answer alike; lower is faster.
fn cost(kind: IndexKind, leaf: &Leaf<'_>, distinct: u32) -> u8 {
    let joins_few = match leaf {
        Leaf::IsNull | Leaf::Compare(Comparison::Equal | Comparison::NotEqual, _) => true,
        Leaf::In(values) => values.len().min(distinct as usize) <= BITMAPS_JOINED_MAX as usize,
        Leaf::Compare(..) | Leaf::Like(_) | Leaf::Part(..) | Leaf::Between(..) => {
            distinct <= BITMAPS_JOINED_MAX
        }
    };
    match kind {
        IndexKind::Bitmap if joins_few => 0,
        IndexKind::DatePart => 1,
        IndexKind::Codes => 2,
        IndexKind::Lookup => 3,
        IndexKind::Vector => 4,
        IndexKind::BitSliced => 5,
        IndexKind::Bitmap => 6,
        IndexKind::Ngram => 7,
        IndexKind::Texts => 8,
        // Leaves rows open that others settle.
        IndexKind::Binned => 9,
    }
}

/// An answer within the bounds that zone maps prove.
fn narrowed(answer: Truth, proven: &Truth) -> Truth {
    if answer.exact {
        return answer;
    }
    Truth::bounds(answer.holds.and(&proven.holds), answer.fails().and(&proven.fails()))
}

pub(crate) fn is_usable(index: &Index, column: usize, schema: &TableSchema, rows: u32) -> bool {
    index.rows() == rows && index.reader().fits(schema.columns()[column].column_type)
}

/// What zone maps prove about a leaf.
pub(crate) fn zone_truth(column: usize, leaf: &Leaf<'_>, descriptor: &Descriptor) -> Truth {
    let rows = descriptor.rows();
    let Some(whole) = descriptor.zone_map(column) else {
        return Truth::unknown(rows);
    };
    let whole_answer = ZoneAnswer::of(leaf, whole);
    let pages = descriptor.page_zones(column);
    if whole_answer.is_exact || pages.is_empty() {
        return pages_truth(rows, std::iter::once((0..rows, whole_answer)));
    }
    if are_surely_open(leaf, pages) {
        return Truth::unknown(rows);
    }
    let starts = (0..rows).step_by(PAGE_ROWS as usize);
    pages_truth(
        rows,
        starts.zip(pages).map(|(start, zone)| {
            (start..rows.min(start.saturating_add(PAGE_ROWS)), ZoneAnswer::of(leaf, zone))
        }),
    )
}

/// Whether a look at a few of many pages says that bounds settle none: where a column is not sorted
/// each page spans all of its values, and asking every page costs as much as a bitmap.
fn are_surely_open(leaf: &Leaf<'_>, pages: &[ZoneMap]) -> bool {
    const LOOKED_AT: usize = 8;
    let step = pages.len() / LOOKED_AT;
    let is_open = |zone: &ZoneMap| {
        let answer = ZoneAnswer::of(leaf, zone);
        answer.may_hold && answer.may_fail
    };
    step > 1 && pages.iter().step_by(step).all(is_open)
}

fn pages_truth(rows: u32, pages: impl Iterator<Item = (Range<u32>, ZoneAnswer)>) -> Truth {
    let (mut holds, mut fails) = (PageRuns::default(), PageRuns::default());
    let mut exact = true;
    for (range, answer) in pages {
        if answer.may_hold {
            holds.push(range.clone());
        }
        if answer.may_fail {
            fails.push(range);
        }
        exact &= answer.is_exact;
    }
    let (holds, fails) = (holds.selection(rows), fails.selection(rows));
    if exact { Truth::exact(holds, fails) } else { Truth::bounds(holds, fails) }
}

/// Pages as runs of rows: mostly there is one run, of every row.
#[derive(Default)]
struct PageRuns(Vec<Range<u32>>);

impl PageRuns {
    fn push(&mut self, page: Range<u32>) {
        match self.0.last_mut() {
            Some(run) if run.end == page.start => run.end = page.end,
            _ => self.0.push(page),
        }
    }

    fn selection(self, rows: u32) -> Selection {
        match self.0.as_slice() {
            [] => Selection::none(rows),
            [all] if *all == (0..rows) => Selection::all(rows),
            runs => {
                let mut bitmap = RoaringBitmap::new();
                runs.iter().for_each(|run| {
                    bitmap.insert_range(run.clone());
                });
                Selection::from_bitmap(rows, bitmap)
            }
        }
    }
}

/// What a zone's bounds leave possible for its rows.
struct ZoneAnswer {
    may_hold: bool,
    may_fail: bool,
    /// Whether that is the truth of every row.
    is_exact: bool,
}

impl ZoneAnswer {
    fn of(leaf: &Leaf<'_>, zone: &ZoneMap) -> Self {
        if matches!(leaf, Leaf::IsNull) {
            let (may_hold, may_fail) = (zone.nulls > 0, zone.values() > 0);
            return Self { may_hold, may_fail, is_exact: !(may_hold && may_fail) };
        }
        if zone.values() == 0 {
            return Self { may_hold: false, may_fail: false, is_exact: true };
        }
        let (may_hold, may_fail) = match leaf {
            Leaf::Compare(comparison, value) => compare(*comparison, value, zone),
            Leaf::In(values) => is_in(values, zone),
            Leaf::Like(pattern) => (may_be_like(pattern, zone), true),
            Leaf::IsNull | Leaf::Part(..) | Leaf::Between(..) => (true, true),
        };
        // A null is neither, and the zone does not tell which rows are null.
        Self { may_hold, may_fail, is_exact: zone.nulls == 0 && may_hold != may_fail }
    }
}

/// Whether a comparison may hold, and may fail, for a value within the zone's bounds.
fn compare(comparison: Comparison, value: &Value, zone: &ZoneMap) -> (bool, bool) {
    let may_be_below = zone.min.as_ref().is_none_or(|min| min < value);
    let may_be_above = zone.max.as_ref().is_none_or(|max| max > value);
    let may_be_equal = is_within(value, zone);
    let (below, equal, above) = (may_be_below, may_be_equal, may_be_above);
    match comparison {
        Comparison::Equal => (equal, below || above),
        Comparison::NotEqual => (below || above, equal),
        Comparison::Less => (below, equal || above),
        Comparison::LessOrEqual => (below || equal, above),
        Comparison::Greater => (above, below || equal),
        Comparison::GreaterOrEqual => (equal || above, below),
    }
}

/// Whether a text within the bounds can begin as the pattern does.
fn may_be_like(pattern: &LikePattern, zone: &ZoneMap) -> bool {
    let prefix = pattern.prefix();
    let first = Value::text(&prefix);
    zone.max.as_ref().is_none_or(|max| *max >= first)
        && zone.min.as_ref().is_none_or(|min| match min {
            Value::Text(min) => **min <= *prefix || min.starts_with(&prefix),
            _ => true,
        })
}

fn is_within(value: &Value, zone: &ZoneMap) -> bool {
    zone.min.as_ref().is_none_or(|min| min <= value)
        && zone.max.as_ref().is_none_or(|max| value <= max)
}

fn is_in(values: &BTreeSet<Value>, zone: &ZoneMap) -> (bool, bool) {
    let may_hold = match &zone.min {
        Some(min) => values.range(min..).next().is_some_and(|value| is_within(value, zone)),
        None => values.iter().any(|value| is_within(value, zone)),
    };
    let only = zone.min.as_ref().filter(|min| zone.max.as_ref() == Some(*min));
    (may_hold, only.is_none_or(|only| !values.contains(only)))
}
