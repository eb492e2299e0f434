//! One number out of 128 that were packed together, without unpacking the others.
//!
//! The layout is that of the crate `bitpacking`, which has no such access of its own.

/// One of 128 packed numbers of 1 to 32 bits, without unpacking the others: number `i` lies in
/// lane `i % 4`, whose words stand every four words.
pub(super) fn unpack_one(packed: &[u8], width: u8, position: usize) -> u32 {
    let words = packed.as_chunks::<4>().0;
    let first_bit = position / 4 * usize::from(width);
    let word = first_bit / 32 * 4 + position % 4;
    let shift = first_bit % 32;
    let low = u64::from(u32::from_le_bytes(words[word]));
    let is_split = shift + usize::from(width) > 32;
    let high = if is_split { u64::from(u32::from_le_bytes(words[word + 4])) } else { 0 };
    let mask = u64::MAX >> (64 - u32::from(width));
    // Masked to at most 32 bits.
    (((high << 32 | low) >> shift) & mask) as u32
}
