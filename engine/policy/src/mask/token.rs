//! Tokens: equal values of one purpose give equal tokens, and only who holds the master key
//! can make them.
//!
//! Never an unkeyed hash: all ID numbers there are can be hashed in seconds. A key is made
//! for each purpose, so tokens of two purposes do not join.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::names::Purpose;

/// Bytes of the MAC that a token shows, as twice as many hexadecimal digits.
const TOKEN_BYTES: usize = 16;

/// The keys of all purposes, made from one master key.
#[derive(Clone)]
pub struct TokenKeys {
    master: Hmac<Sha256>,
}

impl TokenKeys {
    /// Takes the master key. A purpose's key is HMAC-SHA-256(master key, purpose).
    #[must_use]
    pub fn from_master(master: &[u8; 32]) -> Self {
        Self { master: keyed(master) }
    }

    /// The key of one purpose.
    pub(super) fn key(&self, purpose: &Purpose) -> TokenKey {
        let mac = self.master.clone().chain_update(purpose.as_str());
        TokenKey(keyed(&mac.finalize().into_bytes().into()))
    }
}

/// Never prints the key.
impl fmt::Debug for TokenKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenKeys(..)")
    }
}

/// The key of one purpose.
pub(super) struct TokenKey(Hmac<Sha256>);

impl TokenKey {
    /// The first 16 bytes of HMAC-SHA-256(key, UTF-8 of the value) as 32 hexadecimal digits.
    pub(super) fn token(&self, value: &str) -> String {
        let mac = self.0.clone().chain_update(value).finalize().into_bytes();
        let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
        mac.iter().take(TOKEN_BYTES).flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }
}

/// HMAC-SHA-256 under a key that is shorter than its block, as every key here is: such a key
/// is padded with zeros to the block (RFC 2104), which this does itself because the library's
/// way for a key of any length cannot promise not to fail.
fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte);
    <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block)
}
