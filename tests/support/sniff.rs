//! A proxy between client and server that keeps every byte the server sends.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

/// Everything that left the server through one proxy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// The bytes so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    /// Whether the text left, as UTF-8, UTF-16, hex or base64.
    pub(crate) fn contains(&self, text: &str) -> bool {
        use base64::Engine as _;
        let bytes = self.bytes();
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(text);
        [text.as_bytes(), &utf16, hex.as_bytes(), base64.as_bytes()]
            .iter()
            .any(|needle| find(&bytes, needle))
    }
}

pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|window| window == needle)
}

/// Starts a proxy to the server; it lives as long as the runtime.
pub(crate) async fn proxy(server: SocketAddr) -> (SocketAddr, Captured) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let captured = Captured::default();
    let keep = captured.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, server, keep.clone()));
        }
    });
    (address, captured)
}

async fn pass(client: TcpStream, server: SocketAddr, keep: Captured) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
        keep.0.lock().unwrap().extend_from_slice(&buffer[..count]);
        if to_client.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
