//! Bytes that are known to be those that were written.
//!
//! The type carries what storage found out, so that nobody downstream hashes the same bytes once
//! more. Never compares anything itself.

use bytes::Bytes;

/// Bytes of an object, every one of which was compared with a checksum that the manifest gives.
#[derive(Debug, Clone)]
pub struct ProvenBytes(Bytes);

impl ProvenBytes {
    /// Says that each of these bytes was compared with its checksum, and was right. For storage
    /// alone, which compares them: whoever has bytes from elsewhere has no proof.
    #[must_use]
    pub const fn vouched_for(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }
}
