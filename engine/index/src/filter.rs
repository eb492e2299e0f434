//! The rows of a segment that satisfy a condition, among rows that are known to be wanted: what
//! a scan and the totals ask of indexes.
//!
//! The condition is compiled once for the segment into tests of rows ([`compile`](mod@compile)),
//! which are answered in windows of 65,536 rows: stored bitmaps are joined word by word where they
//! lie, and packed numbers are looked at only in blocks where rows are left. No bitmap is made of
//! a step, nor of the result unless somebody asks for one.
//!
//! Never reads a file and never fails: what indexes leave open is handed back.

pub(crate) mod bits;
mod compile;
pub(crate) mod packed;
mod row_test;

use std::sync::Arc;

use martlet_core::{Predicate, Selection, TableSchema};

use self::bits::{Bits, WINDOW_ROWS, WINDOW_WORDS};
use self::compile::Compiler;
pub(crate) use self::compile::gaps;
use self::packed::Found;
use self::row_test::{RowTest, Spare};
use crate::descriptor::Descriptor;
use crate::kind::codes::WantedCodes;
use crate::kind::vector::KeySet;
use crate::kind::{Index, IndexKind};

/// Rows among which a condition may hold, and what is still to be asked of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Narrowed {
    /// The rows: every row asked about that satisfies the condition, and no row that was not
    /// asked about.
    pub rows: Selection,
    /// The part of the condition that indexes do not settle; it is true of every row that
    /// satisfies the whole.
    pub open: Predicate,
}

impl Narrowed {
    /// Whether nothing is left to be asked.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.open == Predicate::Constant(true)
    }
}

/// The rows among these for which the predicate holds, as far as indexes and zone maps tell.
///
/// `indexes` gives the opened index of a column (by position in the schema) and kind, or
/// `None` where there is none or it was not read. Constants that do not fit their column, and
/// columns that the schema does not have, leave their part open.
#[must_use]
pub fn narrow(
    predicate: &Predicate,
    schema: &TableSchema,
    descriptor: &Descriptor,
    indexes: &dyn Fn(usize, IndexKind) -> Option<Arc<Index>>,
    among: &Selection,
) -> Narrowed {
    let compiler = Compiler { schema, descriptor, indexes };
    let mut open = Predicate::Constant(true);
    let mut tests = vec![RowTest::of(among)];
    for part in cheapest_first(predicate) {
        let compiled = compiler.each(&part);
        if matches!(compiled.test, RowTest::None) {
            tests = vec![RowTest::None];
            break;
        }
        if !compiled.exact {
            open = part.into_iter().cloned().fold(open, Predicate::and);
        }
        tests.push(compiled.test);
    }
    let rows = rows_of(&RowTest::each(tests), descriptor.rows());
    // However much was left open: nothing is open of no rows.
    let open = if rows.is_none() { Predicate::Constant(true) } else { open };
    Narrowed { rows, open }
}

/// The parts of a conjunction. Parts of texts, whose pairs are joined while they are compiled,
/// come last: a part before them may leave nothing to ask.
fn cheapest_first(predicate: &Predicate) -> Vec<Vec<&Predicate>> {
    let mut parts = predicate.conjuncts_by_column();
    parts.sort_by_key(|part| part.iter().any(|part| is_of_texts(part)));
    parts
}

fn is_of_texts(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Like { .. } => true,
        Predicate::Not(part) => is_of_texts(part),
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().any(is_of_texts),
        _ => false,
    }
}

/// The rows among these that have one of the codes.
pub(crate) fn having_codes(
    index: &Arc<Index>,
    wanted: WantedCodes,
    among: &Selection,
) -> Selection {
    let having = RowTest::CodesWithin(Arc::clone(index), Arc::new(wanted));
    rows_of(&RowTest::each([RowTest::of(among), having]), index.rows())
}

/// The rows among these whose key in a vector is one of the set; null is none.
pub(crate) fn having_keys(index: &Arc<Index>, keys: Arc<KeySet>, among: &Selection) -> Selection {
    let nulls = RowTest::of(&index.nulls());
    let having = RowTest::KeysIn(Arc::clone(index), keys);
    rows_of(&RowTest::each([RowTest::of(among), having, nulls.negated()]), index.rows())
}

/// The rows of a test, window by window.
fn rows_of(test: &RowTest, rows: u32) -> Selection {
    match test {
        RowTest::None => return Selection::none(rows),
        RowTest::All => return Selection::all(rows),
        _ => {}
    }
    let mut words = Vec::new();
    let mut spare = Spare::default();
    let mut bits = Bits::none();
    for window in 0..rows.div_ceil(WINDOW_ROWS) {
        // A segment has a handful of windows.
        let first = window as usize * WINDOW_WORDS;
        match test.window(window, None, &mut bits, &mut spare) {
            Found::None => {}
            Found::All => {
                words.resize(first, 0);
                words.resize(first + WINDOW_WORDS, u64::MAX);
            }
            Found::Some => {
                words.resize(first, 0);
                words.extend_from_slice(bits.words());
            }
        }
    }
    Selection::from_words(rows, words)
}
