//! Where bins begin: at round values, so that the constants of conditions fall between bins.
//!
//! Owns the choice alone, from a sorted sample of a segment's keys. Begins with the roundest
//! values over the whole span, so that the tails keep them, and cuts the bins that hold many of
//! the rows at less and less round ones. Every bin holds a key of the sample. Which values are
//! round is told by `round_numbers` and `calendar`.

use std::ops::Range;

use super::calendar::Calendar;
use super::round_numbers::Numbers;
use crate::kind::vector::VectorForm;

/// Bins that six binary digits number, beside null.
pub(super) const BINS_MAX: usize = 63;

/// Up to so many bins the roundest values begin one wherever they tell rows apart.
const SPREAD_BINS_MAX: usize = 25;

/// Weights of bins that are told apart when bins are joined.
const WEIGHTS: usize = 32;

/// Room that costs no further slice is filled until bins hold half of what would be too much.
const FILLED: usize = 2;

/// What is round for keys of a form. The higher the fineness, the less round a value is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Roundness {
    Numbers(Numbers),
    Calendar(Calendar),
}

impl Roundness {
    pub(super) const fn of(form: &VectorForm) -> Option<Self> {
        match form {
            // A decimal's power of ten is one of its unscaled number too, whatever the scale.
            VectorForm::Int | VectorForm::Decimal => Some(Self::Numbers(Numbers::Whole)),
            VectorForm::Float => Some(Self::Numbers(Numbers::Float)),
            VectorForm::Date => Some(Self::Calendar(Calendar::Days)),
            VectorForm::Timestamp => Some(Self::Calendar(Calendar::Microseconds)),
            VectorForm::DigitText { .. } => None,
        }
    }

    /// The keys of this fineness above `from` and not above `to`, ascending. None where they
    /// would be absurdly many.
    fn keys(self, fineness: u8, from: i64, to: i64) -> Vec<i64> {
        match self {
            Self::Numbers(numbers) => numbers.keys(fineness, from, to),
            Self::Calendar(calendar) => calendar.keys(fineness, from, to),
        }
    }

    /// Up to this fineness keys may begin a bin however few rows it holds.
    const fn spread(self) -> u8 {
        match self {
            Self::Numbers(_) => Numbers::SPREAD,
            Self::Calendar(_) => Calendar::SPREAD,
        }
    }

    const fn finest(self) -> u8 {
        match self {
            Self::Numbers(_) => Numbers::FINEST,
            Self::Calendar(_) => Calendar::FINEST,
        }
    }

    /// A bin with more than one of so many rows is cut at keys of this fineness.
    const fn share(self, fineness: u8) -> usize {
        match self {
            Self::Calendar(_) if fineness > Calendar::MONTHS => 8,
            _ => 16,
        }
    }

    /// Keys rounder than this begin a bin even if a slice were saved without them: of dates all
    /// but the least round that begin one.
    fn dispensable(self, finest_used: u8) -> u8 {
        match self {
            Self::Numbers(_) => Numbers::DISPENSABLE,
            Self::Calendar(_) => finest_used.max(Calendar::QUARTERS),
        }
    }

    /// The same share where a cut costs no slice. Parts of months are nobody's constants.
    const fn filled_share(self, fineness: u8) -> usize {
        match self {
            Self::Numbers(_) => FILLED * self.share(fineness),
            Self::Calendar(_) => self.share(fineness),
        }
    }
}

/// The keys at which all bins but the first begin, ascending; none for no sample.
pub(super) fn boundaries(form: &VectorForm, sorted: &[i64]) -> Vec<i64> {
    let Some(round) = Roundness::of(form).filter(|_| !sorted.is_empty()) else {
        return Vec::new();
    };
    let whole = Bin { begin: sorted[0], fineness: 0, next: 0, keys: 0..sorted.len() };
    let mut plan = Plan { round, sorted, bins: std::iter::once(whole).collect() };
    plan.spread();
    plan.refine(BINS_MAX, |fineness| round.share(fineness));
    plan.thin();
    plan.refine(plan.bins_at_no_cost(), |fineness| round.filled_share(fineness));
    plan.bins.iter().skip(1).map(|bin| bin.begin).collect()
}

