//! Unguessable bytes: tokens, session ids, statement ids, record ids and the ticket key.
//!
//! Owns the only way to draw them: the operating system's generator. Must never fall back to
//! a weaker source; a draw that fails fails the request.

use rand::TryRngCore;
use rand::rngs::OsRng;

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub(crate) struct NoEntropy;

/// Draws `N` bytes from the operating system.
pub(crate) fn draw<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0_u8; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(bytes)
}

/// Sixteen random bytes as 32 hexadecimal digits, for ids that people read.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
