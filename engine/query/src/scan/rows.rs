//! Stored columns of selected rows: from indexes that hold values where that is cheaper, from
//! the segment's Parquet pages elsewhere.
//!
//! Receives: an exact selection and stored column positions, from `segments`.
//! Hands on: batches of raw values, which `segments` masks before anybody sees them.
//! Vectors, codes and texts are derived and proven; a column whose index is missing or damaged
//! comes from the segment.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use martlet_core::limits::BATCH_ROWS_MAX;
use martlet_core::{ColumnType, Selection, TableSchema};
use martlet_index::{Index, IndexKind, PAGE_ROWS, SectionRef};

use crate::access_path::AccessPath;
use crate::error::QueryError;
use crate::indexed_table::IndexedSegment;
use crate::shared::Shared;

/// An index that is not open yet is opened for its values only when at least one row of so
/// many is wanted, or rows stand in so many pages: opening reads and proves all of it, a page of
/// the segment is far less, but has to be decoded again for each statement.
const OPENED_FOR_ONE_ROW_OF: u64 = 64;
const OPENED_FOR_PAGES: usize = 8;

/// Texts that are not open yet are opened for so many rows: scattered as they may be, each could
/// cost a page of the segment, and a few pages cost as much as opening.
const TEXTS_OPENED_FROM: u64 = 16;

/// Texts of no more bytes are opened for a single row: a page is not less.
const TEXTS_OPENED_BYTES: u64 = 64 * 1024;

/// The kinds that hold every row's value, the cheaper first.
const VALUE_KINDS: [IndexKind; 3] = [IndexKind::Vector, IndexKind::Codes, IndexKind::Texts];

/// The columns (positions in the table, ascending) of the selected rows, ascending, in batches
/// of at most [`BATCH_ROWS_MAX`] rows.
pub(crate) async fn stored_rows(
    shared: &Arc<Shared>,
    table: &TableSchema,
    segment: &IndexedSegment,
    columns: &[usize],
    rows: &Selection,
) -> Result<BoxStream<'static, Result<RecordBatch, QueryError>>, QueryError> {
    let mut sources = Vec::with_capacity(columns.len());
    for column in columns {
        let index = value_index(shared, segment, *column, rows).await;
        let column_type = table.columns().get(*column).map(|column| column.column_type);
        sources.push(match (index, column_type) {
            (Some(index), Some(column_type)) => Source::Index(index, column_type),
            _ => Source::Segment,
        });
    }
    let from_segment: Vec<usize> = columns
        .iter()
        .zip(&sources)
        .filter(|(_, source)| matches!(source, Source::Segment))
        .map(|(column, _)| *column)
        .collect();
    if from_segment.is_empty() && !columns.is_empty() {
        let schema = schema_of(table, columns);
        let chunks = rows.clone().chunks(BATCH_ROWS_MAX);
        return Ok(stream::iter(chunks)
            .map(move |chunk| zipped(&schema, &sources, &chunk, None))
            .boxed());
    }
    let reader = shared.store.open_segment(table, segment.segment()).await?;
    let read = reader.read(&from_segment, rows, BATCH_ROWS_MAX).map_err(QueryError::from);
    if from_segment.len() == columns.len() {
        return Ok(read.boxed());
    }
    let schema = schema_of(table, columns);
    let chunks = stream::iter(rows.clone().chunks(BATCH_ROWS_MAX));
    Ok(read
        .zip(chunks)
        .map(move |(batch, chunk)| zipped(&schema, &sources, &chunk, Some(&batch?)))
        .boxed())
}

/// Where a column's values come from.
enum Source {
    Index(Arc<Index>, ColumnType),
    Segment,
}

async fn value_index(
    shared: &Arc<Shared>,
    segment: &IndexedSegment,
    column: usize,
    rows: &Selection,
) -> Option<Arc<Index>> {
    let path = shared.options.path;
    if !path.reads_indexes() {
        return None;
    }
    for kind in VALUE_KINDS {
        let Some((attachment, section)) = segment.section(column, kind) else { continue };
        if let Some(opened) = shared.indexes.opened(attachment, section) {
            return Some(opened);
        }
        let is_worth_opening = match kind {
            IndexKind::Texts => are_worth_opening(path, section, rows.count()),
            _ => is_worth_opening(path, rows),
        };
        if is_worth_opening || shared.indexes.is_often_passed_over(attachment, section) {
            return shared
                .indexes
                .section(&shared.store, attachment, section, segment.rows())
                .await;
        }
    }
    None
}

/// Whether the values of these rows are worth opening a vector or codes for.
fn is_worth_opening(path: AccessPath, rows: &Selection) -> bool {
    match path {
        AccessPath::ByCost => {
            rows.count().saturating_mul(OPENED_FOR_ONE_ROW_OF) >= u64::from(rows.rows())
                || stand_in_pages(rows, OPENED_FOR_PAGES)
        }
        AccessPath::Totals | AccessPath::Gather => true,
        AccessPath::Scan => false,
    }
}

/// Whether the rows stand in so many pages at least.
fn stand_in_pages(rows: &Selection, pages: usize) -> bool {
    let mut numbers = rows.iter();
    let mut page = None;
    (0..pages).all(|_| {
        page = numbers.by_ref().map(|row| row / PAGE_ROWS).find(|of_row| page != Some(*of_row));
        page.is_some()
    })
}

/// Whether texts are worth opening for so many rows.
pub(super) const fn are_worth_opening(path: AccessPath, texts: &SectionRef, rows: u64) -> bool {
    match path {
        AccessPath::ByCost => rows >= TEXTS_OPENED_FROM || texts.length <= TEXTS_OPENED_BYTES,
        AccessPath::Totals | AccessPath::Gather => true,
        AccessPath::Scan => false,
    }
}

/// One batch out of index values and a batch of the other columns.
fn zipped(
    schema: &SchemaRef,
    sources: &[Source],
    rows: &Selection,
    read: Option<&RecordBatch>,
) -> Result<RecordBatch, QueryError> {
    const ALIGNED: QueryError =
        QueryError::Bug { promise: "values of an index and of its segment are of the same rows" };
    let mut from_segment = read.map(RecordBatch::columns).unwrap_or_default().iter();
    let columns = sources
        .iter()
        .map(|source| match source {
            Source::Index(index, column_type) => values(index, rows, *column_type).ok_or(ALIGNED),
            Source::Segment => from_segment.next().cloned().ok_or(ALIGNED),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let count = usize::try_from(rows.count()).map_err(|_| ALIGNED)?;
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(|_| ALIGNED)
}

fn values(index: &Index, rows: &Selection, column_type: ColumnType) -> Option<ArrayRef> {
    match index {
        Index::Vector(vector) => vector.array(rows, column_type),
        Index::Codes(codes) => codes.array(rows, column_type),
        Index::Texts(texts) if column_type == ColumnType::Text => texts.array(rows),
        _ => None,
    }
}

fn schema_of(table: &TableSchema, columns: &[usize]) -> SchemaRef {
    let stored = table.arrow();
    let fields: Vec<_> =
        columns.iter().filter_map(|at| stored.fields().get(*at).cloned()).collect();
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
