//! The kinds of index, each a builder, a format and a reader, and what they have in common.
//!
//! A kind never decides a predicate or a query; it says which rows hold a value.

pub mod bitmap;
pub mod codes;
mod cursor;
mod table;

use martlet_core::Value;

use crate::descriptor::SectionRef;
use crate::error::IndexError;
use crate::file::digest;
use bitmap::BitmapIndex;
use codes::CodesIndex;

/// A kind of index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IndexKind {
    /// One roaring bitmap per distinct value.
    Bitmap,
    /// A sorted dictionary and one bit-packed code per row.
    Codes,
}

impl IndexKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Bitmap, Self::Codes];

    /// The name as load files write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bitmap => "bitmap",
            Self::Codes => "codes",
        }
    }

    /// Reads a kind's name; `None` if it is none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// An opened index: proven, and complete over its rows.
#[derive(Debug, Clone)]
pub enum Index {
    /// Bitmaps.
    Bitmap(BitmapIndex),
    /// Codes.
    Codes(CodesIndex),
}

impl Index {
    /// Opens a section of an index object. `bytes` are the section's own, `rows` the segment's.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] if the bytes do not match the digest, are not well formed, or
    /// cover another number of rows.
    pub fn open(section: &SectionRef, bytes: &[u8], rows: u32) -> Result<Self, IndexError> {
        if bytes.len() as u64 != section.length || digest(bytes) != section.digest {
            return Err(IndexError::damaged("a section does not match its digest"));
        }
        let index = match section.kind {
            IndexKind::Bitmap => Self::Bitmap(BitmapIndex::open(bytes, rows)?),
            IndexKind::Codes => Self::Codes(CodesIndex::open(bytes, rows)?),
        };
        if index.values().len() != section.distinct as usize {
            return Err(IndexError::damaged("a section has another number of distinct values"));
        }
        Ok(index)
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> IndexKind {
        match self {
            Self::Bitmap(_) => IndexKind::Bitmap,
            Self::Codes(_) => IndexKind::Codes,
        }
    }

    /// Rows covered.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        match self {
            Self::Bitmap(index) => index.rows(),
            Self::Codes(index) => index.rows(),
        }
    }

    /// The distinct values, ascending.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        match self {
            Self::Bitmap(index) => index.values(),
            Self::Codes(index) => index.dictionary(),
        }
    }

    /// How many rows are null.
    #[must_use]
    pub fn null_count(&self) -> u32 {
        match self {
            Self::Bitmap(index) => index.null_count(),
            Self::Codes(index) => index.null_count(),
        }
    }

    /// Bytes that it holds in memory, roughly; for the account of a cache.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let held = match self {
            Self::Bitmap(index) => index.memory_bytes(),
            Self::Codes(index) => index.memory_bytes(),
        };
        held + table::memory_bytes(self.values())
    }

    /// The bitmap index, if it is one.
    #[must_use]
    pub const fn as_bitmap(&self) -> Option<&BitmapIndex> {
        match self {
            Self::Bitmap(index) => Some(index),
            Self::Codes(_) => None,
        }
    }

    /// The codes, if it is them.
    #[must_use]
    pub const fn as_codes(&self) -> Option<&CodesIndex> {
        match self {
            Self::Codes(index) => Some(index),
            Self::Bitmap(_) => None,
        }
    }
}
