//! Dates and timestamps: a text of a known format to days or microseconds since 1970-01-01.
//!
//! Owns the formats. Patterns of fixed width (the everyday ones) are read digit by digit and
//! counted here; the rest goes through `chrono`. Never guesses a format and never drops a zone or a time of day.

use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use crate::reason::Reason;

const DAYS_FROM_CE_TO_EPOCH: i32 = 719_163;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The year from which two-digit years count when nothing else is said.
pub(crate) const TWO_DIGIT_YEAR_FROM_DEFAULT: i32 = 1970;

/// The formats that a column's texts may have, tried in order.
#[derive(Debug, Clone)]
pub(crate) struct TimeFormats {
    patterns: Vec<Pattern>,
    named: String,
}

#[derive(Debug, Clone)]
enum Pattern {
    Fixed { parts: Vec<Part>, year_from: i32 },
    Free { text: String, has_time: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    YearOfCentury,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    /// Nothing, or a point and one to nine digits.
    Fraction,
    Literal(u8),
}

/// What a pattern found in a text.
struct Found {
    /// Since 1970-01-01.
    days: i32,
    /// Since midnight.
    seconds: u32,
    nanos: u32,
}

impl Found {
    fn of(date: NaiveDate, time: NaiveTime) -> Self {
        Self {
            days: days(date),
            seconds: time.num_seconds_from_midnight(),
            nanos: time.nanosecond(),
        }
    }
}

impl TimeFormats {
    /// Checks and compiles the patterns.
    ///
    /// # Errors
    /// In words, why a pattern does not tell a date.
    pub(crate) fn compile(patterns: &[String], year_from: i32) -> Result<Self, String> {
        if patterns.is_empty() {
            return Err("name at least one format".into());
        }
        let compiled = patterns.iter().map(|text| Pattern::compile(text, year_from));
        Ok(Self {
            patterns: compiled.collect::<Result<_, _>>()?,
            named: patterns.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" or "),
        })
    }

    /// Days since 1970-01-01.
    pub(crate) fn date(&self, text: &str) -> Result<i32, Reason> {
        let found = self.find(text)?;
        if (found.seconds, found.nanos) != (0, 0) {
            return Err(Reason::TimeOfDay);
        }
        Ok(found.days)
    }

    /// Microseconds since 1970-01-01 00:00.
    pub(crate) fn timestamp(&self, text: &str) -> Result<i64, Reason> {
        let found = self.find(text)?;
        if !found.nanos.is_multiple_of(1_000) {
            return Err(Reason::TooPrecise);
        }
        let micros = i64::from(found.seconds) * 1_000_000 + i64::from(found.nanos / 1_000);
        Ok(i64::from(found.days) * MICROS_PER_DAY + micros)
    }

    fn find(&self, text: &str) -> Result<Found, Reason> {
        let mut no_such_day = false;
        for pattern in &self.patterns {
            match pattern.find(text) {
                Ok(found) => return Ok(found),
                Err(Miss::NoSuchDay) => no_such_day = true,
                Err(Miss::OtherForm) => {}
            }
        }
        Err(if no_such_day {
            Reason::NoSuchDay
        } else {
            Reason::NotOfFormat { formats: self.named.clone() }
        })
    }
}

enum Miss {
    OtherForm,
    NoSuchDay,
}

fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - DAYS_FROM_CE_TO_EPOCH
}

impl Pattern {
    fn compile(text: &str, year_from: i32) -> Result<Self, String> {
        let items: Vec<Item<'_>> = StrftimeItems::new(text).collect();
        if items.contains(&Item::Error) {
            return Err(format!("`{text}` is not a date format"));
        }
        if items.iter().any(tells_zone) {
            return Err(format!(
                "`{text}` reads a time zone, which would be lost: times are stored without one"
            ));
        }
        if let Some(parts) = fixed_parts(&items) {
            return Self::check_fixed(text, parts, year_from);
        }
        if year_from != TWO_DIGIT_YEAR_FROM_DEFAULT {
            return Err(format!(
                "`two_digit_year_from` works with formats of fixed width only, which `{text}` is not"
            ));
        }
        Self::check_free(text)
    }

    fn check_fixed(text: &str, parts: Vec<Part>, year_from: i32) -> Result<Self, String> {
        let count = |wanted: &[Part]| parts.iter().filter(|part| wanted.contains(part)).count();
        let once = count(&[Part::Year, Part::YearOfCentury]) == 1
            && count(&[Part::Month]) == 1
            && count(&[Part::Day]) == 1
            && [Part::Hour, Part::Minute, Part::Second, Part::Fraction]
                .iter()
                .all(|part| count(&[*part]) <= 1);
        if once {
            Ok(Self::Fixed { parts, year_from })
        } else {
            Err(format!("`{text}` has to tell year, month and day once each"))
        }
    }

    /// Tries the pattern on a day of its own: what it writes it must be able to read.
    fn check_free(text: &str) -> Result<Self, String> {
        let sample = NaiveDate::from_ymd_opt(2001, 2, 3).and_then(|day| day.and_hms_opt(4, 5, 6));
        let sample = sample.unwrap_or_default();
        let written = sample.format(text).to_string();
        for has_time in [true, false] {
            let pattern = Self::Free { text: text.to_string(), has_time };
            if pattern.find(&written).is_ok_and(|found| found.days == days(sample.date())) {
                return Ok(pattern);
            }
        }
        Err(format!("`{text}` does not tell a whole date: year, month and day are needed"))
    }

