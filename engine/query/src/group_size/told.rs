//! What one reader was told of one table: pieces of it, none of them of too few persons.
//!
//! Every group that is told is a union of pieces, and a piece that a new group would cut has to
//! be of enough persons on either side, and no one person's for the most part. So whatever is
//! combined of all that was told (added, subtracted, cut with each other, of any number of answers)
//! speaks of whole pieces. That is all of the proof, and the reason for this form. It is a proof about
//! what adds up: numbers of rows, sums of one column, numbers of different persons; each has its own.
//!
//! Must never be changed by a group that is not told.

use std::collections::{BTreeMap, HashMap, HashSet};

use roaring::RoaringBitmap;

use super::budget::{Budget, Taken};
use crate::error::QueryError;

/// What stands for the person of a row that names none.
pub(super) const NOBODY: u32 = u32::MAX;

/// Elements that nothing was told of.
const UNTOLD: u32 = 0;

/// Bytes that an element takes here: the number of its piece, its place in the piece, its amount.
const BYTES_OF_ELEMENT: usize = 16;

/// The largest brings at most so many times what all others but the second bring together: so the
/// second, who knows their own, cannot tell the largest's to within a tenth.
const TIMES_OTHERS_MAX: f64 = 10.0;

/// The persons of a table's rows, by the rows' numbers, and how many of them there have to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Persons<'a> {
    pub(super) of_rows: &'a [u32],
    pub(super) least: usize,
}

impl Persons<'_> {
    fn of(&self, row: u32) -> Option<u32> {
        self.of_rows.get(row as usize).copied().filter(|person| *person != NOBODY)
    }

    /// Whether the rows are those of enough different persons.
    fn are_enough(&self, rows: &RoaringBitmap) -> bool {
        let mut seen = HashSet::with_capacity(self.least);
        let mut persons = rows.iter().filter_map(|row| self.of(row));
        persons.any(|person| seen.insert(person) && seen.len() >= self.least)
    }

    /// The persons that the rows are of.
    pub(super) fn in_rows(&self, rows: &RoaringBitmap) -> RoaringBitmap {
        rows.iter().filter_map(|row| self.of(row)).collect()
    }
}

/// A group of which something is to be told.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// What it is made of; something is told of each part.
    pub(super) parts: Vec<RoaringBitmap>,
    /// What is told of it.
    pub(super) amounts: Amounts<'a>,
}

/// What adds up over a group.
#[derive(Debug, Clone, Copy)]
pub(super) enum Amounts<'a> {
    /// Rows are added up by what each brings, whatever its sign.
    OfRows(&'a HashMap<u32, f64>),
    /// The elements are persons, who are counted once.
    Persons,
}

/// A piece, with bounds by which most of its cuts are judged at once.
#[derive(Debug, Clone, Default)]
struct Piece {
    rows: RoaringBitmap,
    /// What all persons bring.
    total: f64,
    /// At least what any one person brings.
    most: f64,
}

/// How the pieces change by a group that may be told.
#[derive(Debug)]
pub(super) struct Change {
    /// What is left of pieces that are cut.
    left: BTreeMap<u32, Piece>,
    /// What is cut out of each, or was not told of before.
    cut: Vec<(u32, Piece)>,
    amounts: Vec<(u32, f64)>,
}

/// The pieces of a table that a reader was told of.
#[derive(Debug)]
pub(super) struct Told {
    /// The piece of each element, counted from 1.
    piece_of: Vec<u32>,
    amount_of: Vec<f64>,
    pieces: Vec<Piece>,
    taken: Taken,
}

impl Told {
    pub(super) fn new(budget: &Budget) -> Self {
        Self {
            piece_of: Vec::new(),
            amount_of: Vec::new(),
            pieces: Vec::new(),
            taken: Taken::of(budget),
        }
    }

    /// How the pieces would change; `None` if one of them would tell of too few.
    ///
    /// # Errors
    /// [`QueryError::Exhausted`] if there is no room to remember it.
    pub(super) fn change(
        &mut self,
        asked: &Asked<'_>,
        persons: Persons<'_>,
    ) -> Result<Option<Change>, QueryError> {
        let judge = Judge { told: self, amounts: asked.amounts, persons };
        let mut left: BTreeMap<u32, Piece> = BTreeMap::new();
        let mut cut = Vec::new();
        for (number, rows) in asked.parts.iter().flat_map(|part| self.by_piece(part)) {
            let piece = judge.piece(rows);
            if !judge.allows(&piece) {
                return Ok(None);
            }
            if let Some(whole) = self.piece(number) {
                let rest = left.entry(number).or_insert_with(|| whole.clone());
                rest.rows -= &piece.rows;
                rest.total -= piece.total;
            }
            cut.push((number, piece));
        }
        if cut.is_empty() || !left.values().all(|rest| rest.rows.is_empty() || judge.allows(rest)) {
            return Ok(None);
        }
        let amounts = judge.amounts_of(&cut);
        self.make_room(&cut)?;
        Ok(Some(Change { left, cut, amounts }))
    }

    /// Remembers a group that is told.
    pub(super) fn apply(&mut self, change: Change) {
        let Change { left, cut, amounts } = change;
        for (number, rest) in left {
            if let Some(whole) = self.pieces.get_mut(index_of(number)) {
                *whole = rest;
            }
        }
        for (row, amount) in amounts {
            if let Some(of_row) = self.amount_of.get_mut(row as usize) {
                *of_row = amount;
            }
        }
        for (number, piece) in cut {
            self.remember(number, piece);
        }
    }

