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
    let transport = Transport::Tls { certificate: certificate.clone(), key: certificate.clone() };
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = config(folder.path(), listen, transport);
    let error = tls_of(&config).unwrap_err();
    assert!(error.to_string().contains("server.pem"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
