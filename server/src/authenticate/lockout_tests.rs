//! Ten failures lock, a success forgets, waiting unlocks, and parallel attempts gain nothing.

use super::*;

fn open<'a>(lockout: &'a Lockout, now: Instant) -> Option<OpenAttempt<'a>> {
    match lockout.attempt("teller", None, now) {
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
    assert!(matches!(lockout.attempt("manager", None, Instant::now()), Attempt::Open(_)));
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

fn source(number: u32) -> Option<Source> {
    Some(Source::from(std::net::IpAddr::V4(number.into())))
}

#[test]
fn a_stranger_locks_a_name_for_itself_only() {
    let lockout = Lockout::new();
    let now = Instant::now();
    for _ in 0..FAILURES_MAX {
        assert!(matches!(lockout.attempt("teller", source(1), now), Attempt::Open(_)));
    }
    assert!(matches!(lockout.attempt("teller", source(1), now), Attempt::Locked));
    let Attempt::Open(owner) = lockout.attempt("teller", source(2), now) else {
        panic!("the owner is shut out");
    };
    owner.succeeded();
    assert!(matches!(lockout.attempt("teller", source(1), now), Attempt::Locked));
}

#[test]
fn strangers_from_everywhere_lock_a_name_for_all() {
    let lockout = Lockout::new();
    let now = Instant::now();
    for number in 0..FAILURES_PER_NAME_MAX {
        assert!(matches!(lockout.attempt("teller", source(number), now), Attempt::Open(_)));
    }
    assert!(matches!(lockout.attempt("teller", source(1_000), now), Attempt::Locked));
    assert!(lockout.lock()["teller"].len() <= FAILURES_PER_NAME_MAX as usize);
    let later = Instant::now() + LOCKED_FOR;
    assert!(matches!(lockout.attempt("teller", source(1_000), later), Attempt::Open(_)));
}

#[test]
fn what_nobody_looked_at_is_neither_a_failure_nor_a_success() {
    let lockout = Lockout::new();
    fail(&lockout, FAILURES_MAX - 1);
    for _ in 0..FAILURES_MAX * 2 {
        open(&lockout, Instant::now()).unwrap().untried();
    }
    let last = open(&lockout, Instant::now()).expect("nothing was counted");
    drop(last);
    assert!(open(&lockout, Instant::now()).is_none(), "and nothing was forgotten");
}
