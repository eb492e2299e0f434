//! A directory of the tests: enough of LDAP to bind and search, on a socket of its own, and every
//! way of being a bad one.
//!
//! It reads and writes its bytes by itself: what the product takes for LDAP is not asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub(super) const SERVICE: &str = "cn=martlet,dc=bank";
pub(super) const SERVICE_PASSWORD: &str = "of the service";

/// How the directory behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    /// It takes the question and says nothing.
    Silent,
    /// It closes the connection in place of answering.
    Closes,
    /// It answers the question before.
    AnotherId,
    /// It says yes before it is asked, under number zero.
    Unasked,
    /// It refers elsewhere.
    Refers,
    /// A search refers elsewhere for a part.
    RefersForAPart,
    /// It has each person twice.
    Twice,
    /// It announces four gigabytes.
    Huge,
    /// It sends entries without an end.
    Endless,
    Garbage,
    /// Elements that lie in each other a hundred thousand deep.
    Deep,
    /// It answers a bind as a search.
    AnotherKind,
    /// The entry that it finds has no name, so that a bind would be nobody's.
    Nameless,
    /// The password is right and has expired, by the control of that name.
    Expired,
    /// The same in the words of the password policy.
    ToBeChanged,
    Busy,
    /// It refuses whatever it is asked.
    Unwilling,
    /// It does not take the service account's password.
    NoService,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) mood: Mood,
    /// Passwords by distinguished name.
    pub(super) people: BTreeMap<String, String>,
    /// Members of each group by its distinguished name.
    pub(super) groups: BTreeMap<String, Vec<String>>,
    /// Every bind: the name, and whether there was a password.
    pub(super) binds: Vec<(String, bool)>,
    /// Whether anything was sent in the clear.
    pub(super) in_the_clear: bool,
    /// How many connections there were.
    pub(super) connections: usize,
}

/// By which transport it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Plain,
    Tls,
    StartTls,
    /// It answers StartTLS with something slipped in behind.
    StartTlsInjected,
    /// It does not know StartTLS.
    NoStartTls,
}

pub(super) struct Directory {
    pub(super) address: SocketAddr,
    pub(super) state: Arc<Mutex<State>>,
}

impl Directory {
    /// Starts it, with a certificate and key (PEM).
    pub(super) async fn start(transport: Transport, identity: &(String, String)) -> Self {
        // At every address of this machine, with a certificate for one.
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let address = ([127, 0, 0, 1], listener.local_addr().unwrap().port()).into();
        let person = |name: &str| format!("uid={name},ou=people,dc=bank");
        let people =
            ["ann", "bob", "fay", "cat"].map(|name| (person(name), format!("{name}'s secret")));
        // Where a name would lead that is taken for more than a value.
        let deeper = ("uid=eli,ou=people,ou=people,dc=bank".to_owned(), "ann's secret".to_owned());
        let clerks = ["ann", "fay"].map(person).to_vec();
        let state = State {
            mood: Mood::Good,
            people: people.into_iter().chain([deeper]).collect(),
            groups: [("cn=Clerks,ou=groups,dc=bank".to_owned(), clerks)].into(),
            binds: Vec::new(),
            in_the_clear: false,
            connections: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let (acceptor, shared) = (acceptor(identity), Arc::clone(&state));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                tokio::spawn(serve(stream, transport, acceptor.clone(), Arc::clone(&shared)));
            }
        });
        Self { address, state }
    }

    pub(super) fn feels(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// Takes somebody out of all groups.
    pub(super) fn leaves_the_groups(&self, dn: &str) {
        for members in self.state.lock().unwrap().groups.values_mut() {
            members.retain(|member| member != dn);
        }
    }

    /// Who has bound since this was asked last, and whether with a password.
    pub(super) fn binds(&self) -> Vec<(String, bool)> {
        std::mem::take(&mut self.state.lock().unwrap().binds)
    }
}

