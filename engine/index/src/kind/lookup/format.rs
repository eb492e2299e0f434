//! The layout of a lookup section, little endian:
//!
//! ```text
//! magic     "LKP1"
//! rows      u32
//! type      u8               as in a value table
//! shift     u8               a group is 2^shift rows
//! bits      u8               of a fingerprint
//! zero      u8
//! seed      u64              of the hash
//! entries   u32              n; also the number of buckets
//! nulls     u32              bytes of the null bitmap
//! samples   u32 x ceil(n/64) entries before each 64th bucket
//! table     u64 x ceil(2n/64) for each bucket a one bit per entry, then a zero bit
//! packed    n x w bits       fingerprint in the upper bits, group in the lower; w is the bits
//!           + 8 zero bytes   of both; so that any entry is within eight bytes
//! nulls     a roaring bitmap (portable format); nothing where no row is null
//! ```
//!
//! The bucket of a hash of 44 bits is the upper part of its product with n, its fingerprint
//! the topmost bits of the lower part. The entries of a bucket ascend.

use std::ops::Range;

use bytes::Bytes;
use martlet_core::ColumnType;
use roaring::RoaringBitmap;

use super::hash::HASH_BITS;
use crate::error::IndexError;
use crate::kind::cursor::Cursor;
use crate::kind::{nulls, table};

const MAGIC: [u8; 4] = *b"LKP1";

/// A group is sixteen rows.
pub(super) const GROUP_SHIFT: u8 = 4;

/// One in 256 strangers is not refuted by a bucket of one entry.
pub(super) const FINGERPRINT_BITS: u8 = 8;

/// Buckets between two samples.
const SAMPLED: usize = 64;

/// Behind the packed entries, so that each can be read as eight bytes.
const SLACK: usize = 8;

pub(super) const fn tag(column_type: ColumnType) -> u8 {
    table::tag(column_type)
}

/// The numbers that everything else follows from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) column_type: u8,
    pub(super) rows: u32,
    pub(super) seed: u64,
    pub(super) group_shift: u8,
    pub(super) fingerprint_bits: u8,
    pub(super) entries: u32,
}

impl Shape {
    /// The bucket and the fingerprint of a hash.
    pub(super) const fn place(&self, hash: u64) -> (usize, u64) {
        let product = hash * self.entries as u64;
        let below = product & ((1 << HASH_BITS) - 1);
        ((product >> HASH_BITS) as usize, below >> (HASH_BITS - self.fingerprint_bits as u32))
    }

    const fn group_bits(&self) -> u32 {
        let last = self.rows.saturating_sub(1) >> self.group_shift;
        u32::BITS - last.leading_zeros()
    }

    const fn entry_bits(&self) -> usize {
        self.group_bits() as usize + self.fingerprint_bits as usize
    }

    const fn packed_bytes(&self) -> usize {
        (self.entries as usize * self.entry_bits()).div_ceil(8) + SLACK
    }

    const fn table_words(&self) -> usize {
        (2 * self.entries as usize).div_ceil(64)
    }

    const fn samples(&self) -> usize {
        (self.entries as usize).div_ceil(SAMPLED)
    }

    /// Whether a reader can use it: the product of a hash and the entries fits 64 bits, and an
    /// entry lies within eight bytes.
    const fn is_sound(&self) -> bool {
        self.group_shift <= 16
            && self.fingerprint_bits >= 1
            && self.fingerprint_bits <= 20
            && self.entries <= 1 << 20
            && self.rows <= 1 << 20
    }
}

/// Packs entries end to end.
pub(super) struct Packer {
    group_bits: u32,
    entry_bits: usize,
    at: usize,
    bytes: Vec<u8>,
}

impl Packer {
    pub(super) fn new(shape: &Shape) -> Self {
        Self {
            group_bits: shape.group_bits(),
            entry_bits: shape.entry_bits(),
            at: 0,
            bytes: vec![0; shape.packed_bytes()],
        }
    }

    pub(super) fn push(&mut self, fingerprint: u64, group: u64) {
        let entry = (fingerprint << self.group_bits | group) << (self.at % 8);
        let place = &mut self.bytes[self.at / 8..][..8];
        place.iter_mut().zip(entry.to_le_bytes()).for_each(|(byte, bits)| *byte |= bits);
        self.at += self.entry_bits;
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Writes a section; `counts` are the entries of each bucket.
pub(super) fn write(
    shape: &Shape,
    counts: &[u32],
    packed: &[u8],
    nulls: &RoaringBitmap,
) -> Vec<u8> {
    let null_bytes = nulls::write(nulls);
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&shape.rows.to_le_bytes());
    bytes.extend([shape.column_type, shape.group_shift, shape.fingerprint_bits, 0]);
    bytes.extend_from_slice(&shape.seed.to_le_bytes());
    bytes.extend_from_slice(&shape.entries.to_le_bytes());
    table::push_length(null_bytes.len(), &mut bytes);
    let (samples, words) = bucket_table(shape, counts);
    samples.iter().for_each(|sample| bytes.extend_from_slice(&sample.to_le_bytes()));
    words.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    bytes.extend_from_slice(packed);
    bytes.extend_from_slice(&null_bytes);
    bytes
}

fn bucket_table(shape: &Shape, counts: &[u32]) -> (Vec<u32>, Vec<u64>) {
    let mut samples = Vec::with_capacity(shape.samples());
    let mut words = vec![0_u64; shape.table_words()];
    let mut entries = 0_u32;
    let mut bit = 0_usize;
    for (bucket, count) in counts.iter().enumerate() {
        if bucket.is_multiple_of(SAMPLED) {
            samples.push(entries);
        }
        entries += count;
        for _ in 0..*count {
            words[bit / 64] |= 1 << (bit % 64);
            bit += 1;
        }
        bit += 1;
    }
    (samples, words)
}

/// A section whose parts have their lengths; what is in them is not looked into.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) shape: Shape,
    samples: Bytes,
    table: Bytes,
    packed: Bytes,
}

