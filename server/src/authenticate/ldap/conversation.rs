//! A conversation with the directory: one connection, one question at a time.
//!
//! Owns the socket, TLS and the times. Must never speak of a password before the other end has
//! proven who it is (but on this machine), never wait longer than it was told to, never follow a
//! referral, and never read an answer that is not the one it asked for.

use std::fmt;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::denied::{Denied, Unavailable};
use super::message::{
    Answer, BIND_ANSWER, EXTENDED_ANSWER, Entry, Outcome, PolicyWord, SEARCH_DONE, SEARCH_ENTRY,
    SEARCH_REFERENCE, Search, bind, search, start_tls, unbind,
};
use super::wire::{NoMessage, read_message};

/// Bytes of all answers to one search.
const ENTRIES_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Results (RFC 4511, A.1).
const SUCCESS: u32 = 0;
const TIME_LIMIT_EXCEEDED: u32 = 3;
const SIZE_LIMIT_EXCEEDED: u32 = 4;
const REFERRAL: u32 = 10;
const ADMIN_LIMIT_EXCEEDED: u32 = 11;
const NO_SUCH_OBJECT: u32 = 32;
const INVALID_CREDENTIALS: u32 = 49;
const BUSY: u32 = 51;
const UNAVAILABLE: u32 = 52;

/// How it is known that the other end is the directory.
#[derive(Clone)]
pub(super) enum Safety {
    /// It is on this machine.
    Loopback,
    /// TLS from the first byte.
    Tls(TlsConnector, ServerName<'static>),
    /// TLS on demand, before anything else.
    StartTls(TlsConnector, ServerName<'static>),
}

/// Where the directory is, and how long it may take.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) safety: Safety,
    pub(super) connect_time_max: Duration,
    pub(super) answer_time_max: Duration,
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Place({}:{})", self.host, self.port)
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection to the directory.
pub(super) struct Conversation {
    stream: Box<dyn Stream>,
    last_id: u32,
    answer_time_max: Duration,
}

impl fmt::Debug for Conversation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Conversation(..)")
    }
}

impl Place {
    /// Connects, and has it proven who is there.
    pub(super) async fn connect(&self) -> Result<Conversation, Unavailable> {
        let connected = timeout(self.connect_time_max, self.try_connect()).await;
        connected.unwrap_or(Err(Unavailable::Slow))
    }

    /// Seconds that the directory is told it may take.
    pub(super) fn seconds_max(&self) -> u32 {
        seconds(self.answer_time_max)
    }

    async fn try_connect(&self) -> Result<Conversation, Unavailable> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(|_| Unavailable::Connection)?;
        let over = |stream, last_id| Conversation {
            stream,
            last_id,
            answer_time_max: self.answer_time_max,
        };
        match &self.safety {
            Safety::Loopback => Ok(over(Box::new(tcp), 0)),
            Safety::Tls(connector, name) => Ok(over(secured(connector, name, tcp).await?, 0)),
            Safety::StartTls(connector, name) => {
                let tcp = asked_for_tls(tcp).await?;
                Ok(over(secured(connector, name, tcp).await?, 1))
            }
        }
    }
}

async fn secured(
    connector: &TlsConnector,
    name: &ServerName<'static>,
    tcp: TcpStream,
) -> Result<Box<dyn Stream>, Unavailable> {
    let secured = connector.connect(name.clone(), tcp).await;
    Ok(Box::new(secured.map_err(|_| Unavailable::Certificate)?))
}

/// StartTLS. Of what comes back the answer alone is read here: bytes that somebody slips in
/// behind it are TLS's to judge, and break it.
async fn asked_for_tls(mut tcp: TcpStream) -> Result<TcpStream, Unavailable> {
    tcp.write_all(&start_tls(1)).await.map_err(|_| Unavailable::Closed)?;
    let content = read_message(&mut tcp).await?;
    let answer = Answer::read(&content, 1).ok_or(Unavailable::Answer)?;
    let outcome = answer.outcome().filter(|_| answer.kind == EXTENDED_ANSWER);
    match outcome {
        Some(Outcome { code: SUCCESS, refers: false }) => Ok(tcp),
        Some(_) => Err(Unavailable::StartTls),
        None => Err(Unavailable::Answer),
    }
}

impl Conversation {
    /// Binds as somebody whose password was given by who calls.
    pub(super) async fn bind_person(&mut self, dn: &str, password: &str) -> Result<(), Denied> {
        // A bind without a name or a password would succeed and prove nothing.
        if password.is_empty() {
            return Err(Denied::EmptyPassword);
        }
        if dn.is_empty() {
            return Err(Unavailable::Answer.into());
        }
        match self.bind(dn, password).await? {
            (SUCCESS, PolicyWord::Fine) => Ok(()),
            (SUCCESS, PolicyWord::Expired) => Err(Denied::Expired),
            // An entry that is gone and a password that is wrong are the same to who guesses.
            (INVALID_CREDENTIALS | NO_SUCH_OBJECT, _) => Err(Denied::Password),
            (code @ (BUSY | UNAVAILABLE | TIME_LIMIT_EXCEEDED | ADMIN_LIMIT_EXCEEDED), _) => {
                Err(Unavailable::Busy(code).into())
            }
            (_, _) => Err(Denied::Refused),
        }
    }

