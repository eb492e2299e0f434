//! What is gone is held against times that nobody can make older.

use super::*;

const DAY: i64 = 24 * 3_600 * 1_000_000;
const NOW: i64 = 20_000 * DAY;

fn notice(at: i64, last: u64) -> (Place, Pruning) {
    let file = Removed {
        file: "audit-1970-01-02.jsonl".into(),
        bytes: 1,
        digest: crate::audit::hex::Digest::ZERO,
        last: Some(last),
        head: None,
    };
    let place = Place { file: "audit-2024-10-04.jsonl".into(), line: 7, sequence: Some(107) };
    (place, Pruning { at, keeps_days: 180, files: vec![file] })
}

fn noticed(notices: &mut Notices, (place, pruning): (Place, Pruning)) {
    notices.take(place, pruning);
}

#[test]
fn what_is_gone_was_signed_half_a_year_ago_and_not_in_the_future() {
    let limits = Notices::default().limits(NOW, 0, 100);
    assert!(!limits.is_broken_by(50, NOW - 180 * DAY));
    assert!(limits.is_broken_by(50, NOW - 179 * DAY));
    for future in [NOW + DAY, i64::MAX] {
        assert!(limits.is_broken_by(50, future), "a time in the future is no age");
    }
    assert!(limits.is_broken_by(98, NOW) && !limits.is_broken_by(99, NOW), "that is still here");
    let nothing_gone = Notices::default().limits(NOW, 0, 1);
    assert!(!nothing_gone.is_broken_by(1, NOW));
}

#[test]
fn each_line_is_held_against_the_removal_that_took_it() {
    let mut notices = Notices::default();
    noticed(&mut notices, notice(NOW - 1_000 * DAY, 40));
    noticed(&mut notices, notice(NOW - 500 * DAY, 80));
    let limits = notices.limits(NOW, 200, 100);
    for (covers, days) in [(1, 1_180), (40, 1_180), (41, 680), (80, 680), (81, 180)] {
        assert!(!limits.is_broken_by(covers, NOW - days * DAY), "{covers}");
        assert!(limits.is_broken_by(covers, NOW - (days - 1) * DAY), "{covers}");
    }
    let unsigned = notices.limits(NOW, 50, 100);
    assert!(!unsigned.is_broken_by(1, NOW - 180 * DAY), "nobody signed the notices");
}

#[test]
fn a_time_of_a_notice_fits_its_neighbours() {
    let judged = |before: i64, at: i64, behind: i64| {
        let mut notices = Notices::default();
        notices.signed(before);
        noticed(&mut notices, notice(at, 40));
        notices.signed(at);
        notices.signed(behind);
        notices.judged(NOW, 200).into_iter().map(|(_, problem)| problem).collect::<Vec<_>>()
    };
    assert_eq!(judged(NOW - 2, NOW - 1, NOW), []);
    assert_eq!(judged(NOW, NOW - 60_000_000, NOW), [], "clocks are set");
    let wrong = |at| vec![Problem::PrunedAtWrongTime { at }];
    assert_eq!(judged(NOW, NOW - DAY, NOW), wrong(NOW - DAY));
    assert_eq!(judged(NOW - 9 * DAY, NOW - DAY, NOW - 8 * DAY), wrong(NOW - DAY));
    assert_eq!(judged(NOW, NOW + DAY, NOW + DAY), wrong(NOW + DAY), "it lies in the future");
    assert_eq!(judged(NOW, NOW + 9_000 * DAY, NOW), wrong(NOW + 9_000 * DAY));
}

#[test]
fn what_is_found_says_what_and_when() {
    let (_, pruning) = notice(3 * DAY, 40);
    let early = too_young(&pruning).unwrap();
    assert_eq!(
        early.to_string(),
        "1 files, the newest of them audit-1970-01-02.jsonl, were removed at 1970-01-04 00:00 UTC \
         and were not 180 days old"
    );
    let wrong = Problem::PrunedAtWrongTime { at: NOW };
    assert!(wrong.to_string().contains("2024-10-04 00:00 UTC"), "{wrong}");
}
