use proptest::prelude::*;

use super::*;
use crate::testing::{EDITION, request};

#[test]
fn a_request_is_a_text_that_people_can_read() {
    let text = request("kim", "core outage", 0, 7_200).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "martlet emergency request 1");
    assert_eq!(lines[1], format!("id {}", "07".repeat(16)));
    assert_eq!(lines[2], "principal kim");
    assert_eq!(lines[4], "reason the core is down");
    assert_eq!(lines[5], "from 2026-11-23T00:00:00Z");
    assert_eq!(lines[6], "until 2026-11-23T02:00:00Z");
    assert_eq!(lines.len(), 8);
    let read = EmergencyRequest::parse(&text).unwrap();
    assert_eq!((read.to_string(), read.digest()), (text.clone(), read.digest()));
    let mailed = EmergencyRequest::parse(&text.replace('\n', "\r\n")).unwrap();
    assert_eq!(mailed.digest(), read.digest(), "as mail sends it");
}

#[test]
fn every_word_of_it_is_in_its_digest() {
    let text = request("kim", "core outage", 0, 7_200).to_string();
    let digest = EmergencyRequest::parse(&text).unwrap().digest();
    for (from, to) in [
        ("id 07", "id 08"),
        ("kim", "tim"),
        ("core outage", "core outages"),
        ("the core is", "the core was"),
        ("T00:00:00Z", "T00:00:01Z"),
        ("T02:00:00Z", "T02:00:01Z"),
        ("rules 05", "rules 06"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert_ne!(EmergencyRequest::parse(&changed).unwrap().digest(), digest, "{from}");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let text = request("kim", "core outage", 0, 7_200).to_string();
    for changed in [
        String::new(),
        text.replacen("request 1", "request 2", 1),
        text.replace("principal kim", "principal "),
        text.replace("principal kim", "principal  kim"),
        text.replace("principal kim", "principal k\tm"),
        text.replace("reason the", "reason \u{202e}the"),
        text.replace("reason the core is down", &format!("reason {}", "x".repeat(501))),
        text.replace("T02:00:00Z", "T00:00:00Z"),
        text.replace("T02:00:00Z", "T2:0:0Z"),
        text.replace("rules 05", "rules 5"),
        text.to_uppercase(),
        format!("{text}approved by everybody\n"),
        format!("{text}\n{text}"),
        text.lines().take(7).collect::<Vec<_>>().join("\n"),
    ] {
        assert!(EmergencyRequest::parse(&changed).is_err(), "{changed}");
    }
    let span = Span { from: 0, until: 60 };
    let id = EmergencyId::from_bytes([1; 16]);
    let two_lines = EmergencyRequest::new(id, "kim\naccess all", "x", "y", span, EDITION);
    assert!(two_lines.is_err(), "a name is one line");
    let backwards = Span { from: 60, until: 60 };
    assert!(EmergencyRequest::new(id, "kim", "x", "y", backwards, EDITION).is_err());
    let beyond = Span { from: i64::MAX - 1, until: i64::MAX };
    assert!(EmergencyRequest::new(id, "kim", "x", "y", beyond, EDITION).is_err());
}

#[test]
fn a_span_ends_before_its_end() {
    let span = Span { from: 10, until: 20 };
    assert_eq!([9, 10, 19, 20].map(|at| span.includes(at)), [false, true, true, false]);
    let hour = |until| Span { from: 0, until }.is_longer_than(1);
    assert_eq!([3_600, 3_601].map(hour), [false, true]);
    assert!(Span { from: i64::MIN, until: i64::MAX }.is_longer_than(4));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = EmergencyRequest::parse(&text);
        let _ = EmergencyRequest::parse(&format!("{TITLE}\nid {text}"));
    }
}
