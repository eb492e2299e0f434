//! One roaring bitmap where it lies, in the portable format, read window by window.
//!
//! Nothing is unpacked: a query joins the words of the containers as they are stored. What the
//! containers claim (their rows, their order) is looked over once, when the bitmap is first
//! asked for, so that reading a window cannot fail.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use roaring::RoaringBitmap;

use crate::error::IndexError;
use crate::filter::bits::{Bits, WINDOW_ROWS, WINDOW_WORDS};
use crate::kind::cursor::Cursor;

/// The format's number where no container is of runs, and where one may be.
const PLAIN: u32 = 12_346;
const WITH_RUNS: u16 = 12_347;

/// From so many containers on a bitmap with runs tells where each begins.
const OFFSETS_FROM: usize = 4;

/// Up to so many rows a container lists them.
const LISTED_MAX: u32 = 4_096;

/// Bytes of a container of bits.
const BITS_BYTES: usize = WINDOW_ROWS as usize / 8;

/// A bitmap as it is stored. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct StoredBitmap {
    bytes: Bytes,
    containers: Arc<[Container]>,
    rows: u64,
}

/// The rows of one window.
#[derive(Debug, Clone)]
struct Container {
    window: u16,
    form: Form,
    /// How many rows, at least one.
    rows: u32,
    place: Range<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Row numbers, ascending.
    Listed,
    /// One bit per row.
    Bits,
    /// First row and length less one of each run, ascending.
    Runs,
}

impl StoredBitmap {
    /// Looks a bitmap over; rows must be below `end`.
    pub(crate) fn open(bytes: Bytes, end: u32) -> Result<Self, IndexError> {
        let containers = containers(&bytes)?;
        let rows = containers.iter().map(|container| u64::from(container.rows)).sum();
        let bitmap = Self { bytes, containers: containers.into(), rows };
        if bitmap.containers.iter().all(|container| bitmap.is_sound(container, end)) {
            Ok(bitmap)
        } else {
            Err(refused())
        }
    }

    /// A bitmap that lies in memory, in the form in which its containers are.
    pub(crate) fn of(bitmap: &RoaringBitmap) -> Self {
        let mut bytes = Vec::with_capacity(bitmap.serialized_size());
        let containers = match bitmap.serialize_into(&mut bytes) {
            Ok(()) => containers(&bytes),
            Err(_) => unreachable!("a vector takes whatever is written to it"),
        };
        match containers {
            Ok(containers) => {
                Self { bytes: bytes.into(), containers: containers.into(), rows: bitmap.len() }
            }
            Err(_) => unreachable!("what was written in the format is in the format"),
        }
    }

    /// Bytes that the places of a bitmap of so many rows take at most.
    pub(crate) const fn container_bytes(rows: u32) -> usize {
        rows.div_ceil(WINDOW_ROWS) as usize * size_of::<Container>()
    }

    /// How many rows there are.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// How many rows of a window there are.
    pub(crate) fn rows_of_window(&self, window: u32) -> u32 {
        self.container(window).map_or(0, |container| container.rows)
    }

    /// What setting the bits of all rows costs, in words written: a word for every 64 rows of
    /// bits, and about one for each row that is listed and each end of a run.
    pub(crate) fn cost(&self) -> u64 {
        let of = |container: &Container| match container.form {
            Form::Bits => WINDOW_WORDS as u64,
            Form::Listed => u64::from(container.rows),
            Form::Runs => u64::from(container.place.end - container.place.start) / 2,
        };
        self.containers.iter().map(of).sum()
    }

    /// Sets the bits of a window's rows; others stay as they are.
    pub(crate) fn or_into(&self, window: u32, into: &mut Bits) {
        let Some(container) = self.container(window) else { return };
        let bytes = self.bytes_of(container);
        match container.form {
            Form::Bits => {
                for (word, bytes) in into.words_mut().iter_mut().zip(bytes.as_chunks::<8>().0) {
                    *word |= u64::from_le_bytes(*bytes);
                }
            }
            Form::Listed => listed(bytes).for_each(|row| into.set(row)),
            Form::Runs => runs(bytes).for_each(|(first, more)| {
                into.set_from_to(first, first.saturating_add(more));
            }),
        }
    }

    /// Sets the bits of a window's rows and clears the others.
    pub(crate) fn copy_into(&self, window: u32, into: &mut Bits) {
        match self.container(window).filter(|container| container.form == Form::Bits) {
            Some(container) => {
                let bytes = self.bytes_of(container).as_chunks::<8>().0;
                for (word, bytes) in into.words_mut().iter_mut().zip(bytes) {
                    *word = u64::from_le_bytes(*bytes);
                }
            }
            None => {
                into.clear();
                self.or_into(window, into);
            }
        }
    }

    fn container(&self, window: u32) -> Option<&Container> {
        // A segment has a handful of windows.
        self.containers.iter().find(|container| u32::from(container.window) == window)
    }

