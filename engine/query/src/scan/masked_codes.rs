//! Codes over what is shown of a masked column: found, or made where that pays.
//!
//! Receives: a column as a grant shows it, a segment, and how many of its values are about to be
//! masked. Hands on: codes over the masked values of all rows of the segment, which tell nothing
//! of what was masked but what everybody under this mask may see of it. Which of the rows a reader
//! may see is decided before anything is asked of them, as with every index.
//! A column whose codes cannot be made is masked value by value: nothing here ever fails.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, new_null_array};
use datafusion::arrow::compute::concat;
use futures::TryStreamExt;
use martlet_core::limits::BATCH_ROWS_MAX;
use martlet_core::{ColumnType, Selection, TableSchema};
use martlet_index::{DerivedColumn, InMemory, Index, IndexKind};
use martlet_policy::{Access, GrantedColumn, Mask};

use crate::access_path::AccessPath;
use crate::error::QueryError;
use crate::indexed_table::IndexedSegment;
use crate::masked_cache::{Cost, Eagerness, MaskedColumn, Way};
use crate::scan::rows::stored_rows;
use crate::shared::Shared;

/// Writing the codes of so many rows takes about as long as masking one value.
const ROWS_CODED_PER_VALUE: u64 = 64;

/// Until codes are made, each masked value stands in memory as a text, as a key and in a
/// dictionary, and each row by the number of its value.
const BYTES_PER_VALUE: u64 = 256;
const BYTES_PER_ROW: u64 = 8;

/// A column of a segment under its mask, as the cache knows it; `None` of a column that is not
/// masked.
pub(super) fn masked_column(
    table: &TableSchema,
    segment: &IndexedSegment,
    granted: &GrantedColumn,
) -> Option<MaskedColumn> {
    let Access::Masked(mask) = &granted.access else { return None };
    Some(MaskedColumn {
        segment: *segment.segment().object().digest(),
        column: granted.position,
        stored: table.columns().get(granted.position)?.column_type,
        mask: mask.clone(),
    })
}

/// The codes over a masked column, if they are there, or if making them pays now that `asked`
/// more values would be masked.
pub(super) async fn masked_codes(
    shared: &Arc<Shared>,
    table: &TableSchema,
    segment: &IndexedSegment,
    column: &MaskedColumn,
    asked: u64,
) -> Option<Arc<Index>> {
    let eagerness = match shared.options.path {
        AccessPath::ByCost => Eagerness::OncePaid,
        AccessPath::Totals | AccessPath::Gather => Eagerness::AtOnce,
        AccessPath::Scan => return None,
    };
    match shared.masked.way(column, asked, cost(segment, column), eagerness) {
        Way::Codes(index) => Some(index),
        Way::EachValue => None,
        Way::Make(making) => match made(shared, table, segment, column).await {
            Ok(made) => making.done(made),
            // It may be readable the next time, so this is not remembered.
            Err(error) => {
                tracing::warn!(%error, object = segment.segment().object().path(), "a column is not masked as a whole; its values are, one by one");
                None
            }
        },
    }
}

/// What making the codes takes: each value once where the segment has codes of the stored column,
/// else that of each row.
fn cost(segment: &IndexedSegment, column: &MaskedColumn) -> Cost {
    let rows = u64::from(segment.rows());
    let values = match (&column.mask, segment.section(column.column, IndexKind::Codes)) {
        (Mask::FreeText, _) => 0,
        (_, Some((_, section))) => u64::from(section.distinct),
        (_, None) => rows,
    };
    Cost {
        values: values + rows / ROWS_CODED_PER_VALUE,
        bytes: values * BYTES_PER_VALUE + rows * BYTES_PER_ROW,
    }
}

/// The codes of every row of the segment: by its own codes where it has some, so that each value
/// is masked once.
async fn made(
    shared: &Arc<Shared>,
    table: &TableSchema,
    segment: &IndexedSegment,
    column: &MaskedColumn,
) -> Result<Option<InMemory>, QueryError> {
    let derived = match by_codes(shared, segment, column).await? {
        Some(derived) => Some(derived),
        None => {
            let masked = masked_rows(shared, table, segment, column).await?;
            DerivedColumn::of_rows(&masked, shown_type(column))
        }
    };
    Ok(derived.and_then(|derived| derived.codes()))
}

/// By the codes of the stored column; `None` where there are none, or no value is needed.
async fn by_codes(
    shared: &Arc<Shared>,
    segment: &IndexedSegment,
    column: &MaskedColumn,
) -> Result<Option<DerivedColumn>, QueryError> {
    let section = segment.section(column.column, IndexKind::Codes);
    let Some((attachment, section)) = section.filter(|_| column.mask != Mask::FreeText) else {
        return Ok(None);
    };
    let rows = segment.rows();
    let index = shared.indexes.section(&shared.store, attachment, section, rows).await;
    let Some(codes) = index.as_ref().and_then(|index| index.as_codes()) else { return Ok(None) };
    let Some(values) = codes.values_array(column.stored) else { return Ok(None) };
    let mut masked = Vec::new();
    for start in (0..values.len()).step_by(BATCH_ROWS_MAX) {
        let part = values.slice(start, BATCH_ROWS_MAX.min(values.len() - start));
        masked.push(mask(shared, column, &part)?);
        // Whoever cancels the statement does not wait for all of it.
        tokio::task::yield_now().await;
    }
    let shown = shown_type(column);
    Ok(DerivedColumn::of_codes(codes, &joined(&masked, shown)?, shown))
}

/// The masked column of all rows that the segment holds, deleted ones as well.
async fn masked_rows(
    shared: &Arc<Shared>,
    table: &TableSchema,
    segment: &IndexedSegment,
    column: &MaskedColumn,
) -> Result<ArrayRef, QueryError> {
    const READ: QueryError = QueryError::Bug { promise: "a column that is read is there" };
    let shown = shown_type(column);
    if column.mask == Mask::FreeText {
        return Ok(new_null_array(&shown.arrow(), segment.rows() as usize));
    }
    let all = Selection::all(segment.rows());
    let mut batches = stored_rows(shared, table, segment, &[column.column], &all).await?;
    let mut masked = Vec::new();
    while let Some(batch) = batches.try_next().await? {
        masked.push(mask(shared, column, batch.columns().first().ok_or(READ)?)?);
        tokio::task::yield_now().await;
    }
    joined(&masked, shown)
}

/// The type of what is shown.
const fn shown_type(column: &MaskedColumn) -> ColumnType {
    column.mask.output_type(column.stored)
}

fn mask(shared: &Shared, column: &MaskedColumn, values: &ArrayRef) -> Result<ArrayRef, QueryError> {
    let masked = column.mask.apply(values, &shared.keys);
    masked.map_err(|_| QueryError::Bug { promise: "a mask takes every value" })
}

fn joined(parts: &[ArrayRef], shown: ColumnType) -> Result<ArrayRef, QueryError> {
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    if parts.is_empty() {
        return Ok(new_null_array(&shown.arrow(), 0));
    }
    concat(&parts).map_err(|_| QueryError::Bug { promise: "a mask gives one type" })
}