    /// Binds as the service account.
    pub(super) async fn bind_service(&mut self, dn: &str, password: &str) -> Result<(), Denied> {
        match self.bind(dn, password).await? {
            (SUCCESS, PolicyWord::Fine) => Ok(()),
            (SUCCESS, PolicyWord::Expired) => Err(Unavailable::ServicePassword.into()),
            (code, _) => Err(Unavailable::Service(code).into()),
        }
    }

    async fn bind(&mut self, dn: &str, password: &str) -> Result<(u32, PolicyWord), Denied> {
        let id = self.next_id();
        let until = self.deadline();
        self.send(&bind(id, dn, password), until).await?;
        let content = self.receive(until).await?;
        let answer = Answer::read(&content, id).ok_or(Unavailable::Answer)?;
        let outcome = answer.outcome().filter(|_| answer.kind == BIND_ANSWER);
        let outcome = outcome.ok_or(Unavailable::Answer)?;
        if outcome.refers || outcome.code == REFERRAL {
            return Err(Unavailable::Referral.into());
        }
        Ok((outcome.code, answer.policy_word().ok_or(Unavailable::Answer)?))
    }

    /// Searches. More entries than were asked for are [`Denied::Ambiguous`], a base that is not
    /// there [`Denied::NotFound`]. After every error but the latter, what comes next may
    /// belong to this search: nothing more is to be asked on this connection.
    pub(super) async fn search(&mut self, asked: &Search<'_>) -> Result<Vec<Entry>, Denied> {
        let id = self.next_id();
        let until = self.deadline();
        self.send(&search(id, asked), until).await?;
        let (mut entries, mut bytes) = (Vec::new(), 0);
        loop {
            let content = self.receive(until).await?;
            bytes += content.len();
            if bytes > ENTRIES_BYTES_MAX {
                return Err(Unavailable::Answer.into());
            }
            let answer = Answer::read(&content, id).ok_or(Unavailable::Answer)?;
            match answer.kind {
                SEARCH_ENTRY => entries.push(answer.entry().ok_or(Unavailable::Answer)?),
                // A part of what was asked for lies elsewhere, so nothing is known of the whole.
                SEARCH_REFERENCE => return Err(Unavailable::Referral.into()),
                SEARCH_DONE => {
                    done(answer.outcome().ok_or(Unavailable::Answer)?)?;
                    return Ok(entries);
                }
                _ => return Err(Unavailable::Answer.into()),
            }
            if entries.len() > asked.entries_max as usize {
                return Err(Denied::Ambiguous);
            }
        }
    }

    /// Says that it is over; whether that arrives does not matter.
    pub(super) async fn end(mut self) {
        let (id, until) = (self.next_id(), self.deadline());
        let _ = self.send(&unbind(id), until).await;
        let _ = timeout_at(until, self.stream.shutdown()).await;
    }

    /// Seconds that the directory is told it may take.
    pub(super) fn seconds_max(&self) -> u32 {
        seconds(self.answer_time_max)
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.answer_time_max
    }

    const fn next_id(&mut self) -> u32 {
        self.last_id = self.last_id % (i32::MAX as u32) + 1;
        self.last_id
    }

    async fn send(&mut self, message: &[u8], until: Instant) -> Result<(), Unavailable> {
        let sent = async {
            self.stream.write_all(message).await?;
            self.stream.flush().await
        };
        match timeout_at(until, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Unavailable::Closed),
            Err(_) => Err(Unavailable::Slow),
        }
    }

    async fn receive(&mut self, until: Instant) -> Result<Vec<u8>, Unavailable> {
        let read = timeout_at(until, read_message(&mut self.stream)).await;
        Ok(read.map_err(|_| Unavailable::Slow)??)
    }
}

/// Whole seconds, and one at least: none would be as long as the directory likes.
fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX).max(1)
}

/// What the end of a search says of it.
fn done(outcome: Outcome) -> Result<(), Denied> {
    match outcome {
        Outcome { refers: true, .. } | Outcome { code: REFERRAL, .. } => {
            Err(Unavailable::Referral.into())
        }
        Outcome { code: SUCCESS, .. } => Ok(()),
        Outcome { code: SIZE_LIMIT_EXCEEDED, .. } => Err(Denied::Ambiguous),
        Outcome { code: NO_SUCH_OBJECT, .. } => Err(Denied::NotFound),
        Outcome {
            code: code @ (BUSY | UNAVAILABLE | TIME_LIMIT_EXCEEDED | ADMIN_LIMIT_EXCEEDED),
            ..
        } => Err(Unavailable::Busy(code).into()),
        Outcome { code, .. } => Err(Unavailable::Search(code).into()),
    }
}

impl From<NoMessage> for Unavailable {
    fn from(none: NoMessage) -> Self {
        match none {
            NoMessage::Closed => Self::Closed,
            NoMessage::Form => Self::Answer,
        }
    }
}
