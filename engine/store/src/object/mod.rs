//! One object and the proof of its bytes: size, digest, and a checksum for each block.
//!
//! Owns the description of objects; [`access`] reads and writes them, [`proven`] maps those of
//! a local folder into memory, of which [`resident`] bounds how much stays there. Never knows what the bytes mean.

pub(crate) mod access;
#[cfg(any(test, feature = "test-support"))]
pub mod faulty;
mod map;
pub(crate) mod proven;
mod resident;

use std::sync::Arc;

use martlet_core::limits::CHECKSUM_BLOCK_BYTES;

/// Where an immutable object lies and what its bytes must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    path: Arc<str>,
    size_bytes: u64,
    digest: [u8; 32],
    block_checksums: Arc<[u64]>,
}

impl ObjectRef {
    /// Describes these bytes at this path.
    pub(crate) fn describe(path: &str, bytes: &[u8]) -> Self {
        let block_checksums = bytes.chunks(BLOCK_BYTES).map(block_checksum).collect();
        Self {
            path: Arc::from(path),
            size_bytes: bytes.len() as u64,
            digest: *blake3::hash(bytes).as_bytes(),
            block_checksums,
        }
    }

    /// Puts a stored description together; `None` if size and number of checksums disagree.
    pub(crate) fn from_parts(
        path: &str,
        size_bytes: u64,
        digest: [u8; 32],
        block_checksums: Vec<u64>,
    ) -> Option<Self> {
        let blocks = size_bytes.div_ceil(CHECKSUM_BLOCK_BYTES);
        (block_checksums.len() as u64 == blocks).then(|| Self {
            path: Arc::from(path),
            size_bytes,
            digest,
            block_checksums: block_checksums.into(),
        })
    }

    /// The path, relative to the root of the mart.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The size in bytes.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// BLAKE3 of all bytes.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// One checksum for each block of 64 KiB; the last block may be shorter.
    pub(crate) fn block_checksums(&self) -> &[u64] {
        &self.block_checksums
    }
}

const BLOCK_BYTES: usize = CHECKSUM_BLOCK_BYTES as usize;

/// The first eight bytes of the block's BLAKE3, little-endian.
fn block_checksum(block: &[u8]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *blake3::hash(block).as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
