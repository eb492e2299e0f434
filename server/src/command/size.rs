//! Numbers as people write and read them: `4G`, `12.3 MB`, `1,234,567`.
//!
//! Owns reading and printing of sizes and counts; knows nothing of where they come from.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes, written as `4G`, `512MB`, `1.5GiB` or plain bytes. Units are powers of
/// 1,024 whichever way they are spelled, as memory limits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(u64);

impl Size {
    /// The number of bytes.
    pub(crate) const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!("`{text}` is not a size: write a number and K, M, G or T, such as 512M or 4G")
        };
        let trimmed = text.trim();
        let unit_at = trimmed.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(unit_at);
        let shift = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            "t" | "tb" | "tib" => 40,
            _ => return Err(refused()),
        };
        scaled(number.trim(), shift).filter(|bytes| *bytes > 0).map(Self).ok_or_else(refused)
    }
}

/// `number * 2^shift`, where the number has at most three digits behind the point.
fn scaled(number: &str, shift: u32) -> Option<u64> {
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || part.is_empty() || part.len() > 3 {
        return None;
    }
    if !digits_only(whole) || !digits_only(part) {
        return None;
    }
    let thousandths: u64 = format!("{part:0<3}").parse().ok()?;
    let unit = 1_u64 << shift;
    let whole: u64 = whole.parse().ok()?;
    // At most 999 * 2^40, so this product cannot overflow.
    whole.checked_mul(unit)?.checked_add(thousandths * unit / 1000)
}

/// Bytes with the unit that leaves one to four digits: `812 B`, `12.3 MB` (powers of 1,000).
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
        if self.0 < 1_000 {
            return formatter.pad(&format!("{} B", self.0));
        }
        let mut tenths = (u128::from(self.0) * 10 + 500) / 1_000;
        let mut unit = 0;
        while tenths >= 10_000 && unit + 1 < UNITS.len() {
            tenths = (tenths + 500) / 1_000;
            unit += 1;
        }
        formatter.pad(&format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]))
    }
}

/// A count with a comma at every third digit.
pub(crate) struct Count(pub(crate) u64);

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() * 4 / 3);
        for (position, digit) in digits.chars().enumerate() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        formatter.pad(&text)
    }
}

/// A time that was measured: `0.42 ms`, `12.3 ms`, `1.20 s`, `2 min 05 s`.
pub(crate) struct Elapsed(pub(crate) Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let text = if seconds < 0.01 {
            format!("{:.2} ms", seconds * 1e3)
        } else if seconds < 1.0 {
            format!("{:.1} ms", seconds * 1e3)
        } else if seconds < 100.0 {
            format!("{seconds:.2} s")
        } else {
            format!("{} min {:02} s", self.0.as_secs() / 60, self.0.as_secs() % 60)
        };
        formatter.pad(&text)
    }
}

#[cfg(test)]
#[path = "size_tests.rs"]
mod tests;
