//! A column under functions that never decrease, compared with a constant.
//!
//! Turns `f(column) <comparison> constant` into a comparison of the column itself, by finding
//! the first value of the column's type whose `f` reaches the constant. Exact for every value
//! of the type, and unknown where the column is null, as the original; where SQL could not go
//! on (its nanoseconds end in 2262) the comparison still does. Never guesses: a function that
//! could decrease has no place here.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::scalar::ScalarValue;
use martlet_core::{CivilDate, ColumnName, ColumnType, Comparison, DatePart, Predicate, Value};

const MICROSECONDS_PER_DAY: i128 = 86_400_000_000;

/// What the functions are applied to.
#[derive(Debug, Clone)]
pub(crate) enum Base {
    /// A stored column.
    Column(ColumnName, ColumnType),
    /// A part of a date or timestamp column, as `date_part` tells it: a 32-bit integer.
    Part(ColumnName, DatePart),
}

/// A base under functions that never decrease.
#[derive(Debug, Clone)]
pub(crate) struct Monotone {
    base: Base,
    steps: Vec<Step>,
    /// The type of the whole.
    result: DataType,
}

/// One function. Every number is exact: dates are days, timestamps counts of their unit,
/// decimals unscaled.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// To a finer unit or a larger scale.
    Times(i128),
    /// To days, rounded down.
    Days { per_day: i128 },
    /// To the beginning of a period that holds whole days or divides one.
    Truncated { to: Period, per_day: i128 },
    /// To the year of a day.
    Year,
    /// To a float, as Arrow casts it.
    Float { divisor: f64 },
}

/// A period that `date_trunc` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

impl Period {
    /// Reads a period's name as `date_trunc` does.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" => Self::Year,
            "quarter" => Self::Quarter,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            _ => return None,
        })
    }

    /// The first moment of the period in which the moment lies.
    fn begin(self, moment: i128, per_day: i128) -> i128 {
        let floor = |unit: i128| moment - moment.rem_euclid(unit);
        let day = moment.div_euclid(per_day);
        let day = match self {
            Self::Hour => return floor(per_day / 24),
            Self::Minute => return floor(per_day / 1_440),
            Self::Second => return floor(per_day / 86_400),
            Self::Day => day,
            // 1970-01-01 was a Thursday, and weeks begin on Monday.
            Self::Week => day - (day + 3).rem_euclid(7),
            Self::Month => first_of(day, |month| month),
            Self::Quarter => first_of(day, |month| (month - 1) / 3 * 3 + 1),
            Self::Year => first_of(day, |_| 1),
        };
        day * per_day
    }
}

/// The first day of the month that is chosen from the day's own.
fn first_of(day: i128, choose: fn(i64) -> i64) -> i128 {
    let date = civil(day);
    i128::from(CivilDate { month: choose(date.month), day: 1, ..date }.days())
}

/// A timestamp of 64 bits lies within some 10^14 days of 1970, whatever its unit.
fn civil(day: i128) -> CivilDate {
    CivilDate::of_days(i64::try_from(day).unwrap_or_default())
}

/// A result of the functions, or the constant that it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Point {
    Exact(i128),
    Float(f64),
}

impl Monotone {
    /// The base itself.
    pub(crate) fn new(base: Base) -> Self {
        let result = match &base {
            Base::Column(_, column_type) => column_type.arrow(),
            Base::Part(..) => DataType::Int32,
        };
        Self { base, steps: Vec::new(), result }
    }

    /// The name of the column, if no function is applied to it.
    pub(crate) fn plain_column(&self) -> Option<(&ColumnName, ColumnType)> {
        match &self.base {
            Base::Column(name, column_type) if self.steps.is_empty() => Some((name, *column_type)),
            _ => None,
        }
    }

