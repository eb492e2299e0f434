//! Tells alarms to syslog, in the form of RFC 5424, as one datagram each.
//!
//! Owns the form. A datagram that was sent is not a datagram that was received: whoever needs
//! to be sure takes the webhook or the file.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;
use tokio::net::{UdpSocket, UnixDatagram};

/// Facility 10 of RFC 5424: security and authorization messages.
const FACILITY: u8 = 10;

/// Where syslog listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Udp(SocketAddr),
    Unix(PathBuf),
}

impl Target {
    /// Reads `udp://10.0.0.5:514` or `unix:///dev/log`.
    pub(crate) fn parse(place: &str) -> Result<Self, &'static str> {
        let wrong = "must be \"udp://ADDRESS:PORT\" (an address, no name) or \"unix:///PATH\"";
        if let Some(address) = place.strip_prefix("udp://") {
            return address.parse().map(Self::Udp).map_err(|_| wrong);
        }
        match place.strip_prefix("unix://") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            _ => Err(wrong),
        }
    }

    /// Sends one alarm.
    pub(crate) async fn send(&self, alarm: &Value) -> Result<(), String> {
        let message = message(alarm);
        let sent = match self {
            Self::Udp(address) => {
                let own: SocketAddr = match address {
                    SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
                    SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
                };
                match UdpSocket::bind(own).await {
                    Ok(socket) => socket.send_to(message.as_bytes(), address).await,
                    Err(error) => Err(error),
                }
            }
            Self::Unix(path) => match UnixDatagram::unbound() {
                Ok(socket) => socket.send_to(message.as_bytes(), path).await,
                Err(error) => Err(error),
            },
        };
        sent.map(|_| ()).map_err(|error| error.to_string())
    }
}

/// `<PRIORITY>1 TIME HOST PROGRAM PROCESS KIND - TEXT`.
fn message(alarm: &Value) -> String {
    let text = |field: &str| plain(alarm.get(field).and_then(Value::as_str).unwrap_or("-"));
    let level = match text("severity").as_str() {
        "high" => 2,
        "medium" => 4,
        _ => 5,
    };
    let figures = alarm.get("figures").and_then(Value::as_object);
    let figures: String = figures
        .into_iter()
        .flatten()
        .map(|(name, value)| format!(" {}={}", plain(name), plain(&value.to_string())))
        .collect();
    let at = alarm.get("at").and_then(Value::as_str).map_or_else(|| "-".to_owned(), plain);
    format!(
        "<{}>1 {at} - martlet {} alarm - rule=\"{}\" principal=\"{}\" severity=\"{}\"{figures} \
         record_id={} alarm_id={}",
        FACILITY * 8 + level,
        std::process::id(),
        text("rule"),
        text("principal"),
        text("severity"),
        text("record_id"),
        text("alarm_id"),
    )
}

/// Names come from the feed; none of them may end a field or a line.
fn plain(text: &str) -> String {
    let one = |character: char| {
        if character.is_control() || matches!(character, '"' | '\\') { '_' } else { character }
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_has_the_form_of_the_standard() {
        let alarm = json!({
            "rule": "off-hours", "severity": "high", "at": "2026-11-22T05:00:00.000001Z",
            "principal": "ann\" x\n", "figures": {"rows": 12}, "record_id": "r1", "alarm_id": "a1",
        });
        let process = std::process::id();
        assert_eq!(
            message(&alarm),
            format!(
                "<82>1 2026-11-22T05:00:00.000001Z - martlet {process} alarm - rule=\"off-hours\" \
                 principal=\"ann_ x_\" severity=\"high\" rows=12 record_id=r1 alarm_id=a1"
            )
        );
    }

    #[test]
    fn a_place_is_an_address_or_a_path() {
        assert!(Target::parse("udp://127.0.0.1:514").is_ok());
        assert!(Target::parse("udp://[::1]:514").is_ok());
        assert!(Target::parse("unix:///dev/log").is_ok());
        for wrong in ["", "udp://host:514", "udp://127.0.0.1", "unix://log", "tcp://127.0.0.1:514"]
        {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_datagram_arrives_at_a_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let socket = UnixDatagram::bind(&path).unwrap();
        let target = Target::parse(&format!("unix://{}", path.display())).unwrap();
        target.send(&json!({"rule": "crowd", "severity": "low"})).await.unwrap();
        let mut bytes = [0; 1_024];
        let length = socket.recv(&mut bytes).await.unwrap();
        assert!(String::from_utf8_lossy(&bytes[..length]).starts_with("<85>1 - - martlet"));
    }
}