fn acceptor((certificate, key): &(String, String)) -> TlsAcceptor {
    let chain =
        CertificateDer::pem_slice_iter(certificate.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(
    mut tcp: TcpStream,
    transport: Transport,
    acceptor: TlsAcceptor,
    state: Arc<Mutex<State>>,
) -> Option<()> {
    match transport {
        Transport::Plain => return answer_all(tcp, &state).await,
        Transport::Tls => {}
        Transport::StartTls | Transport::StartTlsInjected | Transport::NoStartTls => {
            let question = read(&mut tcp).await?;
            let (id, kind, _) = taken_apart(&question)?;
            if kind != 0x77 {
                state.lock().unwrap().in_the_clear = true;
                return None;
            }
            let code = if transport == Transport::NoStartTls { 2 } else { 0 };
            let mut answer = message(id, &element(0x78, &result(code)), &[]);
            if transport == Transport::StartTlsInjected {
                answer.extend(message(id + 1, &element(0x61, &result(0)), &[]));
            }
            tcp.write_all(&answer).await.ok()?;
            if transport == Transport::NoStartTls {
                // A client that goes on in the clear would send its password now.
                if read(&mut tcp).await.is_some() {
                    state.lock().unwrap().in_the_clear = true;
                }
                return None;
            }
        }
    }
    answer_all(acceptor.accept(tcp).await.ok()?, &state).await
}

async fn answer_all<S>(mut stream: S, state: &Mutex<State>) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut bound = String::new();
    loop {
        let question = read(&mut stream).await?;
        let (id, kind, content) = taken_apart(&question)?;
        let mood = state.lock().unwrap().mood;
        let answer = match (mood, kind) {
            (_, 0x42) => return None,
            (Mood::Silent, _) => {
                tokio::time::sleep(Duration::from_secs(600)).await;
                return None;
            }
            (Mood::Closes, _) => return None,
            (Mood::Garbage, _) => b"\x30\x0cnothing else".to_vec(),
            (Mood::Huge, _) => vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 1],
            (Mood::Deep, _) => deep(id, kind),
            (Mood::Endless, 0x63) => {
                let entry = element(0x64, &[octets("cn=a"), element(0x30, &[])].concat());
                loop {
                    stream.write_all(&message(id, &entry, &[])).await.ok()?;
                }
            }
            (_, 0x60) => bind(state, id, content, &mut bound)?,
            (_, 0x63) => search(state, id, content, &bound)?,
            _ => return None,
        };
        stream.write_all(&answer).await.ok()?;
        stream.flush().await.ok()?;
    }
}

fn deep(id: u32, kind: u8) -> Vec<u8> {
    let levels = 100_000_u32;
    let inside: Vec<u8> = (0..levels)
        .flat_map(|level| {
            let [a, b, c, d] = ((levels - level - 1) * 6).to_be_bytes();
            [0x30, 0x84, a, b, c, d]
        })
        .collect();
    message(id, &element(if kind == 0x60 { 0x61 } else { 0x64 }, &inside), &[])
}

