//! Each kind of rule is met by what it is for, once, and not by its neighbour.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::*;
use crate::alarm::clock::{MINUTE, SECOND, day_of};
use crate::alarm::people::Person;
use crate::audit::SIGN_IN;
use crate::audit::tests_support::entry;

/// Monday, 2 March 2026, at ten o'clock.
fn monday() -> i64 {
    i64::from(day_of(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap())) * DAY + 10 * 60 * MINUTE
}

fn person(role: &str, leaving: Option<i32>) -> Person {
    let nodes = Some(Arc::new(BTreeSet::from(["a".to_owned()])));
    Person { roles: BTreeSet::from([role.to_owned()]), nodes, leaving }
}

/// A watch with one rule, and a few people to keep it busy.
struct Scene {
    watch: Watch,
    at: i64,
}

impl Scene {
    fn with(rule: &str) -> Self {
        let text = format!("keys = [\"k\"]\nnodes = [\"outlet\"]\n[[rule]]\nname = \"it\"\n{rule}");
        let rules = Rules::parse(&text).unwrap_or_else(|error| panic!("{error}"));
        let at = monday();
        let soon = Some(day_of(NaiveDate::from_ymd_opt(2026, 3, 9).unwrap()));
        let mut people: Vec<(String, Person)> =
            (0..20).map(|number| (format!("t{number}"), person("teller", None))).collect();
        people.push(("leaver".into(), person("teller", soon)));
        people.push(("service".into(), person("service", None)));
        Self { watch: Watch::new(rules, People::of(people), [1; 32]), at }
    }

    /// One statement from its beginning to its end, a second later than the one before.
    fn ask(&mut self, who: &str, sql: &str, rows: u64) -> usize {
        self.at += SECOND;
        let mut record = Entry { principal: who.into(), at: self.at, ..entry(sql) };
        record.fingerprint = Some(sql.split(" WHERE ").next().unwrap_or_default().to_owned());
        let begun = self.watch.begun(&record).len();
        let ending = Ending { rows, ..Ending::without_rows(Outcome::Completed) };
        begun + self.watch.ended(&record.record_id, self.at + 1, &ending).len()
    }

    fn refuse(&mut self, who: &str, text: &str, decision: Decision) -> usize {
        self.at += SECOND;
        let record = Entry { principal: who.into(), at: self.at, decision, ..entry(text) };
        self.watch.whole(&record).len()
    }

    fn refuse_sign_in(&mut self, who: &str) -> usize {
        self.at += SECOND;
        let (method, decision) = (Some("password".into()), Decision::Denied);
        let entry = Entry { method, decision, ..entry(SIGN_IN) };
        self.watch.whole(&Entry { principal: who.into(), at: self.at, ..entry }).len()
    }

    fn next_day(&mut self) {
        self.at += DAY;
    }
}

fn key(number: u64) -> String {
    format!("SELECT 1 WHERE k = {number}")
}

#[test]
fn more_rows_than_ones_own_month_are_told_once_a_day() {
    let mut scene = Scene::with("kind = \"usual\"\nfactor = 3\nfloor = 100\nnewcomer = 50\n");
    for _ in 0..10 {
        assert_eq!(scene.ask("t1", "SELECT 1", 80), 0);
        scene.next_day();
    }
    assert_eq!(scene.ask("t1", "SELECT 1", 200), 0);
    assert_eq!(scene.ask("t1", "SELECT 1", 41), 1, "241 are more than three times 80");
    assert_eq!(scene.ask("t1", "SELECT 1", 5_000), 0, "told already");
    scene.next_day();
    assert_eq!(scene.ask("t1", "SELECT 1", 5_000), 1);
}

/// Else whoever was held for an hour would be free for the rest of the day.
#[test]
fn whoever_is_held_for_a_time_is_held_again_when_it_is_over() {
    let rule = "kind = \"many\"\ncounted = \"refusals\"\ncount = 3\nwindow = \"1h\"\n";
    let held = format!("{rule}actions = [\"cut\"]\nfor = \"10m\"\n");
    for (rule, again) in [(rule, 0), (held.as_str(), 1)] {
        let mut scene = Scene::with(rule);
        assert_eq!(
            (0..3).map(|_| scene.refuse("t1", "SELECT x", Decision::Denied)).sum::<usize>(),
            1
        );
        assert_eq!(
            (0..3).map(|_| scene.refuse("t1", "SELECT x", Decision::Denied)).sum::<usize>(),
            0,
            "at once"
        );
        scene.at += 11 * MINUTE;
        assert_eq!(
            (0..3).map(|_| scene.refuse("t1", "SELECT x", Decision::Denied)).sum::<usize>(),
            again
        );
    }
}

