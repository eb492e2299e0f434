//! The running server: binds, serves, keeps the mart fresh and drains on shutdown.
//!
//! Owns the socket, TLS, the transport limits and the background refresh. Must never serve
//! plain text beyond this machine unless the operator asked for it in so many words, and never
//! answer before the journal is open.
//!
//! Receives: an opened [`Engine`] and [`Journal`] from the command line.
//! Hands on: every request to `flight::service`.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use martlet_core::limits::STATEMENT_BYTES_MAX;
use martlet_core::{ErrorKind, Kinded};
use martlet_query::Engine;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use crate::alarm::curbs::Curbs;
use crate::alarm::keeper::{Keeper, Told, ever_held};
use crate::alarm::{AlarmError, AlarmOptions};
use crate::audit::Journal;
use crate::authenticate::{
    CertificateName, ISSUER_LIFETIME_MAX, LdapUnusable, NoGate, SignInRules,
};
use crate::flight::FlightDoor;
use crate::guards::Guards;

/// Bytes of one message from a client at most, read before it is known who sends it. Clients
/// send statements, parameters and tickets made of both, never bulk data.
const INCOMING_MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
const _: () = assert!(INCOMING_MESSAGE_BYTES_MAX > 3 * STATEMENT_BYTES_MAX);
/// Bytes of one request's headers at most: drivers forward unknown connection properties.
const HEADER_LIST_BYTES_MAX: u32 = 64 * 1024;
/// Requests and open answers of one connection at once; its others wait at the client. Each may hold
/// a whole message here before it is known who sends it. This is twice what all principals together
/// run, and the open answers of four, for gateways and drivers that share a connection.
const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// How often an idle connection is probed; below the idle limits of common load balancers.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long the beginning of a TLS connection may take.
const TLS_PATIENCE: Duration = Duration::from_secs(10);

/// How bytes travel between client and server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// TLS with this certificate chain and private key, both PEM files.
    Tls {
        /// The certificate, followed by its chain.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
        /// Whether clients show certificates of their own.
        clients: ClientCertificates,
    },
    /// Plain text, accepted only on a loopback address.
    PlainOnLoopback,
    /// Plain text on any address: something in front of the server ends TLS.
    PlainBehindProxy,
}

/// Whether clients show certificates of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are not asked for any.
    NotAsked,
    /// They may: whoever shows none signs in by other means.
    Optional(ClientAuthority),
    /// They must: without one there is no connection.
    Required(ClientAuthority),
}

/// Who makes clients' certificates, and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAuthority {
    /// The authority's certificates, a PEM file.
    pub certificates: PathBuf,
    /// Which part of a client's certificate is the principal's name.
    pub name: CertificateName,
}

impl ClientCertificates {
    /// Those of a transport; without TLS there are none.
    pub(crate) const fn of(transport: &Transport) -> &Self {
        match transport {
            Transport::Tls { clients, .. } => clients,
            Transport::PlainOnLoopback | Transport::PlainBehindProxy => &Self::NotAsked,
        }
    }

    /// Which part of a certificate names the principal.
    pub(crate) const fn name(&self) -> CertificateName {
        match self {
            Self::Optional(authority) | Self::Required(authority) => authority.name,
            Self::NotAsked => CertificateName::CommonName,
        }
    }
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// How bytes travel.
    pub transport: Transport,
    /// Where disclosures are recorded.
    pub journal: Arc<Journal>,
    /// How principals sign in, and for how long they stay.
    pub sign_in: SignInRules,
    /// How often to look for a newer snapshot.
    pub refresh_every: Duration,
    /// How long a request may take until its answer begins: to arrive, an upload with all of it,
    /// and to be worked on. An answer that has begun takes its own time.
    pub request_time_max: Duration,
    /// Wall time of one execution at most, from its first message to its last; a client that
    /// takes nothing counts too.
    pub statement_time_max: Duration,
    /// How long running statements may go on after the shutdown began.
    pub drain_time_max: Duration,
    /// What is unusual in the journal, and what is done about it; without it, nothing is, and
    /// emergencies stand on the record without an alarm.
    pub alarms: Option<AlarmOptions>,
}

