//! `date_part`: one roaring bitmap per month that occurs, per day of the week, and of
//! timestamps per hour.
//!
//! Answers parts of a date and ranges that end where months do exactly, other ranges by the
//! months they touch. Few bitmaps, whatever the number of days: good for trends and for cutting
//! years out of unsorted rows.

mod builder;
mod format;
mod month;
mod reader;

pub(crate) use builder::build;
pub use reader::DatePartIndex;

use martlet_core::{ColumnType, DatePart};

use crate::kind::Answers;
use crate::logic::Leaf;

/// What months, days of the week and hours say of a condition.
pub(super) fn answers(leaf: &Leaf<'_>, column_type: ColumnType) -> Answers {
    if !matches!(column_type, ColumnType::Date | ColumnType::Timestamp) {
        return Answers::Not;
    }
    match leaf {
        Leaf::Part(DatePart::Day | DatePart::DayOfYear, ..) | Leaf::Like(_) | Leaf::Between(..) => {
            Answers::Not
        }
        Leaf::IsNull | Leaf::Part(..) => Answers::Exactly,
        Leaf::Compare(comparison, value) if month::ends_where_months_do(*comparison, value) => {
            Answers::Exactly
        }
        Leaf::Compare(..) | Leaf::In(_) => Answers::AtMost,
    }
}
