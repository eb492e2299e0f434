//! Codes per row to bitmaps: one counting sort, then each value's rows in ascending order.

use martlet_core::ColumnType;

use super::format;
use crate::encode::Encoded;
use crate::kind::bitmaps::BitmapsBuilder;

/// The section of a column.
pub(crate) fn build(column_type: ColumnType, column: &Encoded) -> Vec<u8> {
    let (counts, rows_by_code) = sorted_by_code(column);
    let mut bitmaps = BitmapsBuilder::default();
    let mut rest = &rows_by_code[..];
    for count in &counts {
        let (rows, others) = rest.split_at(*count as usize);
        rest = others;
        bitmaps.push_rows(rows);
    }
    let row_count = u32::try_from(column.codes.len()).unwrap_or(u32::MAX);
    format::write(column_type, row_count, &column.values, &bitmaps)
}

/// How many rows each code has (null's last), and all rows, by code and then ascending.
fn sorted_by_code(column: &Encoded) -> (Vec<u32>, Vec<u32>) {
    let mut counts = vec![0_u32; column.values.len() + 1];
    for code in &column.codes {
        counts[*code as usize] += 1;
    }
    let mut next: Vec<u32> = counts
        .iter()
        .scan(0, |start, count| {
            let begin = *start;
            *start += count;
            Some(begin)
        })
        .collect();
    let mut rows = vec![0_u32; column.codes.len()];
    for (row, code) in (0_u32..).zip(&column.codes) {
        let place = &mut next[*code as usize];
        rows[*place as usize] = row;
        *place += 1;
    }
    (counts, rows)
}
