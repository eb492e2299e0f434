//! One segment's share of an aggregation: from its indexes, or, where one of them is not
//! sound, from its rows.

mod best;
mod ranks;

use std::sync::Arc;

use martlet_core::{Selection, Value};
use martlet_index::grouping::{
    CodeGroups, Grouped, KEY_COLUMNS_MAX, KeyBucket, KeyColumn, MeasureColumn, SharedCodes, Totals,
    group,
};
use martlet_index::{CodesIndex, Index, IndexKind, value_of_key};

use super::best_groups::BestOfPartition;
use super::bucket::Bucket;
use super::distinct::Prepared;
use super::joins::{OpenedJoin, Placed, narrowed};
use super::marked::Distinct;
use super::merged::{Merged, Total};
use super::rank_passes::{KeptSegment, ToldByIndexes};
use super::rows::add_rows;
use super::spec::{Key, Measure, Spec};
use crate::error::QueryError;
use crate::indexed_table::IndexedSegment;
use crate::overlap::ColumnOverlap;
use crate::scan::SegmentScan;

/// Adds the totals of the selected rows of a segment; hands back what a second pass needs.
pub(super) async fn add_segment(
    scan: &SegmentScan,
    spec: &Spec,
    segment: &Arc<IndexedSegment>,
    overlaps: &[Option<ColumnOverlap>],
    rows: &Selection,
    best: Option<&mut BestOfPartition>,
    into: &mut Merged,
) -> Result<Option<KeptSegment>, QueryError> {
    if rows.is_none() {
        return Ok(None);
    }
    if spec.slots() == 0 && spec.totals_nothing() {
        into.counts[0] += rows.count();
        return Ok(None);
    }
    let mut joins = OpenedJoin::open(scan, spec, segment, &into.joined).await;
    let with_partners = joins.as_mut().and_then(|joins| narrowed(joins, rows));
    let rows = with_partners.as_ref().unwrap_or(rows);
    if rows.is_none() {
        return Ok(None);
    }
    let mut slices = Vec::with_capacity(spec.slices.len());
    for slice in &spec.slices {
        slices.push(scan.slice(segment, rows, &slice.when, &slice.unless).await?);
    }
    let shared: Vec<Option<&SharedCodes>> = (0..spec.distincts.len())
        .map(|at| overlaps.get(at)?.as_ref()?.get(segment.position()))
        .collect();
    let opened = match joins {
        Some(joins) => Opened::open(scan, spec, segment, joins).await,
        None => None,
    };
    let told = match opened {
        Some(opened) => opened.add(spec, &slices, &shared, best, into)?,
        None => None,
    };
    if told.is_none() {
        add_rows(scan, spec, segment, &slices, into).await?;
    }
    Ok(KeptSegment::new(spec, segment, slices, told))
}

/// The indexes of one segment that an aggregation needs.
pub(super) struct Opened {
    keys: Vec<OpenedKey>,
    joins: Vec<OpenedJoin>,
    measures: Vec<OpenedMeasure>,
    pub(super) distincts: Vec<OpenedKey>,
    ranked: Vec<OpenedMeasure>,
}

pub(super) struct OpenedKey {
    pub(super) index: Arc<Index>,
    /// For codes: the coarser groups and their values.
    groups: Option<(CodeGroups, Vec<Option<Value>>)>,
    /// For a vector: how keys fall into groups.
    bucket: Option<Box<KeyBucket>>,
}

struct OpenedMeasure {
    /// `None` where only rows are counted.
    index: Option<Arc<Index>>,
    /// For codes: the key of each, or, of texts, its position. `None` for values that have
    /// neither, such as decimals of more than 64 bits.
    keys: Option<Vec<i64>>,
}

