//! Numbers as text to exact values: whole numbers and decimals never go through a float.
//!
//! Owns the reading of one number. Never rounds: what does not fit exactly is a reason.

use crate::config::plan::NumberStyle;
use crate::reason::Reason;

/// A number's sign and digits, cut out of its text; the digits are not yet checked.
struct Cut<'a> {
    negative: bool,
    whole: &'a [u8],
    /// The digits behind the decimal point; `None` where the text has no point.
    decimals: Option<&'a [u8]>,
}

fn cut(text: &str, style: NumberStyle) -> Cut<'_> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    match memchr::memchr(style.decimal_point, digits) {
        Some(at) => Cut { negative, whole: &digits[..at], decimals: Some(&digits[at + 1..]) },
        None => Cut { negative, whole: digits, decimals: None },
    }
}

/// Calls `digit` for each digit of the whole part. False if something else stands there:
/// separators are accepted only in front of groups of exactly three digits.
fn for_each_whole_digit(whole: &[u8], thousands: Option<u8>, mut digit: impl FnMut(u8)) -> bool {
    let mut group = 0_usize;
    let mut separated = false;
    for &byte in whole {
        if byte.is_ascii_digit() {
            group += 1;
            digit(byte - b'0');
        } else if Some(byte) == thousands {
            let complete = if separated { group == 3 } else { (1..=3).contains(&group) };
            if !complete {
                return false;
            }
            separated = true;
            group = 0;
        } else {
            return false;
        }
    }
    !separated || group == 3
}

/// Digits of which any number fits 64 bits with its sign.
const SHORT_DIGITS: usize = 18;

/// Digits and nothing else, at most [`SHORT_DIGITS`] of them, as their number.
fn short(digits: &[u8]) -> Option<i64> {
    if digits.len() > SHORT_DIGITS {
        return None;
    }
    let mut number = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(number)
}

/// What nearly every decimal of a file looks like: few digits, no separator, no more places
/// than the column has. `None` leaves the text to the strict reading, which finds the reason.
fn short_decimal(cut: &Cut<'_>, precision: u8, scale: u8) -> Option<i64> {
    let decimals = cut.decimals.unwrap_or_default();
    let (places, scale) = (decimals.len(), usize::from(scale));
    let whole_digits_max = usize::from(precision).min(SHORT_DIGITS).checked_sub(scale)?;
    if cut.whole.is_empty() || places > scale || cut.whole.len() > whole_digits_max {
        return None;
    }
    let missing = u32::try_from(scale - places).ok()?;
    let whole = short(cut.whole)? * 10_i64.pow(u32::try_from(scale).ok()?);
    let number = whole + short(decimals)? * 10_i64.pow(missing);
    Some(if cut.negative { -number } else { number })
}

/// A whole number in `i64`.
pub(crate) fn whole(
    text: &str,
    style: NumberStyle,
    type_name: &'static str,
) -> Result<i64, Reason> {
    let cut = cut(text, style);
    if cut.decimals.is_some() || cut.whole.is_empty() {
        return Err(Reason::NotInteger);
    }
    if let Some(number) = short(cut.whole) {
        return Ok(if cut.negative { -number } else { number });
    }
    let mut number = Some(0_i64);
    let well_formed = for_each_whole_digit(cut.whole, style.thousands, |digit| {
        let digit = i64::from(digit);
        number = number.and_then(|so_far| so_far.checked_mul(10)).and_then(|tenfold| {
            if cut.negative { tenfold.checked_sub(digit) } else { tenfold.checked_add(digit) }
        });
    });
    if !well_formed {
        return Err(Reason::NotInteger);
    }
    number.ok_or(Reason::OutOfRange { type_name })
}

