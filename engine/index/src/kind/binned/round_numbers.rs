//! Round numbers as keys: a few leading digits times a power of ten, of either sign.
//!
//! From the roundest to the finest: zero; every sixteenth, every fourth, then every power of
//! ten; 1, 2, 5; 1 to 9; and by fives and ones of each further digit. Never overflows: what is
//! no key is left out.

use martlet_core::Value;

use crate::kind::vector::VectorForm;
use crate::values::float_of_key;

/// What the keys of numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// The numbers themselves.
    Whole,
    /// Bits of floats in their order.
    Float,
}

/// Finenesses, each the roundest of its sort.
const ZERO: u8 = 0;
const POWERS: u8 = 1;
const ALL_POWERS: u8 = 3;
const FIRST_DIGITS: u8 = 5;
const FURTHER_DIGITS: u8 = 6;

/// Of powers of ten those of every so many digits, by fineness.
const POWER_STRIDES: [i32; 3] = [16, 4, 1];

/// More numbers of one fineness are never looked at within a bin: rounder ones have cut it.
const NUMBERS_MAX: u64 = 256;

/// A round number without its sign: so much times a power of ten.
#[derive(Debug, Clone, Copy)]
struct Round {
    times: u64,
    power: i32,
}

impl Numbers {
    pub(super) const SPREAD: u8 = ALL_POWERS;
    /// Down to 1, 2 and 5 times a power of ten nothing is given up to save a slice.
    pub(super) const DISPENSABLE: u8 = FIRST_DIGITS;
    /// Up to sixteen digits, which are all that floats have.
    pub(super) const FINEST: u8 = FURTHER_DIGITS + 2 * 15 + 1;

    pub(super) fn keys(self, fineness: u8, from: i64, to: i64) -> Vec<i64> {
        let is_between = |key: &i64| from < *key && *key <= to;
        if fineness == ZERO {
            return self.landmarks().into_iter().filter(is_between).collect();
        }
        // Zero stands alone by now, and so do infinities and what is no number.
        let (is_negative, is_positive) = (to < 0, from > 0);
        if is_negative == is_positive {
            return Vec::new();
        }
        let (low, high) = if is_negative { (to, from) } else { (from, to) };
        let round = self.round_between(fineness, low, high);
        let mut keys: Vec<i64> = round
            .into_iter()
            .filter_map(|round| self.key_of(round, is_negative))
            .filter(is_between)
            .collect();
        keys.sort_unstable();
        keys
    }

    /// Where signs change and numbers end.
    fn landmarks(self) -> Vec<i64> {
        match self {
            Self::Whole => vec![0, 1],
            Self::Float => {
                let least = float_key(f64::NEG_INFINITY);
                let most = float_key(f64::INFINITY);
                // What follows the key of zero is that of the least number above it.
                vec![least, least + 1, 0, 1, most, most + 1]
            }
        }
    }

    /// The round numbers between the magnitudes of two keys of one sign, and some beside.
    fn round_between(self, fineness: u8, low: i64, high: i64) -> Vec<Round> {
        let (Some(first), Some(last)) = (self.digits_before(low), self.digits_before(high)) else {
            return Vec::new();
        };
        // A logarithm may be a little off.
        let powers = first - 1..=last + 1;
        match fineness {
            POWERS..=ALL_POWERS => {
                let stride = POWER_STRIDES[usize::from(fineness - POWERS)];
                let powers = powers.filter(|power| power % stride == 0);
                powers.map(|power| Round { times: 1, power }).collect()
            }
            ..=FIRST_DIGITS => {
                let times: &[u64] = if fineness == FIRST_DIGITS {
                    &[1, 2, 3, 4, 5, 6, 7, 8, 9]
                } else {
                    &[1, 2, 5]
                };
                let each = |power| times.iter().map(move |times| Round { times: *times, power });
                powers.flat_map(each).collect()
            }
            _ => {
                let further = fineness - FURTHER_DIGITS;
                let step = if further.is_multiple_of(2) { 5 } else { 1 };
                self.multiples(step, first - 1 - i32::from(further / 2), low, high)
            }
        }
    }

    /// The multiples of so many times a power of ten.
    fn multiples(self, step: u64, power: i32, low: i64, high: i64) -> Vec<Round> {
        let (low, high) = (self.times(power, low), self.times(power, high));
        let (Some(low), Some(high)) = (low, high) else { return Vec::new() };
        let (first, last) = (low / step, (high / step).saturating_add(1));
        if last.saturating_sub(first) > NUMBERS_MAX {
            return Vec::new();
        }
        (first..=last)
            .map(|multiple| Round { times: multiple.saturating_mul(step), power })
            .collect()
    }

    /// How often a power of ten goes into the magnitude of a key, rounded down.
    fn times(self, power: i32, key: i64) -> Option<u64> {
        match self {
            Self::Whole => {
                Some(key.unsigned_abs() / 10_u64.checked_pow(u32::try_from(power).ok()?)?)
            }
            // What is too much is brought down to the highest number.
            Self::Float => Some((float_of_key(key).abs() / 10_f64.powi(power)) as u64),
        }
    }

    /// The power of ten in the magnitude of a key; `None` where it is no number.
    fn digits_before(self, key: i64) -> Option<i32> {
        match self {
            // At most 19.
            Self::Whole => Some(key.unsigned_abs().checked_ilog10()? as i32),
            Self::Float => {
                let power = float_of_key(key).abs().log10().floor();
                power.is_finite().then_some(power as i32)
            }
        }
    }

    fn key_of(self, round: Round, is_negative: bool) -> Option<i64> {
        let sign = if is_negative { "-" } else { "" };
        match self {
            Self::Whole => {
                let unit = 10_i128.checked_pow(u32::try_from(round.power).ok()?)?;
                let number = i128::from(round.times).checked_mul(unit)?;
                i64::try_from(if is_negative { -number } else { number }).ok()
            }
            // As a constant in a statement is read: to the nearest float.
            Self::Float => {
                let text = format!("{sign}{}e{}", round.times, round.power);
                text.parse().ok().map(float_key)
            }
        }
    }
}

/// The key of a float.
fn float_key(float: f64) -> i64 {
    // Every float has one.
    VectorForm::Float.key_of(&Value::Float(float)).unwrap_or(0)
}
