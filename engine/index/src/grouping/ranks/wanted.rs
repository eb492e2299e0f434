//! Between the passes: in which buckets of which groups the wanted ranks lie.
//!
//! Receives: the counts of all partitions. Hands on: one cell per bucket that holds a wanted
//! rank, to [`super::Picked`] and to [`super::at_ranks`]. A group whose keys were all kept has
//! one cell for all of them.

use super::counts::RankCounts;
use super::scale::KeyScale;
use super::{NO_GROUP, Point};

/// A cell whose keys lie this close together may be counted by key instead of collected.
const COUNTED_WIDTH_MAX: u64 = 1 << 16;

/// More wanted buckets of one group than a flag can number.
const CELLS_OF_GROUP_MAX: usize = u8::MAX as usize;

/// What one partition counted, and which group of all partitions each of its groups is.
#[derive(Debug, Clone, Copy)]
pub struct Share<'a> {
    /// The partition's counts.
    pub counts: &'a RankCounts,
    /// One entry per group of the partition, each below the number of all groups.
    pub group_of: &'a [u32],
}

/// The cells that hold wanted ranks.
#[derive(Debug, Clone)]
pub struct Wanted {
    scale: KeyScale,
    pub(super) points: Vec<Point>,
    /// How many keys each group has.
    pub(super) present: Vec<u64>,
    /// The row of flags of each group; none where all of its keys were kept.
    row_of: Vec<u32>,
    /// For each row and bucket 0, or from 1 which of the row's cells it is.
    flags: Vec<u8>,
    /// The first cell of each row.
    cell_of_row: Vec<u32>,
    /// The first cell of each group, and the end.
    pub(super) first_cell: Vec<u32>,
    pub(super) cells: Vec<Cell>,
    /// How many counters the cells have that are counted by key.
    pub(super) counters: usize,
}

/// A part of a group's keys in which a wanted rank lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// The rank of its first key in the group.
    pub(super) first_rank: u64,
    pub(super) count: u64,
    pub(super) low: i64,
    pub(super) way: CellWay,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum CellWay {
    /// Its keys are collected.
    Collected,
    /// Its keys are counted one by one: from this counter on, so many.
    Counted(usize, usize),
}

impl Wanted {
    /// How many points may be wanted of one column: each lies in at most two buckets.
    pub const POINTS_MAX: usize = CELLS_OF_GROUP_MAX / 2;

    /// The cells of all groups, given every partition's counts, all by the same scale. Points
    /// beyond [`Self::POINTS_MAX`] are left out.
    #[must_use]
    pub fn new(points: &[Point], scale: KeyScale, shares: &[Share<'_>], groups: usize) -> Self {
        let points = points[..points.len().min(Self::POINTS_MAX)].to_vec();
        let total = Total::of(scale, shares, groups);
        let mut wanted = Self {
            scale,
            points,
            present: total.present,
            flags: vec![0; total.counts.len()],
            cell_of_row: Vec::new(),
            first_cell: Vec::with_capacity(groups + 1),
            row_of: total.row_of,
            cells: Vec::new(),
            counters: 0,
        };
        for group in 0..groups {
            wanted.first_cell.push(wanted.next_cell());
            match wanted.row_of[group] {
                NO_GROUP => wanted.want_all(group),
                row => {
                    let buckets = scale.buckets();
                    let start = row as usize * buckets;
                    wanted.want_buckets(group, start, &total.counts[start..start + buckets]);
                }
            }
        }
        wanted.first_cell.push(wanted.next_cell());
        wanted.cell_of_row = vec![0; wanted.flags.len() / scale.buckets()];
        for (group, row) in wanted.row_of.iter().enumerate() {
            if *row != NO_GROUP {
                wanted.cell_of_row[*row as usize] = wanted.first_cell[group];
            }
        }
        wanted
    }

    /// For each group of a partition, the row by which [`super::Picked::add`] knows it;
    /// [`NO_GROUP`] if the first pass kept its keys. `None` if that is so of all groups: the
    /// partition needs no second pass.
    #[must_use]
    pub fn rows_of(&self, share: Share<'_>) -> Option<Vec<u32>> {
        let counted = share.counts.counted_groups();
        let row = |(group, of_all): (usize, &u32)| match group < counted {
            true => self.row_of_group(*of_all),
            false => NO_GROUP,
        };
        (counted > 0).then(|| share.group_of.iter().enumerate().map(row).collect())
    }

    /// The row of a group of all partitions; [`NO_GROUP`] if it has none.
    pub(super) fn row_of_group(&self, group: u32) -> u32 {
        self.row_of.get(group as usize).copied().unwrap_or(NO_GROUP)
    }

    pub(super) const fn scale(&self) -> &KeyScale {
        &self.scale
    }

    /// 0, or from 1 which of a row's cells the bucket is.
    pub(super) fn flags(&self) -> &[u8] {
        &self.flags
    }

    /// The cell of a row whose flag is not 0.
    pub(super) fn cell(&self, row: u32, flag: u8) -> usize {
        self.cell_of_row[row as usize] as usize + usize::from(flag) - 1
    }

    /// Bytes held.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        let per_group = size_of::<u64>() + 2 * size_of::<u32>();
        self.flags.len()
            + self.present.len() * per_group
            + self.cells.len() * size_of::<Cell>()
            + self.counters * size_of::<u64>()
    }

