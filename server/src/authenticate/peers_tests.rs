//! One peer is bounded at once and over time, others are not, and the table is bounded too.

use super::*;

fn source(text: &str) -> Source {
    Source::from(text.parse::<IpAddr>().unwrap())
}

#[test]
fn one_peer_cannot_fill_the_queue() {
    let (peers, now) = (Peers::default(), Instant::now());
    let (one, other) = (source("10.0.0.1"), source("10.0.0.2"));
    let mut open: Vec<_> = (0..OPEN_MAX).map(|_| peers.begin(one, now).unwrap()).collect();
    assert_eq!(peers.begin(one, now).unwrap_err(), Refused::TooMany);
    assert!(peers.begin(other, now).is_ok());
    open.pop().unwrap().succeeded();
    assert!(peers.begin(one, now).is_ok());
}

#[test]
fn failures_slow_a_peer_and_time_forgives_them() {
    let (peers, now) = (Peers::default(), Instant::now());
    let one = source("10.0.0.1");
    for _ in 0..FAILURES_MAX {
        drop(peers.begin(one, now).unwrap());
    }
    assert_eq!(peers.begin(one, now).unwrap_err(), Refused::TooMany);
    assert!(peers.begin(source("10.0.0.2"), now).is_ok());
    assert!(peers.begin(one, now + WINDOW).is_ok());
}

#[test]
fn successes_leave_nothing_behind() {
    let (peers, now) = (Peers::default(), Instant::now());
    for _ in 0..=FAILURES_MAX {
        peers.begin(source("10.0.0.1"), now).unwrap().succeeded();
    }
    assert!(peers.lock().is_empty());
}

#[test]
fn one_site_is_one_peer() {
    assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
    assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
    assert_eq!(source("::ffff:10.0.0.1"), source("10.0.0.1"));
}

#[test]
fn many_peers_take_bounded_room_and_shut_nobody_out() {
    let (peers, now) = (Peers::default(), Instant::now());
    for number in 0..PEERS_MAX as u32 + 10 {
        drop(peers.begin(Source(IpAddr::V4(number.into())), now).unwrap());
    }
    assert_eq!(peers.lock().len(), PEERS_MAX);
}
