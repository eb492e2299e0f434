//! Texts to the rows of each pair: one pass over the rows, each pair's gaps appended as they
//! come, then written in the order of the pairs.

use std::collections::HashMap;

use arrow::array::StringArray;
use foldhash::fast::RandomState;
use martlet_core::ColumnType;
use roaring::RoaringBitmap;

use super::format::{self, Group, Pair};
use super::{MARK, number, postings};
use crate::values::{ColumnKeys, Keys};

/// The section of a column of texts; `None` for any other.
pub(crate) fn build(column_type: ColumnType, column: &ColumnKeys<'_>) -> Option<Vec<u8>> {
    let (ColumnType::Text, Keys::Text(texts)) = (column_type, &column.keys) else {
        return None;
    };
    let mut nulls = RoaringBitmap::new();
    let mut pairs = Pairs::new();
    for row in 0..column.rows() {
        // Rows are at most 2^20.
        if column.is_null(row) {
            nulls.insert(row as u32);
        } else {
            pairs.add_text(row as u32, texts, row);
        }
    }
    nulls.optimize();
    let rows = u32::try_from(column.rows()).unwrap_or(u32::MAX);
    Some(format::write(rows, &pairs.groups(rows, &nulls), &nulls))
}

/// The pairs seen so far.
struct Pairs {
    ids: HashMap<u64, u32, RandomState>,
    /// The ids of pairs of ASCII characters and marks: [`UNSEEN`] or the id.
    ascii: Vec<u32>,
    seen: Vec<Seen>,
}

/// One pair's rows.
struct Seen {
    first: u32,
    second: u32,
    /// One more than the last row.
    next: u32,
    count: u32,
    /// LEB128.
    gaps: Vec<u8>,
}

const UNSEEN: u32 = u32::MAX;

/// Characters of ASCII and the mark.
const ASCII: u32 = 129;

impl Pairs {
    fn new() -> Self {
        Self {
            ids: HashMap::default(),
            ascii: vec![UNSEEN; (ASCII * ASCII) as usize],
            seen: Vec::new(),
        }
    }

    fn add_text(&mut self, row: u32, texts: &StringArray, at: usize) {
        let mut first = MARK;
        for second in texts.value(at).chars().map(number).chain(std::iter::once(MARK)) {
            let id = self.id(first, second);
            self.seen[id as usize].add(row);
            first = second;
        }
    }

    fn id(&mut self, first: u32, second: u32) -> u32 {
        let seen = &mut self.seen;
        let mut new = || {
            seen.push(Seen { first, second, next: 0, count: 0, gaps: Vec::new() });
            // Pairs are fewer than the bytes of a segment's text, which Arrow bounds.
            seen.len() as u32 - 1
        };
        if first < ASCII && second < ASCII {
            let id = &mut self.ascii[(first * ASCII + second) as usize];
            if *id == UNSEEN {
                *id = new();
            }
            return *id;
        }
        *self.ids.entry(u64::from(first) << 32 | u64::from(second)).or_insert_with(new)
    }

    /// The pairs by first and then second character, with their rows as they are stored.
    fn groups(mut self, rows: u32, nulls: &RoaringBitmap) -> Vec<Group> {
        self.seen.sort_unstable_by_key(|seen| (seen.first, seen.second));
        let mut groups: Vec<Group> = Vec::new();
        let mut gaps = Vec::new();
        for seen in self.seen {
            let pair = if seen.count > rows / 2 {
                seen.stored_by_others(rows, nulls, &mut gaps)
            } else {
                seen.stored(&mut gaps)
            };
            match groups.last_mut() {
                Some(group) if group.first == seen.first => group.pairs.push(pair),
                _ => groups.push(Group { first: seen.first, pairs: vec![pair] }),
            }
        }
        groups
    }
}

impl Seen {
    fn add(&mut self, row: u32) {
        // A pair that the text has twice.
        if self.next > row {
            return;
        }
        self.count += 1;
        postings::push_number(row - self.next, &mut self.gaps);
        self.next = row + 1;
    }

    fn stored(&self, gaps: &mut Vec<u32>) -> Pair {
        let mut bytes = Vec::new();
        gaps.clear();
        gaps.extend(self.gaps());
        postings::write(gaps, &mut bytes);
        Pair { second: self.second, count: self.count, bytes }
    }

    /// By the rows that have a text without the pair.
    fn stored_by_others(&self, rows: u32, nulls: &RoaringBitmap, gaps: &mut Vec<u32>) -> Pair {
        let mut having = nulls.clone();
        having.extend(self.gaps().scan(0, |next, gap| {
            let row = *next + gap;
            *next = row + 1;
            Some(row)
        }));
        gaps.clear();
        let mut next = 0;
        for row in (0..rows).filter(|row| !having.contains(*row)) {
            gaps.push(row - next);
            next = row + 1;
        }
        let mut bytes = Vec::new();
        // At most the rows of a segment.
        postings::push_number(gaps.len() as u32, &mut bytes);
        postings::write(gaps, &mut bytes);
        Pair { second: self.second, count: 0, bytes }
    }

    fn gaps(&self) -> impl Iterator<Item = u32> {
        let mut left = &self.gaps[..];
        std::iter::from_fn(move || postings::take_number(&mut left))
    }
}
