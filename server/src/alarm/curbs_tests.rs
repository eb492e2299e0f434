//! Whoever is held stays so, over restarts and damage; and what a cut leaves behind.

use super::super::keeper::ever_held;
use super::super::rules::Curbing;
use super::super::{Alarm, Severity, has_held};
use super::*;
use crate::audit::tests_support::entry;
use crate::audit::{Decision, Ending, Entry, Journal, Outcome};

fn curb(how: Curbed, until: Option<i64>) -> Curb {
    let alarm_id = RecordId::draw().unwrap();
    Curb { how, rule: "rule".into(), alarm_id, since: 0, until }
}

/// Takes up a folder of alarms that never held anybody before.
fn open(folder: &Path) -> Result<Curbs, AlarmError> {
    Curbs::open(folder, TOKENS_LIVE, || Ok(false))
}

const TOKENS_LIVE: Duration = Duration::from_secs(2 * 60 * 60);
const DAY: i64 = 24 * 60 * MINUTE;

const SLOW: Curbed = Curbed::Throttled { pause: 5_000 };

#[test]
fn whoever_is_held_stays_so_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let curbs = open(folder.path()).unwrap();
    curbs.hold("ann", curb(Curbed::Cut, None));
    curbs.hold("bob", curb(SLOW, None));
    assert!(curbs.is_cut("ann") && !curbs.is_cut("bob") && !curbs.is_cut("cas"));
    curbs.keep().unwrap();
    let again = open(folder.path()).unwrap();
    assert!(again.is_cut("ann"));
    assert_eq!(again.pause("bob"), Some(Duration::from_secs(5)));
    assert_eq!(again.pause("ann"), None);
    assert!(again.lift("ann") && !again.lift("ann") && !again.is_cut("ann"));
}

#[test]
fn what_is_over_holds_nobody_and_a_cut_is_not_softened() {
    let folder = tempfile::tempdir().unwrap();
    let curbs = open(folder.path()).unwrap();
    curbs.hold("ann", curb(Curbed::Cut, Some(now_micros() - 1)));
    assert!(!curbs.is_cut("ann"));
    curbs.hold("bob", curb(Curbed::Cut, None));
    curbs.hold("bob", curb(SLOW, None));
    assert!(curbs.is_cut("bob"));
    curbs.keep().unwrap();
    assert_eq!(held(folder.path()).unwrap().len(), 1);
}

#[test]
fn a_throttle_comes_back_when_a_cut_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let curbs = open(folder.path()).unwrap();
    let soon = now_micros() + 300_000;
    curbs.hold("ann", curb(SLOW, None));
    curbs.hold("ann", curb(Curbed::Cut, Some(soon)));
    assert!(curbs.is_cut("ann"));
    curbs.keep().unwrap();
    let again = open(folder.path()).unwrap();
    assert!(again.is_cut("ann"), "both are kept");
    while now_micros() < soon {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!again.is_cut("ann"));
    assert_eq!(again.pause("ann"), Some(Duration::from_secs(5)));
    again.keep().unwrap();
    let left = &held(folder.path()).unwrap()["ann"];
    assert_eq!(left.iter().map(|curb| curb.how).collect::<Vec<_>>(), [SLOW]);
    assert!(again.lift("ann"), "an officer lifts all of it");
    assert_eq!(again.pause("ann"), None);
}

#[test]
fn of_several_the_strictest_counts_and_none_is_kept_for_nothing() {
    let curbs = Curbs::default();
    let (soon, later) = (now_micros() + 1_000_000_000, now_micros() + 2_000_000_000);
    let slower = Curbed::Throttled { pause: 9_000 };
    let kept = || curbs.lock().by_name["ann"].len();
    curbs.hold("ann", curb(SLOW, Some(later)));
    curbs.hold("ann", curb(slower, Some(soon)));
    assert_eq!((curbs.pause("ann"), kept()), (Some(Duration::from_secs(9)), 2));
    curbs.hold("ann", curb(SLOW, Some(soon)));
    assert_eq!(kept(), 2, "it is shorter and no stricter");
    curbs.hold("ann", curb(Curbed::Cut, Some(later)));
    assert_eq!(kept(), 1, "nothing is left of it when that is over");
}

#[test]
fn a_list_of_before_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let one = serde_json::json!({"ann": curb(Curbed::Cut, None)});
    fs::write(folder.path().join(FILE), one.to_string()).unwrap();
    assert!(open(folder.path()).unwrap().is_cut("ann"));
}

#[test]
fn a_damaged_list_is_no_empty_list() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["", "{", "[]", "{\"ann\":{}}"] {
        fs::write(folder.path().join(FILE), text).unwrap();
        assert!(matches!(open(folder.path()), Err(AlarmError::Damaged { .. })), "{text}");
    }
}

