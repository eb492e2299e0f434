//! Reading a section's bytes front to back, never past their end.

use crate::error::IndexError;

/// What is left of a section.
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, bytes: usize) -> Result<&'a [u8], IndexError> {
        let (taken, rest) =
            self.0.split_at_checked(bytes).ok_or(IndexError::damaged("a section is too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], IndexError> {
        self.take(N)?.try_into().map_err(|_| IndexError::damaged("a section is too short"))
    }

    pub(super) fn u8(&mut self) -> Result<u8, IndexError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, IndexError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// So many little-endian numbers; nothing is allocated for numbers that are not there.
    pub(super) fn u32s(&mut self, count: usize) -> Result<Vec<u32>, IndexError> {
        let bytes =
            self.take(count.checked_mul(4).ok_or(IndexError::damaged("a count is absurd"))?)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|chunk| u32::from_le_bytes(*chunk)).collect())
    }

    /// So many little-endian signed numbers.
    pub(super) fn i64s(&mut self, count: usize) -> Result<Vec<i64>, IndexError> {
        let bytes =
            self.take(count.checked_mul(8).ok_or(IndexError::damaged("a count is absurd"))?)?;
        Ok(bytes.as_chunks::<8>().0.iter().map(|chunk| i64::from_le_bytes(*chunk)).collect())
    }

    /// All that is left.
    pub(super) const fn rest(self) -> &'a [u8] {
        self.0
    }
}
