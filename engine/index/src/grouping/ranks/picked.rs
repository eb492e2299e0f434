//! The second pass of a partition: the keys of wanted cells; and then the keys at the ranks.
//!
//! What the second pass finds is checked against what the first one counted: an answer is given
//! only where both agree.

use super::super::blocks::BLOCK_ROWS;
use super::wanted::{Cell, CellWay, Share, Wanted};
use super::{NO_GROUP, Point};

/// The keys of wanted cells that one partition picked.
#[derive(Debug, Clone)]
pub struct Picked {
    /// The cell of each key.
    cells: Vec<u32>,
    keys: Vec<i64>,
    /// For cells that are counted by key.
    counters: Vec<u64>,
}

/// The keys at the wanted points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtRanks {
    /// How many keys each group has.
    pub present: Vec<u64>,
    /// For each point, one entry per group: the keys at its two ranks (see [`Point::ranks`]);
    /// meaningless where the group has none.
    pub keys: Vec<Vec<(i64, i64)>>,
}

impl Picked {
    /// Nothing picked yet.
    #[must_use]
    pub fn new(wanted: &Wanted) -> Self {
        Self { cells: Vec::new(), keys: Vec::new(), counters: vec![0; wanted.counters] }
    }

    /// Picks of the keys, each with its group's row ([`Wanted::rows_of`]), those in wanted cells.
    pub fn add(&mut self, wanted: &Wanted, rows: &[u32], keys: &[i64]) {
        let (scale, flags) = (wanted.scale(), wanted.flags());
        let stride = scale.buckets();
        let mut buckets = [0_u32; BLOCK_ROWS];
        let mut found = [0_usize; BLOCK_ROWS];
        for (rows, keys) in rows.chunks(BLOCK_ROWS).zip(keys.chunks(BLOCK_ROWS)) {
            let buckets = scale.buckets_of(keys, &mut buckets);
            let flag = |at: usize| flags[rows[at] as usize * stride + buckets[at] as usize];
            let mut count = 0;
            for at in 0..buckets.len() {
                found[count] = at;
                count += usize::from(flag(at) != 0);
            }
            for at in &found[..count] {
                self.pick(wanted, wanted.cell(rows[*at], flag(*at)), keys[*at]);
            }
        }
    }

    /// Bytes held.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.keys.len() * (size_of::<u32>() + size_of::<i64>())
            + self.counters.len() * size_of::<u64>()
    }

    fn pick(&mut self, wanted: &Wanted, number: usize, key: i64) {
        let cell = &wanted.cells[number];
        match cell.way {
            CellWay::Collected => {
                // As many as there are groups, times a few.
                self.cells.push(number as u32);
                self.keys.push(key);
            }
            CellWay::Counted(start, width) => {
                let at = key.wrapping_sub(cell.low).cast_unsigned();
                // A key beyond the cell is missed where counts are compared.
                if at < width as u64 {
                    self.counters[start + at as usize] += 1;
                }
            }
        }
    }

    /// Picks of the keys that a partition kept.
    fn add_kept(&mut self, wanted: &Wanted, share: &Share<'_>) {
        let (groups, keys) = share.counts.kept();
        let (mut rows, mut of_rows) = (Vec::new(), Vec::new());
        for (group, key) in groups.iter().zip(keys) {
            let group = share.group_of[*group as usize];
            match wanted.row_of_group(group) {
                // The group's only cell.
                NO_GROUP => self.pick(wanted, wanted.first_cell[group as usize] as usize, *key),
                row => {
                    rows.push(row);
                    of_rows.push(*key);
                }
            }
        }
        self.add(wanted, &rows, &of_rows);
    }
}

/// The keys at the points, given what all partitions counted and picked; `None` if they
/// contradict each other, so that rows must have changed in between.
#[must_use]
pub fn at_ranks(wanted: &Wanted, shares: &[Share<'_>], mut picked: Vec<Picked>) -> Option<AtRanks> {
    let mut kept = Picked::new(wanted);
    shares.iter().for_each(|share| kept.add_kept(wanted, share));
    picked.push(kept);
    let mut cells = Cells::of(wanted, picked)?;
    let groups = wanted.present.len();
    let at = |cells: &mut Cells, point: Point, group: usize| {
        let (lower, upper) = point.ranks(wanted.present[group]);
        let lower_key = cells.key(wanted, group, lower)?;
        let upper_key = if upper == lower { lower_key } else { cells.key(wanted, group, upper)? };
        Some((lower_key, upper_key))
    };
    let of_point = |point: &Point| {
        (0..groups)
            .map(|group| match wanted.present[group] {
                0 => Some((0, 0)),
                _ => at(&mut cells, *point, group),
            })
            .collect::<Option<Vec<_>>>()
    };
    let keys = wanted.points.iter().map(of_point).collect::<Option<_>>()?;
    Some(AtRanks { present: wanted.present.clone(), keys })
}

/// The picked keys of all partitions, cell by cell.
struct Cells {
    keys: Vec<i64>,
    /// Where each cell's collected keys begin, and the end.
    starts: Vec<usize>,
    counters: Vec<u64>,
}

impl Cells {
    /// `None` if a cell has not as many keys as were counted.
    fn of(wanted: &Wanted, picked: Vec<Picked>) -> Option<Self> {
        let mut starts = Vec::with_capacity(wanted.cells.len() + 1);
        let mut end = 0;
        for cell in &wanted.cells {
            starts.push(end);
            if matches!(cell.way, CellWay::Collected) {
                end += usize::try_from(cell.count).ok()?;
            }
        }
        starts.push(end);
        let collected: usize = picked.iter().map(|picked| picked.keys.len()).sum();
        if collected != end {
            return None;
        }
        let mut cells = Self { keys: vec![0; end], counters: vec![0; wanted.counters], starts };
        let mut next = cells.starts.clone();
        for picked in picked {
            for (cell, key) in picked.cells.iter().zip(&picked.keys) {
                let place = next.get_mut(*cell as usize)?;
                *cells.keys.get_mut(*place)? = *key;
                *place += 1;
            }
            let counters = cells.counters.iter_mut().zip(&picked.counters);
            counters.for_each(|(sum, count)| *sum += count);
        }
        let is_full = |(number, cell): (usize, &Cell)| match cell.way {
            CellWay::Collected => next[number] == cells.starts[number + 1],
            CellWay::Counted(start, width) => {
                cells.counters[start..start + width].iter().sum::<u64>() == cell.count
            }
        };
        wanted.cells.iter().enumerate().all(is_full).then_some(cells)
    }

    /// The key at a wanted rank of a group.
    fn key(&mut self, wanted: &Wanted, group: usize, rank: u64) -> Option<i64> {
        let first = wanted.first_cell[group] as usize;
        let end = wanted.first_cell[group + 1] as usize;
        let of_group = wanted.cells.get(first..end)?;
        let place = of_group.partition_point(|cell| cell.first_rank <= rank).checked_sub(1)?;
        let cell = of_group.get(place)?;
        let mut rest = rank - cell.first_rank;
        match cell.way {
            CellWay::Collected => {
                let number = first + place;
                let keys = self.keys.get_mut(self.starts[number]..self.starts[number + 1])?;
                let rest = usize::try_from(rest).ok().filter(|rest| *rest < keys.len())?;
                Some(*keys.select_nth_unstable(rest).1)
            }
            CellWay::Counted(start, width) => {
                for (at, count) in (0_i64..).zip(self.counters.get(start..start + width)?) {
                    if rest < *count {
                        return Some(cell.low.wrapping_add(at));
                    }
                    rest -= count;
                }
                None
            }
        }
    }
}
