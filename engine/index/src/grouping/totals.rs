//! Counts and totals per group, added block by block.

use super::blocks::{BLOCK_ROWS, Block};
use super::columns::MeasureColumn;
use super::packed_sums::PackedSums;

/// Which totals of a measure are wanted; how many rows of a group hold a value always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The sum of the keys.
    pub sum: bool,
    /// The sum of the keys read as floats (see [`crate::VectorForm::Float`]).
    pub float_sum: bool,
    /// The lowest and the highest key.
    pub extremes: bool,
}

/// The totals of one measure, one entry per group; those not wanted are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Rows that hold a value.
    pub present: Vec<u64>,
    /// Sums of keys.
    pub sums: Vec<i128>,
    /// Sums of floats.
    pub float_sums: Vec<f64>,
    /// Lowest keys; meaningless where no row holds a value.
    pub lowest: Vec<i64>,
    /// Highest keys; meaningless where no row holds a value.
    pub highest: Vec<i64>,
}

/// How many entries one slot has. A short loop that adds to one entry waits for its own last
/// store; several entries by turns do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lanes {
    One,
    Four,
}

impl Lanes {
    /// Four while all of them stay in the first-level cache.
    pub(super) const fn of(slots: usize) -> Self {
        if slots <= 256 { Self::Four } else { Self::One }
    }

    const fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::Four => 4,
        }
    }

    /// Turns numbers of slots into numbers of entries.
    pub(super) fn spread(self, numbers: &mut [u32]) {
        if self == Self::Four {
            let mut lane = 0;
            for number in numbers {
                *number = *number * 4 + lane;
                lane = (lane + 1) & 3;
            }
        }
    }
}

/// What is added up for the slots of one segment.
pub(super) struct Accumulator {
    lanes: Lanes,
    counts: Vec<u32>,
    measures: Vec<Measure>,
    /// The measure that counts the rows with what it sums.
    counting: Option<usize>,
    room: Box<Room>,
}

/// Finished totals of the slots that have a row.
pub(super) struct Finished {
    pub(super) slots: Vec<u32>,
    pub(super) counts: Vec<u64>,
    pub(super) totals: Vec<Totals>,
}

struct Measure {
    wanted: Wanted,
    /// Empty where no row is null: then it is the group's count.
    present: Vec<u32>,
    has_nulls: bool,
    is_single: bool,
    sums: Sums,
    /// Packed counts and sums, once they are taken apart.
    settled: Option<(Vec<u64>, Vec<i128>)>,
    float_sums: Vec<FloatSum>,
    lowest: Vec<i64>,
    highest: Vec<i64>,
}

/// A sum of floats that remembers what rounding took away (Neumaier 1974), so that it hardly
/// depends on the order of the rows.
#[derive(Debug, Clone, Copy, Default)]
struct FloatSum {
    sum: f64,
    lost: f64,
}

