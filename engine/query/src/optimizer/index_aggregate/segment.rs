//! One segment's share of an aggregation: from its indexes, or, where one of them is not
//! sound, from its rows.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use futures::TryStreamExt;
use martlet_core::{Selection, Value};
use martlet_index::grouping::{
    CodeGroups, Grouped, KEY_COLUMNS_MAX, KeyBucket, KeyColumn, MeasureColumn, Totals, group,
};
use martlet_index::{CodesIndex, Index, IndexKind, key_of_value, value_at, value_of_key};

use super::bucket::Bucket;
use super::distinct::Prepared;
use super::merged::{Merged, Total};
use super::spec::{Key, Measure, Spec};
use crate::error::QueryError;
use crate::indexed_table::IndexedSegment;
use crate::scan::SegmentScan;

/// Adds the totals of the selected rows of a segment.
pub(super) async fn add_segment(
    scan: &SegmentScan,
    spec: &Spec,
    segment: &IndexedSegment,
    rows: &Selection,
    into: &mut Merged,
) -> Result<(), QueryError> {
    if rows.is_none() {
        return Ok(());
    }
    if spec.keys.is_empty() && spec.measures.is_empty() && spec.distincts.is_empty() {
        into.counts[0] += rows.count();
        return Ok(());
    }
    let mut slices = Vec::with_capacity(spec.slices.len());
    for slice in &spec.slices {
        slices.push(scan.slice(segment, rows, &slice.when, &slice.unless).await?);
    }
    if let Some(opened) = Opened::open(scan, spec, segment).await
        && opened.add(spec, &slices, into)
    {
        return Ok(());
    }
    add_rows(scan, spec, segment, &slices, into).await
}

/// The indexes of one segment that an aggregation needs.
struct Opened {
    keys: Vec<OpenedKey>,
    measures: Vec<OpenedMeasure>,
    distincts: Vec<OpenedKey>,
}

struct OpenedKey {
    index: Arc<Index>,
    /// For codes: the coarser groups and their values.
    groups: Option<(CodeGroups, Vec<Option<Value>>)>,
    /// For a vector: how keys fall into groups.
    bucket: Option<Box<KeyBucket>>,
}

struct OpenedMeasure {
    /// `None` where only rows are counted.
    index: Option<Arc<Index>>,
    /// For codes: the key of each; positions where values have no keys.
    keys: Vec<i64>,
}

impl Opened {
    async fn open(scan: &SegmentScan, spec: &Spec, segment: &IndexedSegment) -> Option<Self> {
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
        Some(Self { keys, measures, distincts })
    }

    /// Says `false`, with nothing added, if the indexes cannot answer.
    fn add(&self, spec: &Spec, slices: &[Selection], into: &mut Merged) -> bool {
        match self.grouped(spec, slices) {
            Some(grouped) => {
                for (slice, totals) in grouped.totals.iter().enumerate() {
                    self.merge(spec, slice, totals, into);
                }
                for (at, combinations) in grouped.distincts.iter().enumerate() {
                    self.merge_distinct(spec, at, combinations, into);
                }
                true
            }
            None => false,
        }
    }

    /// Everything that is asked of the segment; `None` if an index is not sound.
    fn grouped(&self, spec: &Spec, slices: &[Selection]) -> Option<OfSegment> {
        let keys: Vec<_> = self.keys.iter().map(OpenedKey::column).collect::<Option<_>>()?;
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
        for distinct in &self.distincts {
            let columns: Vec<_> = keys.iter().copied().chain([distinct.column()?]).collect();
            distincts.push(group(&columns, &[], slices.first()?).ok()?);
        }
        Some(OfSegment { totals, distincts })
    }

    /// Adds the distinct values of one column, given each combination of keys and value.
    fn merge_distinct(&self, spec: &Spec, at: usize, grouped: &Grouped, into: &mut Merged) {
        let positions = self.group_positions(spec, grouped, into);
        let place = self.keys.len();
        let (opened, key) = (&self.distincts[at], &spec.distincts[at]);
        let distinct = grouped.keys[place].iter().max().map_or(0, |highest| *highest as usize + 1);
        let mut prepared: Vec<Option<Prepared>> = vec![None; distinct];
        for (group, local) in positions.iter().zip(&grouped.keys[place]) {
            let slot = &mut prepared[*local as usize];
            if slot.is_none() {
                // Null is no value.
                let Some(value) = opened.value(*local, place, key, grouped) else { continue };
                *slot = Some(into.distincts[at].prepared(&value));
            }
            if let Some(value) = slot {
                into.distincts[at].add(*group, value);
            }
        }
    }

    /// Where each group of a segment stands among those of all.
    fn group_positions(&self, spec: &Spec, grouped: &Grouped, into: &mut Merged) -> Vec<usize> {
        let mut numbers: Vec<Vec<u32>> = Vec::with_capacity(self.keys.len());
        for (at, (opened, key)) in self.keys.iter().zip(&spec.keys).enumerate() {
            numbers.push(opened.numbers(at, key, grouped, into));
        }
        let position = |position: usize| {
            let mut key = [0; KEY_COLUMNS_MAX];
            for (slot, numbers) in key.iter_mut().zip(&numbers) {
                *slot = numbers[position];
            }
            into.group(key)
        };
        (0..grouped.len()).map(position).collect()
    }