impl Opened {
    pub(super) async fn open(
        scan: &SegmentScan,
        spec: &Spec,
        segment: &IndexedSegment,
        joins: Vec<OpenedJoin>,
    ) -> Option<Self> {
        let mut keys = Vec::with_capacity(spec.keys.len());
        for key in &spec.keys {
            let index = open(scan, segment, key.column, [IndexKind::Codes, IndexKind::Vector]);
            keys.push(OpenedKey::of(index.await?, key));
        }
        let mut measures = Vec::with_capacity(spec.measures.len());
        for measure in &spec.measures {
            let index = match measure.column {
                None => None,
                Some((column, _)) => {
                    Some(open(scan, segment, column, [IndexKind::Vector, IndexKind::Codes]).await?)
                }
            };
            measures.push(OpenedMeasure::of(index));
        }
        let mut distincts = Vec::with_capacity(spec.distincts.len());
        for key in &spec.distincts {
            let index = open(scan, segment, key.column, [IndexKind::Codes, IndexKind::Vector]);
            distincts.push(OpenedKey::of(index.await?, key));
        }
        let mut ranked = Vec::with_capacity(spec.ranked.len());
        for asked in &spec.ranked {
            let index = open(scan, segment, asked.column, [IndexKind::Vector, IndexKind::Codes]);
            ranked.push(OpenedMeasure::of(Some(index.await?)));
        }
        Some(Self { keys, joins, measures, distincts, ranked })
    }

    /// How the segment's groups were told; `None`, with nothing added, if the indexes cannot
    /// answer.
    fn add(
        &self,
        spec: &Spec,
        slices: &[Selection],
        shared: &[Option<&SharedCodes>],
        best: Option<&mut BestOfPartition>,
        into: &mut Merged,
    ) -> Result<Option<ToldByIndexes>, QueryError> {
        let Some(mut grouped) = self.grouped(spec, slices, shared) else { return Ok(None) };
        if let (Some(best), [whole]) = (best, grouped.totals.as_mut_slice()) {
            self.retain_best(spec, best, whole);
        }
        let mut placed = Vec::with_capacity(grouped.totals.len());
        if let ([only], true) = (grouped.totals.as_slice(), spec.tells_groups_once()) {
            placed.push(into.with_each_once(|into| self.merge(spec, 0, only, into)));
        } else {
            for (slice, totals) in grouped.totals.iter().enumerate() {
                placed.push(self.merge(spec, slice, totals, into));
            }
        }
        for (at, distinct) in grouped.distincts.iter().enumerate() {
            self.merge_values(spec, at, distinct, into);
        }
        let groups = self.add_ranks(spec, slices, &grouped.totals, &placed, into)?;
        Ok(Some(ToldByIndexes { kinds: self.key_kinds(), groups }))
    }