/// A decimal as its unscaled number. Zeros beyond the scale change nothing and are let pass;
/// any other digit there is refused.
pub(crate) fn decimal(
    text: &str,
    style: NumberStyle,
    precision: u8,
    scale: u8,
) -> Result<i128, Reason> {
    let cut = cut(text, style);
    if let Some(number) = short_decimal(&cut, precision, scale) {
        return Ok(i128::from(number));
    }
    let decimals = cut.decimals.unwrap_or_default();
    if (cut.whole.is_empty() && decimals.is_empty()) || !decimals.iter().all(u8::is_ascii_digit) {
        return Err(Reason::NotNumber);
    }
    let scale = usize::from(scale);
    let whole_digits_max = usize::from(precision) - scale;
    let mut number = 0_i128;
    let mut significant = 0_usize;
    let well_formed = for_each_whole_digit(cut.whole, style.thousands, |digit| {
        significant += usize::from(significant > 0 || digit > 0);
        if significant <= whole_digits_max {
            number = number * 10 + i128::from(digit);
        }
    });
    if !well_formed {
        return Err(Reason::NotNumber);
    }
    if significant > whole_digits_max {
        return Err(Reason::TooManyIntegerDigits { most: whole_digits_max });
    }
    if decimals.iter().skip(scale).any(|digit| *digit != b'0') {
        return Err(Reason::TooManyDecimals { scale });
    }
    for place in 0..scale {
        let digit = decimals.get(place).map_or(0, |digit| digit - b'0');
        number = number * 10 + i128::from(digit);
    }
    Ok(if cut.negative { -number } else { number })
}

/// A decimal of one scale, exactly in another precision and scale.
pub(crate) fn rescale(
    number: i128,
    from_scale: i8,
    precision: u8,
    scale: u8,
) -> Result<i128, Reason> {
    let scale_text = usize::from(scale);
    let too_large =
        Reason::TooManyIntegerDigits { most: usize::from(precision) - usize::from(scale) };
    let shift = i32::from(scale) - i32::from(from_scale);
    let factor = 10_i128.checked_pow(shift.unsigned_abs());
    let rescaled = match (shift >= 0, factor) {
        (_, _) if number == 0 => 0,
        (true, Some(factor)) => number.checked_mul(factor).ok_or_else(|| too_large.clone())?,
        (true, None) => return Err(too_large),
        (false, Some(factor)) if number % factor == 0 => number / factor,
        (false, _) => return Err(Reason::TooManyDecimals { scale: scale_text }),
    };
    // 10^38 fits in an i128, so the power cannot overflow for any precision up to 38.
    if rescaled.unsigned_abs() >= 10_u128.pow(u32::from(precision)) {
        return Err(too_large);
    }
    Ok(rescaled)
}

/// A finite float.
pub(crate) fn float(text: &str, style: NumberStyle) -> Result<f64, Reason> {
    let plain = style == NumberStyle::PLAIN;
    let number: f64 = if plain {
        text.parse().map_err(|_| Reason::NotNumber)?
    } else {
        respelled(text, style)?.parse().map_err(|_| Reason::NotNumber)?
    };
    if number.is_finite() { Ok(number) } else { Err(Reason::NotFinite) }
}

/// The number with a `.` and without separators; its exponent stays.
fn respelled(text: &str, style: NumberStyle) -> Result<String, Reason> {
    let exponent_at = text.find(['e', 'E']).unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at(exponent_at);
    let cut = cut(mantissa, style);
    let mut plain = String::with_capacity(text.len());
    if cut.negative {
        plain.push('-');
    }
    let well_formed = for_each_whole_digit(cut.whole, style.thousands, |digit| {
        plain.push(char::from(b'0' + digit));
    });
    let decimals = cut.decimals.unwrap_or_default();
    if !well_formed || !decimals.iter().all(u8::is_ascii_digit) {
        return Err(Reason::NotNumber);
    }
    plain.push('.');
    plain.extend(decimals.iter().map(|digit| char::from(*digit)));
    plain.push_str(exponent);
    Ok(plain)
}

#[cfg(test)]
#[path = "number_tests.rs"]
mod tests;
