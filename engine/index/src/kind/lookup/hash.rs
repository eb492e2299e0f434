//! The hash of a key: XXH3 (64 bits) with the section's seed, over the text's bytes, or over
//! the eight bytes, little endian, of a key that fits 64 bits, else over its sixteen.
//!
//! A decimal has the same hash whether or not all others of its column fit 64 bits. Floats are
//! hashed as the integers of their `totalOrder`, with `-0.0` read as `0.0`.

use martlet_core::Value;
use twox_hash::XxHash3_64;

use crate::values::{Keys, narrow_key};

/// Hashes of 44 bits are kept: enough for a bucket and a fingerprint of 2^20 entries, and a
/// product with a number of entries fits 64 bits.
pub(super) const HASH_BITS: u32 = 44;

fn hash(seed: u64, bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(seed, bytes) >> (u64::BITS - HASH_BITS)
}

fn hash_wide(seed: u64, key: i128) -> u64 {
    match i64::try_from(key) {
        Ok(key) => hash(seed, &key.to_le_bytes()),
        Err(_) => hash(seed, &key.to_le_bytes()),
    }
}

/// The hash of a constant.
pub(super) fn hash_value(seed: u64, value: &Value) -> u64 {
    match (value, narrow_key(value)) {
        (_, Some(key)) => hash(seed, &key.to_le_bytes()),
        (Value::Decimal(key), None) => hash_wide(seed, *key),
        (Value::Text(text), None) => hash(seed, text.as_bytes()),
        // Every other value has a narrow key.
        (_, None) => 0,
    }
}

/// The hash of a row's key.
pub(super) fn hash_row(seed: u64, keys: &Keys<'_>, row: usize) -> u64 {
    match keys {
        Keys::Narrow { keys, .. } => hash(seed, &keys[row].to_le_bytes()),
        Keys::Wide(keys) => hash_wide(seed, keys[row]),
        Keys::Text(array) => hash(seed, array.value(row).as_bytes()),
    }
}