    /// What the segment is grouped by: the keys, then the joins that must be told apart.
    fn key_columns(&self) -> Option<Vec<KeyColumn<'_>>> {
        let joins = self.joins.iter().filter(|join| join.is_told_apart());
        self.keys.iter().map(OpenedKey::column).chain(joins.map(OpenedJoin::column)).collect()
    }

    /// Everything that is asked of the segment; `None` if an index is not sound.
    fn grouped<'a>(
        &self,
        spec: &Spec,
        slices: &[Selection],
        shared: &[Option<&'a SharedCodes>],
    ) -> Option<OfSegment<'a>> {
        if !self.can_rank(slices.first()?.rows()) {
            return None;
        }
        let keys = self.key_columns()?;
        let mut totals = Vec::with_capacity(slices.len());
        for (slice, rows) in slices.iter().enumerate() {
            let mut measures = Vec::new();
            for (opened, asked) in self.measures.iter().zip(&spec.measures) {
                if asked.slice == slice && asked.column.is_some() {
                    measures.push((opened.column()?, asked.wanted));
                }
            }
            totals.push(group(&keys, &measures, rows).ok()?);
        }
        let mut distincts = Vec::with_capacity(self.distincts.len());
        for (distinct, shared) in self.distincts.iter().zip(shared) {
            distincts.push(Distinct::of(&keys, distinct, *shared, slices.first()?)?);
        }
        Some(OfSegment { totals, distincts })
    }

    /// Adds the distinct values of one column, given each combination of keys and value.
    pub(super) fn merge_distinct(
        &self,
        spec: &Spec,
        at: usize,
        grouped: &Grouped,
        into: &mut Merged,
    ) {
        let placed = self.placed(spec, grouped, into);
        // The last column, behind those that make the groups.
        let place = grouped.keys.len() - 1;
        let (opened, key) = (&self.distincts[at], &spec.distincts[at]);
        let distinct = grouped.keys[place].iter().max().map_or(0, |highest| *highest as usize + 1);
        let mut prepared: Vec<Option<Prepared>> = vec![None; distinct];
        for Placed { position, group, .. } in placed {
            let local = grouped.keys[place][position];
            let slot = &mut prepared[local as usize];
            if slot.is_none() {
                // Null is no value.
                let Some(value) = opened.value(local, place, key, grouped) else { continue };
                *slot = Some(into.distincts[at].prepared(&value));
            }
            if let Some(value) = slot {
                into.distincts[at].add(group, value);
            }
        }
    }

    /// Where the groups of a segment stand among those of all. One that has no partners in a
    /// joined plan stands nowhere, one that has several in several groups.
    pub(super) fn placed(&self, spec: &Spec, grouped: &Grouped, into: &mut Merged) -> Vec<Placed> {
        let mut numbers: Vec<Vec<u32>> = Vec::with_capacity(self.keys.len());
        for (at, (opened, key)) in self.keys.iter().zip(&spec.keys).enumerate() {
            numbers.push(opened.numbers(at, key, grouped, into));
        }
        let mut placed = Vec::with_capacity(grouped.len());
        let mut places = Vec::new();
        for position in 0..grouped.len() {
            let Some(combinations) = self.combinations(grouped, position) else { continue };
            let mut key = [0; KEY_COLUMNS_MAX];
            for (slot, numbers) in key.iter_mut().zip(&numbers) {
                *slot = numbers[position];
            }
            into.places(key, &combinations, &mut places);
            placed.extend(places.iter().map(|(group, times)| Placed {
                position,
                group: *group,
                times: *times,
            }));
        }
        placed
    }

    /// What the rows of a group are joined to, in each joined plan.
    fn combinations(&self, grouped: &Grouped, position: usize) -> Option<[u32; KEY_COLUMNS_MAX]> {
        let mut combinations = [0; KEY_COLUMNS_MAX];
        let mut columns = grouped.keys[self.keys.len()..].iter();
        for (slot, join) in combinations.iter_mut().zip(&self.joins) {
            *slot = join.combination(|| columns.next()?.get(position).copied())?;
        }
        Some(combinations)
    }

    /// Adds the totals of a slice; says where each of its groups stands among those of all.
    fn merge(
        &self,
        spec: &Spec,
        slice: usize,
        grouped: &Grouped,
        into: &mut Merged,
    ) -> Vec<Placed> {
        let placed = self.placed(spec, grouped, into);
        if slice == 0 {
            for place in &placed {
                into.counts[place.group] += place.rows(grouped.counts[place.position]);
            }
        }
        let of_slice = self.measures.iter().zip(&spec.measures).enumerate();
        let mut totalled = grouped.totals.iter();
        for (at, (opened, measure)) in of_slice.filter(|(_, (_, asked))| asked.slice == slice) {
            let totals = if measure.column.is_some() { totalled.next() } else { None };
            for place in &placed {
                let total = &mut into.totals[at][place.group];
                match totals {
                    None => total.present += place.rows(grouped.counts[place.position]),
                    Some(totals) => opened.add(totals, place, measure, total),
                }
            }
        }
        placed
    }
}

/// What a segment adds.
struct OfSegment<'a> {
    /// One per slice.
    totals: Vec<Grouped>,
    /// One per distinct column.
    distincts: Vec<Distinct<'a>>,
}

pub(super) async fn open(
    scan: &SegmentScan,
    segment: &IndexedSegment,
    column: usize,
    kinds: [IndexKind; 2],
) -> Option<Arc<Index>> {
    for kind in kinds {
        if let Some(index) = scan.index(segment, column, kind).await {
            return Some(index);
        }
    }
    None
}

impl OpenedKey {
    fn of(index: Arc<Index>, key: &Key) -> Self {
        let is_bucket = key.bucket != Bucket::Value;
        let groups = index.as_codes().filter(|_| is_bucket).map(|codes| groups_of(codes, key));
        let bucket = index.as_vector().filter(|_| is_bucket).map(|_| {
            let (bucket, column_type) = (key.bucket, key.column_type);
            Box::new(move |of: i64| bucket.of_key(of, column_type)) as Box<KeyBucket>
        });
        Self { index, groups, bucket }
    }

