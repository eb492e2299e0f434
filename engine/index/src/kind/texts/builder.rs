//! A column of texts to its section: strings from a sample, then every text in their codes.

use martlet_core::ColumnType;
use roaring::RoaringBitmap;

use super::format::{self, Written};
use super::training::train;
use crate::values::{ColumnKeys, Keys};

/// Bytes of text that the strings are chosen by.
const SAMPLE_BYTES: usize = 64 * 1024;

/// Bytes of one text that are among them at most.
const SAMPLED_TEXT_BYTES: usize = 1_024;

/// The section of a column of texts; `None` for any other, and for one of more than 4 GiB.
pub(crate) fn build(column_type: ColumnType, column: &ColumnKeys<'_>) -> Option<Vec<u8>> {
    let (ColumnType::Text, Keys::Text(texts)) = (column_type, &column.keys) else {
        return None;
    };
    let text = |row: usize| (!column.is_null(row)).then(|| texts.value(row));
    let encoder = train(&sample(column.rows(), texts.value_data().len(), &text));
    let mut nulls = RoaringBitmap::new();
    let mut area = Vec::new();
    let mut sizes = Vec::with_capacity(column.rows());
    for row in 0..column.rows() {
        let start = area.len();
        match text(row) {
            Some(text) => encoder.encode(text.as_bytes(), &mut area),
            None => {
                // Rows are at most 2^20.
                nulls.insert(row as u32);
            }
        }
        // A text is at most 2 GiB, and its codes at most twice that.
        sizes.push(u32::try_from(area.len() - start).unwrap_or(u32::MAX));
    }
    nulls.optimize();
    format::write(&Written {
        symbols: encoder.symbols(),
        sizes: &sizes,
        area: &area,
        nulls: &nulls,
    })
}

/// The beginnings of texts from all over the column.
fn sample<'a>(
    rows: usize,
    bytes: usize,
    text: &impl Fn(usize) -> Option<&'a str>,
) -> Vec<&'a [u8]> {
    let step = bytes / SAMPLE_BYTES + 1;
    let beginning = |text: &'a str| &text.as_bytes()[..text.len().min(SAMPLED_TEXT_BYTES)];
    let mut left = SAMPLE_BYTES;
    let texts = (0..rows).step_by(step).filter_map(text).map(beginning);
    texts
        .take_while(|text| {
            let fits = left >= text.len();
            left = left.saturating_sub(text.len());
            fits
        })
        .collect()
}
