//! How much memory a load plans with where nobody says.
//!
//! Owns the look at the machine. Never allocates anything: the budget's users keep to it.

use std::fs;

/// Where nothing can be learned of the machine.
const FALLBACK_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// The least that a load is planned with.
const LEAST_BYTES: u64 = 512 * 1024 * 1024;

/// A quarter of the memory that this process may use: a server, and the file cache that a load
/// lives on, need the rest.
pub(crate) fn default_budget() -> usize {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_memory(&text));
    let granted = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let granted = granted.and_then(|text| text.trim().parse::<u64>().ok());
    let usable = machine.into_iter().chain(granted).min().unwrap_or(FALLBACK_BYTES);
    usize::try_from((usable / 4).max(LEAST_BYTES)).unwrap_or(usize::MAX)
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
        assert!(default_budget() as u64 >= LEAST_BYTES);
    }
}
