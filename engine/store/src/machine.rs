//! How much memory there is, and the part of it that is planned with where nobody says.
//!
//! Owns the look at the machine. Never allocates anything: the budgets' users keep to them.

use std::fs;

/// Where nothing can be learned of the machine.
const FALLBACK_BYTES: u64 = 4 << 30;

/// Mapped files are given so much at least, and at most.
const MAPPED_BYTES_LEAST: u64 = 512 << 20;
const MAPPED_BYTES_MOST: u64 = 4 << 30;

/// The memory that this process may use: the machine's, or what its control group grants.
#[must_use]
pub fn usable_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_memory(&text));
    let granted = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let granted = granted.and_then(|text| text.trim().parse::<u64>().ok());
    machine.into_iter().chain(granted).min().unwrap_or(FALLBACK_BYTES)
}

/// The part of mapped files that may count as this process's memory: a quarter of what it may
/// use, 512 MiB to 4 GiB. What is beyond is not lost: it is in the system's file cache.
#[must_use]
pub fn mapped_bytes_default() -> u64 {
    (usable_bytes() / 4).clamp(MAPPED_BYTES_LEAST, MAPPED_BYTES_MOST)
}

/// The bytes that Linux's `/proc/meminfo` tells as the machine's.
fn total_memory(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found_among_the_other_figures() {
        let text = "MemFree:         100 kB\nMemTotal:       24576 kB\nBuffers:  1 kB\n";
        assert_eq!(total_memory(text), Some(24_576 * 1_024));
        assert_eq!(total_memory("MemTotal: many kB"), None);
        assert_eq!(total_memory(""), None);
        assert!(usable_bytes() > 0);
        assert!((MAPPED_BYTES_LEAST..=MAPPED_BYTES_MOST).contains(&mapped_bytes_default()));
    }
}