#[test]
fn a_newcomer_is_held_against_the_figure_of_the_file_and_then_against_its_peers() {
    let rule = "kind = \"usual\"\nfactor = 2\nfloor = 10\nnewcomer = 50\n";
    let mut scene = Scene::with(rule);
    assert_eq!(scene.ask("t1", "SELECT 1", 150), 0, "people differ more than days do");
    assert_eq!(scene.ask("t1", "SELECT 1", 1), 1);
    let mut scene = Scene::with(rule);
    for _ in 0..6 {
        (2..10).for_each(|peer| {
            scene.ask(&format!("t{peer}"), "SELECT 1", 99);
        });
        scene.next_day();
    }
    assert_eq!(scene.ask("t1", "SELECT 1", 297), 0, "three times the 99 of its peers");
    assert_eq!(scene.ask("t1", "SELECT 1", 1), 1);
}

#[test]
fn a_day_on_which_everybody_has_more_to_do_is_no_deed() {
    let mut scene = Scene::with("kind = \"usual\"\nfactor = 2\nfloor = 10\n");
    for _ in 0..10 {
        (0..10).for_each(|who| assert_eq!(scene.ask(&format!("t{who}"), "SELECT 1", 10), 0));
        scene.next_day();
    }
    let alarms: usize = (0..10).map(|who| scene.ask(&format!("t{who}"), "SELECT 1", 15)).sum();
    assert_eq!(alarms, 0);
    scene.at += 11 * MINUTE;
    let alarms: usize = (0..10).map(|who| scene.ask(&format!("t{who}"), "SELECT 1", 10)).sum();
    assert_eq!(alarms, 0, "25 of all: a half more than usual raises the limit to 30");
    scene.at += 11 * MINUTE;
    assert_eq!(scene.ask("t0", "SELECT 1", 60), 1);
}

#[test]
fn rows_are_counted_while_a_statement_still_sends_and_only_once() {
    let mut scene = Scene::with("kind = \"usual\"\nfactor = 1\nfloor = 100\nnewcomer = 1\n");
    let record = Entry { principal: "t1".into(), at: scene.at, ..entry("SELECT 1") };
    assert!(scene.watch.begun(&record).is_empty());
    assert!(scene.watch.sent(&record.record_id, scene.at + 1, 60).is_empty());
    assert_eq!(scene.watch.sent(&record.record_id, scene.at + 2, 101).len(), 1);
    let ending = Ending { rows: 120, ..Ending::without_rows(Outcome::Cancelled) };
    scene.watch.ended(&record.record_id, scene.at + 3, &ending);
    let who = scene.watch.by_name["t1"];
    assert_eq!(scene.watch.ledgers[who].today.rows, 120);
}

#[test]
fn the_sum_of_a_month_is_held_against_peers() {
    let rule = "kind = \"usual\"\nfactor = 3\nfloor = 50\ndays = 30\nagainst = \"peers\"\nquiet = \"7d\"\n";
    let mut scene = Scene::with(rule);
    let mut alarms = 0;
    for _ in 0..20 {
        (2..10).for_each(|peer| {
            scene.ask(&format!("t{peer}"), "SELECT 1", 10);
        });
        alarms += scene.ask("t1", "SELECT 1", 40);
        scene.next_day();
    }
    assert!((1..=3).contains(&alarms), "{alarms}: four times as much, said once a week");
}

