//! An opened ngram index: nothing decoded but the nulls; a probe reads the pairs that a
//! pattern demands where they lie.

use bytes::Bytes;
use martlet_core::{ColumnType, Comparison, LikePart, LikePattern, Selection, Truth, Value};

use super::flags::Flags;
use super::format::{self, Parts, Postings, StoredPair, Told};
use super::{MARK, number, postings};
use crate::error::IndexError;
use crate::kind::Reader;
use crate::logic::Leaf;

/// A pair is asked only if it has no more rows than so many times those that are left: to test
/// the texts of these costs less than to read it.
const PAIR_ROWS_PER_ROW_LEFT: u32 = 32;

/// The same once pairs did not exclude a row, so many of them one after the other: those that
/// are left belong to one word, which has the more frequent pairs too.
const PAIR_ROWS_PER_ROW_OF_A_WORD: u32 = 2;
const PAIRS_OF_A_WORD: u32 = 2;

/// Which rows hold a pair of characters.
#[derive(Debug, Clone)]
pub struct NgramIndex {
    parts: Parts,
    nulls: Selection,
}

/// What a pair, or a join of pairs, says of the rows.
enum Found {
    /// These.
    Rows(Flags),
    /// Any of them, as far as is known.
    Many,
}

impl NgramIndex {
    pub(crate) fn open(bytes: &Bytes, rows: u32) -> Result<Self, IndexError> {
        let (parts, nulls) = format::read(bytes)?;
        if parts.rows != rows {
            return Err(IndexError::damaged("it covers another number of rows"));
        }
        Ok(Self { parts, nulls: Selection::from_bitmap(rows, nulls) })
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
        let mut holds = Selection::none(self.parts.rows);
        for value in values {
            let Value::Text(text) = value else { continue };
            let whole = LikePart { text: text.to_string(), begins: true, ends: true };
            holds = holds.or(&self.truth(&[sequence(&whole)], false)?.holds);
        }
        if holds.is_none() {
            return Ok(Truth::exact_but(holds, self.nulls.clone()));
        }
        Ok(Truth::bound_but(holds, self.nulls.clone()))
    }

    /// Where the texts have all these sequences; `is_decided` where that is all that counts.
    fn truth(&self, sequences: &[Vec<u32>], is_decided: bool) -> Result<Truth, IndexError> {
        let (found, is_complete) = self.rows_of(sequences)?;
        let holds = match found {
            Found::Many => self.nulls.complement(),
            Found::Rows(rows) => rows.selection(self.parts.rows),
        };
        if (is_decided && is_complete) || holds.is_none() {
            return Ok(Truth::exact_but(holds, self.nulls.clone()));
        }
        Ok(Truth::bound_but(holds, self.nulls.clone()))
    }

    /// The rows that have every pair of the sequences, and whether every pair was asked and
    /// told its rows.
    fn rows_of(&self, sequences: &[Vec<u32>]) -> Result<(Found, bool), IndexError> {
        let mut pairs = Vec::new();
        for ends in sequences.iter().flat_map(|sequence| sequence.windows(2)) {
            match self.pair(ends[0], ends[1])? {
                Some(pair) => pairs.push(pair),
                None => return Ok((Found::Rows(Flags::new(self.parts.rows)), true)),
            }
        }
        let (mut found, mut is_complete) = self.intersection(&pairs)?;
        for character in sequences.iter().filter(|sequence| sequence.len() == 1) {
            match self.rows_with(character[0])? {
                Found::Many => is_complete = false,
                Found::Rows(rows) => found = found.within(rows),
            }
        }
        Ok((found, is_complete))
    }

