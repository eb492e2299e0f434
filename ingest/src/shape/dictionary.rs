//! Texts that repeat, as two-byte codes while their rows are on the way to a segment.
//!
//! Owns one dictionary a text column, shared by all threads that decode. A column with more
//! texts than a code can tell is given up: its later rows travel as texts, its earlier ones
//! keep their codes, and both stand for the same rows. Never decides the order of rows: codes
//! are given in the order of first sight, which is not the same in every load.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use arrow::array::{Array, StringArray, UInt16Array};
use foldhash::fast::RandomState;
use martlet_index::short_texts::TextHeads;

/// The code of null.
pub(super) const NULL_CODE: u16 = u16::MAX;

/// Texts of one dictionary at most; every one of them has a code below [`NULL_CODE`].
const TEXTS_MAX: usize = NULL_CODE as usize;

/// A column's dictionary while rows are still arriving.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    texts: Mutex<Texts>,
    is_given_up: AtomicBool,
}

#[derive(Debug, Default)]
struct Texts {
    codes: HashMap<Box<str>, u16, RandomState>,
    bytes: String,
    ends: Vec<usize>,
}

impl Texts {
    /// The text's code; `None` if it has none and there is none left.
    fn code(&mut self, text: &str) -> Option<u16> {
        if let Some(code) = self.codes.get(text) {
            return Some(*code);
        }
        let code = u16::try_from(self.ends.len()).ok().filter(|code| *code < NULL_CODE)?;
        self.codes.insert(text.into(), code);
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        Some(code)
    }
}

impl Dictionary {
    /// The column in codes; `None` where its texts are too many.
    pub(super) fn encode(&self, texts: &StringArray) -> Option<UInt16Array> {
        if self.is_given_up.load(Ordering::Relaxed) {
            return None;
        }
        let codes = self.try_encode(texts);
        if codes.is_none() {
            self.is_given_up.store(true, Ordering::Relaxed);
        }
        codes
    }

    fn try_encode(&self, texts: &StringArray) -> Option<UInt16Array> {
        let heads = TextHeads::of(texts);
        let (distinct, mut ids) = if heads.have_keys() {
            in_order_of_sight(texts, |row| heads.key(row))?
        } else {
            in_order_of_sight(texts, |row| texts.value(row))?
        };
        let mut shared = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let codes = distinct.iter().map(|text| shared.code(text)).collect::<Option<Vec<u16>>>()?;
        drop(shared);
        for id in &mut ids {
            *id = if *id == NULL_CODE { NULL_CODE } else { codes[usize::from(*id)] };
        }
        Some(UInt16Array::from(ids))
    }

    /// The dictionary, now that no more rows come.
    pub(super) fn close(self) -> ClosedDictionary {
        let texts = self.texts.into_inner().unwrap_or_else(PoisonError::into_inner);
        ClosedDictionary::of(&texts)
    }
}

/// The distinct texts as they come, and for each row the place of its text among them. `key`
/// tells a row's text from others.
fn in_order_of_sight<K: Copy + Eq + Hash>(
    texts: &StringArray,
    key: impl Fn(usize) -> K,
) -> Option<(Vec<&str>, Vec<u16>)> {
    let mut seen: HashMap<K, u16, RandomState> = HashMap::default();
    let mut distinct = Vec::new();
    let mut ids = Vec::with_capacity(texts.len());
    // Rows that lie together are often alike, so the row before is the best guess.
    let mut last = None;
    for row in 0..texts.len() {
        if texts.is_null(row) {
            ids.push(NULL_CODE);
            continue;
        }
        let key = key(row);
        let id = match last {
            Some((before, id)) if before == key => id,
            _ => *seen.entry(key).or_insert_with(|| {
                distinct.push(texts.value(row));
                // Checked below, before the next row is looked at.
                u16::try_from(distinct.len() - 1).unwrap_or(NULL_CODE)
            }),
        };
        if distinct.len() > TEXTS_MAX {
            return None;
        }
        last = Some((key, id));
        ids.push(id);
    }
    Some((distinct, ids))
}

/// Bytes that are copied at once: a copy of a fixed length needs no loop, and most texts that
/// repeat are shorter.
const BLOCK_BYTES: usize = 16;

/// A dictionary that is only read.
#[derive(Debug, Default)]
pub(super) struct ClosedDictionary {
    /// By code: the text's length and, where it fits, the text with zeros behind it.
    entries: Vec<(usize, [u8; BLOCK_BYTES])>,
    /// Texts that do not fit a block, by code.
    long: HashMap<u16, Box<str>, RandomState>,
}

impl ClosedDictionary {
    fn of(texts: &Texts) -> Self {
        let mut closed = Self::default();
        let mut start = 0;
        for (code, end) in (0_u16..).zip(&texts.ends) {
            let text = &texts.bytes[start..*end];
            let mut block = [0; BLOCK_BYTES];
            match block.get_mut(..text.len()) {
                Some(fitting) => fitting.copy_from_slice(text.as_bytes()),
                None => {
                    closed.long.insert(code, text.into());
                }
            }
            closed.entries.push((text.len(), block));
            start = *end;
        }
        closed
    }

    /// The length of a code's text; 0 for null, and for a code that was never given.
    pub(super) fn length(&self, code: u16) -> usize {
        self.entries.get(usize::from(code)).map_or(0, |entry| entry.0)
    }

    /// Writes a code's text at a place of `into` and returns the place behind it. `into` has
    /// room for [`Self::SPARE_BYTES`] more than all texts that are written into it.
    pub(super) fn write(&self, code: u16, into: &mut [u8], at: usize) -> usize {
        let Some((length, block)) = self.entries.get(usize::from(code)) else { return at };
        if *length <= BLOCK_BYTES {
            into[at..at + BLOCK_BYTES].copy_from_slice(block);
        } else if let Some(text) = self.long.get(&code) {
            into[at..at + length].copy_from_slice(text.as_bytes());
        }
        at + length
    }

    /// Bytes that a write may touch behind the last text.
    pub(super) const SPARE_BYTES: usize = BLOCK_BYTES;
}
