//! Selected rows and columns of a segment.
//!
//! Receives: a segment's reference from a snapshot, a selection from the scan.
//! Hands on: batches of exactly the selected rows, in plain stored types.
//! Every byte is proven before it is decoded: of a local file out of a memory map, once; of any
//! other object each time it is fetched.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use martlet_core::{Selection, TableSchema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelectionPolicy};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use super::stretches::{self, Stretches};
use crate::error::StoreError;
use crate::manifest::SegmentRef;
use crate::object::ObjectRef;
use crate::object::access::Objects;

/// Bytes at a segment's end that are fetched at once, in the hope that they hold the whole
/// footer and the page index.
const FOOTER_HINT_BYTES: usize = 64 * 1024;

/// Parquet metadata of segments, with the page index, by the object's digest.
pub(crate) type MetadataCache = moka::sync::Cache<[u8; 32], ArrowReaderMetadata>;

pub(crate) fn metadata_cache(bytes_max: u64) -> MetadataCache {
    moka::sync::Cache::builder()
        .max_capacity(bytes_max)
        .weigher(|_, metadata: &ArrowReaderMetadata| {
            u32::try_from(metadata.metadata().memory_size()).unwrap_or(u32::MAX)
        })
        .build()
}

/// An open segment. Cloning is cheap; clones share the count of bytes read.
#[derive(Debug, Clone)]
pub struct SegmentReader {
    file: ProvenFile,
    metadata: ArrowReaderMetadata,
    rows: u32,
}

impl SegmentReader {
    pub(crate) async fn open(
        objects: Objects,
        cache: &MetadataCache,
        schema: &TableSchema,
        segment: &SegmentRef,
    ) -> Result<Self, StoreError> {
        let file = ProvenFile {
            objects,
            object: segment.object().clone(),
            bytes_read: Arc::new(AtomicU64::new(0)),
        };
        let stored = schema.arrow();
        let cached = cache.get(segment.object().digest());
        let metadata = match cached.filter(|metadata| *metadata.schema() == stored) {
            Some(metadata) => metadata,
            None => {
                let metadata = file.load_metadata(stored).await?;
                cache.insert(*segment.object().digest(), metadata.clone());
                metadata
            }
        };
        check_rows(segment, metadata.metadata())?;
        Ok(Self { file, metadata, rows: segment.rows() })
    }

    /// How many rows the segment has.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// Bytes asked of storage since the segment was opened, whole checksum blocks and uncached
    /// metadata included; what the system has in memory counts like what it fetches.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.file.bytes_read.load(Ordering::Relaxed)
    }

    /// The schema of the batches that [`Self::read`] gives for these columns.
    #[must_use]
    pub fn schema(&self, columns: &[usize]) -> SchemaRef {
        let fields = self.metadata.schema().fields();
        let fields: Vec<_> =
            ascending(columns).into_iter().filter_map(|at| fields.get(at).cloned()).collect();
        Arc::new(Schema::new(fields))
    }

    /// The selected rows, ascending, in batches of at most `batch_rows` (at least 1). `columns`
    /// are positions in the table's schema; the output has them in ascending order. Without
    /// columns the batches only count rows. Only the pages that hold selected rows are read.
    ///
    /// The stream's errors are [`StoreError::Damaged`] when stored bytes are wrong,
    /// [`StoreError::Access`] when the storage failed, [`StoreError::Misuse`] when a position
    /// or the selection's length does not belong to this segment.
    pub fn read(
        &self,
        columns: &[usize],
        rows: &Selection,
        batch_rows: usize,
    ) -> BoxStream<'static, Result<RecordBatch, StoreError>> {
        let columns = ascending(columns);
        let batch_rows = batch_rows.max(1);
        if let Err(error) = self.check_request(&columns, rows) {
            return stream::iter([Err(error)]).boxed();
        }
        if rows.is_none() {
            return stream::empty().boxed();
        }
        if columns.is_empty() {
            return count_only(rows.count(), batch_rows);
        }
        self.decode(columns, rows, batch_rows)
    }

    fn check_request(&self, columns: &[usize], rows: &Selection) -> Result<(), StoreError> {
        let width = self.metadata.schema().fields().len();
        if columns.last().is_some_and(|last| *last >= width) {
            return Err(StoreError::misuse(
                "a column that the segment does not have was asked for",
            ));
        }
        if rows.rows() != self.rows {
            return Err(StoreError::misuse("a selection of another segment was used"));
        }
        Ok(())
    }

    fn decode(
        &self,
        columns: Vec<usize>,
        rows: &Selection,
        batch_rows: usize,
    ) -> BoxStream<'static, Result<RecordBatch, StoreError>> {
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns);
        let mut builder = ParquetRecordBatchStreamBuilder::new_with_metadata(
            self.file.clone(),
            self.metadata.clone(),
        )
        .with_projection(mask)
        .with_batch_size(batch_rows);
        let stretches = (!rows.is_all()).then(|| Stretches::of(rows));
        if let Some(stretches) = &stretches {
            builder = builder
                .with_row_selection(stretches.row_selection())
                .with_row_selection_policy(RowSelectionPolicy::Selectors);
        }
        let object = self.file.object.clone();
        let decoded = match builder.build() {
            Ok(batches) => {
                batches.map(move |batch| batch.map_err(|error| decode_error(&object, error)))
            }
            Err(error) => return stream::iter([Err(decode_error(&object, error))]).boxed(),
        };
        match stretches.and_then(Stretches::into_flags) {
            Some(flags) => stretches::keep(decoded, flags, batch_rows),
            None => decoded.boxed(),
        }
    }
}

