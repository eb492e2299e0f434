//! The kinds of index, each a builder, a format and a reader, and what they have in common.
//!
//! A kind never decides a predicate or a query; it says which rows hold a value.

mod arrow;
pub mod binned;
pub mod bit_sliced;
pub mod bitmap;
pub(crate) mod bitmaps;
pub mod codes;
mod cursor;
pub mod date_part;
pub mod dictionary;
mod flags;
pub mod lookup;
pub mod ngram;
mod nulls;
mod packed;
pub(crate) mod rows;
mod table;
pub mod texts;
pub mod vector;

use bytes::Bytes;
use martlet_core::{ColumnType, ProvenBytes, Selection, Truth};

use crate::descriptor::SectionRef;
use crate::error::IndexError;
use crate::file::digest;
use crate::logic::Leaf;
use binned::BinnedIndex;
use bit_sliced::BitSlicedIndex;
use bitmap::BitmapIndex;
use codes::CodesIndex;
use date_part::DatePartIndex;
use dictionary::Dictionary;
use lookup::LookupIndex;
use ngram::NgramIndex;
use texts::TextsIndex;
use vector::VectorIndex;

/// A kind of index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IndexKind {
    /// One roaring bitmap per distinct value.
    Bitmap,
    /// A sorted dictionary and one bit-packed code per row.
    Codes,
    /// One bit-packed number per row.
    Vector,
    /// One roaring bitmap per binary digit.
    BitSliced,
    /// The number of a bin per row, in plain bit slices.
    Binned,
    /// One roaring bitmap per month, day of the week and hour.
    DatePart,
    /// Hashes of keys and the groups of rows that hold them.
    Lookup,
    /// Pairs of characters and the rows that hold them.
    Ngram,
    /// Every row's text, compressed on its own.
    Texts,
}

impl IndexKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Bitmap,
        Self::Codes,
        Self::Vector,
        Self::BitSliced,
        Self::Binned,
        Self::DatePart,
        Self::Lookup,
        Self::Ngram,
        Self::Texts,
    ];

    /// The name as load files write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bitmap => "bitmap",
            Self::Codes => "codes",
            Self::Vector => "vector",
            Self::BitSliced => "bit_sliced",
            Self::Binned => "binned",
            Self::DatePart => "date_part",
            Self::Lookup => "lookup",
            Self::Ngram => "ngram",
            Self::Texts => "texts",
        }
    }

    /// Reads a kind's name; `None` if it is none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How much a kind says of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// Which rows satisfy it, exactly.
    Exactly,
    /// Rows outside which nothing satisfies it.
    AtMost,
    /// Nothing.
    Not,
}

/// What every opened kind can tell.
pub(crate) trait Reader {
    /// Rows covered.
    fn rows(&self) -> u32;
    /// The rows that are null.
    fn nulls(&self) -> Selection;
    /// How many rows are null.
    fn null_count(&self) -> u32;
    /// The distinct values, where the kind holds them.
    fn dictionary(&self) -> Option<&Dictionary> {
        None
    }
    /// How many distinct values there are, where the kind knows.
    fn distinct(&self) -> Option<u32>;
    /// Whether what it holds can be what stands in a column of this type.
    fn fits(&self, column_type: ColumnType) -> bool;
    /// Where a condition holds and fails, as far as [`IndexKind::answers`] promises;
    /// `None` where it says nothing.
    fn truth(&self, leaf: &Leaf<'_>) -> Option<Result<Truth, IndexError>>;
    /// Bytes held in memory that are not the section's own, roughly.
    fn memory_bytes(&self) -> usize;
}

impl IndexKind {
    /// How much an index of this kind says of a condition on a column of the type.
    pub(crate) fn answers(self, leaf: &Leaf<'_>, column_type: ColumnType) -> Answers {
        match self {
            Self::Bitmap | Self::Codes => Answers::Exactly,
            Self::Vector => match leaf {
                Leaf::Like(_) => Answers::Not,
                Leaf::IsNull
                | Leaf::Compare(..)
                | Leaf::In(_)
                | Leaf::Part(..)
                | Leaf::Between(..) => Answers::Exactly,
            },
            Self::BitSliced => bit_sliced::answers(leaf),
            Self::Binned => binned::answers(leaf),
            Self::DatePart => date_part::answers(leaf, column_type),
            Self::Lookup => lookup::answers(leaf),
            Self::Ngram => ngram::answers(leaf),
            Self::Texts => texts::answers(leaf),
        }
    }
}

/// An opened index: proven, and complete over its rows.
#[derive(Debug, Clone)]
pub enum Index {
    /// Bitmaps.
    Bitmap(BitmapIndex),
    /// Codes.
    Codes(CodesIndex),
    /// A vector.
    Vector(VectorIndex),
    /// Bit slices.
    BitSliced(BitSlicedIndex),
    /// Bins.
    Binned(BinnedIndex),
    /// Months, days of the week and hours.
    DatePart(DatePartIndex),
    /// A look-up by key.
    Lookup(LookupIndex),
    /// Pairs of characters.
    Ngram(NgramIndex),
    /// Texts.
    Texts(TextsIndex),
}

impl Index {
    /// Opens a section of an index object. `bytes` are the section's own (kept, not copied),
    /// `rows` the segment's.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] if the bytes do not match the digest, are not well formed, or
    /// cover another number of rows.
    pub fn open(section: &SectionRef, bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        if digest(bytes) != section.digest {
            return Err(IndexError::damaged("a section does not match its digest"));
        }
        Self::decode(section, bytes, rows)
    }

