//! Tells alarms to a webhook: one POST of JSON each, answered by a status of 2xx.
//!
//! Owns the little of HTTP/1.1 that this needs. Plain HTTP goes to this machine alone; to others
//! it is HTTPS, proven against the certificates that the officers name and no others. Must
//! never follow a redirect: an alarm goes where it was said to go.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Url};

use super::error::AlarmError;
use crate::trust::{self, NoTrust};

/// How long one telling may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 1_024;

/// Where alarms go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    secure: bool,
    host: String,
    port: u16,
    path: String,
}

impl Target {
    /// Reads a URL: `https://…`, or `http://…` on this machine.
    pub(crate) fn parse(url: &str) -> Result<Self, &'static str> {
        let url = Url::parse(url).map_err(|_| "must be a URL")?;
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err("must begin with https:// or http://"),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "must hold no name or password: everybody who may read the file reads them",
            );
        }
        let (host, is_here) = match url.host() {
            Some(Host::Domain("localhost")) => ("127.0.0.1".to_owned(), true),
            Some(Host::Domain(name)) => (name.to_owned(), false),
            Some(Host::Ipv4(ip)) => (ip.to_string(), ip.is_loopback()),
            Some(Host::Ipv6(ip)) => (ip.to_string(), ip.is_loopback()),
            None => return Err("must name a host"),
        };
        if !secure && !is_here {
            return Err("may be plain http on this machine only: take https");
        }
        let port = url.port_or_known_default().ok_or("must name a port")?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Self { secure, host, port, path })
    }
}

/// A webhook with what it is proven against.
pub(crate) struct Webhook {
    target: Target,
    tls: Option<TlsConnector>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Webhook({}:{})", self.target.host, self.target.port)
    }
}

impl Webhook {
    /// Reads the certificates to believe, where the target is not on this machine.
    pub(crate) fn new(target: Target, certificates: Option<&Path>) -> Result<Self, AlarmError> {
        let tls = match (target.secure, certificates) {
            (true, Some(file)) => Some(connector(file)?),
            (true, None) => {
                let what = "an https webhook needs `webhook_ca`, a PEM file of certificates";
                return Err(AlarmError::Rules(what.to_owned()));
            }
            (false, _) => None,
        };
        Ok(Self { target, tls })
    }

    /// Sends one body; an error says what happened, never the body.
    pub(crate) async fn post(&self, body: &str) -> Result<(), String> {
        match tokio::time::timeout(PATIENCE, self.try_post(body)).await {
            Ok(posted) => posted,
            Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
        }
    }

    async fn try_post(&self, body: &str) -> Result<(), String> {
        let place = (self.target.host.as_str(), self.target.port);
        let tcp = TcpStream::connect(place).await.map_err(|error| error.to_string())?;
        match &self.tls {
            None => exchange(tcp, &self.target, body).await,
            Some(connector) => {
                let name = ServerName::try_from(self.target.host.clone())
                    .map_err(|_| "the host's name is none".to_owned())?;
                let tls = connector.connect(name, tcp).await.map_err(|error| error.to_string())?;
                exchange(tls, &self.target, body).await
            }
        }
    }
}

fn connector(file: &Path) -> Result<TlsConnector, AlarmError> {
    trust::connector(file).map_err(|error| match error {
        NoTrust::Unreadable { path, source } => AlarmError::Unreadable { path, source },
        NoTrust::Wrong { path, what } => {
            AlarmError::Rules(format!("`webhook_ca` {}: {what}", path.display()))
        }
    })
}

async fn exchange<S>(mut stream: S, target: &Target, body: &str) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let host =
        if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: {host}:{}\r\nUser-Agent: martlet\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        target.path,
        target.port,
        body.len()
    );
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    stream.flush().await.map_err(|error| error.to_string())?;
    match status_of(&first_line(&mut stream).await.map_err(|error| error.to_string())?) {
        Some(status) if (200..300).contains(&status) => Ok(()),
        Some(status) => Err(format!("it was answered with status {status}")),
        None => Err("no HTTP answer".to_owned()),
    }
}

/// The answer's first line; the rest says nothing that matters.
async fn first_line<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    let mut part = [0; 256];
    while answer.len() < ANSWER_BYTES_MAX && !answer.contains(&b'\n') {
        let length = stream.read(&mut part).await?;
        if length == 0 {
            break;
        }
        answer.extend_from_slice(&part[..length]);
    }
    Ok(answer)
}

fn status_of(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    let rest = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    rest.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
