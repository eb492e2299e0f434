//! What changed of what columns are, as the officers see it.
//!
//! To say it at all shows nobody more, as what was loaded otherwise is hidden by it. Where it was
//! said before, a column that is named newly, or as something else, may have been hidden.

use std::collections::BTreeMap;

use super::{Weight, as_strs, diff_named};
use crate::parse::RawColumns;

/// The lines.
pub(super) fn diff(before: Option<&[RawColumns]>, after: Option<&[RawColumns]>) -> Vec<String> {
    let (mut lines, weight_of_new) = match (before, after) {
        (None, None) => return Vec::new(),
        (Some(_), Some(_)) => (Vec::new(), Weight::Widens),
        (None, Some(_)) => {
            let what = "columns: hidden unless columns.toml names them as they were loaded";
            (vec![Weight::Narrows.line(what)], Weight::Narrows)
        }
        (Some(_), None) => {
            let what = "columns: no columns.toml any more, so load files alone say what they are";
            return vec![Weight::Widens.line(what)];
        }
    };
    let (before, after) = (classes(before), classes(after));
    lines.extend(diff_named("column", &as_strs(&before), &as_strs(&after), weight_of_new));
    lines
}

/// `table.column` -> class.
fn classes(tables: Option<&[RawColumns]>) -> BTreeMap<String, String> {
    let columns = tables.unwrap_or_default().iter().flat_map(|table| {
        table.columns.iter().map(|(column, class)| {
            let place = format!("{}.{}", table.table.value, column.value);
            (place, format!("class {}", class.value))
        })
    });
    columns.collect()
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
