//! Codes over masked columns of segments, kept in memory up to a number of bytes.
//!
//! A segment never changes and a mask is a pure function, so what a column shows under a mask is
//! the same for everybody to whom it is shown under that mask; who that is, and which rows they
//! may see, is decided elsewhere, each time. What is kept is found only by everything that makes
//! it: the segment, the column and its type, and the mask with its profile and a token's purpose.
//! The keys of the tokens are the engine's own, and so is this cache.
//!
//! Holds masked values only, never what was masked. Owns when making codes pays and what gives
//! way; never makes them itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use martlet_core::ColumnType;
use martlet_index::{InMemory, Index};
use martlet_policy::Mask;

/// Codes are made once one in so many of the values that this takes was masked by itself: for
/// those who see most of a segment at once, for a few at the counter hardly ever.
const MADE_FROM_ONE_OF: u64 = 4;

/// Codes that so many scans did not use give way to others.
const IDLE_SCANS: u64 = 64;

/// Columns of which something is remembered; beyond them those without codes are forgotten.
const REMEMBERED_MAX: usize = 65_536;

/// What codes cost beside what they hold.
const ENTRY_BYTES: usize = 256;

/// One column of one segment under one mask.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct MaskedColumn {
    /// The digest of the segment's object.
    pub(crate) segment: [u8; 32],
    /// Its position in the table.
    pub(crate) column: usize,
    /// The type that is stored.
    pub(crate) stored: ColumnType,
    /// With its profile, and a token's purpose.
    pub(crate) mask: Mask,
}

/// What is to be done about a masked column.
#[derive(Debug)]
pub(crate) enum Way {
    /// Its codes are there.
    Codes(Arc<Index>),
    /// Making them pays, and nobody else does it.
    Make(Making),
    /// Values are masked as they are read.
    EachValue,
}

/// What making the codes of a column takes, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    /// About as long as masking so many values.
    pub(crate) values: u64,
    /// Bytes in memory until they are made.
    pub(crate) bytes: u64,
}

/// When codes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eagerness {
    /// Once it pays.
    OncePaid,
    /// When they are first asked for.
    AtOnce,
}

/// The cache; cheap to share.
#[derive(Debug, Clone)]
pub(crate) struct MaskedCache {
    bytes_max: u64,
    state: Arc<Mutex<State>>,
}

