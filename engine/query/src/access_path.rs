//! Which way answers are computed: by what is expected to cost least, or one way always.
//!
//! An operator's setting of the engine, which no statement can reach. It decides how rows are
//! found and added up, never which of them may be seen: row rules, masks and the order in which
//! conditions run are the same on every path, and so are the answers.

/// The way from stored segments to an answer. One that is forced measures what the choice is
/// worth, and lets tests hold the ways against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessPath {
    /// What is expected to cost least, statement by statement and segment by segment.
    #[default]
    ByCost,
    /// From indexes, whatever they can tell: totals however many groups there are, the first
    /// rows of an order, and every column that an index holds, however few rows are wanted.
    Totals,
    /// Indexes select rows, by conditions and by keys of semi-joins, and give the columns that
    /// they hold, however few rows are wanted; what is made of rows is made by plain operators.
    Gather,
    /// No index is read: every answer is computed from the stored rows.
    Scan,
}

impl AccessPath {
    /// Every path, the choice by cost first.
    pub const ALL: [Self; 4] = [Self::ByCost, Self::Totals, Self::Gather, Self::Scan];

    /// Whether indexes may be read at all.
    pub(crate) const fn reads_indexes(self) -> bool {
        !matches!(self, Self::Scan)
    }

    /// Whether indexes may do more than select rows and give columns.
    pub(crate) const fn totals_from_indexes(self) -> bool {
        matches!(self, Self::ByCost | Self::Totals)
    }
}
