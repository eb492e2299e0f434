//! Texts as numbers: what is compared, hashed and found equal in one step instead of by bytes.
//!
//! Owns two such numbers: the head, of any text, and the key, of a text of at most fifteen
//! bytes. Never copies a text; knows nothing of nulls, under which it reads what stands there.

use arrow::array::StringArray;

/// Bytes of a head.
const HEAD_BYTES: usize = 16;

/// The longest text that has a key: behind it stands its length.
const KEY_TEXT_BYTES_MAX: usize = HEAD_BYTES - 1;

/// The texts of a column.
#[derive(Debug, Clone, Copy)]
pub struct TextHeads<'a> {
    texts: &'a StringArray,
    bytes: &'a [u8],
    /// Where each begins, and where the last ends.
    offsets: &'a [i32],
}

/// A text that is compared by its head, and by all of it where heads are alike.
#[derive(Debug, Clone, Copy)]
pub struct Headed<'a> {
    head: u128,
    length: usize,
    row: usize,
    of: TextHeads<'a>,
}

impl<'a> TextHeads<'a> {
    /// Of this array, which may be a slice of another.
    #[must_use]
    pub fn of(texts: &'a StringArray) -> Self {
        Self { texts, bytes: texts.value_data(), offsets: texts.value_offsets() }
    }

    /// The first sixteen bytes, zeros behind a shorter text, and the text's length. Texts whose
    /// heads differ are ordered as their heads.
    fn head(&self, row: usize) -> (u128, usize) {
        // Offsets are not negative.
        let (start, end) = (self.offsets[row] as usize, self.offsets[row + 1] as usize);
        let length = end - start;
        let behind = &self.bytes[start..];
        let head = behind.first_chunk().map_or_else(
            || {
                let mut padded = [0; HEAD_BYTES];
                padded[..behind.len()].copy_from_slice(behind);
                u128::from_be_bytes(padded)
            },
            |chunk| u128::from_be_bytes(*chunk),
        );
        let others = u128::MAX.checked_shr(8 * length.min(HEAD_BYTES) as u32).unwrap_or(0);
        (head & !others, length)
    }

    /// The text of a row, ready to be compared.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn headed(self, row: usize) -> Headed<'a> {
        let (head, length) = self.head(row);
        Headed { head, length, row, of: self }
    }

    /// Whether every text has a key.
    #[must_use]
    pub fn have_keys(&self) -> bool {
        let longest = self.offsets.windows(2).map(|pair| pair[1] - pair[0]).max();
        longest.is_none_or(|bytes| bytes as usize <= KEY_TEXT_BYTES_MAX)
    }

    /// The text as a number; keys compare as the texts do. Only where [`Self::have_keys`].
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn key(&self, row: usize) -> u128 {
        let (head, length) = self.head(row);
        head | length as u128
    }
}

/// Calls with the text of a key.
pub fn with_text_of<T>(key: u128, with: impl FnOnce(&str) -> T) -> T {
    let bytes = key.to_be_bytes();
    let length = usize::from(bytes[KEY_TEXT_BYTES_MAX]).min(KEY_TEXT_BYTES_MAX);
    // It was made of a text.
    with(std::str::from_utf8(&bytes[..length]).unwrap_or_default())
}

impl<'a> Headed<'a> {
    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.of.texts.value(self.row)
    }

    /// Whether the text is less than another one of the same column.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        if self.head != other.head {
            return self.head < other.head;
        }
        if self.length.max(other.length) <= HEAD_BYTES {
            return self.length < other.length;
        }
        self.text() < other.text()
    }
}

#[cfg(test)]
#[path = "short_texts_tests.rs"]
mod tests;
