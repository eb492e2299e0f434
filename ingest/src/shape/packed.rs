//! Rows in few bytes while they wait to be sorted: repeating texts as codes, decimals of up to
//! eighteen digits in eight bytes.
//!
//! Owns the packing of a chunk and the unpacking of any slices of packed chunks, which is also
//! where sorted rows are put together. What comes out is exactly what went in.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, BooleanBufferBuilder,
    Decimal128Array, Int64Array, PrimitiveArray, RecordBatch, StringArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Field, Float64Type, Int32Type, Int64Type, Schema,
    TimestampMicrosecondType, UInt16Type, UInt64Type,
};
use arrow::error::ArrowError;
use martlet_core::{ColumnType, TableSchema};

use super::dictionary::{ClosedDictionary, Dictionary, NULL_CODE};

/// Digits that always fit 64 bits.
const SHORT_DECIMAL_DIGITS: u8 = 18;

/// Rows of one packed batch that stand together in the order of the sort.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    /// Which of the batches.
    pub(super) batch: usize,
    pub(super) start: usize,
    pub(super) rows: usize,
}

/// How a table's rows are packed; shared by all threads that decode.
#[derive(Debug)]
pub(super) struct Packing {
    types: Vec<ColumnType>,
    /// One per column; only those of texts are used.
    dictionaries: Vec<Dictionary>,
}

impl Packing {
    pub(super) fn of(schema: &TableSchema) -> Self {
        let types: Vec<ColumnType> =
            schema.columns().iter().map(|column| column.column_type).collect();
        let dictionaries = types.iter().map(|_| Dictionary::default()).collect();
        Self { types, dictionaries }
    }

    /// Packs the stored columns; what stands behind them (the origin) is taken as it is.
    pub(super) fn pack(&self, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut columns = rows.columns().to_vec();
        for (at, column_type) in self.types.iter().enumerate() {
            let packed: Option<ArrayRef> = match column_type {
                ColumnType::Text => self.dictionaries[at]
                    .encode(columns[at].as_string())
                    .map(|codes| Arc::new(codes) as ArrayRef),
                ColumnType::Decimal { precision, .. } if *precision <= SHORT_DECIMAL_DIGITS => {
                    Some(Arc::new(shortened(columns[at].as_primitive())))
                }
                _ => None,
            };
            columns[at] = packed.unwrap_or_else(|| Arc::clone(&columns[at]));
        }
        let fields: Vec<Field> = rows
            .schema()
            .fields()
            .iter()
            .zip(&columns)
            .map(|(field, values)| Field::new(field.name(), values.data_type().clone(), true))
            .collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }

    /// The way back, now that no more rows come.
    pub(super) fn close(self) -> Unpacking {
        let dictionaries = self.dictionaries.into_iter().map(Dictionary::close).collect();
        Unpacking { types: self.types, dictionaries }
    }
}

fn shortened(decimals: &Decimal128Array) -> Int64Array {
    // At most eighteen digits, as the column's type says and the check has seen to. What
    // stands under a null is zero.
    let short = decimals.values().iter().map(|value| i64::try_from(*value).unwrap_or(0));
    Int64Array::new(short.collect(), decimals.nulls().cloned())
}

/// How packed rows become stored ones again.
#[derive(Debug)]
pub(super) struct Unpacking {
    types: Vec<ColumnType>,
    dictionaries: Vec<ClosedDictionary>,
}

