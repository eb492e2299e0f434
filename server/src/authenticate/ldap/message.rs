//! The messages of LDAP that are spoken here (RFC 4511, 4): bind, search, StartTLS, unbind.
//!
//! Owns what is asked and what counts as an answer to it. Must never take an answer to something
//! else for one: its number is that of the request, its kind the one that belongs to it, and
//! whatever has not the form is no answer.

use super::super::der::{Element, Elements};
use super::wire::{
    BOOLEAN, ENUMERATED, INTEGER, OCTET_STRING, SEQUENCE, SET, as_number, element, number, of_parts,
};

const VERSION: u32 = 3;
const BIND: u8 = 0x60;
const PASSWORD: u8 = 0x80;
const SEARCH: u8 = 0x63;
const UNBIND: u8 = 0x42;
const EXTENDED: u8 = 0x77;
const EXTENDED_NAME: u8 = 0x80;
const CONTROLS: u8 = 0xa0;
const REFERRAL: u8 = 0xa3;

pub(super) const BIND_ANSWER: u8 = 0x61;
pub(super) const SEARCH_ENTRY: u8 = 0x64;
pub(super) const SEARCH_DONE: u8 = 0x65;
pub(super) const SEARCH_REFERENCE: u8 = 0x73;
pub(super) const EXTENDED_ANSWER: u8 = 0x78;

/// RFC 4511, 4.14.1.
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
/// The answer says what the directory's password policy has to say (draft-behera-ldap-password-policy).
const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
/// The password has expired (draft-vchu-ldap-pwd-policy).
const PASSWORD_EXPIRED: &[u8] = b"2.16.840.1.113730.3.4.4";

/// How far below its base a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The base itself.
    Base,
    /// The base and everything below it.
    Subtree,
}

/// A search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) base: &'a str,
    pub(super) scope: Scope,
    /// The filter's bytes.
    pub(super) filter: &'a [u8],
    /// The attribute that is asked for; none where this is `None`.
    pub(super) attribute: Option<&'a str>,
    /// Entries at most; a directory that has more says so in place of sending them.
    pub(super) entries_max: u32,
    /// Seconds that the directory may take.
    pub(super) seconds_max: u32,
}

fn message(id: u32, parts: &[Vec<u8>]) -> Vec<u8> {
    of_parts(SEQUENCE, &[vec![number(INTEGER, id)], parts.to_vec()].concat())
}

/// A bind by name and password. The control asks for what the password policy has to say, and
/// directories that do not know it leave it aside.
pub(super) fn bind(id: u32, dn: &str, password: &str) -> Vec<u8> {
    let parts = [
        number(INTEGER, VERSION),
        element(OCTET_STRING, dn.as_bytes()),
        element(PASSWORD, password.as_bytes()),
    ];
    let control = of_parts(SEQUENCE, &[element(OCTET_STRING, PASSWORD_POLICY.as_bytes())]);
    message(id, &[of_parts(BIND, &parts), element(CONTROLS, &control)])
}

/// A search. Aliases are not followed.
pub(super) fn search(id: u32, search: &Search<'_>) -> Vec<u8> {
    let scope = match search.scope {
        Scope::Base => 0,
        Scope::Subtree => 2,
    };
    // `1.1` is no attribute: the names of the entries are enough.
    let attribute = search.attribute.unwrap_or("1.1");
    let parts = [
        element(OCTET_STRING, search.base.as_bytes()),
        number(ENUMERATED, scope),
        number(ENUMERATED, 0),
        number(INTEGER, search.entries_max),
        number(INTEGER, search.seconds_max),
        element(BOOLEAN, &[0]),
        search.filter.to_vec(),
        of_parts(SEQUENCE, &[element(OCTET_STRING, attribute.as_bytes())]),
    ];
    message(id, &[of_parts(SEARCH, &parts)])
}

/// Asks for TLS on the same connection.
pub(super) fn start_tls(id: u32) -> Vec<u8> {
    message(id, &[of_parts(EXTENDED, &[element(EXTENDED_NAME, START_TLS.as_bytes())])])
}

