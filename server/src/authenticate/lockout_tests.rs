//! Ten failures lock, a success forgets, waiting unlocks, and parallel attempts gain nothing.

use super::*;

fn open<'a>(lockout: &'a Lockout, now: Instant) -> Option<OpenAttempt<'a>> {
    match lockout.attempt("teller", now) {
        Attempt::Open(attempt) => Some(attempt),
        Attempt::Locked => None,
        Attempt::Unknown => panic!("the table knows no unknown names"),
    }
}

fn fail(lockout: &Lockout, times: u32) {
    for _ in 0..times {
        drop(open(lockout, Instant::now()).expect("not locked yet"));
    }
}

#[test]
fn ten_failures_lock_the_name_and_no_other() {
    let lockout = Lockout::new();
    fail(&lockout, FAILURES_MAX);
    assert!(open(&lockout, Instant::now()).is_none());
    assert!(matches!(lockout.attempt("manager", Instant::now()), Attempt::Open(_)));
}

#[test]
fn a_success_forgets_earlier_failures() {
    let lockout = Lockout::new();
    fail(&lockout, FAILURES_MAX - 1);
    open(&lockout, Instant::now()).unwrap().succeeded();
    fail(&lockout, FAILURES_MAX - 1);
    assert!(open(&lockout, Instant::now()).is_some());
}

#[test]
fn waiting_unlocks() {
    let lockout = Lockout::new();
    fail(&lockout, FAILURES_MAX);
    let almost = Instant::now() + LOCKED_FOR - Duration::from_secs(60);
    assert!(open(&lockout, almost).is_none());
    assert!(open(&lockout, Instant::now() + LOCKED_FOR).is_some());
}

#[test]
fn attempts_at_the_same_time_are_counted_before_they_end() {
    let lockout = Lockout::new();
    let now = Instant::now();
    let pending: Vec<_> = (0..FAILURES_MAX).filter_map(|_| open(&lockout, now)).collect();
    assert_eq!(pending.len(), FAILURES_MAX as usize);
    assert!(open(&lockout, now).is_none());
}

#[test]
fn a_name_that_signs_in_leaves_nothing_behind() {
    let lockout = Lockout::new();
    open(&lockout, Instant::now()).unwrap().succeeded();
    assert!(lockout.lock().is_empty());
}
