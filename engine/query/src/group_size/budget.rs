//! How much an engine remembers of what was told: so many bytes of all readers together.
//!
//! What cannot be remembered is not told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::QueryError;

/// For all readers and tables together.
const BYTES_MAX: usize = 1 << 30;

/// The bytes that are taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Budget {
    taken: Arc<AtomicUsize>,
}

/// What one holder has taken; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    budget: Budget,
    bytes: usize,
}

impl Taken {
    pub(super) fn of(budget: &Budget) -> Self {
        Self { budget: budget.clone(), bytes: 0 }
    }

    /// Takes more.
    ///
    /// # Errors
    /// [`QueryError::Exhausted`] if there is not as much left.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), QueryError> {
        let before = self.budget.taken.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > BYTES_MAX {
            self.budget.taken.fetch_sub(bytes, Ordering::Relaxed);
            return Err(QueryError::Exhausted { resource: "memory of what was told in groups" });
        }
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