    /// Under a cast; `None` if it is not known never to decrease.
    pub(crate) fn cast(mut self, to: &DataType) -> Option<Self> {
        use DataType as T;
        let step = match (&self.result, to) {
            (from, to) if from == to => return Some(self),
            (T::Int32, T::Int64) => None,
            (T::Int32 | T::Int64, T::Float64) => Some(Step::Float { divisor: 1.0 }),
            (T::Decimal128(_, scale), T::Float64) => {
                Some(Step::Float { divisor: 10_f64.powi(i32::from(*scale)) })
            }
            (T::Int32, T::Decimal128(precision, scale)) => widened((10, 0), (*precision, *scale))?,
            (T::Int64, T::Decimal128(precision, scale)) => widened((19, 0), (*precision, *scale))?,
            (T::Decimal128(precision, scale), T::Decimal128(to_precision, to_scale)) => {
                widened((*precision, *scale), (*to_precision, *to_scale))?
            }
            (T::Date32, T::Timestamp(unit, zone)) if is_utc(zone.as_deref()) => {
                Some(Step::Times(per_day(*unit)))
            }
            (T::Timestamp(from, None), T::Timestamp(to, zone)) if is_utc(zone.as_deref()) => {
                let factor = per_day(*to) / per_day(*from);
                Some(Step::Times((factor > 0).then_some(factor)?))
            }
            (T::Timestamp(unit, None), T::Date32) => Some(Step::Days { per_day: per_day(*unit) }),
            _ => return None,
        };
        self.steps.extend(step);
        self.result = to.clone();
        Some(self)
    }

    /// Under `date_trunc`; `None` if it is not a timestamp.
    pub(crate) fn truncated(mut self, to: Period) -> Option<Self> {
        let DataType::Timestamp(unit, zone) = &self.result else { return None };
        if !is_utc(zone.as_deref()) {
            return None;
        }
        self.steps.push(Step::Truncated { to, per_day: per_day(*unit) });
        Some(self)
    }

    /// The year of it; `None` if it is neither a date nor a timestamp.
    pub(crate) fn year(mut self) -> Option<Self> {
        match &self.result {
            DataType::Date32 => {}
            DataType::Timestamp(unit, None) => {
                self.steps.push(Step::Days { per_day: per_day(*unit) });
            }
            _ => return None,
        }
        self.steps.push(Step::Year);
        self.result = DataType::Int32;
        Some(self)
    }

    /// The whole against a constant of its type; `None` if the constant is null, of another
    /// type or a float that floats order in their own way.
    pub(crate) fn compare(
        &self,
        comparison: Comparison,
        constant: &ScalarValue,
    ) -> Option<Predicate> {
        let constant = point(constant, &self.result)?;
        if !self.is_counted() {
            return None;
        }
        let reaches = self.first(|value| value >= constant);
        let exceeds = self.first(|value| value > constant);
        Some(match comparison {
            Comparison::GreaterOrEqual => self.at_least(reaches),
            Comparison::Greater => self.at_least(exceeds),
            Comparison::Less => self.below(reaches),
            Comparison::LessOrEqual => self.below(exceeds),
            Comparison::Equal => self.within(reaches, exceeds),
            Comparison::NotEqual => Predicate::Not(Box::new(self.within(reaches, exceeds))),
        })
    }

    /// Whether the base's values are whole numbers, to be searched through.
    const fn is_counted(&self) -> bool {
        !matches!(
            self.base,
            Base::Column(_, ColumnType::Boolean | ColumnType::Float64 | ColumnType::Text)
        )
    }

