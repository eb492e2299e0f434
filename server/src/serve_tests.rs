//! What is refused before anything is served, and what one connection may hold.

use std::net::Ipv4Addr;

use arrow_flight::flight_service_client::FlightServiceClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::codec::{EncodeBody, EncodeBuf, Encoder};
use tonic::codegen::{Service, http};
use tonic::transport::{Channel, Endpoint};

use super::*;

fn config(folder: &Path, listen: SocketAddr, transport: Transport) -> ServeConfig {
    let journal = Arc::new(Journal::open(folder).unwrap());
    ServeConfig { transport, ..ServeConfig::new(listen, journal) }
}

#[test]
fn plain_text_stays_on_this_machine_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let mut config = config(folder.path(), everywhere, Transport::PlainOnLoopback);
    assert!(matches!(tls_of(&config), Err(ServeError::PlainBeyondLoopback { .. })));
    config.transport = Transport::PlainBehindProxy;
    assert!(tls_of(&config).unwrap().is_none());
    config.transport = Transport::PlainOnLoopback;
    config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    assert!(tls_of(&config).unwrap().is_none());
}

#[test]
fn a_missing_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("server.pem");
    let key = certificate.clone();
    let clients = ClientCertificates::NotAsked;
    let transport = Transport::Tls { certificate, key, clients };
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = config(folder.path(), listen, transport);
    let error = tls_of(&config).unwrap_err();
    assert!(error.to_string().contains("server.pem"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[derive(Debug)]
struct NoRecords;

impl martlet_query::SystemRecords for NoRecords {
    fn audit_records(&self, _limit: usize) -> Result<arrow::record_batch::RecordBatch, String> {
        Err("none".into())
    }
}

#[tokio::test]
async fn a_guard_that_breaks_off_stops_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = config(folder.path(), listen, Transport::PlainOnLoopback);
    let store = martlet_store::Store::open("memory://").unwrap();
    let keys = martlet_policy::TokenKeys::from_master(&[1; 32]);
    let options = martlet_query::EngineOptions::default();
    let engine = Engine::open(store, options, Arc::new(NoRecords), keys).await.unwrap();
    let door = FlightDoor::new(engine, &config, Arc::default()).unwrap();
    let mut guards = Guards::default();
    guards.post("one that stays", std::future::pending());
    let finished = guarded(async { Ok(()) }, &mut guards, &door).await;
    assert!(finished.is_ok(), "nothing broke off");
    guards.post("the alarms", async { panic!("as a bug would") });
    let stopped = guarded(std::future::pending(), &mut guards, &door).await.unwrap_err();
    assert!(stopped.to_string().contains("the alarms broke off"), "{stopped}");
    assert_eq!(stopped.kind(), ErrorKind::Bug);
}

/// A server over an empty mart, on this machine alone.
fn local(folder: &Path) -> ServeConfig {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    config(folder, listen, Transport::PlainOnLoopback)
}

async fn served(config: ServeConfig) -> Serving {
    let store = martlet_store::Store::open("memory://").unwrap();
    let keys = martlet_policy::TokenKeys::from_master(&[1; 32]);
    let options = martlet_query::EngineOptions::default();
    let engine = Engine::open(store, options, Arc::new(NoRecords), keys).await.unwrap();
    serve(engine, config, std::future::pending()).await.unwrap()
}

async fn connected(serving: &Serving) -> Channel {
    let address = format!("http://{}", serving.local_addr());
    Endpoint::from_shared(address).unwrap().connect().await.unwrap()
}

#[tokio::test]
async fn a_stranger_cannot_make_the_server_hold_large_messages() {
    let folder = tempfile::tempdir().unwrap();
    let serving = served(local(folder.path())).await;
    let mut client = FlightServiceClient::new(connected(&serving).await);
    for (bytes, code) in [
        (3 * STATEMENT_BYTES_MAX, tonic::Code::Unauthenticated),
        (5 * STATEMENT_BYTES_MAX, tonic::Code::OutOfRange),
    ] {
        let refused = client.do_get(arrow_flight::Ticket::new(vec![0; bytes])).await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
}

#[tokio::test]
async fn a_connection_is_told_how_many_requests_it_may_have_open() {
    const EMPTY_SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let folder = tempfile::tempdir().unwrap();
    let serving = served(local(folder.path())).await;
    let mut connection = TcpStream::connect(serving.local_addr()).await.unwrap();
    connection.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    connection.write_all(&EMPTY_SETTINGS).await.unwrap();
    let mut frame = [0; 9];
    connection.read_exact(&mut frame).await.unwrap();
    let [0, 0, bytes, 4, ..] = frame else { panic!("no settings: {frame:?}") };
    let mut settings = vec![0; usize::from(bytes)];
    connection.read_exact(&mut settings).await.unwrap();
    let mut streams_max = [0, 3].to_vec();
    streams_max.extend(STREAMS_PER_CONNECTION_MAX.to_be_bytes());
    assert!(settings.chunks_exact(6).any(|setting| setting == streams_max), "{settings:?}");
}

/// Begins a message and sends nothing of it.
struct HeldBack;

impl Encoder for HeldBack {
    type Item = ();
    type Error = tonic::Status;

    fn encode(&mut self, (): (), _: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_that_does_not_arrive_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let request_time_max = Duration::from_millis(100);
    let serving = served(ServeConfig { request_time_max, ..local(folder.path()) }).await;
    let mut channel = connected(&serving).await;
    let never = futures::stream::pending::<Result<(), tonic::Status>>();
    let body = tonic::body::Body::new(EncodeBody::new_client(HeldBack, never, None, None));
    let request = http::Request::post("/arrow.flight.protocol.FlightService/DoGet")
        .header("content-type", "application/grpc")
        .body(body)
        .unwrap();
    std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(30), channel.call(request)).await;
    let answer = answer.expect("it is given up").unwrap();
    assert_eq!(answer.headers()["grpc-status"], (tonic::Code::Cancelled as i32).to_string());
}