impl Unpacking {
    /// One stored column of these slices, in their order.
    pub(super) fn column(
        &self,
        at: usize,
        batches: &[RecordBatch],
        slices: &[Slice],
    ) -> Result<ArrayRef, ArrowError> {
        let columns: Vec<&ArrayRef> = batches.iter().map(|batch| batch.column(at)).collect();
        let parts = Parts { columns, slices };
        Ok(match self.types[at] {
            ColumnType::Boolean => Arc::new(parts.booleans()),
            ColumnType::Int32 => Arc::new(parts.primitives::<Int32Type>()),
            ColumnType::Int64 => Arc::new(parts.primitives::<Int64Type>()),
            ColumnType::Float64 => Arc::new(parts.primitives::<Float64Type>()),
            ColumnType::Date => Arc::new(parts.primitives::<Date32Type>()),
            ColumnType::Timestamp => Arc::new(parts.primitives::<TimestampMicrosecondType>()),
            ColumnType::Decimal { precision, scale } => {
                Arc::new(parts.decimals(precision)?.with_precision_and_scale(precision, scale)?)
            }
            ColumnType::Text => Arc::new(parts.texts(&self.dictionaries[at])?),
        })
    }
}

/// The origins of a packed batch.
pub(super) fn origins(batch: &RecordBatch) -> &[u64] {
    batch.column(batch.num_columns() - 1).as_primitive::<UInt64Type>().values()
}

/// One column of several batches, and the rows of it that are wanted.
struct Parts<'a> {
    columns: Vec<&'a ArrayRef>,
    slices: &'a [Slice],
}