    fn find(&self, text: &str) -> Result<Found, Miss> {
        match self {
            Self::Fixed { parts, year_from } => find_fixed(parts, *year_from, text.as_bytes()),
            Self::Free { text: pattern, has_time: true } => {
                NaiveDateTime::parse_from_str(text, pattern)
                    .map(|at| Found::of(at.date(), at.time()))
                    .map_err(|_| Miss::OtherForm)
            }
            Self::Free { text: pattern, has_time: false } => {
                NaiveDate::parse_from_str(text, pattern)
                    .map(|date| Found::of(date, NaiveTime::MIN))
                    .map_err(|_| Miss::OtherForm)
            }
        }
    }
}

fn tells_zone(item: &Item<'_>) -> bool {
    matches!(
        item,
        Item::Numeric(Numeric::Timestamp, _)
            | Item::Fixed(
                Fixed::TimezoneName
                    | Fixed::TimezoneOffset
                    | Fixed::TimezoneOffsetColon
                    | Fixed::TimezoneOffsetDoubleColon
                    | Fixed::TimezoneOffsetTripleColon
                    | Fixed::TimezoneOffsetColonZ
                    | Fixed::TimezoneOffsetZ
                    | Fixed::RFC2822
                    | Fixed::RFC3339
            )
    )
}

/// The parts of a pattern in which every part but the fraction has a fixed number of digits.
fn fixed_parts(items: &[Item<'_>]) -> Option<Vec<Part>> {
    use chrono::format::Pad;
    let mut parts = Vec::new();
    for item in items {
        match item {
            Item::Numeric(numeric, Pad::Zero) => parts.push(match numeric {
                Numeric::Year => Part::Year,
                Numeric::YearMod100 => Part::YearOfCentury,
                Numeric::Month => Part::Month,
                Numeric::Day => Part::Day,
                Numeric::Hour => Part::Hour,
                Numeric::Minute => Part::Minute,
                Numeric::Second => Part::Second,
                _ => return None,
            }),
            Item::Fixed(Fixed::Nanosecond) => parts.push(Part::Fraction),
            Item::Literal(text) => parts.extend(text.bytes().map(Part::Literal)),
            Item::Space(text) => parts.extend(text.bytes().map(Part::Literal)),
            _ => return None,
        }
    }
    Some(parts)
}

/// The numbers of a text, as far as they were read.
struct Numbers {
    year: i32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
}

fn find_fixed(parts: &[Part], year_from: i32, text: &[u8]) -> Result<Found, Miss> {
    let mut numbers =
        Numbers { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, nanos: 0 };
    let mut rest = text;
    for part in parts {
        take_part(*part, year_from, &mut rest, &mut numbers).ok_or(Miss::OtherForm)?;
    }
    if !rest.is_empty() {
        return Err(Miss::OtherForm);
    }
    let Numbers { year, month, day, hour, minute, second, nanos } = numbers;
    if hour > 23 || minute > 59 || second > 59 {
        return Err(Miss::NoSuchDay);
    }
    let days = days_of(year, month, day).ok_or(Miss::NoSuchDay)?;
    Ok(Found { days, seconds: (hour * 60 + minute) * 60 + second, nanos })
}

/// Days since 1970-01-01 of a day; `None` if the calendar has no such day. Counted in years
/// that begin in March, so that the leap day comes last.
fn days_of(year: i32, month: u32, day: u32) -> Option<i32> {
    const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if !(-9_999..=99_999).contains(&year) {
        return None;
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let most = *DAYS.get(month.checked_sub(1)? as usize)? + u32::from(is_leap && month == 2);
    if !(1..=most).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_month = i32::try_from((153 * month + 2) / 5 + day - 1).ok()?;
    let years = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // From the first of March of the year 0 to 1970-01-01.
    Some(years + before_month - 719_468)
}

fn take_part(part: Part, year_from: i32, rest: &mut &[u8], into: &mut Numbers) -> Option<()> {
    match part {
        Part::Year => into.year = i32::try_from(take_digits(rest, 4)?).ok()?,
        Part::YearOfCentury => {
            let short = i32::try_from(take_digits(rest, 2)?).ok()?;
            into.year = year_from + (short - year_from).rem_euclid(100);
        }
        Part::Month => into.month = take_digits(rest, 2)?,
        Part::Day => into.day = take_digits(rest, 2)?,
        Part::Hour => into.hour = take_digits(rest, 2)?,
        Part::Minute => into.minute = take_digits(rest, 2)?,
        Part::Second => into.second = take_digits(rest, 2)?,
        Part::Fraction => into.nanos = take_fraction(rest)?,
        Part::Literal(byte) => *rest = rest.strip_prefix(&[byte])?,
    }
    Some(())
}

fn take_digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let digits = rest.get(..count)?;
    let mut number = 0_u32;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u32::from(byte - b'0');
    }
    *rest = &rest[count..];
    Some(number)
}

fn take_fraction(rest: &mut &[u8]) -> Option<u32> {
    let Some(behind) = rest.strip_prefix(b".") else { return Some(0) };
    let count = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    *rest = behind;
    let places = u32::try_from(count).ok()?;
    Some(take_digits(rest, count)? * 10_u32.pow(9 - places))
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
