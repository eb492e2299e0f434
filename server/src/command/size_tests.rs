//! Sizes as written and as printed.

use super::*;

#[test]
fn sizes_are_read_as_memory_limits_are_written() {
    let bytes = |text: &str| text.parse::<Size>().map(Size::bytes);
    assert_eq!(bytes("4G"), Ok(4 << 30));
    assert_eq!(bytes("512MiB"), Ok(512 << 20));
    assert_eq!(bytes("1.5gb"), Ok(3 << 29));
    assert_eq!(bytes(" 64 k "), Ok(64 << 10));
    assert_eq!(bytes("1000"), Ok(1000));
}

#[test]
fn what_is_no_size_is_refused_with_an_example() {
    for text in ["", "G", "-1G", "0", "4X", "1.2345G", "1..5G", "99999999999T", "1.G", "ｘ"] {
        let refused = text.parse::<Size>();
        assert!(refused.is_err_and(|why| why.contains("4G")), "`{text}` was taken");
    }
}

#[test]
fn bytes_keep_one_digit_behind_the_point() {
    assert_eq!(Bytes(812).to_string(), "812 B");
    assert_eq!(Bytes(12_345_678).to_string(), "12.3 MB");
    assert_eq!(Bytes(999_999).to_string(), "1.0 MB");
    assert_eq!(Bytes(1_570_000_000).to_string(), "1.6 GB");
}

#[test]
fn counts_have_commas() {
    assert_eq!(Count(0).to_string(), "0");
    assert_eq!(Count(999).to_string(), "999");
    assert_eq!(Count(1_234_567).to_string(), "1,234,567");
    assert_eq!(format!("{:>9}", Count(12_000)), "   12,000");
}

#[test]
fn times_have_three_figures_or_so() {
    assert_eq!(Elapsed(Duration::from_micros(420)).to_string(), "0.42 ms");
    assert_eq!(Elapsed(Duration::from_micros(12_340)).to_string(), "12.3 ms");
    assert_eq!(Elapsed(Duration::from_millis(1_204)).to_string(), "1.20 s");
    assert_eq!(Elapsed(Duration::from_secs(125)).to_string(), "2 min 05 s");
}
