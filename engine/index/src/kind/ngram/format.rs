//! The layout of an ngram section, little endian:
//!
//! ```text
//! magic    "NGR1"
//! rows     u32
//! groups   u32                n first characters
//! nulls    u32                bytes of the null bitmap
//! firsts   u32 x n            ascending: 0 for the mark, else the character's number plus 1
//! offsets  u32 x (n + 1)      where each group begins in the area, and where the last ends
//! area     one group per first character
//! nulls    a roaring bitmap (portable format); nothing where no row is null
//! ```
//!
//! A group, of numbers in LEB128:
//!
//! ```text
//! pairs    k
//! k x      second character above the one before (the first: above 0), rows, bytes
//! k x      the rows of the pair, in so many bytes
//! ```
//!
//! Of a pair that more than half of all rows have, the rows that do not have it are kept: it is
//! written with 0 rows, and its bytes begin with the number of the others, in LEB128. Null rows
//! are neither. A pair of 0 rows and 0 bytes tells nothing; so wrote earlier versions.

use bytes::Bytes;
use roaring::RoaringBitmap;

use super::postings::{push_number, take_number};
use crate::error::IndexError;
use crate::kind::cursor::Cursor;
use crate::kind::{nulls, table};

const MAGIC: [u8; 4] = *b"NGR1";

/// The pairs that begin with a character.
pub(super) struct Group {
    pub(super) first: u32,
    /// By their second characters, ascending.
    pub(super) pairs: Vec<Pair>,
}

/// A pair's second character and rows.
pub(super) struct Pair {
    pub(super) second: u32,
    /// 0 where the bytes are of the rows without it.
    pub(super) count: u32,
    pub(super) bytes: Vec<u8>,
}

pub(super) fn write(rows: u32, groups: &[Group], nulls: &RoaringBitmap) -> Vec<u8> {
    let null_bytes = nulls::write(nulls);
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&rows.to_le_bytes());
    table::push_length(groups.len(), &mut bytes);
    table::push_length(null_bytes.len(), &mut bytes);
    for group in groups {
        bytes.extend_from_slice(&group.first.to_le_bytes());
    }
    let mut area = Vec::new();
    for group in groups {
        table::push_length(area.len(), &mut bytes);
        write_group(group, &mut area);
    }
    table::push_length(area.len(), &mut bytes);
    bytes.extend_from_slice(&area);
    bytes.extend_from_slice(&null_bytes);
    bytes
}

fn write_group(group: &Group, into: &mut Vec<u8>) {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    push_number(length(group.pairs.len()), into);
    let mut before = 0;
    for pair in &group.pairs {
        push_number(pair.second - before, into);
        push_number(pair.count, into);
        push_number(length(pair.bytes.len()), into);
        before = pair.second;
    }
    group.pairs.iter().for_each(|pair| into.extend_from_slice(&pair.bytes));
}

/// A section whose parts have their lengths; what is in the groups is not looked into.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) rows: u32,
    firsts: Bytes,
    offsets: Bytes,
    area: Bytes,
}

/// A pair where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredPair<'a> {
    pub(super) second: u32,
    pub(super) told: Told<'a>,
}

/// What is kept of a pair.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told<'a> {
    /// The rows that have it.
    Having(Postings<'a>),
    /// The rows that do not, though they have a text.
    Lacking(Postings<'a>),
    Nothing,
}

/// Rows where they lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Postings<'a> {
    pub(super) count: u32,
    pub(super) bytes: &'a [u8],
}

impl<'a> Told<'a> {
    fn read(count: u32, mut bytes: &'a [u8]) -> Option<Self> {
        Some(match (count, bytes) {
            (0, []) => Self::Nothing,
            (0, _) => {
                let count = take_number(&mut bytes)?;
                Self::Lacking(Postings { count, bytes })
            }
            _ => Self::Having(Postings { count, bytes }),
        })
    }
}

/// The parts of a section, and the rows that are null.
pub(super) fn read(bytes: &Bytes) -> Result<(Parts, RoaringBitmap), IndexError> {
    let mut cursor = Cursor::new(bytes);
    if cursor.array()? != MAGIC {
        return Err(IndexError::damaged("a section is not of its kind"));
    }
    let (rows, groups, null_bytes) = (cursor.u32()?, cursor.u32()? as usize, cursor.u32()?);
    let firsts = bytes.slice_ref(cursor.take(groups.saturating_mul(4))?);
    let offsets = bytes.slice_ref(cursor.take(groups.saturating_add(1).saturating_mul(4))?);
    let rest = cursor.rest();
    let (area, null_bytes) = rest
        .len()
        .checked_sub(null_bytes as usize)
        .and_then(|area| rest.split_at_checked(area))
        .ok_or_else(refused)?;
    let nulls = nulls::read(null_bytes, rows)?;
    let parts = Parts { rows, firsts, offsets, area: bytes.slice_ref(area) };
    if number(&parts.offsets, groups) == Some(area.len() as u32) {
        Ok((parts, nulls))
    } else {
        Err(refused())
    }
}

impl Parts {
    /// The pairs that begin with a character, by their second.
    pub(super) fn group(&self, first: u32) -> Result<Vec<StoredPair<'_>>, IndexError> {
        let Some(position) = self.position(first) else { return Ok(Vec::new()) };
        let place = number(&self.offsets, position).zip(number(&self.offsets, position + 1));
        let bytes = place.and_then(|(start, end)| self.area.get(start as usize..end as usize));
        pairs(bytes.ok_or_else(refused)?).ok_or_else(refused)
    }

    fn position(&self, first: u32) -> Option<usize> {
        let firsts = self.firsts.as_chunks::<4>().0;
        firsts.binary_search_by_key(&first, |bytes| u32::from_le_bytes(*bytes)).ok()
    }
}

fn pairs(mut bytes: &[u8]) -> Option<Vec<StoredPair<'_>>> {
    let count = take_number(&mut bytes)?;
    // A pair takes three bytes at least, so a damaged count ends here.
    let mut heads = Vec::new();
    let mut second = 0_u32;
    for _ in 0..count {
        second = second.checked_add(take_number(&mut bytes)?)?;
        heads.push((second, take_number(&mut bytes)?, take_number(&mut bytes)? as usize));
    }
    heads
        .into_iter()
        .map(|(second, count, length)| {
            let (rows, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            Some(StoredPair { second, told: Told::read(count, rows)? })
        })
        .collect()
}

fn number(bytes: &[u8], position: usize) -> Option<u32> {
    bytes.as_chunks::<4>().0.get(position).map(|bytes| u32::from_le_bytes(*bytes))
}

fn refused() -> IndexError {
    IndexError::damaged("its pairs of characters do not fill their place")
}