/// The parts of a section, and the rows that are null.
pub(super) fn read(bytes: &Bytes) -> Result<(Parts, RoaringBitmap), IndexError> {
    let mut cursor = Cursor::new(bytes);
    if cursor.array()? != MAGIC {
        return Err(IndexError::damaged("a section is not of its kind"));
    }
    let rows = cursor.u32()?;
    let [column_type, group_shift, fingerprint_bits, _] = cursor.array()?;
    let seed = u64::from_le_bytes(cursor.array()?);
    let (entries, null_bytes) = (cursor.u32()?, cursor.u32()? as usize);
    let shape = Shape { column_type, rows, seed, group_shift, fingerprint_bits, entries };
    if !shape.is_sound() {
        return Err(IndexError::damaged("the shape of a lookup is absurd"));
    }
    let samples = bytes.slice_ref(cursor.take(4 * shape.samples())?);
    let table = bytes.slice_ref(cursor.take(8 * shape.table_words())?);
    let packed = bytes.slice_ref(cursor.take(shape.packed_bytes())?);
    let rest = cursor.rest();
    if rest.len() != null_bytes {
        return Err(IndexError::damaged("its null bitmap has another length"));
    }
    let nulls = nulls::read(rest, rows)?;
    Ok((Parts { shape, samples, table, packed }, nulls))
}

impl Parts {
    /// The groups that the entries of a bucket with this fingerprint lead to.
    pub(super) fn groups(
        &self,
        bucket: usize,
        fingerprint: u64,
    ) -> impl Iterator<Item = u32> + use<'_> {
        let group_bits = self.shape.group_bits();
        self.bucket(bucket)
            .map(|at| self.entry(at))
            .skip_while(move |entry| entry >> group_bits < fingerprint)
            .take_while(move |entry| entry >> group_bits == fingerprint)
            // At most 20 bits.
            .map(move |entry| (entry & ((1 << group_bits) - 1)) as u32)
    }

    /// Which entries are a bucket's; nothing where a damaged table leads outside.
    fn bucket(&self, bucket: usize) -> Range<usize> {
        let Some(sample) = number::<4>(&self.samples, bucket / SAMPLED) else { return 0..0 };
        let mut entry = u32::from_le_bytes(sample) as usize;
        let mut bit = entry + bucket / SAMPLED * SAMPLED;
        let mut zeros = bucket % SAMPLED;
        // Word by word over the buckets before, then to the zero that ends this one.
        loop {
            let Some(word) = number::<8>(&self.table, bit / 64) else { return 0..0 };
            let word = u64::from_le_bytes(word) >> (bit % 64);
            let bits = 64 - bit % 64;
            let ones = word.count_ones() as usize;
            if bits - ones < zeros {
                zeros -= bits - ones;
                entry += ones;
                bit += bits;
                continue;
            }
            let begin = after_zeros(word, zeros);
            entry += begin - zeros;
            return entry..entry + self.ones_from(bit + begin);
        }
    }

    /// How many one bits stand from here to the next zero.
    fn ones_from(&self, start: usize) -> usize {
        let mut bit = start;
        while let Some(word) = number::<8>(&self.table, bit / 64) {
            let ones = (u64::from_le_bytes(word) >> (bit % 64)).trailing_ones() as usize;
            bit += ones;
            if ones == 0 || !bit.is_multiple_of(64) {
                break;
            }
        }
        (bit - start).min(self.shape.entries as usize)
    }

    /// An entry; zero beyond the last.
    fn entry(&self, at: usize) -> u64 {
        let bits = self.shape.entry_bits();
        let bit = at * bits;
        let bytes = self.packed.get(bit / 8..).and_then(|rest| rest.first_chunk::<8>());
        let word = bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
        (word >> (bit % 8)) & ((1 << bits) - 1)
    }
}

/// The position behind the n-th zero bit of a word that has so many; 0 for none.
const fn after_zeros(word: u64, zeros: usize) -> usize {
    let mut rest = !word;
    let mut left = zeros;
    while left > 1 {
        rest &= rest - 1;
        left -= 1;
    }
    if zeros == 0 { 0 } else { rest.trailing_zeros() as usize + 1 }
}

fn number<const N: usize>(bytes: &[u8], position: usize) -> Option<[u8; N]> {
    bytes.get(position.checked_mul(N)?..)?.first_chunk().copied()
}
