//! Chunks back in order: threads finish them as they can, and whoever takes them sees them as
//! the files have them.
//!
//! Owns what waits for an earlier chunk. Never holds a chunk's rows: what waits is what they
//! came to.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::error::IngestError;

/// Hands on what chunks came to, in order, up to the first error.
pub(super) struct Delivery<T, F> {
    take: F,
    next: u64,
    waiting: BTreeMap<u64, (Result<T, IngestError>, u64)>,
    /// The first error in the order of the chunks.
    pub(super) outcome: Result<(), IngestError>,
}

impl<T, F: FnMut(T, u64) -> Result<(), IngestError>> Delivery<T, F> {
    pub(super) const fn to(take: F) -> Self {
        Self { take, next: 0, waiting: BTreeMap::new(), outcome: Ok(()) }
    }

    /// Accepts what the chunk of this place came to; breaks once an error was delivered.
    pub(super) fn accept(
        &mut self,
        place: u64,
        shaped: Result<T, IngestError>,
        bytes_read: u64,
    ) -> ControlFlow<()> {
        self.waiting.insert(place, (shaped, bytes_read));
        while self.outcome.is_ok() {
            let Some((shaped, bytes_read)) = self.waiting.remove(&self.next) else { break };
            self.next += 1;
            self.outcome = shaped.and_then(|shaped| (self.take)(shaped, bytes_read));
        }
        if self.outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_nothing_is_taken_behind_an_error() {
        let mut taken = Vec::new();
        let mut delivery = Delivery::to(|number: u64, bytes| {
            taken.push((number, bytes));
            Ok(())
        });
        assert!(delivery.accept(1, Ok(11), 2).is_continue());
        assert!(delivery.accept(3, Ok(13), 4).is_continue());
        assert!(delivery.accept(0, Ok(10), 1).is_continue());
        assert!(delivery.accept(2, Err(IngestError::Worker), 3).is_break());
        assert!(delivery.accept(4, Ok(14), 5).is_break());
        assert!(matches!(delivery.outcome, Err(IngestError::Worker)));
        assert_eq!(taken, [(10, 1), (11, 2)]);
    }
}
