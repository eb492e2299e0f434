//! One peer is bounded at once and over time, others are not, and the table is bounded too.

use std::time::Duration;

use super::*;

/// When a failure of now does not count any more.
const FORGIVEN: Duration = Duration::from_secs(COUNTS_FOR as u64 + 1);

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
    assert!(peers.begin(one, now + FORGIVEN).is_ok());
}

#[test]
fn in_no_ten_minutes_one_peer_fails_more_often() {
    let (peers, now) = (Peers::default(), Instant::now());
    let one = source("10.0.0.1");
    let at = |seconds: u64| now + Duration::from_secs(seconds);
    // One at first, and all others at the end of its ten minutes: as soon as these are over, as
    // many again would be twice the bound within a second.
    drop(peers.begin(one, at(0)).unwrap());
    for _ in 1..FAILURES_MAX {
        drop(peers.begin(one, at(599)).unwrap());
    }
    assert_eq!(peers.begin(one, at(600)).unwrap_err(), Refused::TooMany);
    drop(peers.begin(one, at(602)).unwrap());
    assert_eq!(peers.begin(one, at(602)).unwrap_err(), Refused::TooMany, "the first alone is over");
    assert_eq!(peers.begin(one, at(1_100)).unwrap_err(), Refused::TooMany);
    assert!(peers.begin(one, at(1_201)).is_ok());
}

#[test]
fn whoever_tries_all_the_time_fails_a_hundred_times_in_any_ten_minutes() {
    let (peers, now) = (Peers::default(), Instant::now());
    let one = source("10.0.0.1");
    let mut failed = Vec::new();
    for second in 0..4_000_u64 {
        // Some are open for a while.
        let open: Vec<_> = (0..second % 3)
            .filter_map(|_| peers.begin(one, now + Duration::from_secs(second)).ok())
            .collect();
        failed.extend(open.iter().map(|_| second));
    }
    let within = |from: u64| failed.iter().filter(|at| (from..from + 600).contains(at)).count();
    assert!((0..4_000).all(|from| within(from) <= FAILURES_MAX as usize));
    assert!(failed.len() > 600, "time forgives: {}", failed.len());
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
    drop(peers.begin(source("10.0.0.1"), now + FORGIVEN).unwrap());
    assert_eq!(peers.lock().len(), 1, "what is over is forgotten first");
}
