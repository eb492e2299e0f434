//! The chain over the journal's lines: a number and a link for each.
//!
//! Owns the last two fields of every line. `seq` counts lines from 1; `link` is the BLAKE3 digest
//! of the link before and the digest of the line's own content, which is every byte of the line
//! before the field `link`, its number among them. So a link stands for all that was ever written
//! up to it. Must never touch what the line says: it is chained as it is given.

use super::hex::Digest;

/// What stands between a line's content and its link, and behind the link.
const LINK_FIELD: &[u8] = b",\"link\":\"";
const LINK_END: &[u8] = b"\"}";
const SEQUENCE_FIELD: &[u8] = b",\"seq\":";
/// Bytes of a line behind its content.
const TAIL_BYTES: usize = LINK_FIELD.len() + 64 + LINK_END.len();
/// Digits of the greatest number.
const SEQUENCE_DIGITS_MAX: usize = 20;

/// The last line of a chain, as far as its successor needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Its number; 0 before the first.
    pub(crate) sequence: u64,
    /// Its link; zeros before the first.
    pub(crate) link: Digest,
}

impl Head {
    /// Before the first line.
    pub(crate) const START: Self = Self { sequence: 0, link: Digest::ZERO };

    /// Appends the line of a body, a JSON object, to `out` and becomes its head.
    pub(crate) fn seal(&mut self, body: &[u8], out: &mut Vec<u8>) {
        let from = out.len();
        let sequence = self.sequence + 1;
        out.extend_from_slice(body.strip_suffix(b"}").unwrap_or(body));
        out.extend_from_slice(SEQUENCE_FIELD);
        out.extend_from_slice(sequence.to_string().as_bytes());
        let link = linked(self.link, digest(&out[from..]));
        out.extend_from_slice(LINK_FIELD);
        link.write_to(out);
        out.extend_from_slice(LINK_END);
        out.push(b'\n');
        *self = Self { sequence, link };
    }
}

/// The digest of bytes.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest::new(*blake3::hash(bytes).as_bytes())
}

/// The link of a line with this content behind the link before it.
pub(crate) fn linked(before: Digest, content: Digest) -> Digest {
    let mut both = [0_u8; 64];
    both[..32].copy_from_slice(before.bytes());
    both[32..].copy_from_slice(content.bytes());
    digest(&both)
}

/// A line that carries a number and a link; whether they are true is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chained<'a> {
    pub(crate) sequence: u64,
    pub(crate) link: Digest,
    /// What the link covers beside the link before.
    content: &'a [u8],
    /// The body without its last brace.
    body: &'a [u8],
}

impl<'a> Chained<'a> {
    /// Reads a line, given without its newline; `None` if it carries no chain.
    pub(crate) fn read(line: &'a [u8]) -> Option<Self> {
        let content = &line[..line.len().checked_sub(TAIL_BYTES)?];
        let tail = line[content.len()..].strip_prefix(LINK_FIELD)?.strip_suffix(LINK_END)?;
        let link = Digest::parse(tail)?;
        let from = content.len().saturating_sub(SEQUENCE_FIELD.len() + SEQUENCE_DIGITS_MAX);
        let field = content[from..]
            .windows(SEQUENCE_FIELD.len())
            .rposition(|part| part == SEQUENCE_FIELD)?;
        let (body, number) = content.split_at(from + field);
        let sequence = number_of(&number[SEQUENCE_FIELD.len()..])?;
        body.starts_with(b"{").then_some(Self { sequence, link, content, body })
    }

    /// The digest of its content.
    pub(crate) fn digest(&self) -> Digest {
        digest(self.content)
    }

    /// Its head, as it says.
    pub(crate) const fn head(&self) -> Head {
        Head { sequence: self.sequence, link: self.link }
    }

    /// The JSON object that was chained.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.body.len() + 1);
        body.extend_from_slice(self.body);
        body.push(b'}');
        body
    }
}

/// A number in its one spelling.
fn number_of(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
