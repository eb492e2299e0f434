//! The layout of a binned section, little endian:
//!
//! ```text
//! magic    "BIN1"
//! rows     u32
//! form     u8              1 integer, 2 float, 3 decimal, 4 date, 5 timestamp
//! bins     u8              n, at most 63
//! lowest   i64 x n         the lowest key of each bin, ascending
//! highest  i64 x n         the highest key of each bin
//! counts   u32 x (n + 1)   rows that are null, then those of each bin; they add up to the rows
//! slices   per window of 65,536 rows, for each binary digit of n, the lowest first: u64 x w,
//!          where bit b of word i is the digit of the code of the window's row 64 i + b
//! ```
//!
//! A key is as in a vector. The code of a row is the number of its bin, from 1, and 0 where it
//! is null. w is 1,024; in the last window it is as many words as its rows take, up to a
//! multiple of 8, and what stands behind the last row is 0.

use bytes::Bytes;

use super::boundaries::BINS_MAX;
use super::slices::{Slices, stored_bytes};
use crate::error::IndexError;
use crate::kind::cursor::Cursor;
use crate::kind::vector::VectorForm;

const MAGIC: [u8; 4] = *b"BIN1";

/// What is told of the bins.
#[derive(Debug, Clone, Default)]
pub(super) struct BinTable {
    /// The lowest key of each bin, ascending.
    pub(super) lowest: Vec<i64>,
    /// The highest key of each bin.
    pub(super) highest: Vec<i64>,
    /// Rows that are null, then those of each bin.
    pub(super) counts: Vec<u32>,
}

impl BinTable {
    pub(super) const fn len(&self) -> usize {
        self.lowest.len()
    }

    /// Binary digits of the highest code.
    pub(super) const fn digits(&self) -> u32 {
        digits(self.len())
    }
}

/// Binary digits of a number of bins.
pub(super) const fn digits(bins: usize) -> u32 {
    usize::BITS - bins.leading_zeros()
}

pub(super) fn write(form: &VectorForm, rows: u32, bins: &BinTable, area: &[u8]) -> Option<Vec<u8>> {
    let table_bytes = 16 * bins.len() + 4 * bins.counts.len();
    let mut bytes = Vec::with_capacity(MAGIC.len() + 6 + table_bytes + area.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&rows.to_le_bytes());
    bytes.push(form.number_tag()?);
    bytes.push(u8::try_from(bins.len()).ok()?);
    let keys = bins.lowest.iter().chain(&bins.highest);
    keys.for_each(|key| bytes.extend_from_slice(&key.to_le_bytes()));
    bins.counts.iter().for_each(|count| bytes.extend_from_slice(&count.to_le_bytes()));
    bytes.extend_from_slice(area);
    Some(bytes)
}

/// The parts of a section, proven to agree.
pub(super) fn read(section: &Bytes) -> Result<(VectorForm, BinTable, Slices), IndexError> {
    let mut cursor = Cursor::new(section);
    if cursor.array()? != MAGIC {
        return Err(IndexError::damaged("a section is not of its kind"));
    }
    let rows = cursor.u32()?;
    let form = VectorForm::of_number_tag(cursor.u8()?)
        .ok_or(IndexError::damaged("its values are of an unknown type"))?;
    let count = usize::from(cursor.u8()?);
    if count > BINS_MAX {
        return Err(IndexError::damaged("it has too many bins"));
    }
    let (lowest, highest) = (cursor.i64s(count)?, cursor.i64s(count)?);
    let bins = BinTable { lowest, highest, counts: cursor.u32s(count + 1)? };
    let area = cursor.rest();
    if area.len() != stored_bytes(rows, bins.digits()) {
        return Err(IndexError::damaged("its slices do not fill their place"));
    }
    let slices = Slices::new(rows, bins.digits(), section.slice_ref(area));
    check_bins(rows, &bins)?;
    check_slices(&bins, &slices)?;
    Ok((form, bins, slices))
}

/// Bins ascend, hold rows, and all rows are counted.
fn check_bins(rows: u32, bins: &BinTable) -> Result<(), IndexError> {
    let BinTable { lowest, highest, counts } = bins;
    let are_bounds = lowest.iter().zip(highest).all(|(lowest, highest)| lowest <= highest);
    let do_ascend =
        highest.iter().zip(&lowest[1.min(lowest.len())..]).all(|(one, next)| one < next);
    if !are_bounds || !do_ascend {
        return Err(IndexError::damaged("the bounds of its bins contradict each other"));
    }
    let counted: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    if counted != u64::from(rows) || counts.iter().skip(1).any(|count| *count == 0) {
        return Err(IndexError::damaged("its counts do not add up"));
    }
    Ok(())
}

/// No row is in a bin that is not there, and each digit is as often one as the counts say.
fn check_slices(bins: &BinTable, slices: &Slices) -> Result<(), IndexError> {
    let with_digit = |digit: u32| -> u64 {
        let counts = bins.counts.iter().zip(0_u32..);
        counts.filter(|(_, code)| code >> digit & 1 == 1).map(|(count, _)| u64::from(*count)).sum()
    };
    if (0..bins.digits()).any(|digit| slices.ones(digit) != with_digit(digit)) {
        return Err(IndexError::damaged("its slices hold other rows than were counted"));
    }
    // At most 63 bins.
    let end = bins.len() as u32 + 1;
    let of_none = slices.count(end..u32::MAX);
    if of_none > 0 || slices.count(0..1) != u64::from(bins.counts[0]) {
        return Err(IndexError::damaged("a row is in no bin"));
    }
    Ok(())
}