#[derive(Debug, Clone)]
struct Bin {
    begin: i64,
    /// How round the key is with which it begins.
    fineness: u8,
    /// The roundest keys that it was not cut at yet.
    next: u8,
    /// What it holds of the sample; never nothing.
    keys: Range<usize>,
}

struct Plan<'a> {
    round: Roundness,
    sorted: &'a [i64],
    /// Ascending, and together all of the sample.
    bins: Vec<Bin>,
}

impl Plan<'_> {
    /// Cuts everything at the roundest keys, as fine as few bins allow.
    fn spread(&mut self) {
        for _ in 0..=self.round.spread() {
            let cut: Vec<Bin> = self.bins.iter().flat_map(|bin| self.cut(bin)).collect();
            if cut.len() > SPREAD_BINS_MAX {
                return;
            }
            self.bins = cut;
        }
    }

    /// Cuts the heaviest bin, as long as one holds more than its share.
    fn refine(&mut self, bins_max: usize, share: impl Fn(u8) -> usize) {
        let finest = self.round.finest();
        loop {
            let is_heavy = |at: &usize| {
                let Bin { next, keys, .. } = &self.bins[*at];
                *next <= finest && keys.len() * share(*next) > self.sorted.len()
            };
            let heavy = (0..self.bins.len()).filter(is_heavy);
            let Some(at) = heavy.max_by_key(|at| self.bins[*at].keys.len()) else { return };
            let cut = self.cut(&self.bins[at]);
            if self.bins.len() + cut.len() - 1 > bins_max {
                self.bins[at].next = u8::MAX;
            } else {
                self.bins.splice(at..=at, cut);
            }
        }
    }

    /// The bin cut at the roundest keys at which it was not cut yet and that tell keys of the
    /// sample apart; of keys that tell the same apart at the first.
    fn cut(&self, bin: &Bin) -> Vec<Bin> {
        let keys = &self.sorted[bin.keys.clone()];
        let mut parts = vec![Bin { next: bin.next + 1, ..bin.clone() }];
        let (Some(from), Some(to)) = (keys.first(), keys.last()) else { return parts };
        for begin in self.round.keys(bin.next, *from, *to) {
            let start = bin.keys.start + keys.partition_point(|key| *key < begin);
            let before = parts.len() - 1;
            if parts[before].keys.start < start {
                parts[before].keys.end = start;
                let keys = start..bin.keys.end;
                parts.push(Bin { begin, fineness: bin.next, next: bin.next + 1, keys });
            }
        }
        parts
    }

    /// Joins the bins that begin at the least round keys, where that saves a slice and leaves no
    /// bin too heavy.
    fn thin(&mut self) {
        let wanted = self.bins_at_no_cost() / 2;
        let finest = self.bins.iter().skip(1).map(|bin| bin.fineness).max().unwrap_or(0);
        let dispensable = self.round.dispensable(finest);
        let mut bins = self.bins.clone();
        while bins.len() > wanted {
            let joined = |at: usize| bins[at - 1].keys.len() + bins[at].keys.len();
            let may_go = |at: &usize| {
                let fineness = bins[*at].fineness;
                fineness >= dispensable
                    && joined(*at) * self.round.share(fineness) <= self.sorted.len()
            };
            let goes = (1..bins.len()).filter(may_go);
            // Of those about as heavy the first: of dates the oldest, which few ask for.
            let weight = |at: usize| joined(at) * WEIGHTS / self.sorted.len();
            let goes = goes.min_by_key(|at| (u8::MAX - bins[*at].fineness, weight(*at)));
            let Some(at) = goes else { return };
            bins[at - 1].keys.end = bins[at].keys.end;
            bins.remove(at);
        }
        self.bins = bins;
    }

    /// As many bins as the binary digits of their number allow.
    const fn bins_at_no_cost(&self) -> usize {
        (self.bins.len() + 1).next_power_of_two() - 1
    }
}

#[cfg(test)]
#[path = "boundaries_tests.rs"]
mod tests;