#[test]
fn who_leaves_has_a_rule_of_its_own_and_roles_choose() {
    let rule = "kind = \"usual\"\nfactor = 1\nfloor = 10\nleaving_within_days = 14\n";
    let mut scene = Scene::with(rule);
    assert_eq!(scene.ask("t1", "SELECT 1", 50), 0);
    assert_eq!(scene.ask("leaver", "SELECT 1", 50), 1);
    let mut scene = Scene::with(&rule.replace("14", "3"));
    assert_eq!(scene.ask("leaver", "SELECT 1", 50), 0, "not yet");
    let about = "kind = \"usual\"\nfactor = 1\nfloor = 10\n";
    let mut scene = Scene::with(&format!("{about}except_roles = [\"service\"]\n"));
    assert_eq!((scene.ask("service", "SELECT 1", 50), scene.ask("t1", "SELECT 1", 50)), (0, 1));
    let mut scene = Scene::with(&format!("{about}names = [\"t2\"]\n"));
    assert_eq!((scene.ask("t1", "SELECT 1", 50), scene.ask("t2", "SELECT 1", 50)), (0, 1));
}

#[test]
fn work_at_night_or_on_a_free_day_is_told_beyond_the_floor() {
    let rule = "kind = \"off_hours\"\nfrom = \"22:00\"\nuntil = \"06:00\"\nrows = 100\nkeys = 3\n";
    let mut scene = Scene::with(rule);
    assert_eq!(scene.ask("t1", "SELECT 1", 1_000), 0, "at ten in the morning");
    scene.at += 13 * 60 * MINUTE;
    assert_eq!(scene.ask("t1", "SELECT 1", 60), 0);
    scene.at += 2 * 60 * MINUTE;
    assert_eq!(scene.ask("t1", "SELECT 1", 60), 1, "the same night");
    for number in 0..3 {
        assert_eq!(scene.ask("t2", &key(number), 1), 0);
    }
    assert_eq!(scene.ask("t2", &key(9), 1), 1);
    let mut saturday = Scene::with(rule);
    saturday.at += 5 * DAY;
    assert_eq!(saturday.ask("t1", "SELECT 1", 101), 1);
    let mut saturday = Scene::with(&format!("{rule}free_days = false\n"));
    saturday.at += 5 * DAY;
    assert_eq!(saturday.ask("t1", "SELECT 1", 101), 0);
}

#[test]
fn one_customer_and_many_principals_are_a_crowd() {
    let mut scene = Scene::with("kind = \"crowd\"\nprincipals = 3\nwindow = \"1h\"\n");
    assert_eq!(scene.ask("t1", &key(7), 1) + scene.ask("t1", &key(7), 1), 0);
    assert_eq!(scene.ask("t2", &key(7), 1) + scene.ask("t3", &key(8), 1), 0);
    assert_eq!(scene.ask("t3", &key(7), 1), 1);
    assert_eq!(scene.ask("t4", &key(7), 1), 0, "one crowd is one alarm");
}

#[test]
fn many_customers_in_an_hour_are_an_enumeration() {
    let mut scene =
        Scene::with("kind = \"many\"\ncounted = \"keys\"\ncount = 5\nwindow = \"1h\"\n");
    let asked: usize = (0..20).map(|number| scene.ask("t1", &key(number % 4), 1)).sum();
    assert_eq!(asked, 0, "four customers, however often");
    assert_eq!(scene.ask("t1", &key(99), 1), 1);
    let list = "SELECT 1 WHERE k IN (1, 2, 3, 4, 5)";
    assert_eq!(scene.ask("t2", list, 1), 1, "in one statement as in many");
    let not = "SELECT 1 WHERE k NOT IN (1, 2, 3, 4, 5)";
    assert_eq!(scene.ask("t3", not, 1), 0);
}

#[test]
fn many_large_answers_are_told_and_many_small_ones_are_not() {
    let rule = "kind = \"many\"\ncounted = \"large\"\nrows = 100\ncount = 3\nwindow = \"1h\"\n";
    let mut scene = Scene::with(rule);
    assert_eq!((0..9).map(|_| scene.ask("t1", "SELECT 1", 99)).sum::<usize>(), 0);
    assert_eq!((0..3).map(|_| scene.ask("t1", "SELECT 1", 100)).sum::<usize>(), 1);
}

