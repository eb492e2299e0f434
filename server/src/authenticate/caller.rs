//! Who sent a request: the proof that every command asks for.
//!
//! Owns the shape only. A caller is made by `Gate::admit` from a valid token and by nothing
//! else; what it may see is decided from its principal, never from anything it sends.

use std::fmt;
use std::net::SocketAddr;

use martlet_policy::SignedIn;
use tonic::metadata::MetadataMap;

use super::tokens::Successor;
use super::{ClientCertificate, Source};

/// Bytes of a client's self-given name that are recorded at most.
const CLIENT_BYTES_MAX: usize = 256;
/// The header in which a client says what it asks for, in UTF-8.
const PURPOSE_HEADER: &str = "martlet-purpose";
/// Characters of it that are recorded at most.
const PURPOSE_CHARACTERS_MAX: usize = 256;

/// One sign-in's session: sixteen random bytes that never leave the server in the clear.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionId([u8; 16]);

impl SessionId {
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionId(..)")
    }
}

/// Where a request came from, as far as the connection shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The peer's address and port; `unknown` where the transport does not tell.
    pub(crate) peer: String,
    /// What the client calls itself. It may lie: for the record only.
    pub(crate) client: String,
    /// What it is for, as the client says: for the record only.
    pub(crate) purpose: Option<String>,
}

impl Origin {
    pub(crate) fn new(peer: Option<SocketAddr>, headers: &MetadataMap) -> Self {
        let client = headers.get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or("");
        Self {
            peer: peer.map_or_else(|| "unknown".into(), |address| address.to_string()),
            client: client.chars().take(CLIENT_BYTES_MAX).collect(),
            purpose: purpose(headers),
        }
    }
}

fn purpose(headers: &MetadataMap) -> Option<String> {
    let said = String::from_utf8_lossy(headers.get(PURPOSE_HEADER)?.as_bytes());
    let said: String = said.trim().chars().take(PURPOSE_CHARACTERS_MAX).collect();
    (!said.is_empty()).then_some(said)
}

/// The connection that a request came over, as far as it proves something.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connection {
    /// Where the client is, if that can be known.
    pub(crate) source: Option<Source>,
    /// The client's certificate, if TLS has verified one.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// What ends a caller's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionLife {
    /// The client may close it: it is of one sign-in.
    OfSignIn,
    /// It ends with the credential that the client sends with every request, and which all its
    /// connections share.
    OfCredential,
}

/// The proven sender of one request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The session of its token.
    pub(crate) session: SessionId,
    /// The proof that it signed in. Its roles and attributes are asked of the state of the mart
    /// whose rules decide, so that old attributes never meet new rules.
    pub(crate) signed_in: SignedIn,
    /// What ends its session.
    pub(crate) life: SessionLife,
    /// The token to come with from now on, where the one it came with is old.
    pub(crate) successor: Option<Successor>,
    /// Where the request came from.
    pub(crate) origin: Origin,
}

impl Caller {
    /// The name under which it signed in.
    pub(crate) fn name(&self) -> &str {
        self.signed_in.name()
    }
}

#[cfg(test)]
mod tests {
    use tonic::metadata::MetadataValue;

    use super::*;

    #[test]
    fn a_purpose_is_taken_as_it_is_said_and_bounded() {
        let said = |purpose: &[u8]| {
            let mut headers = MetadataMap::new();
            headers.insert(PURPOSE_HEADER, MetadataValue::try_from(purpose).unwrap());
            Origin::new(None, &headers).purpose
        };
        assert_eq!(said(" complaint 4711 ".as_bytes()).as_deref(), Some("complaint 4711"));
        assert_eq!(said("反洗钱".as_bytes()).as_deref(), Some("反洗钱"));
        assert_eq!(said(b"  "), None);
        assert_eq!(said(&[b'a'; 1_000]).unwrap().len(), PURPOSE_CHARACTERS_MAX);
        assert_eq!(Origin::new(None, &MetadataMap::new()).purpose, None);
    }
}
