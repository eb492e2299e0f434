//! What is refused before anything is served.

use std::net::Ipv4Addr;

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

#[tokio::test]
async fn a_stranger_cannot_make_the_server_hold_large_messages() {
    use arrow_flight::flight_service_client::FlightServiceClient;

    let folder = tempfile::tempdir().unwrap();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = config(folder.path(), listen, Transport::PlainOnLoopback);
    let store = martlet_store::Store::open("memory://").unwrap();
    let keys = martlet_policy::TokenKeys::from_master(&[1; 32]);
    let options = martlet_query::EngineOptions::default();
    let engine = Engine::open(store, options, Arc::new(NoRecords), keys).await.unwrap();
    let serving = serve(engine, config, std::future::pending()).await.unwrap();
    let address = format!("http://{}", serving.local_addr());
    let channel =
        tonic::transport::Endpoint::from_shared(address).unwrap().connect().await.unwrap();
    let mut client = FlightServiceClient::new(channel);
    for (bytes, code) in [
        (3 * STATEMENT_BYTES_MAX, tonic::Code::Unauthenticated),
        (5 * STATEMENT_BYTES_MAX, tonic::Code::OutOfRange),
    ] {
        let refused = client.do_get(arrow_flight::Ticket::new(vec![0; bytes])).await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
}
