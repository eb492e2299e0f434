//! LDAP's bytes: elements written, and whole messages read off a stream (RFC 4511, 5.1).
//!
//! Owns lengths and their limits. Lengths are definite, as the protocol has them; reading elements
//! is `der`'s, which walks over them flat, so that no nesting can exhaust the stack. Must never
//! keep room for more than a message may have, and never read a byte beyond a message: what
//! follows the answer to StartTLS belongs to TLS and to nobody else.

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes of one message that are taken: a person's groups by the thousand.
pub(super) const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// Why no message could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoMessage {
    /// The connection broke or was closed.
    Closed,
    /// The bytes are no message, or one that is too large.
    Form,
}

/// An element of this content.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length = content.len().to_be_bytes();
    match content.len() {
        short @ 0..=0x7f => bytes.push(short as u8),
        _ => {
            let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
            bytes.push(0x80 | significant.len() as u8);
            bytes.extend(significant);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

/// An element of these elements.
pub(super) fn of_parts(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    element(tag, &parts.concat())
}

/// A number, in as few bytes as it needs.
pub(super) fn number(tag: u8, value: u32) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let mut content: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    // A first bit that is set would be a sign, and no byte at all no number.
    if content.first().is_none_or(|first| first & 0x80 != 0) {
        content.insert(0, 0);
    }
    element(tag, &content)
}

/// The number that an element's content is; `None` if it is none, or negative, or larger than any
/// that the protocol has.
pub(super) fn as_number(content: &[u8]) -> Option<u32> {
    let is_positive = content.first().is_some_and(|first| first & 0x80 == 0);
    if !is_positive || content.len() > 5 {
        return None;
    }
    let value = content.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    u32::try_from(value).ok()
}

/// Reads one message and gives what is in it.
pub(super) async fn read_message<S: AsyncRead + Unpin>(
    stream: &mut S,
) -> Result<Vec<u8>, NoMessage> {
    let tag = stream.read_u8().await.map_err(|_| NoMessage::Closed)?;
    if tag != SEQUENCE {
        return Err(NoMessage::Form);
    }
    let first = stream.read_u8().await.map_err(|_| NoMessage::Closed)?;
    let length = match first {
        short @ 0..=0x7f => u64::from(short),
        0x81..=0x84 => {
            let mut length = 0_u64;
            for _ in 0..first & 0x7f {
                let byte = stream.read_u8().await.map_err(|_| NoMessage::Closed)?;
                length = (length << 8) | u64::from(byte);
            }
            length
        }
        _ => return Err(NoMessage::Form),
    };
    let length = usize::try_from(length).map_err(|_| NoMessage::Form)?;
    if length > MESSAGE_BYTES_MAX {
        return Err(NoMessage::Form);
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await.map_err(|_| NoMessage::Closed)?;
    Ok(content)
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
