//! The two passes by which values at ranks are found, over all partitions.
//!
//! Relies on each group of a segment being one group of all, in both passes: [`Spec::of`] asks
//! for no ranks of a join, whose rows may fall into several groups, or of groups that become one.
//!
//! The first pass is that of every aggregation; it leaves counts and, per segment, the rows it
//! looked at. Between the passes all partitions are looked at together. The second pass goes
//! over the same rows of each partition, at the same time, and picks the few keys of interest;
//! a segment whose indexes are not sound is read again. Every buffer stands in the account of
//! the memory pool.

use std::sync::Arc;

use datafusion::error::Result as DataFusionResult;
use datafusion::execution::memory_pool::MemoryReservation;
use martlet_core::Selection;
use martlet_index::IndexKind;
use martlet_index::grouping::ranks::{
    AtRanks, NO_GROUP, Picked, RankCounts, Share, Wanted, at_ranks,
};

use super::exec::at_once;
use super::joins::Placed;
use super::merged::Merged;
use super::rows::add_rows;
use super::segment::Opened;
use super::spec::Spec;
use crate::error::QueryError;
use crate::indexed_table::IndexedSegment;
use crate::scan::SegmentScan;

/// A segment that the second pass looks at again.
pub(super) struct KeptSegment {
    segment: Arc<IndexedSegment>,
    slices: Vec<Selection>,
    /// `None` where rows were read.
    told: Option<ToldByIndexes>,
}

/// How the indexes of a segment told its groups. Indexes of other kinds number them otherwise.
pub(super) struct ToldByIndexes {
    /// The kind of each grouping column's index.
    pub(super) kinds: Vec<IndexKind>,
    /// For each ranked column the groups of its slice.
    pub(super) groups: Vec<SegmentGroups>,
}

/// The groups of a segment: the number of each, and where it stands among its partition's.
pub(super) struct SegmentGroups(Vec<(u32, u32)>);

impl SegmentGroups {
    pub(super) fn new(numbers: &[u32], placed: &[Placed]) -> Self {
        // Groups are bounded by memory, far below 2^32.
        let of_group = |place: &Placed| (numbers[place.position], place.group as u32);
        Self(placed.iter().map(of_group).collect())
    }

    /// By number, what `of` says of the group; nothing where there is none.
    pub(super) fn by_number(&self, of: impl Fn(u32) -> u32) -> Vec<u32> {
        let end = self.0.iter().map(|(number, _)| *number as usize + 1).max().unwrap_or(0);
        let mut by_number = vec![NO_GROUP; end];
        self.0.iter().for_each(|(number, group)| by_number[*number as usize] = of(*group));
        by_number
    }
}

impl KeptSegment {
    /// `None` if no second pass can follow.
    pub(super) fn new(
        spec: &Spec,
        segment: &Arc<IndexedSegment>,
        slices: Vec<Selection>,
        told: Option<ToldByIndexes>,
    ) -> Option<Self> {
        let is_kept = !spec.ranked.is_empty();
        is_kept.then(|| Self { segment: Arc::clone(segment), slices, told })
    }

    /// Bytes held, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        let told = self.told.iter().flat_map(|told| &told.groups);
        let groups = told.map(|groups| groups.0.len());
        self.slices.iter().map(Selection::memory_bytes).sum::<usize>()
            + groups.sum::<usize>() * size_of::<(u32, u32)>()
    }
}

/// One partition after the first pass.
pub(super) struct FirstPass {
    pub(super) scan: Arc<SegmentScan>,
    pub(super) kept: Vec<KeptSegment>,
    pub(super) ranks: Vec<RankCounts>,
    /// Where each group of the partition stands among those of all.
    pub(super) group_of: Vec<u32>,
    pub(super) memory: MemoryReservation,
}

