//! How much memory a load plans with where nobody says.
//!
//! Never allocates anything: the budget's users keep to it.

use martlet_store::machine;

/// The least that a load is planned with.
const LEAST_BYTES: u64 = 512 * 1024 * 1024;

/// A quarter of the memory that this process may use: a server, and the file cache that a load
/// lives on, need the rest.
pub(crate) fn default_budget() -> usize {
    usize::try_from((machine::usable_bytes() / 4).max(LEAST_BYTES)).unwrap_or(usize::MAX)
}
