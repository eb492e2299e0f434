//! Whether this processor has the instructions that the program was compiled with.
//!
//! Owns the question and the words of the refusal. Must never be asked late: the first vector
//! instruction on a processor without them ends the process without a word.

/// Says why this processor cannot run the program, when it cannot.
///
/// The standard library's own detection answers from what the program was compiled for, so the
/// processor is asked itself.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
pub(crate) fn suffices() -> Result<(), &'static str> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    /// Intel's Software Developer's Manual, volume 2, CPUID: leaf 7, EBX, bit 5.
    const AVX2: u32 = 1 << 5;
    /// The same, leaf 7, EBX, bit 8.
    const BMI2: u32 = 1 << 8;

    let leaf_max = __cpuid(0).eax;
    let features = if leaf_max >= 7 { __cpuid_count(7, 0).ebx } else { 0 };
    if features & AVX2 != 0 && features & BMI2 != 0 {
        return Ok(());
    }
    Err("this program is compiled for processors with AVX2 (x86-64-v3, 2013 and later), and this \
         one has none; compile it with RUSTFLAGS=\"-C target-cpu=x86-64\" cargo build --release")
}

/// Says why this processor cannot run the program, when it cannot: here nothing beyond the
/// architecture's baseline is compiled in.
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
pub(crate) fn suffices() -> Result<(), &'static str> {
    Ok(())
}