impl FirstPass {
    fn share(&self, ranked: usize) -> Option<Share<'_>> {
        Some(Share { counts: self.ranks.get(ranked)?, group_of: &self.group_of })
    }

    /// What a second pass looks for in each ranked column; nothing where all keys were kept.
    fn to_pick(&self, wanted: &[Arc<Wanted>]) -> Vec<Option<ToPick>> {
        let of_column = |(at, wanted): (usize, &Arc<Wanted>)| {
            let row_of = wanted.rows_of(self.share(at)?)?;
            Some(ToPick { wanted: Arc::clone(wanted), row_of })
        };
        wanted.iter().enumerate().map(of_column).collect()
    }
}

/// What a partition's second pass looks for in one column.
struct ToPick {
    wanted: Arc<Wanted>,
    /// The row of each group of the partition.
    row_of: Vec<u32>,
}

/// The values at ranks of each ranked column, by the groups of all partitions.
pub(super) async fn second_pass(
    spec: &Spec,
    merged: Arc<Merged>,
    mut parts: Vec<FirstPass>,
) -> DataFusionResult<Vec<AtRanks>> {
    if spec.ranked.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = wanted(spec, &merged, &parts)?;
    let only_ranks = Arc::new(Spec {
        functions: Vec::new(),
        measures: Vec::new(),
        distincts: Vec::new(),
        ..spec.clone()
    });
    let part = |part: &mut FirstPass| Picking {
        spec: Arc::clone(&only_ranks),
        scan: Arc::clone(&part.scan),
        merged: Arc::clone(&merged),
        to_pick: part.to_pick(&wanted),
        group_of: part.group_of.clone(),
        kept: std::mem::take(&mut part.kept),
        memory: part.memory.new_empty(),
    };
    let picking: Vec<_> = parts.iter_mut().map(part).collect();
    let picked = at_once(picking.into_iter().map(Picking::run).collect()).await?;
    answers(&wanted, &parts, picked)
}

/// The values at ranks, given what all partitions counted and picked.
fn answers(
    wanted: &[Arc<Wanted>],
    parts: &[FirstPass],
    mut picked: Vec<PickedOfPart>,
) -> DataFusionResult<Vec<AtRanks>> {
    const SAME: QueryError = QueryError::Bug { promise: "both passes see the same rows" };
    let memory = parts.first().map(|part| part.memory.new_empty());
    let mut found = Vec::with_capacity(wanted.len());
    for (at, wanted) in wanted.iter().enumerate() {
        let shares: Vec<Share<'_>> = parts.iter().filter_map(|part| part.share(at)).collect();
        let of_column = picked.iter_mut().filter_map(|part| part.columns.get_mut(at)?.take());
        let of_column: Vec<Picked> = of_column.collect();
        if let Some(memory) = &memory {
            let of_shares = shares.iter().map(|share| share.counts.kept().1.len());
            let kept = of_shares.sum::<usize>() * size_of::<(u32, i64)>();
            memory.try_resize(kept + of_column.iter().map(Picked::memory_bytes).sum::<usize>())?;
        }
        found.push(at_ranks(wanted, &shares, of_column).ok_or(SAME)?);
    }
    Ok(found)
}

/// What is wanted of each ranked column, by the counts of all partitions.
fn wanted(spec: &Spec, merged: &Merged, parts: &[FirstPass]) -> DataFusionResult<Vec<Arc<Wanted>>> {
    let groups = merged.keys.len();
    let of_column = |at: usize| {
        let ranked = &spec.ranked[at];
        let shares: Vec<Share<'_>> = parts.iter().filter_map(|part| part.share(at)).collect();
        // No more sums than counts, each of eight bytes instead of four.
        let counted = shares.iter().map(|share| share.counts.memory_bytes()).sum::<usize>() * 2;
        let memory = parts.first().map(|part| &part.memory);
        memory.map_or(Ok(()), |memory| memory.try_grow(counted))?;
        let wanted = Wanted::new(&ranked.points, ranked.scale, &shares, groups);
        memory.map_or(Ok(()), |memory| {
            memory.shrink(counted);
            memory.try_grow(wanted.memory_bytes())
        })?;
        Ok(Arc::new(wanted))
    };
    (0..spec.ranked.len()).map(of_column).collect()
}