    /// The rows that have all the pairs, the rarest asked first, and whether all were asked and
    /// told their rows.
    fn intersection(&self, pairs: &[StoredPair<'_>]) -> Result<(Found, bool), IndexError> {
        let (mut having, mut lacking, mut is_complete) = (Vec::new(), Vec::new(), true);
        for pair in pairs {
            match pair.told {
                Told::Having(rows) => having.push(rows),
                Told::Lacking(rows) => lacking.push(rows),
                Told::Nothing => is_complete = false,
            }
        }
        having.sort_unstable_by_key(|rows| rows.count);
        // The one that excludes most first.
        lacking.sort_unstable_by_key(|rows| std::cmp::Reverse(rows.count));
        let (mut left, having) = match having.split_first() {
            Some((rarest, others)) => (self.flags(*rarest)?, others),
            None if lacking.is_empty() => return Ok((Found::Many, is_complete)),
            None => (self.present_flags(), &having[..]),
        };
        let mut idle = 0;
        for pair in having {
            if is_dear(*pair, &left, idle) {
                return Ok((Found::Rows(left), false));
            }
            let mut rows = Flags::new(self.parts.rows);
            self.read(*pair, |row| rows.set_where(row, &left))?;
            idle = if rows.count == left.count { idle + 1 } else { 0 };
            left = rows;
        }
        for pair in lacking {
            if is_dear(pair, &left, idle) {
                return Ok((Found::Rows(left), false));
            }
            self.read(pair, |row| left.unset(row))?;
        }
        Ok((Found::Rows(left), is_complete))
    }

    fn read(&self, rows: Postings<'_>, with: impl FnMut(u32)) -> Result<(), IndexError> {
        postings::read(rows.bytes, rows.count, self.parts.rows, with)
    }

    fn flags(&self, rows: Postings<'_>) -> Result<Flags, IndexError> {
        let mut flags = Flags::new(self.parts.rows);
        self.read(rows, |row| flags.set(row))?;
        Ok(flags)
    }

    fn present_flags(&self) -> Flags {
        Flags::all_but(self.parts.rows, &self.nulls)
    }

    fn pair(&self, first: u32, second: u32) -> Result<Option<StoredPair<'_>>, IndexError> {
        let group = self.parts.group(first)?;
        let position = group.binary_search_by_key(&second, |pair| pair.second);
        Ok(position.ok().map(|position| group[position]))
    }

    /// The rows that have a character: those of all pairs that begin with it.
    fn rows_with(&self, character: u32) -> Result<Found, IndexError> {
        let group = self.parts.group(character)?;
        if group.iter().any(|pair| matches!(pair.told, Told::Nothing)) {
            return Ok(Found::Many);
        }
        let mut rows = Flags::new(self.parts.rows);
        for pair in group {
            match pair.told {
                Told::Having(having) => self.read(having, |row| rows.set(row))?,
                Told::Lacking(lacking) => {
                    let mut having = self.present_flags();
                    self.read(lacking, |row| having.unset(row))?;
                    rows.add(&having);
                }
                Told::Nothing => {}
            }
        }
        Ok(Found::Rows(rows))
    }
}

/// Whether to read a pair costs more than to test the texts of the rows that are left; `idle`
/// pairs before it excluded none.
const fn is_dear(pair: Postings<'_>, left: &Flags, idle: u32) -> bool {
    let is_word = idle >= PAIRS_OF_A_WORD;
    let ratio = if is_word { PAIR_ROWS_PER_ROW_OF_A_WORD } else { PAIR_ROWS_PER_ROW_LEFT };
    pair.count / ratio > left.count
}

/// A part's characters, with the marks where a text has to begin or end.
fn sequence(part: &LikePart) -> Vec<u32> {
    let mark = |is_there: bool| is_there.then_some(MARK);
    let characters = part.text.chars().map(number);
    mark(part.begins).into_iter().chain(characters).chain(mark(part.ends)).collect()
}

impl Found {
    /// The rows that are in both.
    fn within(self, mut rows: Flags) -> Self {
        if let Self::Rows(other) = self {
            rows.retain(&other);
        }
        Self::Rows(rows)
    }
}

impl Reader for NgramIndex {
    fn rows(&self) -> u32 {
        self.parts.rows
    }

    fn nulls(&self) -> Selection {
        self.nulls.clone()
    }

    fn null_count(&self) -> u32 {
        // Checked to be below the rows, a u32.
        self.nulls.count() as u32
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
            Leaf::Compare(..) | Leaf::Part(..) | Leaf::Between(..) => None,
        }
    }

    fn memory_bytes(&self) -> usize {
        self.nulls.memory_bytes()
    }
}
