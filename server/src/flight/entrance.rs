//! The entrance: who sends a request, and a record of whoever tried to be somebody.
//!
//! Owns the order: what is presented is judged, that is put on record, and only then is anything
//! told. Must never let a client that hangs up end a sign-in in between: its failures would count
//! and lock, and the alarms would hear of none. So a sign-in is a task of its own, and there are so
//! many of these at once and no more.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use super::record::Recorder;
use super::statement::Statements;
use super::status::bug;
use crate::alarm::curbs::Curbs;
use crate::authenticate::{
    Admitted, Attempted, Caller, CertificateName, ClientCertificate, Connection, Entered, Gate,
    Origin, Password, Refusal, Refused, SIGN_INS_WAITING_MAX, Source, credentials_of,
};
use crate::serve::{ClientCertificates, Transport};

/// Why somebody is refused who is right, and cut off by an alarm.
const CUT_OFF: &str = "cut off";
/// Sign-ins that are judged or put on record at once: as many as may wait for a check here and at an
/// LDAP directory, and as many again for the disk.
const AT_ONCE_MAX: usize = 4 * SIGN_INS_WAITING_MAX;

/// What the address of a connection's other end tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peers {
    /// Where the client is.
    Clients,
    /// Where the proxy is; nothing about the client.
    Proxy,
}

impl Peers {
    const fn of(transport: &Transport) -> Self {
        match transport {
            Transport::PlainBehindProxy => Self::Proxy,
            Transport::Tls { .. } | Transport::PlainOnLoopback => Self::Clients,
        }
    }

    /// What a sign-in is counted under beside its name.
    fn source(self, peer: Option<SocketAddr>) -> Option<Source> {
        match self {
            Self::Clients => peer.map(|address| Source::from(address.ip())),
            Self::Proxy => None,
        }
    }
}

/// What the gate says about a request, and where that came from.
pub(super) struct Judged {
    result: Result<Admitted, Refusal>,
    origin: Origin,
}

/// A handshake: whoever signs in says all of it in the headers.
pub(super) struct Arrival {
    headers: MetadataMap,
    connection: Connection,
    origin: Origin,
}

/// Where every request comes in. Cheap to clone.
#[derive(Clone)]
pub(super) struct Entrance {
    gate: Arc<Gate>,
    statements: Arc<Statements>,
    recorder: Recorder,
    /// Who is cut off.
    curbs: Arc<Curbs>,
    peers: Peers,
    certificate_name: CertificateName,
    places: Arc<Semaphore>,
}

impl Entrance {
    pub(super) fn new(
        gate: Arc<Gate>,
        statements: Arc<Statements>,
        recorder: Recorder,
        curbs: Arc<Curbs>,
        transport: &Transport,
    ) -> Self {
        let peers = Peers::of(transport);
        let certificate_name = ClientCertificates::of(transport).name();
        let places = Arc::new(Semaphore::new(AT_ONCE_MAX));
        Self { gate, statements, recorder, curbs, peers, certificate_name, places }
    }

    /// What the gate says about a request.
    pub(super) fn judge<T>(&self, request: &Request<T>) -> Judged {
        let origin = origin(request);
        let admitted = self
            .connection(request)
            .map_err(Refusal::from)
            .and_then(|from| self.gate.admit(request.metadata(), &from, origin.clone()));
        Judged { result: admitted, origin }
    }

    /// Closes a principal's sessions and ends what runs for it.
    pub(super) fn cut_off(&self, principal: &str) {
        self.gate.close_all(principal);
        self.statements.cut_off(principal);
    }

    /// The proven sender of a request. Where the request opens a session by what it proves, or
    /// fails to, that is on record first.
    pub(super) async fn caller(&self, judged: Judged) -> Result<Caller, Status> {
        let Judged { result, origin } = judged;
        let admitted = match result {
            Err(Refusal { told, attempted: None }) => return Err(told.into()),
            Ok(Admitted { caller, attempted: None }) => return self.unless_cut(caller),
            result => result,
        };
        let entrance = self.clone();
        let settled = async move { entrance.settled(admitted, origin).await };
        match self.place() {
            Some(place) => to_its_end(place, settled).await,
            // Hundreds wait for the disk. It was judged already, so it is not sent away: its first step
            // hands the line to the disk, which nobody takes back by hanging up.
            None => settled.await,
        }
    }

    /// A caller whose session was open before. Those of somebody who is cut off are closed already;
    /// one that was opened meanwhile is as good as none.
    fn unless_cut(&self, caller: Caller) -> Result<Caller, Status> {
        if self.curbs.is_cut(caller.name()) {
            self.cut_off(caller.name());
            return Err(Refused::NoSession.into());
        }
        Ok(caller)
    }