impl ServeConfig {
    /// Plain text on a loopback address, looking for new data twice a second, so that new rules
    /// are obeyed within one; statements end after thirty minutes and the shutdown waits for ten
    /// seconds.
    ///
    /// A statement waits ten seconds for its place, a minute more if an alarm slows its principal
    /// down, is planned and begun in thirty each and recorded in ten. So what is given up after
    /// three minutes is what never comes to its end, as a message that a stranger holds back.
    #[must_use]
    pub fn new(listen: SocketAddr, journal: Arc<Journal>) -> Self {
        Self {
            listen,
            transport: Transport::PlainOnLoopback,
            journal,
            sign_in: SignInRules::default(),
            refresh_every: Duration::from_millis(500),
            request_time_max: Duration::from_secs(3 * 60),
            statement_time_max: Duration::from_secs(30 * 60),
            drain_time_max: Duration::from_secs(10),
            alarms: None,
        }
    }
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Passwords and customers' data would travel readable.
    #[error(
        "{listen} is reachable from other machines: serve it with TLS (a certificate and a key), \
         or say that a proxy in front ends TLS"
    )]
    PlainBeyondLoopback {
        /// Where the server was to listen.
        listen: SocketAddr,
    },
    /// The address cannot be had.
    #[error("cannot listen on {listen}: choose another address or port, or end what holds it")]
    Listen {
        /// Where the server was to listen.
        listen: SocketAddr,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A TLS file cannot be read.
    #[error("cannot read {}", path.display())]
    TlsFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The certificate and the key are not usable together.
    #[error(
        "the certificate, the key or the clients' authority cannot be used: give matching PEM files"
    )]
    Tls(#[source] tonic::transport::Error),
    /// The operating system gave no random bytes for the keys.
    #[error("cannot draw the server's keys: the operating system gave no random bytes")]
    Keys,
    /// The alarms cannot be kept.
    #[error("the alarms over the audit record cannot be kept")]
    Alarms(#[from] AlarmError),
    /// The transport broke.
    #[error("the server stopped: its transport failed")]
    Transport(#[source] tonic::transport::Error),
    /// The LDAP directory cannot be asked.
    #[error("the LDAP directory cannot be asked as the options say")]
    Ldap(#[source] LdapUnusable),
    /// What watches over the server broke off.
    #[error("the server stopped: {guard} broke off, which must not be missing; see its log")]
    Unguarded {
        /// What it was.
        guard: &'static str,
    },
    /// The serving task ended in an unforeseen way.
    #[error("the server stopped: its task was ended")]
    Ended,
}

impl Kinded for ServeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::PlainBeyondLoopback { .. } | Self::TlsFile { .. } | Self::Tls(_) => {
                ErrorKind::Invalid
            }
            Self::Listen { .. } | Self::Keys | Self::Transport(_) => ErrorKind::Retry,
            Self::Alarms(error) => error.kind(),
            Self::Ldap(error) => error.kind(),
            Self::Unguarded { .. } | Self::Ended => ErrorKind::Bug,
        }
    }
}

impl From<NoGate> for ServeError {
    fn from(why: NoGate) -> Self {
        match why {
            NoGate::NoEntropy(_) => Self::Keys,
            NoGate::Ldap(error) => Self::Ldap(error),
        }
    }
}

