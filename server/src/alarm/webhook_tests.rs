//! A post arrives, is taken by a status of success alone, and goes nowhere unproven.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

const SERVER: &[u8] = include_bytes!("test_certificates/server.pem");
const SERVER_KEY: &[u8] = include_bytes!("test_certificates/server.key");
const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/alarm/test_certificates/ca.pem");
const ANOTHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/alarm/test_certificates/other.pem");

/// Answers one request and gives what was asked.
async fn answered(answer: &'static str) -> (Result<(), String>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4_096];
        let length = stream.read(&mut asked).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(asked[..length].to_vec()).unwrap()
    });
    let target = Target::parse(&format!("http://{address}/alarms?a=b")).unwrap();
    let posted = Webhook::new(target, None).unwrap().post("{\"rule\":1}").await;
    (posted, server.await.unwrap())
}

#[tokio::test]
async fn a_post_is_taken_by_a_status_of_success_alone() {
    let (posted, asked) = answered("HTTP/1.1 204 No Content\r\n\r\n").await;
    posted.unwrap();
    assert!(asked.starts_with("POST /alarms?a=b HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("Content-Length: 10\r\n") && asked.ends_with("\r\n\r\n{\"rule\":1}"));
    for refusal in [
        "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n",
        "HTTP/1.1 500 Oh\r\n\r\n",
        "nonsense",
        "",
    ] {
        answered(refusal).await.0.unwrap_err();
    }
}

#[test]
fn plain_text_stays_on_this_machine() {
    for here in ["http://localhost:8080/x", "http://127.0.0.1/", "http://[::1]:9/"] {
        assert!(Target::parse(here).is_ok(), "{here}");
    }
    assert!(Target::parse("https://alarms.bank.example/in").is_ok());
    for wrong in
        ["http://alarms.bank.example/", "http://10.0.0.5/", "ftp://a/", "x", "https://a:b@c/"]
    {
        assert!(Target::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn without_certificates_nothing_is_believed() {
    let target = Target::parse("https://127.0.0.1/").unwrap();
    assert!(Webhook::new(target.clone(), None).is_err());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    for text in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&file, text).unwrap();
        assert!(Webhook::new(target.clone(), Some(&file)).is_err(), "{text}");
    }
}

fn acceptor() -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(SERVER).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Posts over TLS, believing these certificates; gives what the server read.
async fn posted_over_tls(believed: &str) -> (Result<(), String>, Option<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor().accept(stream).await.ok()?;
        let mut asked = vec![0; 4_096];
        let length = stream.read(&mut asked).await.ok().filter(|length| *length > 0)?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
        stream.shutdown().await.ok()?;
        String::from_utf8(asked[..length].to_vec()).ok()
    });
    let target = Target::parse(&format!("https://{address}/in")).unwrap();
    let webhook = Webhook::new(target, Some(Path::new(believed))).unwrap();
    let posted = webhook.post("{\"rule\":1}").await;
    (posted, server.await.unwrap())
}

#[tokio::test]
async fn over_tls_an_alarm_goes_to_whom_it_is_meant_for_and_to_nobody_else() {
    let (posted, read) = posted_over_tls(AUTHORITY).await;
    posted.unwrap();
    assert!(read.unwrap().ends_with("{\"rule\":1}"));
    let (posted, read) = posted_over_tls(ANOTHER).await;
    assert!(posted.unwrap_err().contains("certificate"));
    assert_eq!(read, None, "not a byte of it");
}
