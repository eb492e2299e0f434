//! An alarm that cannot be sent stays, and one that was sent is not sent again.

use std::net::UdpSocket;

use serde_json::json;

use super::*;

fn alarm(rule: &str, actions: &[&str]) -> Value {
    json!({"rule": rule, "severity": "high", "principal": "ann", "at": "2026-11-22T05:00:00Z",
           "figures": {"rows": 5}, "record_id": "r", "alarm_id": "a", "actions": actions})
}

fn syslog() -> (UdpSocket, Receiver) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let place = format!("udp://{}", socket.local_addr().unwrap());
    (socket, Receiver::Syslog(syslog::Target::parse(&place).unwrap()))
}

fn next(socket: &UdpSocket) -> String {
    let mut bytes = [0; 2_048];
    let length = socket.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn every_alarm_that_is_to_be_sent_is_sent_once() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path());
    outbox.append(&alarm("first", &["recorded", "notified"])).unwrap();
    outbox.append(&alarm("silent", &["recorded"])).unwrap();
    let (socket, receiver) = syslog();
    outbox.tell_rest(&receiver).await.unwrap();
    assert!(next(&socket).contains("rule=\"first\""));
    outbox.append(&alarm("second", &["recorded", "notified"])).unwrap();
    Outbox::open(folder.path()).tell_rest(&receiver).await.unwrap();
    assert!(next(&socket).contains("rule=\"second\""), "neither the silent one nor the first");
}

#[tokio::test]
async fn what_is_not_taken_stays() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path());
    outbox.append(&alarm("first", &["notified"])).unwrap();
    // Nobody listens there: the port was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = webhook::Target::parse(&format!("http://{free}/")).unwrap();
    let gone = Receiver::Webhook(webhook::Webhook::new(target, None).unwrap());
    outbox.tell_rest(&gone).await.unwrap_err();
    assert_eq!(read_cursor(&folder.path().join("webhook.cursor")).unwrap(), 0);
}

#[tokio::test]
async fn a_torn_line_takes_no_other_with_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), "{\"rule\":\"to").unwrap();
    let outbox = Outbox::open(folder.path());
    let (socket, receiver) = syslog();
    outbox.tell_rest(&receiver).await.unwrap();
    outbox.append(&alarm("whole", &["notified"])).unwrap();
    outbox.tell_rest(&receiver).await.unwrap();
    assert!(next(&socket).contains("rule=\"whole\""));
    assert_eq!(newest(folder.path(), 5).unwrap().len(), 2);
}
