//! What is long is written once a day and referred to from then on, and nothing is lost by it.

use super::super::record::tests::entry;
use super::*;

const LONG: usize = 20_000;

fn begin(entry: Entry) -> Line {
    Line::Begin { entry }
}

fn long() -> Entry {
    entry(&"x".repeat(LONG)).with_parameters(Some("y".repeat(LONG)))
}

/// What is written of a record, once it is on disk.
fn written(repeats: &Arc<Repeats>, entry: &Entry) -> Entry {
    let (body, firsts) = repeats.body_of(&begin(entry.clone()));
    firsts.into_iter().for_each(Firsts::stand);
    Line::from_json(&body).unwrap().entry().unwrap().clone()
}

#[test]
fn what_is_repeated_refers_to_the_record_that_has_it() {
    let repeats = Arc::default();
    let first = long();
    assert_eq!(written(&repeats, &first), first, "the first is whole");
    let again = written(&repeats, &long());
    let cut = again.cut.as_ref().unwrap();
    assert_eq!(cut.statement_in.as_ref(), Some(&first.record_id));
    assert_eq!(cut.statement_bytes, LONG as u64);
    assert_eq!(again.parameters_in.as_ref(), Some(&first.record_id));
    assert!(begin(again.clone()).to_json().len() < 4_000);
    assert!(first.statement.starts_with(&again.statement));
    let other = long().with_parameters(Some("z".repeat(LONG)));
    let other = written(&repeats, &other);
    assert_eq!(other.cut.unwrap().statement_in, Some(first.record_id), "the text is the same");
    assert_eq!((other.parameters_in, other.parameters), (None, Some("z".repeat(LONG))));
}

#[test]
fn a_text_counts_as_written_when_it_is_on_disk_for_its_principal_and_day() {
    let repeats: Arc<Repeats> = Arc::default();
    let lost = repeats.body_of(&begin(long()));
    assert!(lost.1.is_some());
    let first = long();
    assert_eq!(written(&repeats, &first), first, "the one before never came to the disk");
    let of_other = Entry { principal: "other".into(), ..long() };
    assert_eq!(written(&repeats, &of_other), of_other);
    let of_tomorrow = Entry { at: first.at + MICROS_PER_DAY, ..long() };
    assert_eq!(written(&repeats, &of_tomorrow), of_tomorrow);
}

#[test]
fn a_statement_is_no_record_of_parameters() {
    let repeats: Arc<Repeats> = Arc::default();
    let text = "y".repeat(LONG);
    written(&repeats, &entry(&text));
    let bound = entry("SELECT $1").with_parameters(Some(text));
    assert_eq!(written(&repeats, &bound), bound, "it stands nowhere as parameters");
}

#[test]
fn what_is_short_is_written_each_time() {
    let repeats = Arc::default();
    for _ in 0..2 {
        let short = entry(&"x".repeat(4_000)).with_parameters(Some("y".repeat(4_000)));
        assert_eq!(written(&repeats, &short), short);
    }
}

#[test]
fn what_a_repeated_text_wanted_does_not_stand_behind_a_comment() {
    let repeats = Arc::default();
    let commented = || entry(&format!("/* {} */ DELETE FROM t", "x".repeat(LONG)));
    let first = commented();
    assert_eq!(written(&repeats, &first), first);
    let again = written(&repeats, &commented());
    assert_eq!(again.statement, "DELETE FROM t");
    let cut = again.cut.unwrap();
    assert_eq!(cut.statement_bytes, first.statement.len() as u64);
    assert_eq!(cut.statement_in, Some(first.record_id));
}