fn bind(state: &Mutex<State>, id: u32, content: &[u8], bound: &mut String) -> Option<Vec<u8>> {
    let (_version, rest) = next(content)?;
    let (dn, rest) = next(rest)?;
    let ((_, password), _) = next(rest)?;
    let dn = String::from_utf8(dn.1.to_vec()).ok()?;
    let password = String::from_utf8(password.to_vec()).ok()?;
    let mut state = state.lock().unwrap();
    state.binds.push((dn.clone(), !password.is_empty()));
    let is_service = dn == SERVICE;
    let known = state.people.iter().find(|(known, _)| known.eq_ignore_ascii_case(&unescaped(&dn)));
    let is_right = match known {
        // What makes the empty password dangerous: it is nobody's, and succeeds.
        _ if password.is_empty() => true,
        _ if is_service => password == SERVICE_PASSWORD && state.mood != Mood::NoService,
        Some((_, right)) => *right == password,
        None => false,
    };
    let code = if is_right { 0 } else { 49 };
    *bound = if is_right { dn } else { String::new() };
    let plain = |code| message(id, &element(0x61, &result(code)), &[]);
    let control = |kind: &str, value: &[u8]| {
        let control = element(0x30, &[octets(kind), element(0x04, value)].concat());
        message(id, &element(0x61, &result(0)), &element(0xa0, &control))
    };
    Some(match state.mood {
        Mood::AnotherId => message(id.wrapping_sub(1), &element(0x61, &result(0)), &[]),
        Mood::Unasked => message(0, &element(0x61, &result(0)), &[]),
        Mood::AnotherKind => message(id, &element(0x65, &result(0)), &[]),
        // For the person alone: the account has to find them first.
        Mood::Refers if !is_service => {
            let referral = element(0xa3, &octets("ldap://127.0.0.1:1/"));
            message(id, &element(0x61, &[result(10), referral].concat()), &[])
        }
        Mood::Expired if !is_service && is_right => control("2.16.840.1.113730.3.4.4", b"0"),
        Mood::ToBeChanged if !is_service && is_right => {
            control("1.3.6.1.4.1.42.2.27.8.5.1", &[0x30, 3, 0x81, 1, 2])
        }
        Mood::Busy => plain(51),
        Mood::Unwilling if !is_service => plain(53),
        _ => plain(code),
    })
}

/// The entries that the filter lets through, then the end.
fn search(state: &Mutex<State>, id: u32, content: &[u8], bound: &str) -> Option<Vec<u8>> {
    let ((_, base), rest) = next(content)?;
    let ((_, scope), rest) = next(rest)?;
    let (_deref, rest) = next(rest)?;
    let ((_, size), rest) = next(rest)?;
    let (_time, rest) = next(rest)?;
    let (_types_only, rest) = next(rest)?;
    let (filter, rest) = next(rest)?;
    let ((_, wanted), _) = next(rest)?;
    let ((_, wanted), _) = next(wanted)?;
    let base = unescaped(std::str::from_utf8(base).ok()?);
    let state = state.lock().unwrap();
    if bound != SERVICE {
        return Some(message(id, &element(0x65, &result(50)), &[]));
    }
    let mut found: Vec<Entry> = entries(&state)
        .into_iter()
        .filter(|entry| match scope {
            [0] => entry.dn.eq_ignore_ascii_case(&base),
            _ => entry.dn.to_lowercase().ends_with(&base.to_lowercase()),
        })
        .filter(|entry| passes(filter, entry))
        .collect();
    if state.mood == Mood::Twice {
        found.extend(found.clone());
    }
    let max = size.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
    let mut answer = Vec::new();
    for entry in found.iter().take(max) {
        let dn = if state.mood == Mood::Nameless { "" } else { entry.dn.as_str() };
        let attributes: Vec<u8> = entry
            .attributes
            .iter()
            .filter(|(name, _)| name.as_bytes() == wanted)
            .flat_map(|(name, values)| {
                let values: Vec<u8> = values.iter().flat_map(|value| octets(value)).collect();
                element(0x30, &[octets(name), element(0x31, &values)].concat())
            })
            .collect();
        let entry = element(0x64, &[octets(dn), element(0x30, &attributes)].concat());
        answer.extend(message(id, &entry, &[]));
    }
    if state.mood == Mood::RefersForAPart {
        let reference = element(0x73, &octets("ldap://elsewhere/dc=bank"));
        answer.extend(message(id, &reference, &[]));
    }
    let code = if found.len() > max { 4 } else { 0 };
    answer.extend(message(id, &element(0x65, &result(code)), &[]));
    Some(answer)
}

#[derive(Debug, Clone)]
struct Entry {
    dn: String,
    attributes: Vec<(String, Vec<String>)>,
}

