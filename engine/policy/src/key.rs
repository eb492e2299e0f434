//! Officers' keys: Ed25519, written as lower-case hexadecimal digits.
//!
//! Owns the one spelling of each, and the private key, which it must never print.

use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// An officer's public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OfficerKey([u8; 32]);

impl OfficerKey {
    /// Reads 64 lower-case hexadecimal digits; `None` if they are no key that a signature could
    /// be proven with.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = read_hex::<32>(text)?;
        VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak()).map(|_| Self(bytes))
    }

    /// Whether the signature over the message was made with the private key of this one.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    }
}

impl fmt::Display for OfficerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(formatter, &self.0)
    }
}

/// An officer's private key.
pub struct OfficerSecret(SigningKey);

impl OfficerSecret {
    /// The key of these bytes, which have to be random and known to nobody else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(bytes))
    }

    /// Reads 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        read_hex(text).map(|bytes| Self::from_bytes(&bytes))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> OfficerKey {
        OfficerKey(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// Never prints the key.
impl fmt::Debug for OfficerSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "OfficerSecret({})", self.public())
    }
}

/// Reads exactly `2 * N` lower-case hexadecimal digits.
pub(crate) fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0_u8; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

/// Writes bytes as lower-case hexadecimal digits.
pub(crate) fn write_hex(formatter: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_spelling_and_no_weak_one_is_taken() {
        let key = OfficerSecret::from_bytes(&[7; 32]).public();
        let text = key.to_string();
        assert_eq!(OfficerKey::parse(&text), Some(key));
        assert_eq!(OfficerKey::parse(&text.to_uppercase()), None);
        assert_eq!(OfficerKey::parse(&text[..62]), None);
        assert_eq!(OfficerKey::parse(&format!(" {}", &text[..63])), None);
        assert_eq!(OfficerKey::parse(&"é".repeat(32)), None);
        let neutral = format!("01{}", "0".repeat(62));
        assert_eq!(OfficerKey::parse(&neutral), None, "any signature would be one of its");
    }

    #[test]
    fn a_private_key_is_not_printed() {
        let printed = format!("{:?}", OfficerSecret::from_bytes(&[7; 32]));
        assert!(!printed.contains("0707"), "{printed}");
    }
}