    pub(super) fn column(&self) -> Option<KeyColumn<'_>> {
        if let Some(codes) = self.index.as_codes() {
            return Some(match &self.groups {
                Some((groups, _)) => KeyColumn::CodeGroups(codes, groups),
                None => KeyColumn::Codes(codes),
            });
        }
        let vector = self.index.as_vector()?;
        Some(match &self.bucket {
            Some(bucket) => KeyColumn::VectorGroups(vector, bucket.as_ref()),
            None => KeyColumn::Vector(vector),
        })
    }

    /// For each group, the number that its value has among those of all segments.
    fn numbers(&self, at: usize, key: &Key, grouped: &Grouped, into: &mut Merged) -> Vec<u32> {
        let locals = &grouped.keys[at];
        let distinct = locals.iter().max().map_or(0, |highest| *highest as usize + 1);
        let mut known: Vec<Option<u32>> = vec![None; distinct];
        let mut number = |local: &u32| {
            let slot = &mut known[*local as usize];
            *slot.get_or_insert_with(|| into.number(at, self.value(*local, at, key, grouped)))
        };
        locals.iter().map(&mut number).collect()
    }

    fn value(&self, local: u32, at: usize, key: &Key, grouped: &Grouped) -> Option<Value> {
        let position = local as usize;
        if let Some((_, values)) = &self.groups {
            return values.get(position).cloned().flatten();
        }
        if let Some(codes) = self.index.as_codes() {
            return codes.value(local);
        }
        let found = grouped.vector_keys.get(at)?.get(position).copied().flatten()?;
        match key.bucket {
            Bucket::Value => Some(self.index.as_vector()?.value_of(found)),
            bucket => value_of_key(found, bucket.column_type(key.column_type)),
        }
    }
}

/// The groups that a bucket makes of a dictionary, and the value of each; null is one more.
fn groups_of(codes: &CodesIndex, key: &Key) -> (CodeGroups, Vec<Option<Value>>) {
    let mut values: Vec<Option<Value>> = Vec::new();
    let mut of_code = Vec::with_capacity(codes.dictionary().len() + 1);
    let mut known = std::collections::HashMap::new();
    let dictionary = codes.dictionary().iter().map(Some).chain(std::iter::once(None));
    for value in dictionary {
        let group = value.map(|value| key.bucket.of_value(&value));
        // Not more groups than codes.
        let next = u32::try_from(values.len()).unwrap_or(u32::MAX);
        of_code.push(*known.entry(group.clone()).or_insert_with(|| {
            values.push(group);
            next
        }));
    }
    let groups = u32::try_from(values.len()).unwrap_or(u32::MAX);
    (CodeGroups { of_code, groups }, values)
}

impl OpenedMeasure {
    fn of(index: Option<Arc<Index>>) -> Self {
        let codes = index.as_ref().and_then(|index| index.as_codes());
        // Texts have their codes for keys; a dictionary of neither has none.
        let keys = codes.map(CodesIndex::dictionary).and_then(|dictionary| {
            let of_texts = || (0..).take(dictionary.len()).collect();
            dictionary.narrow_keys().or_else(|| dictionary.is_of_texts().then(of_texts))
        });
        Self { index, keys }
    }

    fn column(&self) -> Option<MeasureColumn<'_>> {
        let index = self.index.as_ref()?;
        if let Some(vector) = index.as_vector() {
            return Some(MeasureColumn::Vector(vector));
        }
        Some(MeasureColumn::Codes(index.as_codes()?, self.keys.as_deref()?))
    }

    /// Adds the totals of one group of the segment.
    fn add(&self, totals: &Totals, place: &Placed, measure: &Measure, total: &mut Total) {
        let Placed { position, times, .. } = *place;
        let present = totals.present[position];
        total.present += place.rows(present);
        if present == 0 {
            return;
        }
        let sum = totals.sums.get(position).copied().unwrap_or(0);
        total.sum += sum * i128::from(times);
        let float_sum = totals.float_sums.get(position).copied().unwrap_or(0.0);
        total.float_sum += float_sum * times as f64;
        if measure.wanted.extremes {
            let lowest = self.value(totals.lowest[position], measure);
            let highest = self.value(totals.highest[position], measure);
            if let (Some(lowest), Some(highest)) = (lowest, highest) {
                total.note(lowest, highest);
            }
        }
    }

    /// The value of a key of this column.
    fn value(&self, key: i64, measure: &Measure) -> Option<Value> {
        let index = self.index.as_ref()?;
        if let Some(vector) = index.as_vector() {
            return Some(vector.value_of(key));
        }
        let (_, column_type) = measure.column?;
        match value_of_key(key, column_type) {
            Some(value) => Some(value),
            None => index.as_codes()?.value(u32::try_from(key).ok()?),
        }
    }
}
