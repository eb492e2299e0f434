//! The container of a manifest object: magic, format version, length, body, digest.
//!
//! Because the digest stands in the object itself, a snapshot is proven although nothing
//! refers to it. Never looks into the body.

use bytes::Bytes;

use crate::error::StoreError;

/// What the body is. The magic also keeps one kind from being read as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Snapshot,
    TablePart,
}

impl Content {
    const fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Snapshot => b"MARTSNAP",
            Self::TablePart => b"MARTPART",
        }
    }

    /// The last version that this program reads.
    const fn last_format(self) -> Format {
        match self {
            Self::Snapshot | Self::TablePart => Format::Changed,
        }
    }
}

/// A version of the layouts in `martlet.store.v1`. An object is written in the first version
/// that has all it holds, so that older programs read whatever they would understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Format {
    /// Tables as they were loaded; snapshots without emergencies.
    Loaded = 1,
    /// Tables whose segments were changed later: rows deleted, attachments exchanged, batches
    /// compacted together. Snapshots of a mart that has emergencies.
    Changed = 2,
}

impl Format {
    fn read(version: [u8; 4]) -> Option<Self> {
        let version = u32::from_le_bytes(version);
        [Self::Loaded, Self::Changed].into_iter().find(|format| *format as u32 == version)
    }
}

/// What an envelope held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) format: Format,
    pub(crate) body: Bytes,
}

const HEADER_BYTES: usize = 8 + 4 + 8;
const DIGEST_BYTES: usize = 32;

pub(crate) fn seal(content: Content, format: Format, body: &[u8]) -> Bytes {
    let mut sealed = Vec::with_capacity(HEADER_BYTES + body.len() + DIGEST_BYTES);
    sealed.extend_from_slice(content.magic());
    sealed.extend_from_slice(&(format as u32).to_le_bytes());
    sealed.extend_from_slice(&(body.len() as u64).to_le_bytes());
    sealed.extend_from_slice(body);
    let digest = blake3::hash(&sealed);
    sealed.extend_from_slice(digest.as_bytes());
    sealed.into()
}

/// The body, once the digest has proven every byte of the envelope.
pub(crate) fn open(content: Content, object: &str, sealed: &Bytes) -> Result<Opened, StoreError> {
    let damaged = |what: &str| StoreError::damaged(object, what);
    let body_end = sealed
        .len()
        .checked_sub(DIGEST_BYTES)
        .filter(|end| *end >= HEADER_BYTES)
        .ok_or_else(|| damaged("it is too short"))?;
    let (proven, digest) = sealed.split_at(body_end);
    if blake3::hash(proven).as_bytes() != digest {
        return Err(damaged("its digest does not match"));
    }
    let (magic, rest) = proven.split_at(8);
    let (version, rest) = rest.split_first_chunk().ok_or_else(|| damaged("it is too short"))?;
    let (length, body) = rest.split_at(8);
    if magic != content.magic() {
        return Err(damaged("it is not the kind of object that its path says"));
    }
    let last = content.last_format();
    let Some(format) = Format::read(*version).filter(|format| *format <= last) else {
        let what = format!("this version reads up to format {}", last as u32);
        return Err(StoreError::NewerFormat { object: object.to_owned(), what });
    };
    if length != (body.len() as u64).to_le_bytes() {
        return Err(damaged("its length does not match"));
    }
    Ok(Opened { format, body: sealed.slice(HEADER_BYTES..body_end) })
}

#[cfg(test)]
mod tests {
    use martlet_core::{ErrorKind, Kinded};

    use super::*;

    #[test]
    fn every_flipped_bit_and_every_cut_is_detected() {
        let sealed = seal(Content::Snapshot, Format::Loaded, b"some body");
        assert_eq!(open(Content::Snapshot, "x", &sealed).unwrap().body, b"some body".as_slice());
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let error = open(Content::Snapshot, "x", &flipped.into()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Damaged, "bit {bit}");
        }
        for length in 0..sealed.len() {
            let error = open(Content::Snapshot, "x", &sealed.slice(..length)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Damaged, "length {length}");
        }
    }

    #[test]
    fn one_kind_of_object_is_not_read_as_the_other() {
        let sealed = seal(Content::TablePart, Format::Loaded, b"");
        let error = open(Content::Snapshot, "x", &sealed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged);
    }

    #[test]
    fn a_later_format_asks_for_an_upgrade() {
        let sealed = |content, version| {
            let mut sealed = seal(content, Format::Loaded, b"body").to_vec();
            sealed[8] = version;
            let end = sealed.len() - DIGEST_BYTES;
            let digest = blake3::hash(&sealed[..end]);
            sealed[end..].copy_from_slice(digest.as_bytes());
            Bytes::from(sealed)
        };
        let opened = |content, version| open(content, "x", &sealed(content, version));
        for (content, version) in
            [(Content::Snapshot, 3), (Content::TablePart, 3), (Content::TablePart, 0)]
        {
            let error = opened(content, version).unwrap_err();
            assert!(matches!(error, StoreError::NewerFormat { .. }), "{content:?} {version}");
        }
        let changed = seal(Content::TablePart, Format::Changed, b"body");
        assert_eq!(sealed(Content::TablePart, 2), changed);
        assert_eq!(opened(Content::TablePart, 2).unwrap().format, Format::Changed);
    }
}
