//! Texts that repeat, as two-byte codes while their rows are on the way to a segment.
//!
//! Owns one dictionary a text column, shared by all threads that decode. A column with more
//! texts than a code can tell is given up: its later rows travel as texts, its earlier ones
//! keep their codes, and both stand for the same rows. Never decides the order of rows: codes
//! are given in the order of first sight, which is not the same in every load.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use arrow::array::{Array, StringArray, UInt16Array};
use foldhash::fast::RandomState;

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
        let (distinct, mut ids) = in_order_of_sight(texts)?;
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
        ClosedDictionary { bytes: texts.bytes, ends: texts.ends }
    }
}

/// The distinct texts as they come, and for each row the place of its text among them.
fn in_order_of_sight(texts: &StringArray) -> Option<(Vec<&str>, Vec<u16>)> {
    let mut seen: HashMap<&str, u16, RandomState> = HashMap::default();
    let mut distinct = Vec::new();
    let mut ids = Vec::with_capacity(texts.len());
    // Rows that lie together are often alike, so the row before is the best guess.
    let mut last = None;
    for row in 0..texts.len() {
        if texts.is_null(row) {
            ids.push(NULL_CODE);
            continue;
        }
        let text = texts.value(row);
        let id = match last {
            Some((before, id)) if before == text => id,
            _ => *seen.entry(text).or_insert_with(|| {
                distinct.push(text);
                // Checked below, before the next row is looked at.
                u16::try_from(distinct.len() - 1).unwrap_or(NULL_CODE)
            }),
        };
        if distinct.len() > TEXTS_MAX {
            return None;
        }
        last = Some((text, id));
        ids.push(id);
    }
    Some((distinct, ids))
}

/// A dictionary that is only read.
#[derive(Debug, Default)]
pub(super) struct ClosedDictionary {
    bytes: String,
    ends: Vec<usize>,
}

impl ClosedDictionary {
    /// The text of a code; the empty text for null, and for a code that was never given.
    pub(super) fn text(&self, code: u16) -> &str {
        let at = usize::from(code);
        let Some(end) = self.ends.get(at) else { return "" };
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..*end]
    }
}
