//! A client's certificate: whose it is, and how it is told from others.
//!
//! Owns the reading of what TLS has already verified against the operator's authority. Must
//! never choose among several names: a certificate that holds two of the kind that is asked for
//! names nobody.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use super::CertificateName;
use super::der::{self, BOOLEAN, Element, Elements, OBJECT_ID, OCTET_STRING, SEQUENCE, SET};

/// The subject's common name: 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// The alternative names: 2.5.29.17.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// The version of a certificate, and its extensions, by their tags.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// An alternative name that is a DNS name, and one that is a URI.
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;

/// The certificate of a connection's other end.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    digest: [u8; 32],
    name: Option<String>,
    not_before: i64,
    not_after: i64,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ClientCertificate({:?})", self.name)
    }
}

impl ClientCertificate {
    /// Reads a certificate; `None` if it is none.
    pub(crate) fn read(der: &[u8], of: CertificateName) -> Option<Self> {
        let parts = Parts::read(der)?;
        let mut sha_256 = [0; 32];
        sha_256.iter_mut().zip(digest(&SHA256, der).as_ref()).for_each(|(to, from)| *to = *from);
        Some(Self {
            digest: sha_256,
            name: only(parts.names(of)?),
            not_before: parts.not_before,
            not_after: parts.not_after,
        })
    }

    /// SHA-256 over the whole certificate.
    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The same, as tokens that are bound to a certificate write it (RFC 8705).
    pub(crate) fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.digest)
    }

    /// The principal that it names.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it is good at this time: a connection may be older than its certificate's end.
    pub(crate) const fn is_good_at(&self, seconds: i64) -> bool {
        self.not_before <= seconds && seconds <= self.not_after
    }
}

/// The parts of a certificate (RFC 5280, 4.1) that are read.
struct Parts<'a> {
    not_before: i64,
    not_after: i64,
    subject: &'a [u8],
    extensions: Vec<Element<'a>>,
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let [whole]: [Element<'a>; 1] = Elements::new(der).all()?.try_into().ok()?;
        let mut signed = Elements::new(Elements::new(whole.of(SEQUENCE)?).expect(SEQUENCE)?);
        signed.skip(VERSION);
        let (_serial, _algorithm, _issuer) = (signed.next()?, signed.next()?, signed.next()?);
        let mut validity = Elements::new(signed.expect(SEQUENCE)?);
        let (not_before, not_after) =
            (der::seconds(validity.next()?)?, der::seconds(validity.next()?)?);
        let subject = signed.expect(SEQUENCE)?;
        let rest = signed.all()?;
        let extensions = match rest.into_iter().find(|element| element.tag == EXTENSIONS) {
            Some(wrapped) => {
                Elements::new(Elements::new(wrapped.content).expect(SEQUENCE)?).all()?
            }
            None => Vec::new(),
        };
        Some(Self { not_before, not_after, subject, extensions })
    }

    /// Every name of the kind that is asked for; `None` if one cannot be read.
    fn names(&self, of: CertificateName) -> Option<Vec<String>> {
        match of {
            CertificateName::CommonName => self.common_names(),
            CertificateName::Dns => self.alternative_names(DNS_NAME),
            CertificateName::Uri => self.alternative_names(URI),
        }
    }

    fn common_names(&self) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for set in Elements::new(self.subject).all()? {
            for pair in Elements::new(set.of(SET)?).all()? {
                let mut pair = Elements::new(pair.of(SEQUENCE)?);
                if pair.expect(OBJECT_ID)? == COMMON_NAME {
                    names.push(der::text(pair.next()?)?.to_owned());
                }
            }
        }
        Some(names)
    }

    fn alternative_names(&self, kind: u8) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for extension in &self.extensions {
            let mut extension = Elements::new(extension.of(SEQUENCE)?);
            if extension.expect(OBJECT_ID)? != ALTERNATIVE_NAMES {
                continue;
            }
            extension.skip(BOOLEAN);
            let value = extension.expect(OCTET_STRING)?;
            for name in Elements::new(Elements::new(value).expect(SEQUENCE)?).all()? {
                if let Some(text) = name.of(kind) {
                    names.push(std::str::from_utf8(text).ok()?.to_owned());
                }
            }
        }
        Some(names)
    }
}

fn only(mut names: Vec<String>) -> Option<String> {
    names.pop().filter(|name| names.is_empty() && !name.is_empty())
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
