//! The strings that the codes of a column stand for, and texts to codes and back.
//!
//! A code is a byte; the highest is an escape, behind which a byte stands for itself. Decoding
//! never fails: codes without a string, which only damaged bytes have, stand for nothing.

/// Strings there can be; the code that is left is the escape.
pub(super) const SYMBOLS_MAX: usize = 255;

/// Bytes a string has at most.
pub(super) const SYMBOL_BYTES_MAX: usize = 8;

const ESCAPE: u8 = 255;

/// A string of one to eight bytes: the first byte lowest, zeros behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Symbol {
    pub(super) word: u64,
    pub(super) length: u8,
}

impl Symbol {
    pub(super) fn of_byte(byte: u8) -> Self {
        Self { word: u64::from(byte), length: 1 }
    }

    /// Both after each other; `None` if that is too long.
    pub(super) fn and(self, next: Self) -> Option<Self> {
        let length = self.length + next.length;
        (usize::from(length) <= SYMBOL_BYTES_MAX)
            .then(|| Self { word: self.word | next.word << (8 * u32::from(self.length)), length })
    }

    pub(super) const fn first(self) -> u8 {
        self.word.to_le_bytes()[0]
    }

    /// Whether a text that begins with this word, and has so many bytes, begins with it.
    fn begins(self, word: u64, bytes: usize) -> bool {
        let unused = 8 * (SYMBOL_BYTES_MAX as u32 - u32::from(self.length));
        bytes >= usize::from(self.length) && (word ^ self.word) << unused == 0
    }
}

/// The strings in the order of their codes.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    words: [[u8; SYMBOL_BYTES_MAX]; 256],
    lengths: [u8; 256],
}

impl Decoder {
    /// Strings beyond the last code are left out.
    pub(super) fn new(symbols: &[Symbol]) -> Self {
        let mut decoder = Self { words: [[0; SYMBOL_BYTES_MAX]; 256], lengths: [0; 256] };
        for (code, symbol) in symbols.iter().take(SYMBOLS_MAX).enumerate() {
            decoder.words[code] = symbol.word.to_le_bytes();
            decoder.lengths[code] = symbol.length;
        }
        decoder
    }

    /// Writes the text of these codes to a place, which grows if it has to, from `start` on.
    /// Returns where the text ends; what lies behind it is arbitrary.
    pub(super) fn decode(&self, codes: &[u8], into: &mut Vec<u8>, start: usize) -> usize {
        let room = start + codes.len() * SYMBOL_BYTES_MAX;
        if into.len() < room {
            into.resize(room.max(2 * into.len()), 0);
        }
        let mut end = start;
        let mut codes = codes.iter();
        while let Some(code) = codes.next() {
            // Each code has room for a whole word, so there is always one.
            let Some(place) = into.get_mut(end..end + SYMBOL_BYTES_MAX) else { break };
            if *code == ESCAPE {
                let Some(byte) = codes.next() else { break };
                place[0] = *byte;
                end += 1;
            } else {
                place.copy_from_slice(&self.words[usize::from(*code)]);
                end += usize::from(self.lengths[usize::from(*code)]);
            }
        }
        end
    }
}

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Token {
    /// A string, by its code.
    Code(u8),
    /// A byte that no string begins with here.
    Byte(u8),
}

/// The strings by what they begin with, to find the longest that a text begins with.
#[derive(Debug)]
pub(super) struct Encoder {
    symbols: Vec<Symbol>,
    /// The codes of the strings of more than a byte, by their first two bytes and then the
    /// longest first.
    longer: Vec<u8>,
    /// Where in `longer` those with the same first two bytes begin.
    starts: Vec<u8>,
    /// The code of the string that is this byte.
    single: [Option<u8>; 256],
}

impl Encoder {
    /// Strings beyond the last code are left out.
    pub(super) fn new(symbols: &[Symbol]) -> Self {
        let symbols: Vec<Symbol> = symbols.iter().copied().take(SYMBOLS_MAX).collect();
        let mut single = [None; 256];
        let mut longer = Vec::new();
        // Codes are at most 254.
        for (code, symbol) in (0..=u8::MAX).zip(&symbols) {
            match symbol.length {
                1 => single[usize::from(symbol.first())] = Some(code),
                _ => longer.push(code),
            }
        }
        let begin = |code: u8| symbols[usize::from(code)].word as u16;
        longer.sort_by_key(|code| {
            (begin(*code), std::cmp::Reverse(symbols[usize::from(*code)].length))
        });
        let mut counts = vec![0_u8; (1 << 16) + 1];
        for code in &longer {
            counts[usize::from(begin(*code)) + 1] += 1;
        }
        let starts = counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        let starts = starts.collect();
        Self { symbols, longer, starts, single }
    }

    pub(super) fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The text in as few strings as taking the longest each time gives.
    pub(super) fn tokens(&self, text: &[u8], mut with: impl FnMut(Token)) {
        let mut rest = text;
        while let Some(first) = rest.first() {
            let word = first_word(rest);
            let begin = usize::from(word as u16);
            let candidates =
                &self.longer[usize::from(self.starts[begin])..usize::from(self.starts[begin + 1])];
            let longest = candidates
                .iter()
                .find(|code| self.symbols[usize::from(**code)].begins(word, rest.len()));
            let (token, length) = match (longest, self.single[usize::from(*first)]) {
                (Some(code), _) => {
                    (Token::Code(*code), usize::from(self.symbols[usize::from(*code)].length))
                }
                (None, Some(code)) => (Token::Code(code), 1),
                (None, None) => (Token::Byte(*first), 1),
            };
            with(token);
            rest = &rest[length..];
        }
    }

    /// Appends the text's codes.
    pub(super) fn encode(&self, text: &[u8], into: &mut Vec<u8>) {
        self.tokens(text, |token| match token {
            Token::Code(code) => into.push(code),
            Token::Byte(byte) => into.extend_from_slice(&[ESCAPE, byte]),
        });
    }
}

/// The first eight bytes; zeros where there are none.
fn first_word(text: &[u8]) -> u64 {
    match text.first_chunk::<SYMBOL_BYTES_MAX>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => {
            let mut bytes = [0; SYMBOL_BYTES_MAX];
            bytes[..text.len()].copy_from_slice(text);
            u64::from_le_bytes(bytes)
        }
    }
}
