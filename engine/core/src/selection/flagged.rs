//! Rows as one bit each: how a condition answered word by word comes out. What only counts the
//! rows, or walks over them block by block, never makes a bitmap of them.

use std::sync::OnceLock;

use roaring::RoaringBitmap;

/// Rows of a word.
const WORD_ROWS: usize = u64::BITS as usize;

/// Rows of a container of a bitmap, in words.
const CONTAINER_WORDS: usize = (1 << 16) / WORD_ROWS;

/// One bit per row, the lowest first; none behind the last row.
#[derive(Debug, Clone)]
pub(super) struct Flagged {
    words: Vec<u64>,
    count: u64,
    bitmap: OnceLock<RoaringBitmap>,
}

impl Flagged {
    /// Takes the bits of so many rows; those behind them are dropped.
    pub(super) fn new(mut words: Vec<u64>, rows: u32) -> Self {
        let whole = rows as usize / WORD_ROWS;
        words.truncate((rows as usize).div_ceil(WORD_ROWS));
        if let Some(last) = words.get_mut(whole) {
            *last &= (1 << (rows as usize % WORD_ROWS)) - 1;
        }
        let count = words.iter().map(|word| u64::from(word.count_ones())).sum();
        Self { words, count, bitmap: OnceLock::new() }
    }

    /// The same, with a bit for each of so many rows.
    pub(super) fn whole(mut self, rows: u32) -> Self {
        self.words.resize((rows as usize).div_ceil(WORD_ROWS), 0);
        self
    }

    /// The rows as a bitmap, where they are few.
    pub(super) fn few(self) -> RoaringBitmap {
        // Rows of a segment are numbered in 32 bits.
        let words = (0_u32..).step_by(WORD_ROWS).zip(self.words);
        let rows = words.filter(|(_, word)| *word != 0).flat_map(|(first, mut rest)| {
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(first + bit)
            })
        });
        let mut bitmap = RoaringBitmap::new();
        // Ascending, which is all that can be wrong.
        let _ = bitmap.append(rows);
        bitmap
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let bitmap = self.bitmap.get().map_or(0, RoaringBitmap::serialized_size);
        size_of_val(self.words.as_slice()) + bitmap
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn contains(&self, row: u32) -> bool {
        let word = self.words.get(row as usize / WORD_ROWS);
        word.is_some_and(|word| word >> (row as usize % WORD_ROWS) & 1 == 1)
    }

    /// The same rows as a bitmap, made when it is first asked for.
    pub(super) fn bitmap(&self) -> &RoaringBitmap {
        self.bitmap.get_or_init(|| bitmap(&self.words))
    }
}

fn bitmap(words: &[u64]) -> RoaringBitmap {
    let mut rows = RoaringBitmap::new();
    let mut bytes = [0; CONTAINER_WORDS * size_of::<u64>()];
    for (container, words) in words.chunks(CONTAINER_WORDS).enumerate() {
        let used = size_of_val(words);
        for (bytes, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        // Rows of a segment are numbered in 32 bits.
        let first = (container * CONTAINER_WORDS * WORD_ROWS) as u32;
        if words.iter().any(|word| *word != 0) {
            rows |= RoaringBitmap::from_lsb0_bytes(first, &bytes[..used]);
        }
    }
    rows
}