    /// Records what a request proved, or did not.
    async fn settled(
        &self,
        result: Result<Admitted, Refusal>,
        origin: Origin,
    ) -> Result<Caller, Status> {
        let Admitted { caller, attempted } = match result {
            Ok(admitted) => admitted,
            Err(refusal) => return Err(self.refused(refusal, &origin).await),
        };
        let Some(attempted) = attempted else { return self.unless_cut(caller) };
        if self.curbs.is_cut(caller.name()) {
            self.cut_off(caller.name());
            // What signs in with every request is refused like a sign-in.
            let refusal = Refusal::wrong(attempted.because(CUT_OFF));
            return Err(self.refused(refusal, &origin).await);
        }
        let recorded = self.record(&attempted, &origin).await;
        recorded.inspect_err(|_| self.gate.close(caller.session))?;
        Ok(caller)
    }

    /// What a request's connection proves. A certificate that cannot be read is not the same as
    /// none.
    fn connection<T>(&self, request: &Request<T>) -> Result<Connection, Refused> {
        let shown = request.peer_certs();
        let read = |der: &[u8]| {
            ClientCertificate::read(der, self.certificate_name).ok_or(Refused::NoCredentials)
        };
        let leaf = shown.as_ref().and_then(|chain| chain.first());
        let certificate = leaf.map(|leaf| read(leaf.as_ref())).transpose()?;
        Ok(Connection { source: self.peers.source(request.remote_addr()), certificate })
    }

    async fn record(&self, attempted: &Attempted, origin: &Origin) -> Result<(), Status> {
        let mart = self.gate.mart();
        self.recorder.sign_in(attempted, origin, &mart).await
    }

    /// What somebody is told who was not let in, once it is on record.
    async fn refused(&self, refusal: Refusal, origin: &Origin) -> Status {
        if let Some(attempted) = &refusal.attempted
            && let Err(unrecorded) = self.record(attempted, origin).await
        {
            return unrecorded;
        }
        refusal.told.into()
    }

    /// A handshake as it arrives.
    pub(super) fn arrival<T>(&self, request: &Request<T>) -> Result<Arrival, Refused> {
        let (connection, origin) = (self.connection(request)?, origin(request));
        Ok(Arrival { headers: request.metadata().clone(), connection, origin })
    }

    /// Answers a handshake with the token to come with.
    pub(super) async fn enter(&self, arrival: Arrival) -> Result<String, Status> {
        let begun = Instant::now();
        let entered = self.sign_in(arrival).await;
        if entered.is_err() {
            self.gate.refusal_is_due(begun).await;
        }
        entered
    }

    async fn sign_in(&self, arrival: Arrival) -> Result<String, Status> {
        // First of all: who finds no place has tried nothing.
        let place = self.place().ok_or(Refused::TooMany)?;
        let entrance = self.clone();
        let entered = async move { entrance.entered(arrival).await };
        to_its_end(place, entered).await
    }

    async fn entered(&self, arrival: Arrival) -> Result<String, Status> {
        let Arrival { headers, connection, origin } = arrival;
        let (credentials, code) = (credentials_of(&headers)?, Password::code_of(&headers));
        match self.gate.enter(credentials, code, &connection).await {
            Ok(Entered::Again { token }) => Ok(token),
            Ok(Entered::New { attempted, .. }) if self.curbs.is_cut(&attempted.name) => {
                // The answer and its time are those of a wrong password.
                self.cut_off(&attempted.name);
                Err(self.refused(Refusal::wrong(attempted.because(CUT_OFF)), &origin).await)
            }
            Ok(Entered::New { token, attempted }) => {
                self.record(&attempted, &origin).await?;
                Ok(token)
            }
            Err(refusal) => Err(self.refused(refusal, &origin).await),
        }
    }

    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}

/// Does something to its end, and holds its place so long, whether or not somebody still waits for it.
async fn to_its_end<T: Send + 'static>(
    place: OwnedSemaphorePermit,
    deed: impl Future<Output = Result<T, Status>> + Send + 'static,
) -> Result<T, Status> {
    let task = tokio::spawn(async move {
        let done = deed.await;
        drop(place);
        done
    });
    task.await.unwrap_or_else(|_| Err(bug("a sign-in comes to its end")))
}

fn origin<T>(request: &Request<T>) -> Origin {
    Origin::new(request.remote_addr(), request.metadata())
}

#[cfg(test)]
#[path = "entrance_tests.rs"]
mod tests;