#[test]
fn the_largest_answer_has_a_usual_size() {
    let rule = "kind = \"usual\"\nfigure = \"largest\"\nfactor = 2\nfloor = 10\n";
    let mut scene = Scene::with(rule);
    for _ in 0..8 {
        assert_eq!((0..9).map(|_| scene.ask("t1", "SELECT 1", 10)).sum::<usize>(), 0);
        scene.next_day();
    }
    assert_eq!(scene.ask("t1", "SELECT 1", 20), 0);
    assert_eq!(scene.ask("t1", "SELECT 1", 21), 1);
}

#[test]
fn a_little_more_each_day_is_much_in_a_week() {
    let rule =
        "kind = \"usual\"\nfigure = \"keys\"\ndays = 7\nfactor = 1.5\nfloor = 20\nnewcomer = 100\n";
    let mut scene = Scene::with(rule);
    let mut alarms = Vec::new();
    for day in 0..20 {
        let customers = if day < 14 { 10 } else { 17 };
        alarms.push((0..customers).map(|number| scene.ask("t1", &key(number), 1)).sum::<usize>());
        scene.next_day();
    }
    assert_eq!(alarms[6..18].iter().sum::<usize>(), 0, "{alarms:?}");
    assert!(alarms[18] + alarms[19] > 0, "{alarms:?}");
}

#[test]
fn numbers_that_follow_each_other_are_a_sequence_in_any_order() {
    let mut scene = Scene::with("kind = \"sequence\"\ncount = 5\nstep = 2\nwindow = \"1h\"\n");
    let far: usize = (0..20).map(|number| scene.ask("t1", &key(number * 10), 0)).sum();
    assert_eq!(far, 0);
    let near: usize = [8, 2, 0, 6, 4].map(|number| scene.ask("t2", &key(number), 0)).iter().sum();
    assert_eq!(near, 1);
}

#[test]
fn look_ups_that_find_nothing_are_misses() {
    let rule = "kind = \"many\"\ncounted = \"misses\"\ncount = 4\nshare = 0.5\nwindow = \"1h\"\n";
    let mut scene = Scene::with(rule);
    for number in 0..12 {
        assert_eq!(scene.ask("t1", &key(number), u64::from(number % 3 > 0)), 0, "a third");
    }
    let guessed: usize = (0..6).map(|number| scene.ask("t2", &key(number), 0)).sum();
    assert_eq!(guessed, 1);
}

#[test]
fn ones_own_branch_nearly_absent_is_told() {
    let rule = "kind = \"own_node\"\ncount = 4\nshare = 0.2\nwindow = \"1h\"\n";
    let mut scene = Scene::with(rule);
    let named = |code: &str| format!("SELECT 1 WHERE outlet = '{code}'");
    for code in ["a", "b", "c", "d"] {
        assert_eq!(scene.ask("t1", &named(code), 0), 0);
    }
    let foreign: usize =
        ["b", "c", "d", "e"].iter().map(|code| scene.ask("t2", &named(code), 0)).sum();
    assert_eq!(foreign, 1);
    assert_eq!(scene.ask("t1", &named("e"), 0), 1, "one's own is one in five");
}

#[test]
fn many_questions_about_one_person_are_told() {
    let rule = "kind = \"narrow\"\nshapes = 4\nrows = 10\nwindow = \"1h\"\n";
    let mut scene = Scene::with(rule);
    let shape = |number: u64, customer: u64| format!("SELECT {number} WHERE k <> {customer}");
    for number in 0..3 {
        assert_eq!(scene.ask("t1", &shape(number, 7), 1), 0);
        assert_eq!(scene.ask("t1", &shape(0, 7), 1), 0, "the same question again");
        assert_eq!(scene.ask("t1", &shape(number, 8), 1), 0, "about another");
        assert_eq!(scene.ask("t1", &shape(number + 10, 7), 11), 0, "a long answer");
    }
    assert_eq!(scene.ask("t1", &shape(3, 7), 1), 1);
}

#[test]
fn an_export_and_then_an_attempt_to_delete_are_told() {
    let rule = "kind = \"export_then_delete\"\nrows = 1000\nwindow = \"1h\"\n";
    for decision in [Decision::Denied, Decision::Failed] {
        let mut scene = Scene::with(rule);
        assert_eq!(scene.refuse("t1", "DELETE FROM t", decision), 0, "nothing has left");
        (0..3).for_each(|_| assert_eq!(scene.ask("t1", "SELECT 1", 400), 0));
        (0..2_000).for_each(|_| assert_eq!(scene.ask("t1", "SELECT 2", 1), 0));
        scene.at -= 2_000 * SECOND;
        assert_eq!(scene.refuse("t1", "SELECT x", decision), 0);
        assert_eq!(scene.refuse("t1", " delete from t", decision), 1);
        assert_eq!(scene.refuse("t2", "DELETE FROM t", decision), 0);
    }
}