    fn merge(&self, spec: &Spec, slice: usize, grouped: &Grouped, into: &mut Merged) {
        let positions = self.group_positions(spec, grouped, into);
        if slice == 0 {
            for (group, count) in positions.iter().zip(&grouped.counts) {
                into.counts[*group] += count;
            }
        }
        let of_slice = self.measures.iter().zip(&spec.measures).enumerate();
        let mut totalled = grouped.totals.iter();
        for (at, (opened, measure)) in of_slice.filter(|(_, (_, asked))| asked.slice == slice) {
            let totals = if measure.column.is_some() { totalled.next() } else { None };
            for (position, group) in positions.iter().enumerate() {
                let total = &mut into.totals[at][*group];
                match totals {
                    None => total.present += grouped.counts[position],
                    Some(totals) => opened.add(totals, position, measure, total),
                }
            }
        }
    }
}

/// What a segment adds.
struct OfSegment {
    /// One per slice.
    totals: Vec<Grouped>,
    /// One per distinct column: the combinations of keys and value.
    distincts: Vec<Grouped>,
}

async fn open(
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

    fn column(&self) -> Option<KeyColumn<'_>> {
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
            return codes.value(local).cloned();
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
        let group = value.map(|value| key.bucket.of_value(value));
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
        let dictionary = codes.map(CodesIndex::dictionary).unwrap_or_default();
        let keys: Option<Vec<i64>> = dictionary.iter().map(key_of_value).collect();
        let keys = keys.unwrap_or_else(|| (0..).take(dictionary.len()).collect());
        Self { index, keys }
    }

    fn column(&self) -> Option<MeasureColumn<'_>> {
        let index = self.index.as_ref()?;
        if let Some(vector) = index.as_vector() {
            return Some(MeasureColumn::Vector(vector));
        }
        Some(MeasureColumn::Codes(index.as_codes()?, &self.keys))
    }

    /// Adds the totals of one group of the segment.
    fn add(&self, totals: &Totals, position: usize, measure: &Measure, total: &mut Total) {
        let present = totals.present[position];
        total.present += present;
        if present == 0 {
            return;
        }
        total.sum += totals.sums.get(position).copied().unwrap_or(0);
        total.float_sum += totals.float_sums.get(position).copied().unwrap_or(0.0);
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
            None => index.as_codes()?.value(u32::try_from(key).ok()?).cloned(),
        }
    }
}

/// Totals by reading the rows: the plain version, for a segment without sound indexes.
async fn add_rows(
    scan: &SegmentScan,
    spec: &Spec,
    segment: &IndexedSegment,
    slices: &[Selection],
    into: &mut Merged,
) -> Result<(), QueryError> {
    let keys = spec.keys.iter().chain(&spec.distincts).map(|key| key.column);
    let measured = spec.measures.iter().filter_map(|measure| Some(measure.column?.0));
    let mut columns: Vec<usize> = keys.chain(measured).collect();
    columns.sort_unstable();
    columns.dedup();
    for (slice, rows) in slices.iter().enumerate() {
        let mut batches = scan.clear_rows(segment, &columns, rows).await?;
        while let Some(batch) = batches.try_next().await? {
            let row = Row { spec, slice, columns: &columns, batch: &batch };
            for at in 0..batch.num_rows() {
                row.add(at, into)?;
            }
        }
    }
    Ok(())
}

/// The rows of one batch of a slice.
struct Row<'a> {
    spec: &'a Spec,
    slice: usize,
    columns: &'a [usize],
    batch: &'a RecordBatch,
}

impl Row<'_> {
    fn cell(&self, row: usize, column: usize) -> Result<Option<Value>, QueryError> {
        let at = self.columns.binary_search(&column).ok();
        let array = at
            .and_then(|at| self.batch.columns().get(at))
            .ok_or(QueryError::Bug { promise: "totals read the columns they need" })?;
        Ok(value_at(array.as_ref(), row))
    }

    fn add(&self, row: usize, into: &mut Merged) -> Result<(), QueryError> {
        let mut numbers = [0; KEY_COLUMNS_MAX];
        for (at, key) in self.spec.keys.iter().enumerate() {
            let value = self.cell(row, key.column)?.map(|value| key.bucket.of_value(&value));
            numbers[at] = into.number(at, value);
        }
        let group = into.group(numbers);
        if self.slice == 0 {
            into.counts[group] += 1;
            for (at, distinct) in self.spec.distincts.iter().enumerate() {
                if let Some(value) = self.cell(row, distinct.column)? {
                    let prepared = into.distincts[at].prepared(&value);
                    into.distincts[at].add(group, &prepared);
                }
            }
        }
        let measures = self.spec.measures.iter().enumerate();
        for (at, measure) in measures.filter(|(_, measure)| measure.slice == self.slice) {
            let total = &mut into.totals[at][group];
            let Some((column, _)) = measure.column else {
                total.present += 1;
                continue;
            };
            if let Some(value) = self.cell(row, column)? {
                total.take(value, measure.wanted.extremes);
            }
        }
        Ok(())
    }
}
