//! A segment's keys of the columns of which values at ranks are wanted: from its indexes,
//! with the group of each.
//!
//! Never compares keys of two segments unless they stand for the same values in both.

use martlet_core::Selection;
use martlet_index::grouping::ranks::for_each_key;
use martlet_index::grouping::{Grouped, MeasureColumn};
use martlet_index::{CodesIndex, IndexKind};

use super::super::joins::Placed;
use super::super::merged::Merged;
use super::super::rank_passes::SegmentGroups;
use super::super::spec::Spec;
use super::{Opened, OpenedMeasure};
use crate::error::QueryError;

impl Opened {
    /// Adds the keys of all ranked columns, given each slice's groups and where they stand among
    /// those of all; says the groups of each column's slice.
    pub(super) fn add_ranks(
        &self,
        spec: &Spec,
        slices: &[Selection],
        grouped: &[Grouped],
        placed: &[Vec<Placed>],
        into: &mut Merged,
    ) -> Result<Vec<SegmentGroups>, QueryError> {
        let mut groups = Vec::with_capacity(spec.ranked.len());
        for (at, ranked) in spec.ranked.iter().enumerate() {
            let slice = ranked.slice;
            let of_slice = SegmentGroups::new(&grouped[slice].numbers, &placed[slice]);
            let group_of = of_slice.by_number(|group| group);
            let counts = &mut into.ranks[at];
            self.for_each_key(at, &slices[slice], &group_of, |groups, keys| {
                counts.add(groups, keys);
            })?;
            groups.push(of_slice);
        }
        Ok(groups)
    }

    /// Hands on the keys of a ranked column at the selected rows, each with its group (see
    /// [`for_each_key`]).
    pub(in super::super) fn for_each_key(
        &self,
        ranked: usize,
        rows: &Selection,
        group_of: &[u32],
        with: impl FnMut(&[u32], &[i64]),
    ) -> Result<(), QueryError> {
        const SOUND: QueryError = QueryError::Bug { promise: "opened indexes were checked" };
        let keys = self.key_columns().ok_or(SOUND)?;
        let column = self.ranked.get(ranked).and_then(OpenedMeasure::ranked_column);
        for_each_key(&keys, &column.ok_or(SOUND)?, rows, group_of, with).map_err(|_| SOUND)
    }

    /// The kind of each grouping column's index.
    pub(in super::super) fn key_kinds(&self) -> Vec<IndexKind> {
        self.keys.iter().map(|key| key.index.kind()).collect()
    }

    /// Whether every ranked column can be read, of a segment of so many rows.
    pub(in super::super) fn can_rank(&self, rows: u32) -> bool {
        let is_sound = |column: MeasureColumn<'_>| column.rows() == rows;
        self.ranked.iter().all(|opened| opened.ranked_column().is_some_and(is_sound))
    }
}

impl OpenedMeasure {
    /// The column, if its keys mean the same in every segment.
    fn ranked_column(&self) -> Option<MeasureColumn<'_>> {
        let codes = self.index.as_ref()?.as_codes();
        let has_keys = |codes: &CodesIndex| codes.dictionary().has_narrow_keys();
        if codes.is_none_or(has_keys) { self.column() } else { None }
    }
}