#[test]
fn two_places_at_once_are_told_and_a_move_is_not() {
    let mut scene = Scene::with("kind = \"two_places\"\nwindow = \"15m\"\n");
    let from = |scene: &mut Scene, peer: &str| {
        scene.at += SECOND;
        let record =
            Entry { principal: "t1".into(), peer: peer.into(), at: scene.at, ..entry("SELECT 1") };
        scene.watch.begun(&record).len()
    };
    assert_eq!(from(&mut scene, "10.0.1.5:1"), 0);
    assert_eq!(from(&mut scene, "10.0.1.9:1"), 0, "the same place");
    scene.at += 20 * MINUTE;
    assert_eq!(from(&mut scene, "10.0.2.5:1"), 0, "somebody moved");
    scene.at += 20 * MINUTE;
    assert_eq!(from(&mut scene, "10.0.1.5:1"), 0, "and back");
    assert_eq!(from(&mut scene, "10.0.3.5:1"), 1);
}

#[test]
fn refusals_are_counted_and_strangers_share_one_count() {
    let rule = "kind = \"many\"\ncounted = \"refusals\"\ncount = 3\nwindow = \"1h\"\n";
    let mut scene = Scene::with(rule);
    assert_eq!((0..9).map(|_| scene.refuse("t1", "SELEC", Decision::Failed)).sum::<usize>(), 0);
    assert_eq!((0..3).map(|_| scene.refuse("t1", "SELECT x", Decision::Denied)).sum::<usize>(), 1);
    assert_eq!((0..3).map(|_| scene.refuse("t2", SIGN_IN, Decision::Denied)).sum::<usize>(), 1);
    let mut scene = Scene::with(&rule.replace("refusals", "sign_ins"));
    assert_eq!((0..9).map(|_| scene.refuse("x1", SIGN_IN, Decision::Denied)).sum::<usize>(), 0);
    let tried: usize = (0..500).map(|number| scene.refuse_sign_in(&format!("x{number}"))).sum();
    assert_eq!(tried, 1);
    assert_eq!(scene.watch.extent().1, 1, "strangers' names do not fill the memory");
}

#[test]
fn watched_customers_are_told_from_others() {
    let rule = "kind = \"watched\"\nvalues = [\"7\"]\nstatements = 2\nwindow = \"1h\"\n";
    let mut scene = Scene::with(rule);
    assert_eq!((0..9).map(|_| scene.ask("t1", &key(8), 1)).sum::<usize>(), 0);
    assert_eq!((scene.ask("t1", &key(7), 1), scene.ask("t1", &key(7), 1)), (0, 1));
}

#[test]
fn an_alarm_says_figures_and_no_value() {
    let mut scene =
        Scene::with("kind = \"many\"\ncounted = \"keys\"\ncount = 2\nwindow = \"1h\"\n");
    let sql = "SELECT name FROM customer WHERE k IN ('6222020011112222', '6222020011113333')";
    let record = Entry { principal: "t1".into(), at: scene.at, ..entry(sql) };
    let alarms = scene.watch.begun(&record);
    let told = format!("{} {}", alarms[0].text(), alarms[0].to_json(&record.record_id));
    assert!(told.contains("customers=2") && told.contains(record.record_id.as_str()), "{told}");
    assert!(!told.contains("62220200") && !told.contains("SELECT"), "{told}");
    assert!(!format!("{:?}", scene.watch).contains("62220200"));
}

#[test]
fn descriptions_alarms_and_names_tell_nothing() {
    let mut scene =
        Scene::with("kind = \"many\"\ncounted = \"keys\"\ncount = 1\nwindow = \"1h\"\n");
    for decision in [Decision::Allowed, Decision::Alarm] {
        assert_eq!(scene.refuse("t1", &key(5), decision), 0);
    }
}
