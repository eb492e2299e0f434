//! The mask of birth dates: the year is left; in the strict profile the first year of five.
//!
//! A day outside the calendar that can be computed with has no year and gives a null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array};
use arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use chrono::Datelike;
use martlet_core::BatchDate;

use super::Profile;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

pub(super) fn mask(values: &ArrayRef, profile: Profile) -> Option<ArrayRef> {
    let years: Int32Array = match values.data_type() {
        DataType::Date32 => {
            let days = values.as_primitive_opt::<Date32Type>()?;
            days.iter().map(|day| year(day?, profile)).collect()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let moments = values.as_primitive_opt::<TimestampMicrosecondType>()?;
            let day = |moment: i64| i32::try_from(moment.div_euclid(MICROSECONDS_PER_DAY)).ok();
            moments.iter().map(|moment| year(day(moment?)?, profile)).collect()
        }
        _ => return None,
    };
    Some(Arc::new(years))
}

/// The year that is shown for a day since 1970-01-01.
fn year(day: i32, profile: Profile) -> Option<i32> {
    let year = BatchDate::from_days(day)?.date().year();
    Some(match profile {
        Profile::Doc => year,
        Profile::Strict => year.div_euclid(5) * 5,
    })
}
