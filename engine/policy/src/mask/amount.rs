//! The mask of balances and other amounts: a band is left.
//!
//! A band holds its lower bound: 10,000 is in `10k-50k` and 1,000,000 in `>1M`. What is below
//! zero is in the lowest band, so that a debt is not told from a small balance. The strict
//! profile has three bands and does not tell zero. Not-a-number has no band and gives a null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type};

use super::Profile;

/// Where the bands begin, after the lowest.
const BOUNDS: [i64; 4] = [10_000, 50_000, 200_000, 1_000_000];

/// What decides the band: whether the amount is zero, and how many bounds it reaches.
struct Standing {
    zero: bool,
    bounds_reached: usize,
}

pub(super) fn mask(values: &ArrayRef, profile: Profile) -> Option<ArrayRef> {
    let band = |standing: Standing| band(&standing, profile);
    let bands: StringArray = match values.data_type() {
        DataType::Int32 => {
            let numbers = values.as_primitive_opt::<Int32Type>()?;
            numbers.iter().map(|number| number.map(|n| band(of_integer(n.into())))).collect()
        }
        DataType::Int64 => {
            let numbers = values.as_primitive_opt::<Int64Type>()?;
            numbers.iter().map(|number| number.map(|n| band(of_integer(n)))).collect()
        }
        DataType::Decimal128(_, scale) => {
            let bounds = BOUNDS.map(|bound| unscaled(bound, *scale));
            let numbers = values.as_primitive_opt::<Decimal128Type>()?;
            numbers.iter().map(|number| number.map(|n| band(of_decimal(n, &bounds)))).collect()
        }
        DataType::Float64 => {
            let numbers = values.as_primitive_opt::<Float64Type>()?;
            numbers.iter().map(|number| number.and_then(of_float).map(&band)).collect()
        }
        _ => return None,
    };
    Some(Arc::new(bands))
}

fn of_integer(number: i64) -> Standing {
    Standing {
        zero: number == 0,
        bounds_reached: BOUNDS.iter().filter(|bound| number >= **bound).count(),
    }
}

/// `bounds` are unscaled; one too large for any decimal of the scale is never reached.
fn of_decimal(unscaled: i128, bounds: &[Option<i128>; 4]) -> Standing {
    let reached = |bound: &&Option<i128>| bound.is_some_and(|bound| unscaled >= bound);
    Standing { zero: unscaled == 0, bounds_reached: bounds.iter().filter(reached).count() }
}

fn of_float(number: f64) -> Option<Standing> {
    #[allow(clippy::cast_precision_loss, reason = "the bounds are small whole numbers")]
    let reached = |bound: &&i64| number >= **bound as f64;
    (!number.is_nan()).then(|| Standing {
        zero: number == 0.0,
        bounds_reached: BOUNDS.iter().filter(reached).count(),
    })
}

/// A bound as the unscaled number of a decimal with this scale.
fn unscaled(bound: i64, scale: i8) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(scale).ok()?)?.checked_mul(bound.into())
}

const fn band(standing: &Standing, profile: Profile) -> &'static str {
    match (profile, standing.bounds_reached) {
        (Profile::Doc, 0) if standing.zero => "0",
        (Profile::Doc, 0) => "<10k",
        (Profile::Doc, 1) => "10k-50k",
        (Profile::Doc, 2) => "50k-200k",
        (Profile::Doc, 3) => "200k-1M",
        (Profile::Doc, _) => ">1M",
        (Profile::Strict, 0 | 1) => "<50k",
        (Profile::Strict, 2) => "50k-200k",
        (Profile::Strict, _) => ">200k",
    }
}
