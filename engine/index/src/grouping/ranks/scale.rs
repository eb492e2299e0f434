//! Buckets of keys: numbers that never decrease as the key grows.
//!
//! Amounts are skewed, so buckets of numbers grow with the distance from the origin (zero, or
//! the bound next to it): a bucket is never wider than 1/32 of its distance, and those next to
//! the origin hold one key each. The bits of a float grow with its logarithm already, so their
//! buckets are all of one width.

/// Each doubling of the distance from the origin has 2^5 buckets.
const MANTISSA_BITS: u32 = 5;

/// Added to distances, so that the nearest have a bucket each.
const NEAREST: u64 = 1 << MANTISSA_BITS;

/// The bits of 2^52 as a float; in the places of its mantissa any smaller number can be added.
const TWO_TO_52: u64 = 0x4330_0000_0000_0000;

/// Distances below are whole floats after the addition.
const SHORT: u64 = 1 << 51;

/// What stands above the leading bits of a float that is [`NEAREST`].
const NEAREST_BITS: i32 = (1_023 + MANTISSA_BITS as i32) << MANTISSA_BITS;

/// At most 2^13 buckets of the bits of floats.
const FLOAT_BUCKET_BITS: u32 = 13;

/// Buckets of the keys between two bounds. A key beyond them counts as the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyScale {
    low: i64,
    high: i64,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Numbers {
        origin: i64,
        /// The signed bucket of the lower bound.
        first: i64,
    },
    Bits {
        shift: u32,
    },
}

impl KeyScale {
    /// For keys that are numbers: integers, unscaled decimals.
    #[must_use]
    pub fn of_numbers(low: i64, high: i64) -> Self {
        let (low, high) = (low.min(high), high.max(low));
        let origin = 0.clamp(low, high);
        let first = signed_bucket(low.wrapping_sub(origin));
        Self { low, high, form: Form::Numbers { origin, first } }
    }

    /// For keys that are the ordered bits of floats.
    #[must_use]
    pub fn of_floats(low: i64, high: i64) -> Self {
        let (low, high) = (low.min(high), high.max(low));
        let bits = u64::BITS - distance(low, high).leading_zeros();
        Self { low, high, form: Form::Bits { shift: bits.saturating_sub(FLOAT_BUCKET_BITS) } }
    }

    /// How many buckets there are; some thousands at most.
    #[must_use]
    pub fn buckets(&self) -> usize {
        self.bucket(self.high) as usize + 1
    }

    /// The bucket of a key.
    #[must_use]
    pub fn bucket(&self, key: i64) -> u32 {
        let key = key.clamp(self.low, self.high);
        match self.form {
            Form::Numbers { origin, first } => bucket_of_number(key, origin, first),
            Form::Bits { shift } => bucket_of_bits(key, self.low, shift),
        }
    }

    /// The buckets of many keys.
    pub(super) fn buckets_of<'a>(&self, keys: &[i64], into: &'a mut [u32]) -> &'a [u32] {
        let into = &mut into[..keys.len()];
        let is_done = match self.form {
            // Some thousands at most.
            Form::Numbers { origin, first } => {
                short_buckets(keys, origin, first as i32, self.buckets() as i32 - 1, into)
            }
            Form::Bits { .. } => false,
        };
        if !is_done {
            into.iter_mut().zip(keys).for_each(|(bucket, key)| *bucket = self.bucket(*key));
        }
        into
    }

    /// The lowest and the highest key of a bucket.
    pub(super) fn keys_of(&self, bucket: u32) -> (i64, i64) {
        match self.form {
            Form::Numbers { origin, first } => {
                let (lowest, highest) = offsets_of(i64::from(bucket) + first);
                let key = |offset| origin.saturating_add(offset).clamp(self.low, self.high);
                (key(lowest), key(highest))
            }
            Form::Bits { shift } => {
                let start = u64::from(bucket) << shift;
                let end = (start + ((1 << shift) - 1)).min(distance(self.low, self.high));
                let key = |offset: u64| self.low.wrapping_add(offset.cast_signed());
                (key(start), key(end))
            }
        }
    }
}

const fn distance(low: i64, high: i64) -> u64 {
    high.wrapping_sub(low).cast_unsigned()
}

/// The key lies within the bounds, so that nothing overflows: the origin lies between the key
/// and zero, or is zero.
#[inline]
const fn bucket_of_number(key: i64, origin: i64, first: i64) -> u32 {
    // Below some thousands.
    (signed_bucket(key.wrapping_sub(origin)) - first) as u32
}

#[inline]
const fn bucket_of_bits(key: i64, low: i64, shift: u32) -> u32 {
    (distance(low, key) >> shift) as u32
}

/// The buckets of keys that are all at short distances, up to the last; `false` if they are not,
/// and then what is in `into` means nothing. Without a branch, so that several keys are taken at
/// a time: exponent and leading bits are read off the distance as a float.
fn short_buckets(keys: &[i64], origin: i64, first: i32, last: i32, into: &mut [u32]) -> bool {
    let mut seen = 0;
    for (bucket, key) in into.iter_mut().zip(keys) {
        let offset = key.wrapping_sub(origin);
        let sign = offset >> 63;
        let magnitude = (offset ^ sign).cast_unsigned();
        seen |= magnitude;
        let float =
            f64::from_bits(magnitude | TWO_TO_52) - (f64::from_bits(TWO_TO_52) - NEAREST as f64);
        let number = (float.to_bits() >> (52 - MANTISSA_BITS)) as i32 - NEAREST_BITS;
        *bucket = ((number ^ sign as i32) - first).max(0).min(last).cast_unsigned();
    }
    seen < SHORT
}

/// The bucket of a distance from the origin; -1 is the first below it. A bucket's number is
/// the distance's exponent and its leading bits.
#[inline]
const fn signed_bucket(offset: i64) -> i64 {
    let sign = offset >> 63;
    // Of negative numbers one less than the distance, so that the lowest one has one.
    let distance = (offset ^ sign).cast_unsigned() + NEAREST;
    let shift = 63 - MANTISSA_BITS - distance.leading_zeros();
    let bucket = ((shift as u64) << MANTISSA_BITS) + (distance >> shift) - NEAREST;
    bucket.cast_signed() ^ sign
}

/// The lowest and the highest distance of a signed bucket.
const fn offsets_of(bucket: i64) -> (i64, i64) {
    let sign = bucket >> 63;
    let number = (bucket ^ sign).cast_unsigned();
    let shift = number >> MANTISSA_BITS;
    let start = ((NEAREST + number % NEAREST) << shift) - NEAREST;
    // The last bucket would go on beyond all distances.
    let end = start + ((1 << shift) - 1);
    let end = if end > i64::MAX.cast_unsigned() { i64::MAX.cast_unsigned() } else { end };
    let (start, end) = (start.cast_signed() ^ sign, end.cast_signed() ^ sign);
    if sign == 0 { (start, end) } else { (end, start) }
}
