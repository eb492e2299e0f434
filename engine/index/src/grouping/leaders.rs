//! The best ranks among many: what can still be among the first of an order.
//!
//! Owns how a key's place in an order (ascending or descending, null first or last) becomes one
//! number that compares by itself, and how many of the best are remembered. Ties with the last
//! of the best are never told apart: whoever asks keeps them all, because what follows in the
//! ORDER BY decides among them.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::top::Best;

/// Where null stands in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// Before every value.
    First,
    /// Behind every value.
    Last,
}

/// The order of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Which values come first.
    pub best: Best,
    /// Where null stands.
    pub nulls: Nulls,
}

/// A place in an [`Order`]: the greater, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// Above all values, among them, or below.
    tier: i8,
    key: i128,
}

impl Order {
    /// The rank of a key; `None` is null.
    #[must_use]
    pub const fn rank(self, key: Option<i128>) -> Rank {
        match (key, self.nulls, self.best) {
            (None, Nulls::First, _) => Rank { tier: 1, key: 0 },
            (None, Nulls::Last, _) => Rank { tier: -1, key: 0 },
            (Some(key), _, Best::Highest) => Rank { tier: 0, key },
            // Turns the order around, and has no number that it cannot turn.
            (Some(key), _, Best::Lowest) => Rank { tier: 0, key: !key },
        }
    }
}

/// What a number of the best is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Everything that is offered.
    Each,
    /// Ranks that differ.
    Different,
}

/// The best ranks that were offered so far, at most a given number of them.
#[derive(Debug, Clone)]
pub struct Leaders<R> {
    wanted: usize,
    ranks: Ranks<R>,
}

#[derive(Debug, Clone)]
enum Ranks<R> {
    /// The worst of them on top.
    Each(BinaryHeap<Reverse<R>>),
    Different(BTreeSet<R>),
}

impl<R: Ord + Copy> Leaders<R> {
    /// None offered yet.
    #[must_use]
    pub const fn new(wanted: usize, counted: Counted) -> Self {
        let ranks = match counted {
            Counted::Each => Ranks::Each(BinaryHeap::new()),
            Counted::Different => Ranks::Different(BTreeSet::new()),
        };
        Self { wanted, ranks }
    }

    /// The last of the best, once there are enough: whatever is below is not among them.
    #[must_use]
    pub fn last(&self) -> Option<R> {
        match &self.ranks {
            Ranks::Each(ranks) if ranks.len() >= self.wanted => ranks.peek().map(|last| last.0),
            Ranks::Different(ranks) if ranks.len() >= self.wanted => ranks.first().copied(),
            _ => None,
        }
    }

    /// Notes a rank; says whether it is among the best so far, ties among them.
    pub fn offer(&mut self, rank: R) -> bool {
        if self.wanted == 0 {
            return false;
        }
        let last = self.last();
        if last.is_some_and(|last| rank < last) {
            return false;
        }
        if last != Some(rank) {
            self.push(rank);
        }
        true
    }

    fn push(&mut self, rank: R) {
        match &mut self.ranks {
            Ranks::Each(ranks) => {
                ranks.push(Reverse(rank));
                if ranks.len() > self.wanted {
                    ranks.pop();
                }
            }
            Ranks::Different(ranks) => {
                ranks.insert(rank);
                if ranks.len() > self.wanted {
                    ranks.pop_first();
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "leaders_tests.rs"]
mod tests;
