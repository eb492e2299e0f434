//! O1: no hidden byte in anything that left, in whatever spelling.

use memchr::memmem::Finder;

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
    /// What of the hidden stands in these bytes, if anything does.
    #[must_use]
    pub fn found(&self, bytes: &[u8], canaries: &Canaries) -> Option<String> {
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
        if self.number.find(bytes).is_some() {
            return Some("the bytes of a hidden number".into());
        }
        digits(bytes, canaries).map(|digits| format!("a raw value: {digits}"))
    }
}

/// A raw value of digits among the runs of digits.
fn digits(bytes: &[u8], canaries: &Canaries) -> Option<String> {
    let known = canaries.all_digits();
    bytes.split(|byte| !byte.is_ascii_digit()).filter(|run| run.len() >= DIGITS_MIN).find_map(
        |run| {
            (DIGITS_MIN..=DIGITS_MAX.min(run.len())).find_map(|length| {
                let hit = run.windows(length).find(|window| known.contains(*window))?;
                Some(String::from_utf8_lossy(hit).into_owned())
            })
        },
    )
}
