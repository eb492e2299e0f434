//! One bit per number that satisfies a condition: what conditions over packed blocks end in.

/// Numbers that one byte of flags stands for.
pub(super) const PER_BYTE: usize = 8;

/// Sets a bit for each number that is wanted, the lowest first, from the first byte on; bytes
/// and bits behind the last number are cleared. `BLOCK` is the most numbers there can be.
pub(super) fn set_flags<const BLOCK: usize, T: Copy>(
    numbers: &[T],
    is_wanted: impl Fn(T) -> bool,
    flags: &mut [u8],
) {
    // In two steps, both of which the compiler turns into vector instructions: a byte per
    // number, then eight of them to a byte.
    let mut marks = [0_u8; BLOCK];
    for (mark, number) in marks.iter_mut().zip(numbers) {
        *mark = u8::from(is_wanted(*number));
    }
    for (flag, marks) in flags.iter_mut().zip(marks.as_chunks::<PER_BYTE>().0) {
        *flag = gathered(*marks);
    }
}

/// Eight bytes of 0 or 1 to the bits of one byte: the product carries byte `i` to bit `56 + i`,
/// and no two bytes to the same bit.
pub(super) const fn gathered(marks: [u8; PER_BYTE]) -> u8 {
    const TO_TOP: u64 = 0x0102_0408_1020_4080;
    (u64::from_le_bytes(marks).wrapping_mul(TO_TOP) >> 56) as u8
}

#[cfg(test)]
#[path = "flags_tests.rs"]
mod tests;
