//! The rows of one pair: ascending row numbers as gaps, bit-packed by 128.
//!
//! A gap is the row number less the one before, less one; before the first row stands -1. Full
//! blocks of 128 gaps are a byte of width and 16 x width bytes; what is left is written as
//! LEB128, one gap after the other. Rows that stand together cost a byte a block.

use bitpacking::{BitPacker, BitPacker4x};

use crate::error::IndexError;

const BLOCK: usize = BitPacker4x::BLOCK_LEN;

/// Appends a number as LEB128.
pub(super) fn push_number(mut number: u32, into: &mut Vec<u8>) {
    while number >= 0x80 {
        // The seven lowest bits.
        into.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Takes a number in LEB128 off the front.
pub(super) fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u64;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(number).ok();
        }
    }
    None
}

/// Appends the gaps of a pair's rows.
pub(super) fn write(gaps: &[u32], into: &mut Vec<u8>) {
    let blocks = gaps.chunks_exact(BLOCK);
    let rest = blocks.remainder();
    for block in blocks {
        let width = BitPacker4x::new().num_bits(block);
        into.push(width);
        let start = into.len();
        into.resize(start + BLOCK / 8 * usize::from(width), 0);
        BitPacker4x::new().compress(block, &mut into[start..], width);
    }
    rest.iter().for_each(|gap| push_number(*gap, into));
}

/// Hands on `count` row numbers, ascending, all below `rows`.
pub(super) fn read(
    mut bytes: &[u8],
    count: u32,
    rows: u32,
    mut with: impl FnMut(u32),
) -> Result<(), IndexError> {
    let mut next = 0_u32;
    let mut push = |gap: u32| {
        let row = next.checked_add(gap).filter(|row| *row < rows)?;
        next = row + 1;
        with(row);
        Some(())
    };
    let mut gaps = [0; BLOCK];
    for _ in 0..count as usize / BLOCK {
        take_block(&mut bytes, &mut gaps)
            .and_then(|()| gaps.iter().try_for_each(|gap| push(*gap)))
            .ok_or_else(refused)?;
    }
    for _ in 0..count as usize % BLOCK {
        take_number(&mut bytes).and_then(&mut push).ok_or_else(refused)?;
    }
    if bytes.is_empty() { Ok(()) } else { Err(refused()) }
}

fn take_block(bytes: &mut &[u8], into: &mut [u32; BLOCK]) -> Option<()> {
    let (width, rest) = bytes.split_first().filter(|(width, _)| **width <= 32)?;
    let (packed, rest) = rest.split_at_checked(BLOCK / 8 * usize::from(*width))?;
    *bytes = rest;
    if *width == 0 {
        into.fill(0);
    } else {
        BitPacker4x::new().decompress(packed, into, *width);
    }
    Some(())
}

fn refused() -> IndexError {
    IndexError::damaged("the rows of a pair of characters are not well formed")
}