/// The texts of one batch. A column's form is found out once a batch: slices are short.
enum Texts<'a> {
    Codes(&'a [u16]),
    Plain(&'a StringArray),
}

impl<'a> Texts<'a> {
    fn of(column: &'a ArrayRef) -> Self {
        match column.as_primitive_opt::<UInt16Type>() {
            Some(codes) => Self::Codes(codes.values()),
            None => Self::Plain(column.as_string()),
        }
    }
}

impl<'a> Parts<'a> {
    fn rows(&self) -> usize {
        self.slices.iter().map(|slice| slice.rows).sum()
    }

    /// Calls with each slice and its column.
    fn each(&self) -> impl Iterator<Item = (&'a ArrayRef, Slice)> + '_ {
        self.slices.iter().map(|slice| (self.columns[slice.batch], *slice))
    }

    /// The values of each slice.
    fn each_values<T: ArrowPrimitiveType>(&self) -> impl Iterator<Item = &'a [T::Native]> + '_ {
        let values = |column: &&'a ArrayRef| &column.as_primitive::<T>().values()[..];
        let values: Vec<&'a [T::Native]> = self.columns.iter().map(values).collect();
        self.slices
            .iter()
            .map(move |Slice { batch, start, rows }| &values[*batch][*start..][..*rows])
    }

    /// The nulls of columns that keep them beside their values.
    fn nulls(&self) -> Option<NullBuffer> {
        if self.columns.iter().all(|column| column.null_count() == 0) {
            return None;
        }
        let mut valid = BooleanBufferBuilder::new(self.rows());
        for (column, slice) in self.each() {
            match column.nulls() {
                Some(nulls) => append_bits(&mut valid, nulls.inner(), slice),
                None => valid.append_n(slice.rows, true),
            }
        }
        present(valid.finish())
    }

    fn primitives<T: ArrowPrimitiveType>(&self) -> PrimitiveArray<T> {
        let mut values = Vec::with_capacity(self.rows());
        self.each_values::<T>().for_each(|slice| values.extend_from_slice(slice));
        PrimitiveArray::new(ScalarBuffer::from(values), self.nulls())
    }

    fn decimals(&self, precision: u8) -> Result<Decimal128Array, ArrowError> {
        if precision > SHORT_DECIMAL_DIGITS {
            return Ok(self.primitives::<Decimal128Type>());
        }
        let mut values = Vec::with_capacity(self.rows());
        for short in self.each_values::<Int64Type>() {
            values.extend(short.iter().map(|value| i128::from(*value)));
        }
        Decimal128Array::try_new(ScalarBuffer::from(values), self.nulls())
    }

    fn booleans(&self) -> BooleanArray {
        let mut values = BooleanBufferBuilder::new(self.rows());
        for (column, slice) in self.each() {
            append_bits(&mut values, column.as_boolean().values(), slice);
        }
        BooleanArray::new(values.finish(), self.nulls())
    }

    fn texts(&self, dictionary: &ClosedDictionary) -> Result<StringArray, ArrowError> {
        let texts: Vec<Texts<'_>> = self.columns.iter().map(|column| Texts::of(column)).collect();
        let ends = self.text_ends(&texts, dictionary)?;
        let length = ends.last().map_or(0, |end| *end as usize);
        let mut bytes = vec![0; length + ClosedDictionary::SPARE_BYTES];
        let mut at = 0;
        for Slice { batch, start, rows } in self.slices {
            match &texts[*batch] {
                Texts::Codes(codes) => {
                    for code in &codes[*start..][..*rows] {
                        at = dictionary.write(*code, &mut bytes, at);
                    }
                }
                Texts::Plain(texts) => {
                    let ends = &texts.value_offsets()[*start..=start + rows];
                    let texts = &texts.value_data()[ends[0] as usize..ends[*rows] as usize];
                    bytes[at..at + texts.len()].copy_from_slice(texts);
                    at += texts.len();
                }
            }
        }
        bytes.truncate(length);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        StringArray::try_new(offsets, bytes.into(), self.text_nulls(&texts))
    }

    /// Where each text ends, with a zero in front.
    fn text_ends(
        &self,
        texts: &[Texts<'_>],
        dictionary: &ClosedDictionary,
    ) -> Result<Vec<i32>, ArrowError> {
        let mut ends = Vec::with_capacity(self.rows() + 1);
        let mut end = 0_usize;
        ends.push(0);
        for Slice { batch, start, rows } in self.slices {
            match &texts[*batch] {
                Texts::Codes(codes) => {
                    for code in &codes[*start..][..*rows] {
                        end += dictionary.length(*code);
                        ends.push(i32::try_from(end).unwrap_or(i32::MAX));
                    }
                }
                Texts::Plain(texts) => {
                    for pair in texts.value_offsets()[*start..=start + rows].windows(2) {
                        end += (pair[1] - pair[0]) as usize;
                        ends.push(i32::try_from(end).unwrap_or(i32::MAX));
                    }
                }
            }
        }
        if i32::try_from(end).is_ok() {
            Ok(ends)
        } else {
            Err(ArrowError::OffsetOverflowError(end))
        }
    }

    fn text_nulls(&self, texts: &[Texts<'_>]) -> Option<NullBuffer> {
        let has_nulls: Vec<bool> = texts
            .iter()
            .map(|texts| match texts {
                Texts::Codes(codes) => codes.contains(&NULL_CODE),
                Texts::Plain(texts) => texts.null_count() > 0,
            })
            .collect();
        if !has_nulls.contains(&true) {
            return None;
        }
        let mut valid = BooleanBufferBuilder::new(self.rows());
        for slice in self.slices {
            let Slice { batch, start, rows } = *slice;
            match &texts[batch] {
                _ if !has_nulls[batch] => valid.append_n(rows, true),
                Texts::Codes(codes) => {
                    let codes = &codes[start..start + rows];
                    codes.iter().for_each(|code| valid.append(*code != NULL_CODE));
                }
                Texts::Plain(texts) => match texts.nulls() {
                    Some(nulls) => append_bits(&mut valid, nulls.inner(), *slice),
                    None => valid.append_n(rows, true),
                },
            }
        }
        present(valid.finish())
    }
}

fn append_bits(to: &mut BooleanBufferBuilder, from: &BooleanBuffer, slice: Slice) {
    to.append_buffer(&from.slice(slice.start, slice.rows));
}

/// The nulls, if there are any.
fn present(valid: BooleanBuffer) -> Option<NullBuffer> {
    let nulls = NullBuffer::new(valid);
    (nulls.null_count() > 0).then_some(nulls)
}

#[cfg(test)]
#[path = "packed_tests.rs"]
mod tests;
