//! Which rows of the mart have the primary keys of a batch.
//!
//! Receives: a batch's keys and their bounds from `collect`, a table of the snapshot that the
//! load builds on. Hands on: per segment the rows that go, to the commit. Zone maps leave out
//! what cannot hold a key; of the rest the key's columns are read, once for each part of the
//! keys that fits in memory. Never deletes anything itself.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use futures::{StreamExt, TryStreamExt, stream};
use martlet_core::limits::BATCH_ROWS_MAX;
use martlet_core::{ColumnName, Comparison, Predicate, SegmentId, Selection, TableSchema, Value};
use martlet_index::Descriptor;
use martlet_store::{BatchLabel, SegmentRef, Store, TableVersion};

use crate::check::key_digests;
use crate::error::IngestError;
use crate::keys::{KeySet, SortedKeys};

/// The lowest and the highest value of each column of a primary key, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyBounds {
    columns: Vec<(ColumnName, Value, Value)>,
}

impl KeyBounds {
    /// Of the rows of a chunk, which stand under the table's columns.
    pub(crate) fn of(schema: &TableSchema, chunk: &RecordBatch) -> Result<Self, ArrowError> {
        let mut columns = Vec::new();
        for at in schema.primary_key() {
            let name = schema.columns()[*at].name.clone();
            columns.extend(extremes(chunk.column(*at))?.map(|(low, high)| (name, low, high)));
        }
        Ok(Self { columns })
    }

    /// Widens the bounds by those of another chunk of the same table.
    pub(crate) fn widen(&mut self, other: Self) {
        if self.columns.is_empty() {
            *self = other;
            return;
        }
        for ((_, low, high), (_, lower, higher)) in self.columns.iter_mut().zip(other.columns) {
            *low = low.clone().min(lower);
            *high = high.clone().max(higher);
        }
    }

    /// What every row that has one of the keys satisfies.
    fn predicate(&self) -> Predicate {
        let compare = |column: &ColumnName, comparison, value: &Value| Predicate::Compare {
            column: column.clone(),
            comparison,
            value: value.clone(),
        };
        let within = self.columns.iter().flat_map(|(column, low, high)| {
            [
                compare(column, Comparison::GreaterOrEqual, low),
                compare(column, Comparison::LessOrEqual, high),
            ]
        });
        Predicate::And(within.collect())
    }
}

/// The lowest and the highest value of a column without nulls; `None` if it has no row.
fn extremes(values: &ArrayRef) -> Result<Option<(Value, Value)>, ArrowError> {
    let field = SortField::new(values.data_type().clone());
    let keys = RowConverter::new(vec![field])?.convert_columns(std::slice::from_ref(values))?;
    let rows = || (0..keys.num_rows()).map(|row| (keys.row(row), row));
    let value = |row: usize| martlet_index::value_at(values.as_ref(), row);
    let low = rows().min().and_then(|(_, row)| value(row));
    let high = rows().max().and_then(|(_, row)| value(row));
    Ok(low.zip(high))
}

/// Rows of one segment that a batch takes the place of, or deletes.
#[derive(Debug)]
pub(crate) struct Superseded {
    pub(crate) segment: SegmentId,
    pub(crate) rows: Selection,
}

/// Finds the rows of a table whose key is among these. What the batch itself did to the table
/// before counts as undone, because loading it again undoes it.
pub(crate) async fn superseded(
    store: &Store,
    table: &Arc<TableVersion>,
    label: &BatchLabel,
    mut keys: SortedKeys,
    bounds: &KeyBounds,
    scratch: &std::path::Path,
) -> Result<Vec<Superseded>, IngestError> {
    let predicate = Arc::new(bounds.predicate());
    let mut found: Vec<Superseded> = Vec::new();
    while let Some(part) = keys.next_part().map_err(|error| IngestError::scratch(scratch, error))? {
        let part = Arc::new(part);
        let segments = table.segments().iter().filter(|segment| segment.batch() != label);
        let searches = segments.map(|segment| {
            let search = Search {
                store: store.clone(),
                table: Arc::clone(table),
                segment: Arc::clone(segment),
                label: label.clone(),
                predicate: Arc::clone(&predicate),
                keys: Arc::clone(&part),
            };
            async { tokio::spawn(search.run()).await.map_err(|_| IngestError::Worker)? }
        });
        let searches: Vec<_> = searches.collect();
        let mut searching = stream::iter(searches).buffered(rayon::current_num_threads()).boxed();
        while let Some(rows) = searching.try_next().await? {
            if !rows.rows.is_none() {
                found.push(rows);
            }
        }
    }
    Ok(found)
}

/// The search of one segment.
struct Search {
    store: Store,
    table: Arc<TableVersion>,
    segment: Arc<SegmentRef>,
    label: BatchLabel,
    predicate: Arc<Predicate>,
    keys: Arc<KeySet>,
}

impl Search {
    async fn run(self) -> Result<Superseded, IngestError> {
        let schema = self.table.schema();
        let candidates = self.candidates();
        let live = self.store.live_without(&self.segment, &self.label).await?;
        let looked_at = live.and(&candidates);
        let mut found = Vec::new();
        if !looked_at.is_none() {
            let reader = self.store.open_segment(schema, &self.segment).await?;
            let mut batches = reader.read(schema.primary_key(), &looked_at, BATCH_ROWS_MAX);
            let mut rows = looked_at.iter();
            while let Some(batch) = batches.try_next().await? {
                let digests = key_digests(schema, &in_place(schema, &batch))?;
                let matching = digests.iter().zip(&mut rows);
                let matching = matching.filter(|(digest, _)| self.keys.contains(digest));
                found.extend(matching.map(|(_, row)| row));
            }
        }
        let rows = Selection::from_rows(self.segment.rows(), found);
        Ok(Superseded { segment: self.segment.id(), rows })
    }

    /// The rows that may hold one of the keys, as far as the zone maps know. An index that
    /// cannot be read proves nothing.
    fn candidates(&self) -> Selection {
        let all = Selection::all(self.segment.rows());
        let descriptors = self.segment.attachments().iter();
        descriptors
            .filter_map(|attachment| Descriptor::decode(attachment.descriptor()).ok())
            .filter(|descriptor| descriptor.rows() == self.segment.rows())
            .fold(all, |among, descriptor| {
                let no_index = |_, _| None;
                let schema = self.table.schema();
                martlet_index::narrow(&self.predicate, schema, &descriptor, &no_index, &among).rows
            })
    }
}

/// The key's columns, read in ascending order, at their places in the table; the places of
/// other columns are filled with any of them and not looked at.
fn in_place(schema: &TableSchema, key: &RecordBatch) -> Vec<ArrayRef> {
    let mut read: Vec<usize> = schema.primary_key().to_vec();
    read.sort_unstable();
    let mut columns = vec![Arc::clone(key.column(0)); schema.columns().len()];
    for (values, at) in key.columns().iter().zip(read) {
        columns[at] = Arc::clone(values);
    }
    columns
}
