//! Who asked for the same customer: a few principals for each of the customers of a window.
//!
//! Owns the bound on how many customers are remembered: where it is met, those that were asked
//! for longest ago are forgotten first, half of them at once.

use std::collections::HashMap;

/// Customers in one half of the memory.
const HALF_MAX: usize = 500_000;

/// Whoever asked for one customer.
#[derive(Debug, Clone, Default)]
struct Asked {
    by: Vec<(u32, i64)>,
    told: bool,
}

/// The customers of a window, in two halves by when they were asked for last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crowd {
    newer: HashMap<u64, Asked>,
    older: HashMap<u64, Asked>,
    turned: i64,
}

impl Crowd {
    /// Notes that somebody asks for a customer; gives how many principals did within the window,
    /// once, when they are as many as `at_least`.
    pub(crate) fn see(
        &mut self,
        customer: u64,
        who: u32,
        at: i64,
        window: i64,
        at_least: u64,
    ) -> Option<u64> {
        if at.saturating_sub(self.turned) > window || self.newer.len() >= HALF_MAX {
            self.older = std::mem::take(&mut self.newer);
            self.turned = at;
        }
        let older = self.older.remove(&customer);
        let asked = self.newer.entry(customer).or_insert_with(|| older.unwrap_or_default());
        asked.by.retain(|(other, last)| *other != who && *last >= at - window);
        asked.by.push((who, at));
        let count = asked.by.len() as u64;
        if count < at_least {
            asked.told = false;
            return None;
        }
        // Whoever is beyond the threshold need not be remembered.
        asked.by.drain(..asked.by.len().saturating_sub(usize::try_from(at_least).unwrap_or(1)));
        (!std::mem::replace(&mut asked.told, true)).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_principals_are_told_once_and_one_never() {
        let mut crowd = Crowd::default();
        for at in 0..50 {
            assert_eq!(crowd.see(7, 1, at, 100, 3), None);
        }
        assert_eq!(crowd.see(7, 2, 60, 100, 3), None);
        assert_eq!(crowd.see(8, 3, 61, 100, 3), None, "another customer");
        assert_eq!(crowd.see(7, 3, 62, 100, 3), Some(3));
        assert_eq!(crowd.see(7, 4, 63, 100, 3), None, "told already");
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let mut crowd = Crowd::default();
        crowd.see(7, 1, 0, 100, 3);
        crowd.see(7, 2, 90, 100, 3);
        assert_eq!(crowd.see(7, 3, 120, 100, 3), None);
        assert_eq!(crowd.see(7, 4, 130, 100, 3), Some(3));
        assert_eq!(crowd.see(7, 5, 900, 100, 3), None);
    }
}