#[test]
fn a_cut_is_remembered_when_it_is_lifted_or_over_and_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let curbs = open(folder.path()).unwrap();
    let (now, soon) = (now_micros(), now_micros() + 50_000);
    let second = now / 1_000_000;
    let since = |since: i64, curb: Curb| Curb { since, ..curb };
    curbs.hold("ann", since(now, curb(Curbed::Cut, None)));
    curbs.hold("bob", since(now, curb(Curbed::Cut, Some(soon))));
    curbs.hold("cas", since(now, curb(SLOW, None)));
    curbs.keep().unwrap();
    assert!(curbs.lift("ann"));
    while now_micros() < soon {
        std::thread::sleep(Duration::from_millis(20));
    }
    curbs.keep().unwrap();
    for curbs in [curbs, open(folder.path()).unwrap()] {
        for name in ["ann", "bob"] {
            assert!(!curbs.is_cut(name));
            assert!(curbs.was_cut_since(name, second - 10), "{name}");
            assert!(!curbs.was_cut_since(name, second + 10), "{name}: what is newer is good");
        }
        assert!(!curbs.was_cut_since("cas", 0), "who was slowed down was not cut off");
    }
    // Held again, the later time counts, whichever is said first.
    let again = open(folder.path()).unwrap();
    again.hold("ann", since(now - 100_000_000, curb(Curbed::Cut, None)));
    assert!(again.was_cut_since("ann", second - 10));
}

#[test]
fn a_cut_is_forgotten_when_no_token_of_before_can_live_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
    let cut = |back: i64| Curb { since: now_micros() - back, ..curb(Curbed::Cut, None) };
    let long = Curbs::open(folder.path(), days(100), || Ok(false)).unwrap();
    for (name, back) in [("ann", 101 * DAY), ("bob", 40 * DAY), ("cas", 30 * DAY)] {
        long.hold(name, cut(back));
        long.lift(name);
    }
    long.keep().unwrap();
    let known = |curbs: &Curbs| ["ann", "bob", "cas"].map(|name| curbs.was_cut_since(name, 0));
    assert_eq!(known(&long), [false, true, true]);
    assert_eq!(known(&open(folder.path()).unwrap()), [false, false, true]);
}

#[test]
fn the_list_is_written_from_the_start_on_and_again_when_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let curbs = open(folder.path()).unwrap();
    assert!(file.exists(), "also where nobody is held");
    curbs.hold("ann", curb(Curbed::Cut, None));
    curbs.keep().unwrap();
    fs::remove_file(&file).unwrap();
    curbs.keep().unwrap();
    assert!(open(folder.path()).unwrap().is_cut("ann"));
    fs::remove_dir_all(folder.path()).unwrap();
    curbs.keep().expect("what was written once keeps no alarm off the record");
}

#[test]
fn a_list_that_is_gone_is_no_empty_list() {
    let folder = tempfile::tempdir().unwrap();
    let held = |folder: &Path| Curbs::open(folder, TOKENS_LIVE, || Ok(true));
    let refused = held(folder.path()).unwrap_err();
    assert!(matches!(refused, AlarmError::Missing { .. }), "{refused}");
    assert!(refused.to_string().contains("write {} into it"), "{refused}");
    assert!(!folder.path().join(FILE).exists(), "nor does the next start find one");
    fs::write(folder.path().join(FILE), "{}").unwrap();
    assert!(held(folder.path()).is_ok());
    let unread = || Err(AlarmError::Rules("the journal".into()));
    let empty = tempfile::tempdir().unwrap();
    assert!(Curbs::open(empty.path(), TOKENS_LIVE, unread).is_err(), "what is open is no");
}

#[tokio::test]
async fn the_record_says_whether_anybody_was_ever_held() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let says = async |decision: Decision, statement: &str| {
        let entry = Entry { decision, ..entry("") }.with_statement(statement);
        journal.whole(entry, Ending::without_rows(Outcome::Completed)).await.unwrap();
        ever_held(folder.path()).unwrap()
    };
    let curbing = |curbing| {
        let figures = vec![("customers", 3)];
        let record = RecordId::draw().unwrap();
        let mut alarm = Alarm::for_tests("three", Severity::Medium, figures, record);
        alarm.actions.curbing = curbing;
        alarm.text()
    };
    let cut = curbing(Some(Curbing::Cut));
    assert!(!says(Decision::Alarm, &curbing(None)).await);
    assert!(!says(Decision::Alarm, "lifted by Li (account 7): asked; cut").await);
    assert!(!says(Decision::Allowed, &cut).await, "a statement is no alarm, whatever it says");
    assert!(says(Decision::Alarm, &cut).await);
    let slowed = curbing(Some(Curbing::Throttle { pause: 5_000_000 }));
    assert!(has_held(&slowed), "{slowed}");
}