    /// A part by the pieces that its rows are in.
    fn by_piece(&self, part: &RoaringBitmap) -> BTreeMap<u32, RoaringBitmap> {
        let mut by_piece: BTreeMap<u32, RoaringBitmap> = BTreeMap::new();
        for row in part {
            let number = self.piece_of.get(row as usize).copied().unwrap_or(UNTOLD);
            by_piece.entry(number).or_default().insert(row);
        }
        by_piece
    }

    fn piece(&self, number: u32) -> Option<&Piece> {
        if number == UNTOLD { None } else { self.pieces.get(index_of(number)) }
    }

    fn make_room(&mut self, cut: &[(u32, Piece)]) -> Result<(), QueryError> {
        let last = cut.iter().filter_map(|(_, piece)| piece.rows.max()).max();
        let elements = last.map_or(0, |last| last as usize + 1);
        if elements > self.piece_of.len() {
            self.taken.grow((elements - self.piece_of.len()) * BYTES_OF_ELEMENT)?;
            self.piece_of.resize(elements, UNTOLD);
            self.amount_of.resize(elements, 0.0);
        }
        Ok(())
    }

    /// What was cut out of a piece becomes one of its own; the first that leaves nothing behind
    /// keeps its place.
    fn remember(&mut self, from: u32, piece: Piece) {
        let is_free = self.piece(from).is_some_and(|whole| whole.rows.is_empty());
        let number = if is_free { from } else { self.pieces.len() as u32 + 1 };
        for row in &piece.rows {
            if let Some(of_row) = self.piece_of.get_mut(row as usize) {
                *of_row = number;
            }
        }
        match self.pieces.get_mut(index_of(number)) {
            Some(free) => *free = piece,
            None => self.pieces.push(piece),
        }
    }
}

/// Numbers count from 1. Pieces have two rows at least, so they are numbered below 2^32.
const fn index_of(number: u32) -> usize {
    (number as usize).wrapping_sub(1)
}

/// Judges pieces of what was told before and of a group that is asked.
#[derive(Clone, Copy)]
struct Judge<'a> {
    told: &'a Told,
    amounts: Amounts<'a>,
    persons: Persons<'a>,
}

impl Judge<'_> {
    /// What a row brings: as was told before, or as the group says.
    fn amount(&self, row: u32) -> f64 {
        match self.amounts {
            Amounts::Persons => 1.0,
            Amounts::OfRows(asked) => asked.get(&row).copied().unwrap_or_else(|| {
                self.told.amount_of.get(row as usize).copied().unwrap_or(f64::NAN)
            }),
        }
    }

    fn piece(&self, rows: RoaringBitmap) -> Piece {
        let brought = self.brought(&rows);
        let (total, most) = brought.values().fold((0.0, 0.0), |(total, most): (f64, f64), one| {
            (total + one, if *one > most { *one } else { most })
        });
        Piece { rows, total, most }
    }

    /// What each person brings; rows that name nobody are nobody's.
    fn brought(&self, rows: &RoaringBitmap) -> HashMap<u32, f64> {
        let mut brought = HashMap::new();
        if matches!(self.amounts, Amounts::OfRows(_)) {
            for row in rows {
                if let Some(person) = self.persons.of(row) {
                    *brought.entry(person).or_insert(0.0) += self.amount(row);
                }
            }
        }
        brought
    }

    /// Whether something may be told of a piece.
    fn allows(&self, piece: &Piece) -> bool {
        if matches!(self.amounts, Amounts::Persons) {
            return piece.rows.len() >= self.persons.least as u64;
        }
        self.is_plainly_of_many(piece)
            || self.persons.are_enough(&piece.rows)
                && !is_dominated(&self.brought(&piece.rows), self.persons.least)
    }

    /// Whether the bounds say so already: a large piece is cut many times, and not to be added up anew
    /// each time. Where nobody brings more than `most`, so much is brought by enough persons.
    fn is_plainly_of_many(&self, piece: &Piece) -> bool {
        let Piece { total, most, .. } = *piece;
        let least = self.persons.least as f64 + 3.0;
        total.is_finite() && most.is_finite() && most > 0.0 && total > least * most
    }

    fn amounts_of(&self, cut: &[(u32, Piece)]) -> Vec<(u32, f64)> {
        let rows = cut.iter().flat_map(|(_, piece)| &piece.rows);
        rows.map(|row| (row, self.amount(row))).collect()
    }
}

/// Whether what persons bring is nearly one person's alone, or that of fewer than so many.
fn is_dominated(brought: &HashMap<u32, f64>, least: usize) -> bool {
    let (mut sum, mut first, mut second, mut bringing) = (0.0, 0.0, 0.0, 0);
    for share in brought.values() {
        if !share.is_finite() {
            return true;
        }
        sum += share;
        bringing += usize::from(*share != 0.0);
        if *share > first {
            (first, second) = (*share, first);
        } else if *share > second {
            second = *share;
        }
    }
    !sum.is_finite()
        || (1..least).contains(&bringing)
        || (sum - first - second) * TIMES_OTHERS_MAX < first
}

#[cfg(test)]
#[path = "told_tests.rs"]
mod tests;