fn ascending(columns: &[usize]) -> Vec<usize> {
    let mut columns = columns.to_vec();
    columns.sort_unstable();
    columns.dedup();
    columns
}

fn count_only(rows: u64, batch_rows: usize) -> BoxStream<'static, Result<RecordBatch, StoreError>> {
    let schema = Arc::new(Schema::empty());
    let batch_rows = batch_rows as u64;
    let batches = (0..rows.div_ceil(batch_rows)).map(move |at| {
        let count = (rows - at * batch_rows).min(batch_rows) as usize;
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(Arc::clone(&schema), Vec::new(), &options)
            .map_err(|_| StoreError::misuse("a batch without columns could not be made"))
    });
    stream::iter(batches).boxed()
}

fn check_rows(segment: &SegmentRef, metadata: &ParquetMetaData) -> Result<(), StoreError> {
    let [row_group] = metadata.row_groups() else {
        return Err(StoreError::damaged(segment.object().path(), "it is not one row group"));
    };
    if row_group.num_rows() != i64::from(segment.rows()) {
        let what = "its number of rows is not the manifest's";
        return Err(StoreError::damaged(segment.object().path(), what));
    }
    Ok(())
}

/// The store's own error if that is what stopped the decoder. All else means that proven bytes
/// are no segment; the decoder's text is left out, for it might quote a value.
fn decode_error(object: &ObjectRef, error: ParquetError) -> StoreError {
    let other = || StoreError::damaged(object.path(), "its Parquet content cannot be decoded");
    match error {
        ParquetError::External(cause) => {
            cause.downcast::<StoreError>().map_or_else(|_| other(), |cause| *cause)
        }
        _ => other(),
    }
}

/// The segment's object as the Parquet reader sees it.
#[derive(Debug, Clone)]
struct ProvenFile {
    objects: Objects,
    object: ObjectRef,
    bytes_read: Arc<AtomicU64>,
}

impl ProvenFile {
    async fn load_metadata(&self, stored: SchemaRef) -> Result<ArrowReaderMetadata, StoreError> {
        let mut file = self.clone();
        let metadata = ParquetMetaDataReader::new()
            .with_offset_index_policy(PageIndexPolicy::Required)
            .with_prefetch_hint(Some(FOOTER_HINT_BYTES))
            .load_and_finish(&mut file, self.object.size_bytes())
            .await
            .map_err(|error| decode_error(&self.object, error))?;
        let options = ArrowReaderOptions::new().with_schema(stored);
        ArrowReaderMetadata::try_new(Arc::new(metadata), options)
            .map_err(|_| StoreError::damaged(self.object.path(), "its columns are not the table's"))
    }

    async fn read_proven(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ParquetError> {
        let read = self
            .objects
            .map_ranges(&self.object, ranges)
            .await
            .map_err(|error| ParquetError::External(Box::new(error)))?;
        self.bytes_read.fetch_add(read.bytes_touched, Ordering::Relaxed);
        Ok(read.ranges)
    }
}

impl AsyncFileReader for ProvenFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move { Ok(self.read_proven(&[range]).await?.swap_remove(0)) }.boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move { self.read_proven(&ranges).await }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        let asked = "metadata are loaded when a segment is opened".to_owned();
        async move { Err(ParquetError::General(asked)) }.boxed()
    }
}