/// A server that accepts connections until its shutdown.
#[derive(Debug)]
pub struct Serving {
    local_addr: SocketAddr,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Serving {
    /// The address that clients connect to, with the port that was really taken.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Waits until the server has drained and ended.
    ///
    /// # Errors
    /// [`ServeError::Transport`] if the transport failed, [`ServeError::Ended`] if the task
    /// was ended from outside, [`ServeError::Unguarded`] if what watches over the server broke off.
    pub async fn finished(self) -> Result<(), ServeError> {
        self.task.await.map_err(|_| ServeError::Ended)?
    }
}

/// Binds the address and serves in the background until `shutdown` is ready.
///
/// When this returns, clients can connect to [`Serving::local_addr`].
///
/// # Errors
/// [`ServeError`] if the address, the TLS files or the keys cannot be had.
pub async fn serve(
    engine: Engine,
    config: ServeConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Serving, ServeError> {
    let tls = tls_of(&config)?;
    let listen = config.listen;
    let refused = |source| ServeError::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let local_addr = listener.local_addr().map_err(refused)?;
    let curbs = match &config.alarms {
        Some(alarms) => Arc::new(taken_up(alarms, &config)?),
        None => Arc::default(),
    };
    let door = FlightDoor::new(engine.clone(), &config, Arc::clone(&curbs))?;
    let kept = keep_watch(&engine, &config, curbs, &door).await?;
    let desk = door.desk();
    let server = configured(tls, config.request_time_max)?;
    let (closing, closed) = watch::channel(());
    let journal = Arc::clone(&config.journal);
    let task = tokio::spawn(async move {
        let mut guards = Guards::default();
        guards.post("the look for new snapshots", keep_fresh(engine, config.refresh_every));
        guards.post("the look after sessions", door.clone().keep());
        guards.post("the look for emergencies", desk.keep());
        if let Some((keeper, told)) = kept {
            guards.post("the alarms", keeper.keep());
            guards.post("the telling of alarms", told.tell());
        }
        let drain_time_max = config.drain_time_max;
        let serving = run(server, listener, door.clone(), closed, drain_time_max, async move {
            shutdown.await;
            drop(closing);
        });
        let result = guarded(serving, &mut guards, &door).await;
        drop(guards);
        // What is not signed is on record all the same.
        if let Err(error) = journal.sign().await {
            tracing::error!(%error, "the end of the audit journal is not signed");
        }
        result
    });
    Ok(Serving { local_addr, task })
}

/// Serves as long as everything that watches over it does.
async fn guarded(
    serving: impl Future<Output = Result<(), ServeError>>,
    guards: &mut Guards,
    door: &FlightDoor,
) -> Result<(), ServeError> {
    tokio::select! {
        result = serving => result,
        guard = guards.broken() => {
            // Connections are tasks of their own, and end with the process at the latest.
            door.shut();
            tracing::error!(guard, "what watches over the server broke off: it stops");
            Err(ServeError::Unguarded { guard })
        }
    }
}

/// Who was held before.
fn taken_up(alarms: &AlarmOptions, config: &ServeConfig) -> Result<Curbs, AlarmError> {
    let issuer = config.sign_in.issuer.as_ref();
    let tokens_live = issuer.map_or(ISSUER_LIFETIME_MAX, |issuer| issuer.lifetime_max);
    Curbs::open(&alarms.folder, tokens_live, || ever_held(config.journal.folder()))
}

/// Reads the journal back for the alarms, before the first statement is answered.
async fn keep_watch(
    engine: &Engine,
    config: &ServeConfig,
    curbs: Arc<Curbs>,
    door: &FlightDoor,
) -> Result<Option<(Keeper, Told)>, ServeError> {
    let Some(alarms) = &config.alarms else { return Ok(None) };
    let (journal, door) = (Arc::clone(&config.journal), door.clone());
    let cut_off = Arc::new(move |name: &str| door.cut_off(name));
    let kept = Keeper::open(alarms, engine.clone(), journal, curbs, cut_off).await?;
    Ok(Some(kept))
}

fn tls_of(config: &ServeConfig) -> Result<Option<ServerTlsConfig>, ServeError> {
    match &config.transport {
        Transport::Tls { certificate, key, clients } => {
            let identity = Identity::from_pem(read(certificate)?, read(key)?);
            let tls = ServerTlsConfig::new().identity(identity).timeout(TLS_PATIENCE);
            Ok(Some(asking(tls, clients)?))
        }
        Transport::PlainOnLoopback if !config.listen.ip().is_loopback() => {
            Err(ServeError::PlainBeyondLoopback { listen: config.listen })
        }
        Transport::PlainOnLoopback | Transport::PlainBehindProxy => Ok(None),
    }
}

/// Asks clients for certificates, where that is wanted.
fn asking(
    tls: ServerTlsConfig,
    clients: &ClientCertificates,
) -> Result<ServerTlsConfig, ServeError> {
    let (authority, is_optional) = match clients {
        ClientCertificates::NotAsked => return Ok(tls),
        ClientCertificates::Optional(authority) => (authority, true),
        ClientCertificates::Required(authority) => (authority, false),
    };
    let roots = Certificate::from_pem(read(&authority.certificates)?);
    Ok(tls.client_ca_root(roots).client_auth_optional(is_optional))
}

fn read(path: &Path) -> Result<Vec<u8>, ServeError> {
    std::fs::read(path).map_err(|source| ServeError::TlsFile { path: path.to_path_buf(), source })
}

fn configured(
    tls: Option<ServerTlsConfig>,
    request_time_max: Duration,
) -> Result<Server, ServeError> {
    let server = Server::builder()
        .http2_max_header_list_size(HEADER_LIST_BYTES_MAX)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .timeout(request_time_max)
        .http2_keepalive_interval(Some(KEEPALIVE));
    match tls {
        Some(tls) => server.tls_config(tls).map_err(ServeError::Tls),
        None => Ok(server),
    }
}

/// Serves until the shutdown, then until the last statement ended or the drain time is over.
async fn run(
    mut server: Server,
    listener: TcpListener,
    door: FlightDoor,
    mut closed: watch::Receiver<()>,
    drain_time_max: Duration,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let service =
        FlightServiceServer::new(door).max_decoding_message_size(INCOMING_MESSAGE_BYTES_MAX);
    let incoming =
        TcpIncoming::from(listener).with_nodelay(Some(true)).with_keepalive(Some(KEEPALIVE));
    let serving = server.add_service(service).serve_with_incoming_shutdown(incoming, shutdown);
    let drained = async move {
        // The sender is dropped when the shutdown begins; until then nothing arrives.
        while closed.changed().await.is_ok() {}
        tokio::time::sleep(drain_time_max).await;
    };
    tokio::select! {
        result = serving => result.map_err(ServeError::Transport),
        () = drained => {
            tracing::warn!("statements still ran when the drain time was over; they were ended");
            Ok(())
        }
    }
}

/// Takes over new snapshots, rules and principals as they are published.
async fn keep_fresh(engine: Engine, every: Duration) {
    let mut failing = false;
    loop {
        tokio::time::sleep(every).await;
        match engine.refresh().await {
            Ok(_) => failing = false,
            Err(error) => {
                // Once per outage: a log that repeats itself at every look hides the rest.
                if !failing {
                    tracing::error!(kind = %error.kind(), %error, "cannot take over the newest snapshot; the last one stays");
                }
                failing = true;
            }
        }
    }
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