impl FloatSum {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - sum) + value
        } else {
            (value - sum) + self.sum
        };
        self.sum = sum;
    }

    /// An infinite sum has lost nothing that could be told.
    fn total(self) -> f64 {
        if self.lost.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

/// Sums in 64 bits where a segment's rows cannot exceed them.
enum Sums {
    /// With the counts, for few groups.
    Packed(PackedSums),
    Narrow(Vec<i64>),
    Wide(Vec<i128>),
}

/// Room for the values of a block.
struct Room {
    keys: [i64; BLOCK_ROWS],
    is_null: [bool; BLOCK_ROWS],
    present_entries: [u32; BLOCK_ROWS],
    present_keys: [i64; BLOCK_ROWS],
}

impl Accumulator {
    pub(super) fn new(
        slots: usize,
        lanes: Lanes,
        measures: &[(MeasureColumn<'_>, Wanted)],
    ) -> Self {
        let entries = slots * lanes.count();
        // Slots that become known one by one may become many.
        let packed = (slots > 1).then_some(entries);
        let measures: Vec<Measure> =
            measures.iter().map(|(column, wanted)| Measure::new(column, *wanted, packed)).collect();
        let room = Room {
            keys: [0; BLOCK_ROWS],
            is_null: [false; BLOCK_ROWS],
            present_entries: [0; BLOCK_ROWS],
            present_keys: [0; BLOCK_ROWS],
        };
        let counting = measures.iter().position(Measure::counts_every_row);
        let mut new = Self { lanes, counts: Vec::new(), measures, counting, room: Box::new(room) };
        new.grow(slots);
        new
    }

    /// Makes room for so many slots.
    pub(super) fn grow(&mut self, slots: usize) {
        let entries = slots * self.lanes.count();
        self.measures.iter_mut().for_each(|measure| measure.is_single = slots == 1);
        if entries > self.counts.len() {
            self.counts.resize(entries, 0);
            self.measures.iter_mut().for_each(|measure| measure.grow(entries));
        }
    }

    /// Adds the selected rows of a block, given each row's entry.
    pub(super) fn add(
        &mut self,
        entries: &[u32],
        block: Block<'_>,
        measures: &[(MeasureColumn<'_>, Wanted)],
    ) {
        if self.counting.is_some() {
            // Counted with the sums.
        } else if self.counts.len() == self.lanes.count() {
            // One group: nothing to tell apart. A block has few rows.
            self.counts[0] += entries.len() as u32;
        } else {
            entries.iter().for_each(|entry| self.counts[*entry as usize] += 1);
        }
        for (measure, (column, _)) in self.measures.iter_mut().zip(measures) {
            measure.add(entries, block, column, &mut self.room);
        }
    }

    pub(super) fn finish(mut self, measures: &[(MeasureColumn<'_>, Wanted)]) -> Finished {
        let lanes = self.lanes.count();
        self.measures.iter_mut().for_each(Measure::settle);
        let counts = match self.counting.map(|at| &self.measures[at].settled) {
            Some(Some((counts, _))) => folded(counts, lanes, 0_u64, |sum, count| sum + count),
            _ => folded(&self.counts, lanes, 0_u64, |sum, count| sum + u64::from(count)),
        };
        let slots: Vec<u32> =
            (0..).zip(&counts).filter(|(_, count)| **count > 0).map(|(slot, _)| slot).collect();
        let of_slots = |of: &[u64]| slots.iter().map(|slot| of[*slot as usize]).collect();
        let totals = self.measures.into_iter().zip(measures);
        let totals = totals.map(|(measure, _)| measure.finish(lanes, &slots, &counts)).collect();
        Finished { counts: of_slots(&counts), totals, slots }
    }
}

impl Measure {
    /// `packed` tells how many entries there will be, where that is known.
    fn new(column: &MeasureColumn<'_>, wanted: Wanted, packed: Option<usize>) -> Self {
        let (low, high) = column.bounds();
        let largest = low.unsigned_abs().max(high.unsigned_abs());
        let is_narrow = u128::from(largest) * u128::from(column.rows()) <= i64::MAX as u128;
        let packed = packed.filter(|_| wanted.sum);
        let sums = match packed.and_then(|entries| PackedSums::of(low, high, entries)) {
            Some(packed) => Sums::Packed(packed),
            None if is_narrow => Sums::Narrow(Vec::new()),
            None => Sums::Wide(Vec::new()),
        };
        Self {
            settled: None,
            sums,
            wanted,
            present: Vec::new(),
            has_nulls: column.has_nulls(),
            is_single: false,
            float_sums: Vec::new(),
            lowest: Vec::new(),
            highest: Vec::new(),
        }
    }

    const fn counts_every_row(&self) -> bool {
        matches!(self.sums, Sums::Packed(_)) && !self.has_nulls
    }

    /// Takes counts and sums apart, where they are together.
    fn settle(&mut self) {
        if matches!(self.sums, Sums::Packed(_))
            && let Sums::Packed(packed) = std::mem::replace(&mut self.sums, Sums::Wide(Vec::new()))
        {
            self.settled = Some(packed.finish());
        }
    }

    fn grow(&mut self, entries: usize) {
        if self.has_nulls && !matches!(self.sums, Sums::Packed(_)) {
            self.present.resize(entries, 0);
        }
        if self.wanted.sum {
            match &mut self.sums {
                // Has its entries from the beginning.
                Sums::Packed(_) => {}
                Sums::Narrow(sums) => sums.resize(entries, 0),
                Sums::Wide(sums) => sums.resize(entries, 0),
            }
        }
        if self.wanted.float_sum {
            self.float_sums.resize(entries, FloatSum::default());
        }
        if self.wanted.extremes {
            self.lowest.resize(entries, i64::MAX);
            self.highest.resize(entries, i64::MIN);
        }
    }

    fn add(
        &mut self,
        entries: &[u32],
        block: Block<'_>,
        column: &MeasureColumn<'_>,
        room: &mut Room,
    ) {
        let keys = column.gather(block, &mut room.keys, &mut room.is_null);
        if !self.has_nulls {
            return self.add_present(entries, keys);
        }
        let mut count = 0;
        for ((entry, key), is_null) in entries.iter().zip(keys).zip(&room.is_null) {
            room.present_entries[count] = *entry;
            room.present_keys[count] = *key;
            count += usize::from(!*is_null);
        }
        let (entries, keys) = (&room.present_entries[..count], &room.present_keys[..count]);
        if !matches!(self.sums, Sums::Packed(_)) {
            entries.iter().for_each(|entry| self.present[*entry as usize] += 1);
        }
        self.add_present(entries, keys);
    }

    fn add_present(&mut self, entries: &[u32], keys: &[i64]) {
        if self.is_single {
            return self.add_to_single(keys);
        }
        let pairs = || entries.iter().zip(keys).map(|(entry, key)| (*entry as usize, *key));
        if self.wanted.sum {
            match &mut self.sums {
                Sums::Packed(sums) => sums.add(entries, keys),
                Sums::Narrow(sums) => pairs().for_each(|(entry, key)| sums[entry] += key),
                Sums::Wide(sums) => pairs().for_each(|(entry, key)| sums[entry] += i128::from(key)),
            }
        }
        if self.wanted.float_sum {
            pairs().for_each(|(entry, key)| {
                self.float_sums[entry].add(crate::values::float_of_key(key));
            });
        }
        if self.wanted.extremes {
            pairs().for_each(|(entry, key)| {
                self.lowest[entry] = self.lowest[entry].min(key);
                self.highest[entry] = self.highest[entry].max(key);
            });
        }
    }

    /// Where there is one slot, whole blocks are totalled at once.
    fn add_to_single(&mut self, keys: &[i64]) {
        if self.wanted.sum {
            match &mut self.sums {
                // Never where there is one slot.
                Sums::Packed(sums) => sums.add(&[0; BLOCK_ROWS][..keys.len()], keys),
                Sums::Narrow(sums) => sums[0] += keys.iter().sum::<i64>(),
                Sums::Wide(sums) => {
                    sums[0] += keys.iter().map(|key| i128::from(*key)).sum::<i128>()
                }
            }
        }
        if self.wanted.float_sum {
            let floats = keys.iter().map(|key| crate::values::float_of_key(*key));
            floats.for_each(|float| self.float_sums[0].add(float));
        }
        if self.wanted.extremes {
            self.lowest[0] = keys.iter().fold(self.lowest[0], |low, key| low.min(*key));
            self.highest[0] = keys.iter().fold(self.highest[0], |high, key| high.max(*key));
        }
    }

    fn finish(self, lanes: usize, slots: &[u32], counts: &[u64]) -> Totals {
        fn of_slots<T: Copy>(slots: &[u32], all: &[T]) -> Vec<T> {
            if all.is_empty() {
                return Vec::new();
            }
            slots.iter().map(|slot| all[*slot as usize]).collect()
        }
        let present = if let Some((counts, _)) = &self.settled {
            folded(counts, lanes, 0_u64, |sum, count| sum + count)
        } else if self.has_nulls {
            folded(&self.present, lanes, 0_u64, |sum, count| sum + u64::from(count))
        } else {
            counts.to_vec()
        };
        let sums = match (&self.sums, &self.settled) {
            (_, Some((_, sums))) => folded(sums, lanes, 0_i128, |sum, more| sum + more),
            (Sums::Packed(_), None) => Vec::new(),
            (Sums::Narrow(sums), None) => {
                folded(sums, lanes, 0_i128, |sum, more| sum + i128::from(more))
            }
            (Sums::Wide(sums), None) => folded(sums, lanes, 0_i128, |sum, more| sum + more),
        };
        Totals {
            present: of_slots(slots, &present),
            sums: of_slots(slots, &sums),
            float_sums: of_slots(
                slots,
                &folded(&self.float_sums, lanes, 0.0, |sum, more| sum + more.total()),
            ),
            lowest: of_slots(slots, &folded(&self.lowest, lanes, i64::MAX, i64::min)),
            highest: of_slots(slots, &folded(&self.highest, lanes, i64::MIN, i64::max)),
        }
    }
}

/// One entry per slot out of its lanes.
fn folded<T: Copy, S: Copy>(
    entries: &[T],
    lanes: usize,
    zero: S,
    add: impl Fn(S, T) -> S,
) -> Vec<S> {
    entries.chunks(lanes).map(|lanes| lanes.iter().copied().fold(zero, &add)).collect()
}