impl MaskedCache {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, state: Arc::default() }
    }

    /// Notes that a scan begins: what many of them do not use gives way.
    pub(crate) fn begin_scan(&self) {
        let mut state = self.state();
        state.scans = state.scans.saturating_add(1);
    }

    /// What to do about a column of which `asked` values are about to be masked.
    pub(crate) fn way(
        &self,
        column: &MaskedColumn,
        asked: u64,
        cost: Cost,
        eagerness: Eagerness,
    ) -> Way {
        let mut state = self.state();
        let pays = |values: u64| values.saturating_mul(MADE_FROM_ONE_OF) >= cost.values;
        let is_wanted = match state.note(column, asked) {
            Known::Codes(index) => return Way::Codes(index),
            Known::BeingMade => false,
            // However eager: what is made in vain is masked twice.
            Known::NoRoomFor { bytes, masked } => {
                pays(masked) && bytes <= state.room(self.bytes_max)
            }
            Known::Masked(values) => eagerness == Eagerness::AtOnce || pays(values),
        };
        let may_be_made = self.bytes_max > 0 && state.has_room_to_make(cost.bytes, self.bytes_max);
        if !is_wanted || !may_be_made {
            return Way::EachValue;
        }
        state.put(column, Codes::BeingMade);
        state.bytes_to_make = state.bytes_to_make.saturating_add(cost.bytes);
        Way::Make(Making { cache: self.clone(), column: column.clone(), bytes: cost.bytes })
    }

    /// Notes that so many values of a column were masked by themselves.
    pub(crate) fn note_masked(&self, column: &MaskedColumn, values: u64) {
        self.state().note(column, values);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked meanwhile left numbers that add up.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to make the codes of a column, which nobody else has meanwhile. Whoever drops it has
/// given up.
#[derive(Debug)]
pub(crate) struct Making {
    cache: MaskedCache,
    column: MaskedColumn,
    /// What it takes meanwhile.
    bytes: u64,
}

impl Making {
    /// Keeps what was made, if there is room; `None` says that it cannot be made. Gives what is
    /// kept: what is not takes no memory either.
    pub(crate) fn done(self, made: Option<InMemory>) -> Option<Arc<Index>> {
        self.cache.state().keep(&self.column, made, self.cache.bytes_max)
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let mut state = self.cache.state();
        state.bytes_to_make = state.bytes_to_make.saturating_sub(self.bytes);
        if let Some(Entry { codes: codes @ Codes::BeingMade, .. }) =
            state.columns.get_mut(&self.column)
        {
            *codes = Codes::Not { masked: 0 };
        }
    }
}

#[derive(Debug, Default)]
struct State {
    /// How many scans have begun.
    scans: u64,
    /// Bytes of all codes that are kept.
    bytes: u64,
    /// Bytes that making others takes.
    bytes_to_make: u64,
    columns: HashMap<MaskedColumn, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// The scan that asked last.
    used: u64,
    codes: Codes,
}

#[derive(Debug)]
enum Codes {
    /// So many values were masked by themselves.
    Not {
        masked: u64,
    },
    BeingMade,
    Kept {
        index: Arc<Index>,
        bytes: u64,
    },
    /// They were made, and so many bytes did not fit; so many values were masked by themselves
    /// since.
    NoRoom {
        bytes: u64,
        masked: u64,
    },
}

/// What is known of a column, after it was noted that it is asked for.
enum Known {
    Codes(Arc<Index>),
    BeingMade,
    NoRoomFor { bytes: u64, masked: u64 },
    Masked(u64),
}

impl State {
    fn note(&mut self, column: &MaskedColumn, asked: u64) -> Known {
        let Some(entry) = self.columns.get_mut(column) else {
            self.put(column, Codes::Not { masked: asked });
            return Known::Masked(asked);
        };
        entry.used = self.scans;
        match &mut entry.codes {
            Codes::Kept { index, .. } => Known::Codes(Arc::clone(index)),
            Codes::BeingMade => Known::BeingMade,
            Codes::NoRoom { bytes, masked } => {
                *masked = masked.saturating_add(asked);
                Known::NoRoomFor { bytes: *bytes, masked: *masked }
            }
            Codes::Not { masked } => {
                *masked = masked.saturating_add(asked);
                Known::Masked(*masked)
            }
        }
    }

    fn put(&mut self, column: &MaskedColumn, codes: Codes) {
        if self.columns.len() >= REMEMBERED_MAX {
            let is_held = |codes: &Codes| matches!(codes, Codes::Kept { .. } | Codes::BeingMade);
            self.columns.retain(|_, entry| is_held(&entry.codes));
        }
        self.columns.insert(column.clone(), Entry { used: self.scans, codes });
    }

    fn keep(
        &mut self,
        column: &MaskedColumn,
        made: Option<InMemory>,
        bytes_max: u64,
    ) -> Option<Arc<Index>> {
        let bytes = made.as_ref().map_or(u64::MAX, |made| (made.bytes + ENTRY_BYTES) as u64);
        let Some(InMemory { index, .. }) = made.filter(|_| bytes <= self.room(bytes_max)) else {
            self.put(column, Codes::NoRoom { bytes, masked: 0 });
            return None;
        };
        self.make_room(bytes, bytes_max);
        self.bytes += bytes;
        self.put(column, Codes::Kept { index: Arc::clone(&index), bytes });
        Some(index)
    }

    /// Whether making codes may take so many bytes more: those that are being made take no more
    /// together than those that are kept may, unless it is one alone.
    const fn has_room_to_make(&self, bytes: u64, bytes_max: u64) -> bool {
        self.bytes_to_make == 0 || self.bytes_to_make.saturating_add(bytes) <= bytes_max
    }

    /// Bytes that are free, or that could be.
    fn room(&self, bytes_max: u64) -> u64 {
        let idle: u64 = self.columns.values().filter_map(|entry| self.idle_bytes(entry)).sum();
        bytes_max.saturating_add(idle).saturating_sub(self.bytes)
    }

    /// What giving up the codes of a column would free, if scans have done without them.
    fn idle_bytes(&self, entry: &Entry) -> Option<u64> {
        match entry.codes {
            Codes::Kept { bytes, .. } if self.scans - entry.used >= IDLE_SCANS => Some(bytes),
            _ => None,
        }
    }

    /// Gives up idle codes, the longest unused first, until so many bytes fit.
    fn make_room(&mut self, bytes: u64, bytes_max: u64) {
        let entries = self.columns.iter();
        let mut idle: Vec<(u64, MaskedColumn, u64)> = entries
            .filter_map(|(column, entry)| {
                Some((entry.used, column.clone(), self.idle_bytes(entry)?))
            })
            .collect();
        idle.sort_unstable_by_key(|(used, ..)| *used);
        for (_, column, freed) in idle {
            if self.bytes + bytes <= bytes_max {
                return;
            }
            self.columns.remove(&column);
            self.bytes -= freed;
        }
    }
}

#[cfg(test)]
#[path = "masked_cache_tests.rs"]
mod tests;
