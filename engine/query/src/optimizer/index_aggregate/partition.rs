//! One partition's work: its segments, one after the other, into groups.
//!
//! Receives: the segments, and the plans that they are joined to. Hands on: the groups, when all
//! segments are done or when many have come together; and what a second pass needs.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryReservation;
use martlet_index::grouping::ranks::RankCounts;

use super::best_groups::BestOfPartition;
use super::merged::Merged;
use super::partners::Partners;
use super::rank_passes::KeptSegment;
use super::segment::add_segment;
use super::sharing::Sharing;
use super::spec::Spec;
use crate::indexed_table::{IndexedSegment, IndexedTable};
use crate::scan::SegmentScan;

/// What a partition is to do.
pub(super) struct PartitionTotals {
    /// The segments to come.
    pub(super) segments: VecDeque<Arc<IndexedSegment>>,
    pub(super) scan: Arc<SegmentScan>,
    pub(super) spec: Arc<Spec>,
    pub(super) sharing: Arc<Sharing>,
    /// Which groups are wanted, if not all.
    pub(super) best: Option<BestOfPartition>,
    /// The table of the segments.
    pub(super) table: Option<Arc<IndexedTable>>,
    pub(super) context: Arc<TaskContext>,
    pub(super) memory: MemoryReservation,
}

/// What a partition has totalled so far, in its account.
pub(super) struct Totalled {
    pub(super) part: PartitionTotals,
    joined: Vec<Arc<Partners>>,
    pub(super) merged: Merged,
    pub(super) kept: Vec<KeptSegment>,
}

impl PartitionTotals {
    /// Everything at once.
    pub(super) async fn run(self) -> DataFusionResult<Totalled> {
        let mut totalled = self.begun().await?;
        totalled.go_on(usize::MAX).await?;
        Ok(totalled)
    }

    /// No segment yet, but the rows of every plan that the scan is joined to.
    pub(super) async fn begun(mut self) -> DataFusionResult<Totalled> {
        let mut joined = Vec::with_capacity(self.spec.dimensions.len());
        for dimension in &self.spec.dimensions {
            joined.push(dimension.partners(&self.context).await?);
        }
        // A join with nothing has no rows, whatever the segments hold.
        if joined.iter().any(|partners| partners.is_empty()) {
            self.segments.clear();
        }
        let merged = Merged::new(&self.spec, joined.clone());
        Ok(Totalled { part: self, joined, merged, kept: Vec::new() })
    }
}

impl Totalled {
    /// Adds segments until there are so many groups, or no segment is left; says whether none is.
    pub(super) async fn go_on(&mut self, groups: usize) -> DataFusionResult<bool> {
        while let Some(segment) = self.part.segments.pop_front() {
            self.add(&segment).await?;
            // A statement that was cancelled ends between two segments.
            tokio::task::yield_now().await;
            if self.merged.keys.len() >= groups {
                break;
            }
        }
        Ok(self.part.segments.is_empty())
    }

    async fn add(&mut self, segment: &Arc<IndexedSegment>) -> DataFusionResult<()> {
        let PartitionTotals { scan, spec, sharing, best, table, context, memory, .. } =
            &mut self.part;
        let rows = scan.selection(segment, context).await?;
        let overlaps = sharing.overlaps(scan, context).await;
        let merged = &mut self.merged;
        if let Some(best) = best {
            best.go_on(spec, segment, &rows, table.as_ref(), (scan, context)).await;
        }
        let told = add_segment(scan, spec, segment, &overlaps, &rows, best.as_mut(), merged);
        self.kept.extend(told.await?);
        sharing.note(merged);
        if merged.ranks.iter().all(RankCounts::keeps_all) {
            // There will be no second pass.
            self.kept.clear();
        }
        let kept_bytes: usize = self.kept.iter().map(KeptSegment::memory_bytes).sum();
        memory.try_resize(merged.memory_bytes() + kept_bytes)
    }

    /// The groups so far; those of later segments will be told beside them.
    pub(super) fn take_groups(&mut self) -> Merged {
        let fresh = Merged::none(&self.part.spec, self.joined.clone());
        std::mem::replace(&mut self.merged, fresh)
    }
}
