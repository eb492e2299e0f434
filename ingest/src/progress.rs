//! What a load tells while it runs, to whoever shows it.
//!
//! Owns the stages' names. Never prints: the caller decides whether there is a bar, a line or
//! nothing.

/// A stage of a load, in the order of the data's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The batch's digest is computed, over all tables at once: first where the mart has the
    /// batch already, else while the files are decoded, and told at the end.
    Hash,
    /// Files are read, decoded and checked.
    Decode,
    /// Rows are brought into the cluster key's order.
    Sort,
    /// Segments are written.
    Write,
    /// Indexes are built.
    Index,
    /// The batch is being made visible, over all tables at once.
    Publish,
}

impl Stage {
    /// One word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Decode => "decode",
            Self::Sort => "sort",
            Self::Write => "write",
            Self::Index => "index",
            Self::Publish => "publish",
        }
    }
}

/// Hears how far a load is.
pub trait Progress: Send + Sync {
    /// `done` of `total` bytes of a stage are done; the last call of a stage has both equal.
    /// `table` is empty for the stages that are over all tables. Called from several threads,
    /// and so often that it has to return at once.
    fn stage(&self, table: &str, stage: Stage, done: u64, total: u64);
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _table: &str, _stage: Stage, _done: u64, _total: u64) {}
}
