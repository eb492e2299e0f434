//! An alarm's line is read as it is written, and every line has its kind.

use arrow::array::{Array as _, AsArray as _};

use super::super::record::tests::entry;
use super::super::record::{Decision, Ending, Line, Outcome, RecordId};
use super::super::ring::Ring;
use super::*;
use crate::alarm::{Alarm, Severity};

fn alarm(figures: Vec<(&'static str, u64)>) -> Alarm {
    Alarm::for_tests("many-cards", Severity::High, figures, RecordId::draw().unwrap())
}

#[test]
fn what_an_alarm_says_is_read_back() {
    for figures in [vec![("customers", 3), ("rows", 9)], vec![("lookups", 1)], vec![]] {
        let alarm = alarm(figures);
        let text = alarm.text();
        let told = Told::read(&text).unwrap();
        assert_eq!((told.rule, told.severity), ("many-cards", "high"));
        assert_eq!(told.met_by, alarm.record.as_str());
        assert_eq!(told.actions, "recorded, notified");
        assert!(told.figures.is_empty() || told.figures.contains('='), "{text}");
    }
    for other in ["", "alarm", "alarm x", "alarm x (high", "lifted by ann (account ann): why"] {
        assert_eq!(Told::read(other), None);
    }
}

#[test]
fn every_line_has_its_kind_and_nothing_else_is_among_them() {
    let mut ring = Ring::new();
    let ending = Ending::without_rows(Outcome::Completed);
    let mut apply = |statement: &str, decision, emergency: Option<&str>| {
        let emergency = emergency.map(str::to_owned);
        let entry = Entry { decision, emergency, ..entry(statement) };
        ring.apply(Line::Whole { entry, ending });
    };
    apply("SELECT 1", Decision::Allowed, Some("07"));
    apply("SELECT 2", Decision::Denied, None);
    apply(&alarm(vec![("customers", 3)]).text(), Decision::Alarm, None);
    apply("lifted by ann (account ann): why", Decision::Alarm, None);
    apply("emergency opened: `fire`", Decision::Alarm, Some("07"));
    let batch = alarms_of(&ring.newest_alarms(10)).unwrap();
    let column = |name: &str| {
        let texts = batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        texts.iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
    };
    let some = |texts: [&str; 3]| texts.map(|text| Some(text.to_owned()));
    assert_eq!(column("kind"), some(["emergency", "lift", "alarm"]));
    assert_eq!(column("rule"), [None, None, Some("many-cards".to_owned())]);
    assert_eq!(column("emergency"), [Some("07".to_owned()), None, None]);
    assert_eq!(batch.column_by_name("at").unwrap().len(), 3);
    assert_eq!(alarms_of(&ring.newest_alarms(2)).unwrap().num_rows(), 2);
}
