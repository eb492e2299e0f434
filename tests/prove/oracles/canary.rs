//! O1: no hidden byte in anything that left, in whatever spelling.

use arrow::array::{Array, ArrayData, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use memchr::memmem::{self, Finder};

use crate::doors::{Answer, Outcome};
use crate::worlds::canaries::{Canaries, DIGITS_MAX, DIGITS_MIN, MARK, NUMBER_MARK};

/// Looks for everything that must not leave.
#[derive(Debug)]
pub struct Watch {
    /// Spellings in lower case, and what they are called.
    texts: Vec<(Finder<'static>, &'static str)>,
    number: Finder<'static>,
}

impl Default for Watch {
    fn default() -> Self {
        let mark = MARK.to_lowercase();
        let backwards: String = mark.chars().rev().collect();
        let wide: Vec<u8> = mark.encode_utf16().flat_map(u16::to_le_bytes).collect();
        // Without its first letter, whose case is not always kept.
        let hex: String = mark[1..].bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut texts = vec![
            (finder(mark.as_bytes()), "as it is"),
            (finder(backwards.as_bytes()), "backwards"),
            (finder(&wide), "as UTF-16"),
            (finder(hex.as_bytes()), "as hexadecimal digits"),
        ];
        texts.extend(in_base64(MARK.as_bytes()).into_iter().map(|spelt| (spelt, "as base64")));
        Self { texts, number: finder(&NUMBER_MARK.to_le_bytes()) }
    }
}

fn finder(needle: &[u8]) -> Finder<'static> {
    Finder::new(needle).into_owned()
}

/// Base64 of a text that begins at any of three places, without the characters that also hold
/// what stands before or behind it.
fn in_base64(text: &[u8]) -> Vec<Finder<'static>> {
    use base64::Engine as _;
    let spelt = |before: usize| {
        let padded = [&vec![0; before], text].concat();
        let whole = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&padded);
        let first = (before * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        // Compared in lower case, as everything else is.
        finder(whole[first..last].to_lowercase().as_bytes())
    };
    (0..3).map(spelt).collect()
}

impl Watch {
    /// What of the hidden stands in an answer, if anything does.
    ///
    /// Arrays hold their texts without anything between them, so that a raw value of digits may come
    /// about of two neighbours: each text is looked at on its own, and then all that is beside them.
    #[must_use]
    pub fn found_in(&self, answer: &Answer, canaries: &Canaries) -> Option<String> {
        answer.left.iter().find(|bytes| self.found(bytes, canaries).is_some())?;
        let texts = texts_of(answer);
        let of_one = || {
            let mut values = texts.iter().flat_map(|texts| texts.iter().flatten());
            values.find_map(|value| digits(value.as_bytes(), canaries))
        };
        let beside = |bytes: &Vec<u8>| {
            self.marked(bytes).or_else(|| digits(&without(bytes, &texts), canaries))
        };
        of_one().or_else(|| answer.left.iter().find_map(beside))
    }

    /// What of the hidden stands in these bytes, if anything does.
    #[must_use]
    pub fn found(&self, bytes: &[u8], canaries: &Canaries) -> Option<String> {
        self.marked(bytes).or_else(|| digits(bytes, canaries))
    }

    /// What can be told by its mark.
    fn marked(&self, bytes: &[u8]) -> Option<String> {
        let lower = bytes.to_ascii_lowercase();
        for (text, spelling) in &self.texts {
            if let Some(at) = text.find(&lower) {
                let around = &bytes[at..bytes.len().min(at + 40)];
                return Some(format!(
                    "a hidden text {spelling}: {}",
                    String::from_utf8_lossy(around)
                ));
            }
        }
        self.number.find(bytes).map(|_| "the bytes of a hidden number".into())
    }
}

/// The arrays of texts that an answer has, wherever they stand in it.
fn texts_of(answer: &Answer) -> Vec<StringArray> {
    let Outcome::Rows { batches, .. } = &answer.told else { return Vec::new() };
    let columns = batches.iter().flat_map(RecordBatch::columns);
    columns.flat_map(|column| texts_within(&column.to_data())).collect()
}

fn texts_within(data: &ArrayData) -> Vec<StringArray> {
    if *data.data_type() == DataType::Utf8 {
        return vec![StringArray::from(data.clone())];
    }
    data.child_data().iter().flat_map(texts_within).collect()
}

/// The bytes, zeros where they are those of one of the arrays.
fn without(bytes: &[u8], texts: &[StringArray]) -> Vec<u8> {
    let mut rest = bytes.to_vec();
    for texts in texts {
        let (first, last) = (texts.offsets()[0], texts.offsets()[texts.len()]);
        let of = |offset: i32| usize::try_from(offset).unwrap_or_default();
        let joined = &texts.value_data()[of(first)..of(last)];
        if joined.len() < DIGITS_MIN {
            continue;
        }
        for at in memmem::find_iter(bytes, joined) {
            rest[at..at + joined.len()].fill(0);
        }
    }
    rest
}

/// A raw value of digits among the runs of digits, and the run that it stands in.
fn digits(bytes: &[u8], canaries: &Canaries) -> Option<String> {
    let known = canaries.all_digits();
    let mut runs = bytes
        .split(|byte| !byte.is_ascii_digit())
        .filter(|run| (DIGITS_MIN..).contains(&run.len()));
    runs.find_map(|run| {
        let hit = (DIGITS_MIN..=DIGITS_MAX.min(run.len()))
            .find_map(|length| run.windows(length).find(|window| known.contains(*window)))?;
        let text = |digits| String::from_utf8_lossy(digits).into_owned();
        let at = run.as_ptr().addr() - bytes.as_ptr().addr();
        let around = &bytes[at.saturating_sub(40)..bytes.len().min(at + run.len() + 40)];
        Some(format!("{} in {}", text(hit), text(around).escape_debug()))
    })
}