fn entries(state: &State) -> Vec<Entry> {
    let groups_of = |dn: &String| -> Vec<String> {
        let groups = state.groups.iter().filter(|(_, members)| members.contains(dn));
        groups.map(|(group, _)| group.clone()).collect()
    };
    let person = |dn: &String| {
        let uid = dn.split([',', '=']).nth(1).unwrap().to_owned();
        let attributes = vec![
            ("objectClass".to_owned(), vec!["person".to_owned()]),
            ("uid".to_owned(), vec![uid]),
            ("memberOf".to_owned(), groups_of(dn)),
        ];
        Entry { dn: dn.clone(), attributes }
    };
    let group = |(dn, members): (&String, &Vec<String>)| {
        let attributes = vec![
            ("objectClass".to_owned(), vec!["groupOfNames".to_owned()]),
            ("member".to_owned(), members.clone()),
        ];
        Entry { dn: dn.clone(), attributes }
    };
    state.people.keys().map(person).chain(state.groups.iter().map(group)).collect()
}

/// Whether a filter lets an entry through.
fn passes((kind, content): Part<'_>, entry: &Entry) -> bool {
    let of = |name: &[u8]| {
        let named =
            |(known, _): &&(String, Vec<String>)| known.as_bytes().eq_ignore_ascii_case(name);
        entry.attributes.iter().find(named).map(|(_, values)| values.as_slice()).unwrap_or_default()
    };
    match kind {
        0xa0 => all(content).iter().all(|part| passes(*part, entry)),
        0xa1 => all(content).iter().any(|part| passes(*part, entry)),
        0xa2 => !all(content).iter().any(|part| passes(*part, entry)),
        0xa3 => {
            let parts = all(content);
            let is_value = |value: &String| value.as_bytes().eq_ignore_ascii_case(parts[1].1);
            of(parts[0].1).iter().any(is_value)
        }
        0x87 => !of(content).is_empty(),
        _ => false,
    }
}

fn unescaped(dn: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), dn.bytes());
    while let Some(byte) = rest.next() {
        if byte == b'\\' {
            let pair = [rest.next().unwrap(), rest.next().unwrap()];
            let byte = u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap();
            // A sign that is escaped separates nothing.
            bytes.extend(b",=+".contains(&byte).then_some(b'\\'));
            bytes.push(byte);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Vec<u8>> {
    let (tag, first) = (stream.read_u8().await.ok()?, stream.read_u8().await.ok()?);
    assert_eq!(tag, 0x30, "the client speaks LDAP");
    let mut length = usize::from(first);
    if first >= 0x80 {
        length = 0;
        for _ in 0..first - 0x80 {
            length = (length << 8) | usize::from(stream.read_u8().await.ok()?);
        }
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await.ok()?;
    Some(content)
}

/// The number of a message, what it asks, and for what.
fn taken_apart(content: &[u8]) -> Option<(u32, u8, &[u8])> {
    let ((_, id), rest) = next(content)?;
    let ((kind, content), _) = next(rest)?;
    Some((id.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte)), kind, content))
}

/// An element's tag and content.
type Part<'a> = (u8, &'a [u8]);

/// The next element, and what is behind it.
fn next(bytes: &[u8]) -> Option<(Part<'_>, &[u8])> {
    let (tag, first, mut rest) = (*bytes.first()?, *bytes.get(1)?, bytes.get(2..)?);
    let mut length = usize::from(first);
    if first >= 0x80 {
        let (digits, behind) = rest.split_at_checked(usize::from(first - 0x80))?;
        length = digits.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
        rest = behind;
    }
    let (content, behind) = rest.split_at_checked(length)?;
    Some(((tag, content), behind))
}

fn all(mut bytes: &[u8]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    while let Some((part, rest)) = next(bytes) {
        parts.push(part);
        bytes = rest;
    }
    parts
}

fn message(id: u32, operation: &[u8], controls: &[u8]) -> Vec<u8> {
    let id = element(0x02, &id.to_be_bytes());
    element(0x30, &[&id, operation, controls].concat())
}

fn result(code: u8) -> Vec<u8> {
    [element(0x0a, &[code]), octets(""), octets("in the directory's own words")].concat()
}

fn octets(text: &str) -> Vec<u8> {
    element(0x04, text.as_bytes())
}

/// With the long lengths that some directories write.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}
