//! An opened ngram index: nothing decoded but the nulls; a probe reads the pairs that a
//! pattern demands where they lie.

use bytes::Bytes;
use martlet_core::{ColumnType, Comparison, LikePart, LikePattern, Selection, Truth, Value};
use roaring::RoaringBitmap;

use super::format::{self, Parts, StoredPair};
use super::{MARK, number, postings};
use crate::error::IndexError;
use crate::kind::Reader;
use crate::logic::Leaf;

/// Once so few rows are left, further pairs are not asked: reading the rows costs less.
const FEW_ROWS: usize = 16;

/// Which rows hold a pair of characters.
#[derive(Debug, Clone)]
pub struct NgramIndex {
    parts: Parts,
}

/// What a pair, or a join of pairs, says of the rows.
enum Found {
    /// These, ascending.
    Rows(Vec<u32>),
    /// Any of them, as far as is known.
    Many,
}

impl NgramIndex {
    pub(crate) fn open(bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        let parts = format::read(bytes)?;
        if parts.rows != rows {
            return Err(IndexError::damaged("it covers another number of rows"));
        }
        Ok(Self { parts })
    }

    /// Where a pattern holds and fails: exact where one pair or one character decides it, or
    /// where nothing holds.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] if the rows of a pair are not what was written.
    pub fn like(&self, pattern: &LikePattern) -> Result<Truth, IndexError> {
        let parts = pattern.required_parts();
        let sequences: Vec<Vec<u32>> = parts.iter().map(sequence).collect();
        let is_decided =
            pattern.is_decided_by_parts() && sequences.iter().all(|sequence| sequence.len() <= 2);
        self.truth(&sequences, is_decided)
    }

    /// Where the text may be one of these, and where it may be another.
    fn truth_of_values<'a>(
        &self,
        values: impl Iterator<Item = &'a Value>,
    ) -> Result<Truth, IndexError> {
        let mut answer = Truth::exact(Selection::none(self.parts.rows), self.present());
        for value in values {
            let Value::Text(text) = value else { continue };
            let whole = LikePart { text: text.to_string(), begins: true, ends: true };
            let holds = self.truth(&[sequence(&whole)], false)?;
            if !holds.holds.is_none() {
                answer.exact = false;
            }
            answer.holds = answer.holds.or(&holds.holds);
        }
        Ok(answer)
    }

    /// Where the texts have all these sequences; `is_decided` where that is all that counts.
    fn truth(&self, sequences: &[Vec<u32>], is_decided: bool) -> Result<Truth, IndexError> {
        let present = self.present();
        let (found, is_complete) = self.rows_of(sequences)?;
        let holds = match found {
            Found::Many => present.clone(),
            Found::Rows(rows) => self.selection(rows),
        };
        if (is_decided && is_complete) || holds.is_none() {
            return Ok(Truth::exact_but(holds, Reader::nulls(self)));
        }
        Ok(Truth::bounds(holds, present))
    }

    fn selection(&self, rows: Vec<u32>) -> Selection {
        // Ascending, or the rest is left out and the section not what was written.
        let bitmap = rows.into_iter().collect::<RoaringBitmap>();
        Selection::from_bitmap(self.parts.rows, bitmap)
    }

    fn present(&self) -> Selection {
        Reader::nulls(self).complement()
    }

    /// The rows that have every pair of the sequences, and whether every pair was asked and
    /// told its rows.
    fn rows_of(&self, sequences: &[Vec<u32>]) -> Result<(Found, bool), IndexError> {
        let mut pairs = Vec::new();
        for ends in sequences.iter().flat_map(|sequence| sequence.windows(2)) {
            match self.pair(ends[0], ends[1])? {
                Some(pair) => pairs.push(pair),
                None => return Ok((Found::Rows(Vec::new()), true)),
            }
        }
        let is_complete = pairs.iter().all(|pair| pair.count > 0);
        pairs.retain(|pair| pair.count > 0);
        let (mut found, asked_all) = self.intersection(pairs)?;
        let mut is_complete = is_complete && asked_all;
        for character in sequences.iter().filter(|sequence| sequence.len() == 1) {
            match self.rows_with(character[0])? {
                Found::Many => is_complete = false,
                Found::Rows(rows) => found = within(found, rows),
            }
        }
        Ok((found, is_complete))
    }

    /// The rows that have all the pairs, the rarest asked first, and whether all were asked.
    fn intersection(&self, mut pairs: Vec<StoredPair<'_>>) -> Result<(Found, bool), IndexError> {
        pairs.sort_unstable_by_key(|pair| (pair.count, pair.second));
        let mut found = Found::Many;
        let mut decoded = Vec::new();
        for pair in pairs {
            if matches!(&found, Found::Rows(rows) if rows.len() <= FEW_ROWS) {
                return Ok((found, false));
            }
            decoded.clear();
            postings::read(pair.bytes, pair.count, self.parts.rows, |row| decoded.push(row))?;
            found = within(found, std::mem::take(&mut decoded));
        }
        Ok((found, true))
    }

    fn pair(&self, first: u32, second: u32) -> Result<Option<StoredPair<'_>>, IndexError> {
        let group = self.parts.group(first)?;
        let position = group.binary_search_by_key(&second, |pair| pair.second);
        Ok(position.ok().map(|position| group[position]))
    }

    /// The rows that have a character: those of all pairs that begin with it.
    fn rows_with(&self, character: u32) -> Result<Found, IndexError> {
        let group = self.parts.group(character)?;
        if group.iter().any(|pair| pair.count == 0) {
            return Ok(Found::Many);
        }
        let mut flags = vec![0_u64; (self.parts.rows as usize).div_ceil(64)];
        for pair in group {
            postings::read(pair.bytes, pair.count, self.parts.rows, |row| {
                flags[row as usize / 64] |= 1 << (row % 64);
            })?;
        }
        Ok(Found::Rows(set_bits(&flags)))
    }
}