/// One partition's second pass.
struct Picking {
    spec: Arc<Spec>,
    scan: Arc<SegmentScan>,
    merged: Arc<Merged>,
    to_pick: Vec<Option<ToPick>>,
    group_of: Vec<u32>,
    kept: Vec<KeptSegment>,
    memory: MemoryReservation,
}

/// What one partition picked of each ranked column, still in its account.
struct PickedOfPart {
    columns: Vec<Option<Picked>>,
    _memory: MemoryReservation,
}

impl Picking {
    async fn run(self) -> DataFusionResult<PickedOfPart> {
        let of_column =
            |to_pick: &Option<ToPick>| to_pick.as_ref().map(|to_pick| Picked::new(&to_pick.wanted));
        let mut picked: Vec<Option<Picked>> = self.to_pick.iter().map(of_column).collect();
        if picked.iter().any(Option::is_some) {
            for kept in &self.kept {
                self.pick(kept, &mut picked).await?;
                let bytes = picked.iter().flatten().map(Picked::memory_bytes).sum();
                self.memory.try_resize(bytes)?;
                // A statement that was cancelled ends between two segments.
                tokio::task::yield_now().await;
            }
        }
        Ok(PickedOfPart { columns: picked, _memory: self.memory })
    }

    async fn pick(
        &self,
        kept: &KeptSegment,
        picked: &mut [Option<Picked>],
    ) -> Result<(), QueryError> {
        if let Some(told) = &kept.told
            && let Some(opened) =
                Opened::open(&self.scan, &self.spec, &kept.segment, Vec::new()).await
            && opened.can_rank(kept.segment.rows())
            && opened.key_kinds() == told.kinds
        {
            return self.pick_by_indexes(&opened, &told.groups, kept, picked);
        }
        self.pick_by_rows(kept, picked).await
    }

    fn pick_by_indexes(
        &self,
        opened: &Opened,
        groups: &[SegmentGroups],
        kept: &KeptSegment,
        picked: &mut [Option<Picked>],
    ) -> Result<(), QueryError> {
        let columns = self.spec.ranked.iter().zip(groups).zip(self.to_pick.iter().zip(picked));
        for (at, ((ranked, groups), (to_pick, picked))) in columns.enumerate() {
            let (Some(to_pick), Some(picked)) = (to_pick, picked) else { continue };
            let row_of = |group: u32| to_pick.row_of.get(group as usize).copied();
            let by_number = groups.by_number(|group| row_of(group).unwrap_or(NO_GROUP));
            let rows = &kept.slices[ranked.slice];
            opened.for_each_key(at, rows, &by_number, |rows, keys| {
                picked.add(&to_pick.wanted, rows, keys);
            })?;
        }
        Ok(())
    }

    /// Reads the rows; their groups are found by the values of their keys.
    async fn pick_by_rows(
        &self,
        kept: &KeptSegment,
        picked: &mut [Option<Picked>],
    ) -> Result<(), QueryError> {
        const KNOWN: QueryError = QueryError::Bug { promise: "the first pass saw every group" };
        let mut read = Merged::new(&self.spec, Vec::new());
        read.ranks =
            self.spec.ranked.iter().map(|ranked| RankCounts::of_kept_keys(ranked.scale)).collect();
        add_rows(&self.scan, &self.spec, &kept.segment, &kept.slices, &mut read).await?;
        let places = self.merged.positions_of(&read).ok_or(KNOWN)?;
        for ((counts, to_pick), picked) in read.ranks.iter().zip(&self.to_pick).zip(picked) {
            let (Some(to_pick), Some(picked)) = (to_pick, picked) else { continue };
            let mut row_of = vec![NO_GROUP; self.merged.keys.len()];
            for (row, group) in to_pick.row_of.iter().zip(&self.group_of) {
                row_of[*group as usize] = *row;
            }
            let (groups, keys) = counts.kept();
            let rows = groups.iter().map(|group| row_of[places[*group as usize]]);
            let counted = rows.zip(keys.iter().copied()).filter(|(row, _)| *row != NO_GROUP);
            let (rows, keys): (Vec<u32>, Vec<i64>) = counted.unzip();
            picked.add(&to_pick.wanted, &rows, &keys);
        }
        Ok(())
    }
}