    /// The first value of the base whose result is as wanted, or one more than the last value.
    /// `wanted` never becomes false again once it is true.
    fn first(&self, wanted: impl Fn(Point) -> bool) -> i128 {
        let (mut low, last) = self.domain();
        let mut high = last + 1;
        while low < high {
            // Their mean, rounded down: the sum of two decimals would not fit.
            let middle = (low & high) + ((low ^ high) >> 1);
            if wanted(self.apply(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    fn domain(&self) -> (i128, i128) {
        match self.base {
            Base::Part(..) | Base::Column(_, ColumnType::Int32 | ColumnType::Date) => {
                (i128::from(i32::MIN), i128::from(i32::MAX))
            }
            Base::Column(_, ColumnType::Decimal { precision, .. }) => {
                let last = 10_i128.pow(u32::from(precision.min(38))) - 1;
                (-last, last)
            }
            Base::Column(..) => (i128::from(i64::MIN), i128::from(i64::MAX)),
        }
    }

    fn apply(&self, value: i128) -> Point {
        self.steps.iter().fold(Point::Exact(value), |point, step| match (point, *step) {
            (Point::Exact(value), Step::Times(factor)) => Point::Exact(value * factor),
            (Point::Exact(value), Step::Days { per_day }) => {
                Point::Exact(value.div_euclid(per_day))
            }
            (Point::Exact(value), Step::Truncated { to, per_day }) => {
                Point::Exact(to.begin(value, per_day))
            }
            (Point::Exact(value), Step::Year) => Point::Exact(i128::from(civil(value).year)),
            // Rounds, as Arrow's cast does.
            (Point::Exact(value), Step::Float { divisor }) => Point::Float(value as f64 / divisor),
            (Point::Float(_), _) => point,
        })
    }

    fn within(&self, from: i128, until: i128) -> Predicate {
        if until == from + 1 {
            self.leaf(Comparison::Equal, from)
        } else {
            Predicate::And(vec![self.at_least(from), self.below(until)])
        }
    }

    fn at_least(&self, from: i128) -> Predicate {
        match self.domain() {
            (_, last) if from > last => self.leaf(Comparison::Greater, last),
            _ => self.leaf(Comparison::GreaterOrEqual, from),
        }
    }

    fn below(&self, until: i128) -> Predicate {
        match self.domain() {
            (_, last) if until > last => self.leaf(Comparison::LessOrEqual, last),
            _ => self.leaf(Comparison::Less, until),
        }
    }

    fn leaf(&self, comparison: Comparison, value: i128) -> Predicate {
        // Every value comes from the domain, which fits.
        let long = i64::try_from(value).unwrap_or(i64::MAX);
        match &self.base {
            Base::Part(column, part) => {
                Predicate::Part { column: column.clone(), part: *part, comparison, value: long }
            }
            Base::Column(column, column_type) => {
                let value = match column_type {
                    ColumnType::Decimal { .. } => Value::Decimal(value),
                    ColumnType::Date => Value::Date(i32::try_from(value).unwrap_or(i32::MAX)),
                    ColumnType::Timestamp => Value::Timestamp(long),
                    _ => Value::Int(long),
                };
                Predicate::Compare { column: column.clone(), comparison, value }
            }
        }
    }
}

/// To more digits behind the point; `None` in the outer option if it is to fewer, or if the
/// numbers would be longer than 38 digits. Where SQL would fail because too few digits are
/// left before the point, the numbers are compared all the same.
fn widened(from: (u8, i8), to: (u8, i8)) -> Option<Option<Step>> {
    let more = u8::try_from(to.1.checked_sub(from.1)?).ok()?;
    if from.0 + more > 38 {
        return None;
    }
    Some(Some(Step::Times(10_i128.checked_pow(u32::from(more))?)))
}

const fn per_day(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => MICROSECONDS_PER_DAY / 1_000_000,
        TimeUnit::Millisecond => MICROSECONDS_PER_DAY / 1_000,
        TimeUnit::Microsecond => MICROSECONDS_PER_DAY,
        TimeUnit::Nanosecond => MICROSECONDS_PER_DAY * 1_000,
    }
}

fn is_utc(zone: Option<&str>) -> bool {
    matches!(zone, None | Some("UTC" | "+00:00"))
}

/// The constant, if it is of the type.
fn point(constant: &ScalarValue, of: &DataType) -> Option<Point> {
    if constant.data_type() != *of {
        return None;
    }
    Some(match constant {
        ScalarValue::Int32(Some(value)) | ScalarValue::Date32(Some(value)) => {
            Point::Exact(i128::from(*value))
        }
        ScalarValue::Int64(Some(value))
        | ScalarValue::TimestampSecond(Some(value), _)
        | ScalarValue::TimestampMillisecond(Some(value), _)
        | ScalarValue::TimestampMicrosecond(Some(value), _)
        | ScalarValue::TimestampNanosecond(Some(value), _) => Point::Exact(i128::from(*value)),
        ScalarValue::Decimal128(Some(value), _, _) => Point::Exact(*value),
        // Arrow orders `-0.0` below `0.0`, and NaN above all.
        ScalarValue::Float64(Some(value))
            if !(value.is_nan() || (*value == 0.0 && value.is_sign_negative())) =>
        {
            Point::Float(*value)
        }
        _ => return None,
    })
}

#[cfg(test)]
#[path = "monotone_tests.rs"]
mod tests;
