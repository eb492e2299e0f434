//! The layout of a texts section, little endian:
//!
//! ```text
//! magic    "TXT1"
//! rows     u32
//! width    u8                 bytes of a text's length: 1, 2 or 4
//! symbols  u8                 k strings, at most 255
//! zeros    u16
//! nulls    u32                bytes of the null bitmap
//! lengths  u8 x k             bytes of each string, 1 to 8
//! strings  8 bytes x k        zeros behind the last byte
//! bases    u32 x (b + 1)      where each block of 32 rows begins in the area, and its end
//! sizes    width x rows       bytes of each row's codes
//! area     the codes of each row, one after the other; none where it is null
//! nulls    a roaring bitmap (portable format); nothing where no row is null
//! ```
//!
//! A code is a byte: the number of a string, or 255 for the byte behind it as it is.

use bytes::Bytes;
use roaring::RoaringBitmap;

use super::symbols::{SYMBOL_BYTES_MAX, SYMBOLS_MAX, Symbol};
use crate::error::IndexError;
use crate::kind::cursor::Cursor;
use crate::kind::nulls;

const MAGIC: [u8; 4] = *b"TXT1";

/// Rows whose place is found by summing lengths.
pub(super) const BLOCK_ROWS: usize = 32;

/// What is written: the codes of the texts in `area`, one after the other.
pub(super) struct Written<'a> {
    pub(super) symbols: &'a [Symbol],
    /// Bytes of each row's codes.
    pub(super) sizes: &'a [u32],
    pub(super) area: &'a [u8],
    pub(super) nulls: &'a RoaringBitmap,
}

/// The section; `None` if its area is beyond 32 bits.
pub(super) fn write(written: &Written<'_>) -> Option<Vec<u8>> {
    u32::try_from(written.area.len()).ok()?;
    let null_bytes = nulls::write(written.nulls);
    let width = Width::of(written.sizes.iter().copied().max().unwrap_or(0));
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&u32::try_from(written.sizes.len()).ok()?.to_le_bytes());
    bytes.push(width.bytes() as u8);
    bytes.push(u8::try_from(written.symbols.len()).ok()?);
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&u32::try_from(null_bytes.len()).ok()?.to_le_bytes());
    bytes.extend(written.symbols.iter().map(|symbol| symbol.length));
    bytes.extend(written.symbols.iter().flat_map(|symbol| symbol.word.to_le_bytes()));
    let mut base = 0_u32;
    bytes.extend_from_slice(&base.to_le_bytes());
    for block in written.sizes.chunks(BLOCK_ROWS) {
        // The sum is the area's, which was checked.
        base += block.iter().sum::<u32>();
        bytes.extend_from_slice(&base.to_le_bytes());
    }
    for size in written.sizes {
        bytes.extend_from_slice(&size.to_le_bytes()[..width.bytes()]);
    }
    bytes.extend_from_slice(written.area);
    bytes.extend_from_slice(&null_bytes);
    Some(bytes)
}

/// Bytes that a length is stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    One,
    Two,
    Four,
}

impl Width {
    const fn of(size_max: u32) -> Self {
        match size_max {
            0..=0xff => Self::One,
            0x100..=0xffff => Self::Two,
            _ => Self::Four,
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
        }
    }
}

/// A section whose parts have their lengths.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) rows: u32,
    pub(super) symbols: Vec<Symbol>,
    pub(super) nulls: RoaringBitmap,
    width: Width,
    bases: Bytes,
    sizes: Bytes,
    area: Bytes,
}

pub(super) fn read(bytes: &Bytes) -> Result<Parts, IndexError> {
    let mut cursor = Cursor::new(bytes);
    if cursor.array()? != MAGIC {
        return Err(IndexError::damaged("a section is not of its kind"));
    }
    let rows = cursor.u32()?;
    let width = match cursor.u8()? {
        1 => Width::One,
        2 => Width::Two,
        4 => Width::Four,
        _ => return Err(refused()),
    };
    let count = usize::from(cursor.u8()?);
    if cursor.array()? != [0_u8; 2] {
        return Err(refused());
    }
    let null_bytes = cursor.u32()? as usize;
    let symbols = read_symbols(&mut cursor, count)?;
    let blocks = (rows as usize).div_ceil(BLOCK_ROWS);
    let bases = bytes.slice_ref(cursor.take((blocks + 1) * 4)?);
    let sizes = bytes.slice_ref(cursor.take(rows as usize * width.bytes())?);
    let rest = cursor.rest();
    let (area, null_bytes) = rest
        .len()
        .checked_sub(null_bytes)
        .and_then(|area| rest.split_at_checked(area))
        .ok_or_else(refused)?;
    let parts = Parts {
        rows,
        symbols,
        nulls: nulls::read(null_bytes, rows)?,
        width,
        bases,
        sizes,
        area: bytes.slice_ref(area),
    };
    if parts.base(blocks) == Some(area.len()) { Ok(parts) } else { Err(refused()) }
}

fn read_symbols(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<Symbol>, IndexError> {
    let lengths = cursor.take(count)?;
    let words = cursor.take(count * SYMBOL_BYTES_MAX)?.as_chunks::<SYMBOL_BYTES_MAX>().0;
    let symbols = lengths.iter().zip(words).map(|(length, word)| {
        let is_sound = (1..=SYMBOL_BYTES_MAX).contains(&usize::from(*length));
        is_sound.then(|| Symbol { word: u64::from_le_bytes(*word), length: *length })
    });
    let symbols: Option<Vec<Symbol>> = symbols.collect();
    symbols.filter(|symbols| symbols.len() <= SYMBOLS_MAX).ok_or_else(refused)
}

impl Parts {
    /// The codes of a row; none if the row, or its place, is not there.
    pub(super) fn codes(&self, row: u32) -> &[u8] {
        let row = row as usize;
        let block = row / BLOCK_ROWS;
        let place = self.base(block).zip(self.size(row)).and_then(|(base, size)| {
            let start = base + self.sum(block * BLOCK_ROWS, row)?;
            self.area.get(start..start.checked_add(size)?)
        });
        place.unwrap_or_default()
    }

    fn base(&self, block: usize) -> Option<usize> {
        let base = self.bases.as_chunks::<4>().0.get(block)?;
        Some(u32::from_le_bytes(*base) as usize)
    }

    fn size(&self, row: usize) -> Option<usize> {
        match self.width {
            Width::One => self.sizes.get(row).map(|size| usize::from(*size)),
            Width::Two => {
                let size = self.sizes.as_chunks::<2>().0.get(row)?;
                Some(usize::from(u16::from_le_bytes(*size)))
            }
            Width::Four => {
                let size = self.sizes.as_chunks::<4>().0.get(row)?;
                Some(u32::from_le_bytes(*size) as usize)
            }
        }
    }

    /// The sizes of rows of one block together.
    fn sum(&self, from: usize, to: usize) -> Option<usize> {
        match self.width {
            Width::One => {
                Some(self.sizes.get(from..to)?.iter().map(|size| usize::from(*size)).sum())
            }
            Width::Two | Width::Four => (from..to).map(|row| self.size(row)).sum(),
        }
    }
}

fn refused() -> IndexError {
    IndexError::damaged("its texts do not fill their place")
}
