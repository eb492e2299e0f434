//! Bytes that are written as lower-case hexadecimal digits: digests, keys, signatures, ids.
//!
//! Owns the one spelling of each: a text that is not exactly it is refused, so that no digit of
//! the journal can change its look without changing its value.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `N` bytes, written as `2 * N` lower-case digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hex<const N: usize>([u8; N]);

/// A BLAKE3 digest, or a link of the chain.
pub type Digest = Hex<32>;
/// An Ed25519 public key.
pub type PublicKey = Hex<32>;
/// An Ed25519 signature.
pub(crate) type Signature = Hex<64>;
/// Which journal: drawn when its chain began.
pub(crate) type JournalId = Hex<16>;

impl<const N: usize> Hex<N> {
    /// Nothing but zeros.
    pub(crate) const ZERO: Self = Self([0; N]);

    pub(crate) const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// Reads exactly `2 * N` lower-case digits.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != 2 * N {
            return None;
        }
        let mut bytes = [0_u8; N];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// Appends the digits.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for byte in self.0 {
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(text.as_bytes()).ok_or_else(|| {
            de::Error::custom(format!("not {} lower-case hexadecimal digits", 2 * N))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_spelling() {
        let hex = Hex::new([0x0f, 0xa0]);
        assert_eq!(hex.to_string(), "0fa0");
        assert_eq!(Hex::parse(b"0fa0"), Some(hex));
        for other in ["0FA0", "0fa", "0fa00", " fa0", "0fg0"] {
            assert_eq!(Hex::<2>::parse(other.as_bytes()), None, "{other}");
        }
        let mut out = Vec::new();
        hex.write_to(&mut out);
        assert_eq!(out, b"0fa0");
    }
}