/// A part's characters, with the marks where a text has to begin or end.
fn sequence(part: &LikePart) -> Vec<u32> {
    let mark = |is_there: bool| is_there.then_some(MARK);
    let characters = part.text.chars().map(number);
    mark(part.begins).into_iter().chain(characters).chain(mark(part.ends)).collect()
}

/// The rows in both; both ascend.
fn within(found: Found, mut rows: Vec<u32>) -> Found {
    if let Found::Rows(other) = found {
        let mut others = other.into_iter().peekable();
        rows.retain(|row| {
            while others.next_if(|other| other < row).is_some() {}
            others.peek() == Some(row)
        });
    }
    Found::Rows(rows)
}

fn set_bits(flags: &[u64]) -> Vec<u32> {
    let mut rows = Vec::new();
    for (start, word) in (0_u32..).step_by(64).zip(flags) {
        let mut word = *word;
        while word != 0 {
            rows.push(start + word.trailing_zeros());
            word &= word - 1;
        }
    }
    rows
}

impl Reader for NgramIndex {
    fn rows(&self) -> u32 {
        self.parts.rows
    }

    fn nulls(&self) -> Selection {
        Selection::from_bitmap(self.parts.rows, self.parts.nulls.clone())
    }

    fn null_count(&self) -> u32 {
        // Checked to be below the rows, a u32.
        self.parts.nulls.len() as u32
    }

    fn dictionary(&self) -> &[Value] {
        &[]
    }

    fn distinct(&self) -> Option<u32> {
        None
    }

    fn fits(&self, column_type: ColumnType) -> bool {
        column_type == ColumnType::Text
    }

    fn truth(&self, leaf: &Leaf<'_>) -> Option<Result<Truth, IndexError>> {
        match leaf {
            Leaf::Like(pattern) => Some(self.like(pattern)),
            Leaf::Compare(Comparison::Equal, value) => {
                Some(self.truth_of_values(std::iter::once(value)))
            }
            Leaf::In(values) => Some(self.truth_of_values(values.iter())),
            Leaf::IsNull => {
                let nulls = Reader::nulls(self);
                Some(Ok(Truth::exact_but(nulls, Selection::none(self.parts.rows))))
            }
            Leaf::Compare(..) | Leaf::Part(..) => None,
        }
    }

    fn memory_bytes(&self) -> usize {
        self.parts.nulls.serialized_size()
    }
}