    /// As [`Self::open`], of bytes that are known to be those that were written: they are not
    /// hashed once more. They are looked into all the same, so that a section that was written
    /// wrong is refused rather than believed.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] if the bytes are not well formed, or cover another number of rows.
    pub fn open_proven(
        section: &SectionRef,
        bytes: &ProvenBytes,
        rows: u32,
    ) -> Result<Self, IndexError> {
        Self::decode(section, bytes.bytes(), rows)
    }

    fn decode(section: &SectionRef, bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        if bytes.len() as u64 != section.length {
            return Err(IndexError::damaged("a section has another length"));
        }
        let index = match section.kind {
            IndexKind::Bitmap => Self::Bitmap(BitmapIndex::open(bytes, rows)?),
            IndexKind::Codes => Self::Codes(CodesIndex::open(bytes, rows)?),
            IndexKind::Vector => Self::Vector(VectorIndex::open(bytes, rows)?),
            IndexKind::BitSliced => Self::BitSliced(BitSlicedIndex::open(bytes, rows)?),
            IndexKind::Binned => Self::Binned(BinnedIndex::open(bytes, rows)?),
            IndexKind::DatePart => Self::DatePart(DatePartIndex::open(bytes, rows)?),
            IndexKind::Lookup => Self::Lookup(LookupIndex::open(bytes, rows)?),
            IndexKind::Ngram => Self::Ngram(NgramIndex::open(bytes, rows)?),
            IndexKind::Texts => Self::Texts(TextsIndex::open(bytes, rows)?),
        };
        if index.reader().distinct().is_some_and(|distinct| distinct != section.distinct) {
            return Err(IndexError::damaged("a section has another number of distinct values"));
        }
        Ok(index)
    }

    pub(crate) fn reader(&self) -> &dyn Reader {
        match self {
            Self::Bitmap(index) => index,
            Self::Codes(index) => index,
            Self::Vector(index) => index,
            Self::BitSliced(index) => index,
            Self::Binned(index) => index,
            Self::DatePart(index) => index,
            Self::Lookup(index) => index,
            Self::Ngram(index) => index,
            Self::Texts(index) => index,
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> IndexKind {
        match self {
            Self::Bitmap(_) => IndexKind::Bitmap,
            Self::Codes(_) => IndexKind::Codes,
            Self::Vector(_) => IndexKind::Vector,
            Self::BitSliced(_) => IndexKind::BitSliced,
            Self::Binned(_) => IndexKind::Binned,
            Self::DatePart(_) => IndexKind::DatePart,
            Self::Lookup(_) => IndexKind::Lookup,
            Self::Ngram(_) => IndexKind::Ngram,
            Self::Texts(_) => IndexKind::Texts,
        }
    }

    /// Rows covered.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.reader().rows()
    }

    /// The distinct values; `None` of a kind that does not hold them.
    #[must_use]
    pub fn dictionary(&self) -> Option<&Dictionary> {
        self.reader().dictionary()
    }

    /// How many rows are null.
    #[must_use]
    pub fn null_count(&self) -> u32 {
        self.reader().null_count()
    }

    /// The rows that are null.
    #[must_use]
    pub fn nulls(&self) -> Selection {
        self.reader().nulls()
    }

    /// Bytes that it holds in memory beside the section's own, roughly; for the account of a
    /// cache.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.reader().memory_bytes()
    }

    /// The bitmap index, if it is one.
    #[must_use]
    pub const fn as_bitmap(&self) -> Option<&BitmapIndex> {
        match self {
            Self::Bitmap(index) => Some(index),
            _ => None,
        }
    }

    /// The codes, if it is them.
    #[must_use]
    pub const fn as_codes(&self) -> Option<&CodesIndex> {
        match self {
            Self::Codes(index) => Some(index),
            _ => None,
        }
    }

    /// The vector, if it is one.
    #[must_use]
    pub const fn as_vector(&self) -> Option<&VectorIndex> {
        match self {
            Self::Vector(index) => Some(index),
            _ => None,
        }
    }

    /// The bit slices, if it is them.
    #[must_use]
    pub const fn as_bit_sliced(&self) -> Option<&BitSlicedIndex> {
        match self {
            Self::BitSliced(index) => Some(index),
            _ => None,
        }
    }

    /// The bins, if it is them.
    #[must_use]
    pub const fn as_binned(&self) -> Option<&BinnedIndex> {
        match self {
            Self::Binned(index) => Some(index),
            _ => None,
        }
    }

    /// The months, days of the week and hours, if it is them.
    #[must_use]
    pub const fn as_date_part(&self) -> Option<&DatePartIndex> {
        match self {
            Self::DatePart(index) => Some(index),
            _ => None,
        }
    }

    /// The look-up by key, if it is one.
    #[must_use]
    pub const fn as_lookup(&self) -> Option<&LookupIndex> {
        match self {
            Self::Lookup(index) => Some(index),
            _ => None,
        }
    }

    /// The pairs of characters, if it is them.
    #[must_use]
    pub const fn as_ngram(&self) -> Option<&NgramIndex> {
        match self {
            Self::Ngram(index) => Some(index),
            _ => None,
        }
    }

    /// The texts, if it is them.
    #[must_use]
    pub const fn as_texts(&self) -> Option<&TextsIndex> {
        match self {
            Self::Texts(index) => Some(index),
            _ => None,
        }
    }
}