    fn bytes_of(&self, container: &Container) -> &[u8] {
        &self.bytes[container.place.start as usize..container.place.end as usize]
    }

    /// Whether a container holds as many rows as it says, in order, and none from `end` on.
    fn is_sound(&self, container: &Container, end: u32) -> bool {
        let bytes = self.bytes_of(container);
        let (count, last) = match container.form {
            Form::Bits => bits_and_last(bytes),
            Form::Listed => {
                let is_ascending = listed(bytes).is_sorted_by(|row, next| row < next);
                // Two bytes each, as the place was made.
                let last = listed(bytes).last().filter(|_| is_ascending);
                (container.rows, last)
            }
            Form::Runs => runs_and_last(bytes),
        };
        let first = u32::from(container.window) * WINDOW_ROWS;
        count == container.rows && last.is_some_and(|last| first + u32::from(last) < end)
    }
}

fn listed(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes))
}

fn runs(bytes: &[u8]) -> impl Iterator<Item = (u16, u16)> + '_ {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|[a, b, c, d]| (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d])))
}

/// How many bits are set, and the highest.
fn bits_and_last(bytes: &[u8]) -> (u32, Option<u16>) {
    let words = bytes.as_chunks::<8>().0;
    let count = words.iter().map(|bytes| u64::from_le_bytes(*bytes).count_ones()).sum();
    let last = words.iter().rposition(|bytes| *bytes != [0; 8]).map(|word| {
        let highest = 63 - u64::from_le_bytes(words[word]).leading_zeros();
        // Below the rows of a window.
        (word as u32 * u64::BITS + highest) as u16
    });
    (count, last)
}

/// How many rows the runs have, and the last; no last where they overlap or go beyond the window.
fn runs_and_last(bytes: &[u8]) -> (u32, Option<u16>) {
    let (mut count, mut next) = (0, 0);
    for (first, more) in runs(bytes) {
        let (first, more) = (u32::from(first), u32::from(more));
        if first < next || first + more >= WINDOW_ROWS {
            return (0, None);
        }
        (count, next) = (count + more + 1, first + more + 1);
    }
    // At most the rows of a window.
    (count, next.checked_sub(1).map(|last| last as u16))
}

/// The containers in their order, each with its place within the bytes, which they fill.
fn containers(bytes: &[u8]) -> Result<Vec<Container>, IndexError> {
    let mut cursor = Cursor::new(bytes);
    let number = cursor.u32()?;
    // The lower half of the number is the format, the upper one may be a count.
    let (count, of_runs) = if number as u16 == WITH_RUNS {
        let count = (number >> 16) as usize + 1;
        (count, cursor.take(count.div_ceil(8))?)
    } else if number == PLAIN {
        (cursor.u32()? as usize, [].as_slice())
    } else {
        return Err(refused());
    };
    let heads = cursor.take(count.checked_mul(4).ok_or_else(refused)?)?;
    if of_runs.is_empty() || count >= OFFSETS_FROM {
        // Containers lie one behind the other; where each begins follows from their lengths.
        cursor.take(count * 4)?;
    }
    let body = cursor.rest();
    let mut next = bytes.len() - body.len();
    let mut containers: Vec<Container> = Vec::with_capacity(count);
    for (at, [a, b, c, d]) in heads.as_chunks::<4>().0.iter().enumerate() {
        let window = u16::from_le_bytes([*a, *b]);
        let rows = u32::from(u16::from_le_bytes([*c, *d])) + 1;
        let is_of_runs = of_runs.get(at / 8).is_some_and(|flags| flags >> (at % 8) & 1 == 1);
        let (form, length) = form_and_length(is_of_runs, rows, &mut next, bytes)?;
        let end = next.checked_add(length).filter(|end| *end <= bytes.len()).ok_or_else(refused)?;
        if containers.last().is_some_and(|before| before.window >= window) {
            return Err(refused());
        }
        // A section has less than 4 GiB.
        containers.push(Container { window, form, rows, place: next as u32..end as u32 });
        next = end;
    }
    if next == bytes.len() { Ok(containers) } else { Err(refused()) }
}

/// The form of a container and the bytes of its rows, which begin at `next`.
fn form_and_length(
    is_of_runs: bool,
    rows: u32,
    next: &mut usize,
    bytes: &[u8],
) -> Result<(Form, usize), IndexError> {
    if is_of_runs {
        let count = bytes.get(*next..*next + 2).ok_or_else(refused)?;
        *next += 2;
        let runs = usize::from(u16::from_le_bytes([count[0], count[1]]));
        return Ok((Form::Runs, 4 * runs));
    }
    Ok(match rows {
        // Row numbers of two bytes.
        ..=LISTED_MAX => (Form::Listed, 2 * rows as usize),
        _ => (Form::Bits, BITS_BYTES),
    })
}

fn refused() -> IndexError {
    IndexError::damaged("a bitmap is not well formed")
}

#[cfg(test)]
#[path = "stored_tests.rs"]
mod tests;
