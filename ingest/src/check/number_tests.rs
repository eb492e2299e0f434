//! Numbers are read exactly or refused, and nothing makes the readers panic.

use proptest::prelude::*;

use super::*;

const CZECH: NumberStyle = NumberStyle { decimal_point: b',', thousands: Some(b' ') };
const ENGLISH: NumberStyle = NumberStyle { decimal_point: b'.', thousands: Some(b',') };

#[test]
fn decimals_are_exact_or_refused() {
    let money = |text, style| decimal(text, style, 6, 2);
    let plain = |text| money(text, NumberStyle::PLAIN);
    assert_eq!(plain("12.30"), Ok(1_230));
    assert_eq!(plain("-0.5"), Ok(-50));
    assert_eq!(plain("+.05"), Ok(5));
    assert_eq!(plain("7."), Ok(700));
    assert_eq!(plain("0009999.99000"), Ok(999_999));
    assert_eq!(plain("10000"), Err(Reason::TooManyIntegerDigits { most: 4 }));
    assert_eq!(plain("0.005"), Err(Reason::TooManyDecimals { scale: 2 }));
    for bad in ["", "-", ".", "1e3", "1,5", " 1", "1 ", "--1", "1.2.3", "0x1", "१", "NaN"] {
        assert_eq!(plain(bad), Err(Reason::NotNumber), "{bad:?}");
    }
    assert_eq!(money("1 234,5", CZECH), Ok(123_450));
    assert_eq!(money("1,234.50", ENGLISH), Ok(123_450));
    assert_eq!(money("1234.50", ENGLISH), Ok(123_450));
    for bad in ["12,34.5", "1,23", ",123", "1,234,", "1,2345", "1.234,5"] {
        assert_eq!(money(bad, ENGLISH), Err(Reason::NotNumber), "{bad:?}");
    }
}

#[test]
fn the_widest_decimal_fits() {
    let nines = "9".repeat(38);
    assert_eq!(decimal(&nines, NumberStyle::PLAIN, 38, 0), Ok(10_i128.pow(38) - 1));
    let behind = format!("-0.{nines}");
    assert_eq!(decimal(&behind, NumberStyle::PLAIN, 38, 38), Ok(1 - 10_i128.pow(38)));
    let wider = format!("1{nines}");
    assert_eq!(
        decimal(&wider, NumberStyle::PLAIN, 38, 0),
        Err(Reason::TooManyIntegerDigits { most: 38 })
    );
}

#[test]
fn whole_numbers_keep_to_their_range() {
    let plain = |text| whole(text, NumberStyle::PLAIN, "int64");
    assert_eq!(plain("9223372036854775807"), Ok(i64::MAX));
    assert_eq!(plain("-9223372036854775808"), Ok(i64::MIN));
    assert_eq!(plain("9223372036854775808"), Err(Reason::OutOfRange { type_name: "int64" }));
    assert_eq!(plain("007"), Ok(7));
    for bad in ["", "+", "1.0", "1e2", "1_000", "a"] {
        assert_eq!(plain(bad), Err(Reason::NotInteger), "{bad:?}");
    }
    assert_eq!(whole("1 000 000", CZECH, "int64"), Ok(1_000_000));
}

#[test]
fn floats_are_finite() {
    assert_eq!(float("1.5e3", NumberStyle::PLAIN), Ok(1_500.0));
    assert_eq!(float("1 234,5e1", CZECH), Ok(12_345.0));
    assert_eq!(float("inf", NumberStyle::PLAIN), Err(Reason::NotFinite));
    assert_eq!(float("NaN", NumberStyle::PLAIN), Err(Reason::NotFinite));
    assert_eq!(float("1e999", NumberStyle::PLAIN), Err(Reason::NotFinite));
    assert_eq!(float("1.5", CZECH), Err(Reason::NotNumber));
    assert_eq!(float("", CZECH), Err(Reason::NotNumber));
}

#[test]
fn rescaling_loses_nothing() {
    assert_eq!(rescale(1_230, 2, 10, 4), Ok(123_000));
    assert_eq!(rescale(1_200, 2, 10, 0), Ok(12));
    assert_eq!(rescale(1_230, 2, 10, 0), Err(Reason::TooManyDecimals { scale: 0 }));
    assert_eq!(rescale(1_000, 0, 5, 2), Err(Reason::TooManyIntegerDigits { most: 3 }));
    assert_eq!(rescale(0, 38, 1, 0), Ok(0));
    assert_eq!(rescale(i128::MAX, 0, 38, 38), Err(Reason::TooManyIntegerDigits { most: 0 }));
}

proptest! {
    /// Writing a decimal and reading it gives the same number.
    #[test]
    fn decimals_read_back(number in -999_999_999_i128..=999_999_999, scale in 0_u8..=9) {
        let digits = format!("{:0width$}", number.unsigned_abs(), width = usize::from(scale) + 1);
        let (whole, behind) = digits.split_at(digits.len() - usize::from(scale));
        let sign = if number < 0 { "-" } else { "" };
        let text = format!("{sign}{whole}.{behind}");
        prop_assert_eq!(decimal(&text, NumberStyle::PLAIN, 9 + scale, scale), Ok(number));
    }

    /// No text makes the readers panic, and what they take for a number a plain parser does.
    #[test]
    fn any_text_is_read_or_refused(text in "[-+0-9., eE]{0,12}|.{0,8}") {
        let _ = decimal(&text, ENGLISH, 12, 3);
        let _ = float(&text, CZECH);
        prop_assert_eq!(whole(&text, NumberStyle::PLAIN, "int64").ok(), text.parse::<i64>().ok());
    }
}
