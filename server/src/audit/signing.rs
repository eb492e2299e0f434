//! The signatures under the chain: Ed25519 over a journal's id, a number, a link and a time.
//!
//! Owns the private key and its file. Must never print, log or copy the key, and never use one
//! that others can read. Whoever has the key can sign another history: that is why checkpoints
//! can also go to an anchor.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use super::AuditError;
use super::chain::Head;
use super::hex::{Hex, JournalId, PublicKey, Signature};
use super::mark::Checkpoint;
use crate::random;

/// What the first bytes of every signed message say, so that no signature means anything else.
const PURPOSE: &[u8; 32] = b"martlet audit checkpoint, form 1";

/// Signs checkpoints.
pub(crate) struct Signer {
    key: SigningKey,
    public: PublicKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({})", self.public)
    }
}

impl Signer {
    /// Reads the key, or draws one where there is no file.
    pub(crate) fn open(file: &Path) -> Result<Self, AuditError> {
        match Self::read(file) {
            Err(AuditError::Unusable { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                Self::make(file)
            }
            other => other,
        }
    }

    /// Reads the key.
    pub(crate) fn read(file: &Path) -> Result<Self, AuditError> {
        let unusable = |source| AuditError::Unusable { path: file.to_path_buf(), source };
        let text = std::fs::read_to_string(file).map_err(unusable)?;
        let refused = |reason| AuditError::Key { path: file.to_path_buf(), reason };
        if others_may_read(file).map_err(unusable)? {
            return Err(refused("others than its owner may read it"));
        }
        let Some(secret) = Hex::<32>::parse(text.trim().as_bytes()) else {
            return Err(refused("it is not 64 lower-case hexadecimal digits"));
        };
        Ok(Self::of(secret.bytes()))
    }

    fn make(file: &Path) -> Result<Self, AuditError> {
        let secret = random::draw::<32>().map_err(|_| AuditError::NoRandomBytes)?;
        let unusable = |source| AuditError::Unusable { path: file.to_path_buf(), source };
        write_new(file, &format!("{}\n", Hex::new(secret))).map_err(unusable)?;
        Ok(Self::of(&secret))
    }

    fn of(secret: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(secret);
        let public = Hex::new(key.verifying_key().to_bytes());
        Self { key, public }
    }

    /// The public key.
    pub(crate) const fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs a journal as far as this line.
    pub(crate) fn sign(&self, journal: JournalId, covered: Head, at: i64) -> Checkpoint {
        let signature = self.key.sign(&message(journal, covered, at));
        Checkpoint {
            journal,
            key: self.public,
            covers: covered.sequence,
            head: covered.link,
            at,
            signature: Signature::new(signature.to_bytes()),
        }
    }
}

/// Whether the checkpoint was signed with the key that it names.
pub(crate) fn is_signed(checkpoint: &Checkpoint) -> bool {
    let message = message(checkpoint.journal, checkpoint.covered(), checkpoint.at);
    let signature = ed25519_dalek::Signature::from_bytes(checkpoint.signature.bytes());
    VerifyingKey::from_bytes(checkpoint.key.bytes())
        .is_ok_and(|key| key.verify_strict(&message, &signature).is_ok())
}

fn message(journal: JournalId, covered: Head, at: i64) -> [u8; 96] {
    let mut message = [0_u8; 96];
    message[..32].copy_from_slice(PURPOSE);
    message[32..48].copy_from_slice(journal.bytes());
    message[48..56].copy_from_slice(&covered.sequence.to_le_bytes());
    message[56..64].copy_from_slice(&at.to_le_bytes());
    message[64..].copy_from_slice(covered.link.bytes());
    message
}

/// The public keys in a file: one a line, as 64 hexadecimal digits.
///
/// # Errors
/// [`AuditError`] if it cannot be read or holds something else.
pub fn public_keys(file: &Path) -> Result<Vec<PublicKey>, AuditError> {
    let unusable = |source| AuditError::Unusable { path: file.to_path_buf(), source };
    let text = std::fs::read_to_string(file).map_err(unusable)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Option<Vec<_>> = lines.map(|line| PublicKey::parse(line.as_bytes())).collect();
    keys.filter(|keys| !keys.is_empty()).ok_or_else(|| AuditError::Key {
        path: file.to_path_buf(),
        reason: "it holds no public keys of 64 lower-case hexadecimal digits, one a line",
    })
}

/// The public key of a private key's file.
///
/// # Errors
/// [`AuditError`] if the file cannot be read, is no key, or others may read it.
pub fn public_key_of(file: &Path) -> Result<PublicKey, AuditError> {
    Signer::read(file).map(|signer| signer.public())
}

/// Made new with the owner's permissions only: never written over, never readable in between.
fn write_new(file: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()
}

#[cfg(unix)]
fn others_may_read(file: &Path) -> io::Result<bool> {
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(file)?);
    Ok(mode & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
#[path = "signing_tests.rs"]
mod tests;
