//! Tickets: what a client carries from GetFlightInfo to DoGet.
//!
//! Owns the seal (AES-256-GCM under a key that lives as long as the process) and the check
//! that a ticket comes back in the session it was given to, by the principal it was given to,
//! and in time. Must never tell why a ticket was refused: foreign, forged and expired are one
//! answer. A ticket names a statement; it never grants anything.

use std::fmt;
use std::time::{Duration, Instant};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use bytes::Bytes;
use martlet_core::SnapshotNumber;
use martlet_proto::flight::Ticket as TicketMessage;
use prost::Message;

use crate::authenticate::{Caller, SessionId};
use crate::random::{self, NoEntropy};

/// A ticket that is older is refused; the statement has to be asked for again.
pub(crate) const TICKET_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// What is sealed and how: authenticated with every ticket, so that bytes sealed as something
/// else, or by another version, do not open.
const KIND_AND_VERSION: &[u8] = b"martlet.flight.ticket.v1";
const NONCE_BYTES: usize = 12;

/// One statement's id: sixteen random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StatementId([u8; 16]);

impl StatementId {
    pub(crate) fn draw() -> Result<Self, NoEntropy> {
        Ok(Self(random::draw()?))
    }

    #[cfg(test)]
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for StatementId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&random::hex(&self.0))
    }
}

/// A statement to be fetched.
#[derive(Clone, PartialEq)]
pub(crate) struct Ticket {
    /// Its id.
    pub(crate) statement_id: StatementId,
    /// The snapshot that it reads.
    pub(crate) snapshot: SnapshotNumber,
    /// Its text.
    pub(crate) sql: String,
    /// Its parameters as an Arrow IPC stream; empty where there are none.
    pub(crate) parameters: Bytes,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ticket({})", self.statement_id)
    }
}

/// The ticket is not the caller's, not ours, not whole, or too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TicketRefused;

/// Whom a ticket is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder<'a> {
    pub(crate) principal: &'a str,
    pub(crate) session: SessionId,
}

impl<'a> From<&'a Caller> for Holder<'a> {
    fn from(caller: &'a Caller) -> Self {
        Self { principal: caller.name(), session: caller.session }
    }
}

/// Seals and opens tickets.
pub(crate) struct Sealer {
    cipher: Aes256Gcm,
    started: Instant,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sealer(..)")
    }
}

impl Sealer {
    /// Draws a key that no other process has.
    pub(crate) fn new() -> Result<Self, NoEntropy> {
        let key = random::draw::<32>()?;
        let cipher = Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(&key));
        Ok(Self { cipher, started: Instant::now() })
    }

    /// Seals a ticket for its holder.
    pub(crate) fn seal(
        &self,
        ticket: &Ticket,
        holder: Holder<'_>,
        now: Instant,
    ) -> Result<Bytes, NoEntropy> {
        let message = TicketMessage {
            principal: holder.principal.into(),
            session: Bytes::copy_from_slice(holder.session.as_bytes()),
            snapshot: ticket.snapshot.get(),
            statement: ticket.sql.clone(),
            parameters: ticket.parameters.clone(),
            statement_id: Bytes::copy_from_slice(&ticket.statement_id.0),
            issued_ms: self.since_start_ms(now),
        };
        self.seal_bytes(KIND_AND_VERSION, &message.encode_to_vec())
    }

    /// Opens a ticket that this holder brings back.
    pub(crate) fn open(
        &self,
        sealed: &[u8],
        holder: Holder<'_>,
        now: Instant,
    ) -> Result<Ticket, TicketRefused> {
        let plain = self.open_bytes(KIND_AND_VERSION, sealed).ok_or(TicketRefused)?;
        let message = TicketMessage::decode(plain.as_slice()).map_err(|_| TicketRefused)?;
        let age = self.since_start_ms(now).checked_sub(message.issued_ms).ok_or(TicketRefused)?;
        let own = message.principal == holder.principal
            && message.session.as_ref() == holder.session.as_bytes();
        if !own || u128::from(age) >= TICKET_LIFETIME.as_millis() {
            return Err(TicketRefused);
        }
        let id = <[u8; 16]>::try_from(message.statement_id.as_ref()).map_err(|_| TicketRefused)?;
        Ok(Ticket {
            statement_id: StatementId(id),
            snapshot: SnapshotNumber::new(message.snapshot),
            sql: message.statement,
            parameters: message.parameters,
        })
    }

    fn seal_bytes(&self, kind: &[u8], plain: &[u8]) -> Result<Bytes, NoEntropy> {
        let nonce = random::draw::<NONCE_BYTES>()?;
        let payload = Payload { msg: plain, aad: kind };
        // The cipher refuses only messages of more than 64 GiB.
        let body =
            self.cipher.encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| NoEntropy)?;
        Ok(nonce.into_iter().chain(body).collect())
    }

    fn open_bytes(&self, kind: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_BYTES)?;
        let payload = Payload { msg: body, aad: kind };
        self.cipher.decrypt(Nonce::from_slice(nonce), payload).ok()
    }

    fn since_start_ms(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.started);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
#[path = "ticket_tests.rs"]
mod tests;