/// The end of the conversation; it has no answer.
pub(super) fn unbind(id: u32) -> Vec<u8> {
    message(id, &[element(UNBIND, &[])])
}

/// An answer, by its kind.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) kind: u8,
    content: &'a [u8],
    controls: Vec<Element<'a>>,
}

/// What an answer says of the whole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) code: u32,
    /// Whether it sends the client elsewhere.
    pub(super) refers: bool,
}

/// What the directory says of a password that is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PolicyWord {
    /// Nothing that matters.
    Fine,
    /// It has expired, or has to be changed before anything else.
    Expired,
}

/// An entry that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) dn: String,
    /// The values of each attribute, by its description.
    pub(super) attributes: Vec<(String, Vec<String>)>,
}

impl<'a> Answer<'a> {
    /// Reads an answer to the request of this number; `None` if it is none.
    pub(super) fn read(content: &'a [u8], id: u32) -> Option<Self> {
        let mut parts = Elements::new(content);
        if as_number(parts.expect(INTEGER)?)? != id {
            return None;
        }
        let Element { tag: kind, content } = parts.next()?;
        // What stands behind the controls is of a later version of the protocol.
        let controls = parts.all()?.into_iter().find(|part| part.tag == CONTROLS);
        let controls = match controls {
            Some(controls) => Elements::new(controls.content).all()?,
            None => Vec::new(),
        };
        Some(Self { kind, content, controls })
    }

    /// The outcome that it tells.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let mut parts = Elements::new(self.content);
        let code = as_number(parts.expect(ENUMERATED)?)?;
        let (_matched, _text) = (parts.expect(OCTET_STRING)?, parts.expect(OCTET_STRING)?);
        let refers = parts.all()?.iter().any(|part| part.tag == REFERRAL);
        Some(Outcome { code, refers })
    }

    /// The entry that it brings.
    pub(super) fn entry(&self) -> Option<Entry> {
        let mut parts = Elements::new(self.content);
        let dn = text(parts.expect(OCTET_STRING)?)?;
        let mut attributes = Vec::new();
        for attribute in Elements::new(parts.expect(SEQUENCE)?).all()? {
            let mut attribute = Elements::new(attribute.of(SEQUENCE)?);
            let description = text(attribute.expect(OCTET_STRING)?)?;
            let values = Elements::new(attribute.expect(SET)?).all()?;
            let values = values.into_iter().map(|value| text(value.of(OCTET_STRING)?));
            attributes.push((description, values.collect::<Option<_>>()?));
        }
        Some(Entry { dn, attributes })
    }

    /// What the password policy says; `None` if that cannot be read.
    pub(super) fn policy_word(&self) -> Option<PolicyWord> {
        let mut word = PolicyWord::Fine;
        for control in &self.controls {
            let mut parts = Elements::new(control.of(SEQUENCE)?);
            let kind = parts.expect(OCTET_STRING)?;
            parts.skip(BOOLEAN);
            if kind == PASSWORD_EXPIRED {
                word = PolicyWord::Expired;
            }
            if kind == PASSWORD_POLICY.as_bytes()
                && policy_says(parts.expect(OCTET_STRING)?)? == PolicyWord::Expired
            {
                word = PolicyWord::Expired;
            }
        }
        Some(word)
    }
}

/// `PasswordPolicyResponseValue`: a warning of the time that is left counts as nothing, one of
/// the sign-ins that are left after the end, and any error, as an expired password.
fn policy_says(value: &[u8]) -> Option<PolicyWord> {
    const WARNING: u8 = 0xa0;
    const TIME_LEFT: u8 = 0x80;
    let mut word = PolicyWord::Fine;
    for part in Elements::new(Elements::new(value).expect(SEQUENCE)?).all()? {
        let is_time_left = part.tag == WARNING
            && Elements::new(part.content).all()?.iter().all(|warning| warning.tag == TIME_LEFT);
        if !is_time_left {
            word = PolicyWord::Expired;
        }
    }
    Some(word)
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