    fn next_cell(&self) -> u32 {
        // A few for each group, and groups are bounded by memory far below.
        u32::try_from(self.cells.len()).unwrap_or(u32::MAX)
    }

    /// The wanted ranks of a group, ascending, each once.
    fn ranks(&self, group: usize) -> Vec<u64> {
        let present = self.present[group];
        let both = |point: &Point| <[u64; 2]>::from(point.ranks(present));
        let mut ranks: Vec<u64> = self.points.iter().flat_map(both).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks
    }

    fn want_all(&mut self, group: usize) {
        let count = self.present[group];
        if count > 0 {
            let way = CellWay::Collected;
            self.cells.push(Cell { first_rank: 0, count, low: i64::MIN, way });
        }
    }

    /// Wants the buckets in which the ranks lie; `start` is where the group's flags begin.
    fn want_buckets(&mut self, group: usize, start: usize, counts: &[u64]) {
        if self.present[group] == 0 {
            return;
        }
        let ranks = self.ranks(group);
        let mut ranks = ranks.iter().peekable();
        let (mut first_rank, mut flag) = (0, 0_u8);
        for (bucket, count) in (0_u32..).zip(counts) {
            let end = first_rank + count;
            if ranks.peek().is_some_and(|rank| **rank < end) {
                while ranks.next_if(|rank| **rank < end).is_some() {}
                // Points are limited so that flags suffice.
                flag = flag.saturating_add(1);
                self.flags[start + bucket as usize] = flag;
                self.want_bucket(bucket, first_rank, *count);
            }
            first_rank = end;
        }
    }

    fn want_bucket(&mut self, bucket: u32, first_rank: u64, count: u64) {
        let (low, high) = self.scale.keys_of(bucket);
        let distance = high.wrapping_sub(low).cast_unsigned();
        let way = if distance < COUNTED_WIDTH_MAX.min(count) {
            // Below 2^16.
            let width = distance as usize + 1;
            self.counters += width;
            CellWay::Counted(self.counters - width, width)
        } else {
            CellWay::Collected
        };
        self.cells.push(Cell { first_rank, count, low, way });
    }
}

/// The counts of all partitions, added up.
struct Total {
    present: Vec<u64>,
    row_of: Vec<u32>,
    counts: Vec<u64>,
}

impl Total {
    fn of(scale: KeyScale, shares: &[Share<'_>], groups: usize) -> Self {
        let buckets = scale.buckets();
        let mut row_of = vec![NO_GROUP; groups];
        let mut rows = 0;
        for share in shares {
            for group in share.group_of.iter().take(share.counts.counted_groups()) {
                if row_of[*group as usize] == NO_GROUP {
                    row_of[*group as usize] = rows;
                    rows += 1;
                }
            }
        }
        let mut total =
            Self { present: vec![0; groups], row_of, counts: vec![0; rows as usize * buckets] };
        shares.iter().for_each(|share| total.add(scale, share));
        total
    }

    fn add(&mut self, scale: KeyScale, share: &Share<'_>) {
        let buckets = scale.buckets();
        let counted = share.group_of.iter().take(share.counts.counted_groups());
        for (of_share, group) in counted.enumerate() {
            let start = self.row_of[*group as usize] as usize * buckets;
            let into = &mut self.counts[start..start + buckets];
            self.present[*group as usize] += share.counts.add_counts(of_share, into);
        }
        let (groups, keys) = share.counts.kept();
        for (group, key) in groups.iter().zip(keys) {
            let group = share.group_of[*group as usize] as usize;
            self.present[group] += 1;
            if self.row_of[group] != NO_GROUP {
                let bucket = scale.bucket(*key) as usize;
                self.counts[self.row_of[group] as usize * buckets + bucket] += 1;
            }
        }
    }
}
