//! What the cache finds is what was kept for exactly that column under exactly that mask, and it
//! holds no more bytes than it may.

use datafusion::arrow::array::{ArrayRef, StringArray};
use martlet_index::DerivedColumn;
use martlet_policy::{Profile, Purpose};

use super::*;

fn column(mask: Mask) -> MaskedColumn {
    MaskedColumn { segment: [1; 32], column: 3, stored: ColumnType::Text, mask }
}

fn codes(text: &str) -> InMemory {
    let texts: ArrayRef = Arc::new(StringArray::from(vec![text; 8]));
    DerivedColumn::of_rows(&texts, ColumnType::Text).unwrap().codes().unwrap()
}

const FREE: Cost = Cost { values: 1, bytes: 0 };

fn values(values: u64) -> Cost {
    Cost { values, bytes: 1 }
}

fn keep(cache: &MaskedCache, column: &MaskedColumn, made: &InMemory) {
    match cache.way(column, 1, FREE, Eagerness::AtOnce) {
        Way::Make(making) => {
            making.done(Some(made.clone()));
        }
        way => panic!("{column:?} is there already: {way:?}"),
    }
}

fn is_kept(cache: &MaskedCache, column: &MaskedColumn) -> bool {
    matches!(cache.way(column, 0, values(u64::MAX), Eagerness::OncePaid), Way::Codes(_))
}

/// Bytes that a cache needs for so many of these codes.
fn bytes_of(number: usize) -> u64 {
    (number * (codes("a").bytes + ENTRY_BYTES)) as u64
}

#[test]
fn everything_that_makes_a_masked_column_is_part_of_its_key() {
    let purpose = |name: &str| Purpose::new(name).unwrap();
    let base = column(Mask::Mobile(Profile::Doc));
    let columns = [
        base.clone(),
        column(Mask::Mobile(Profile::Strict)),
        column(Mask::Card(Profile::Doc)),
        column(Mask::Redact),
        column(Mask::Token(purpose("tax"))),
        column(Mask::Token(purpose("marketing"))),
        MaskedColumn { segment: [2; 32], ..base.clone() },
        MaskedColumn { column: 4, ..base.clone() },
        MaskedColumn { stored: ColumnType::Int64, ..base },
    ];
    let cache = MaskedCache::new(1 << 20);
    for (at, one) in columns.iter().enumerate() {
        keep(&cache, one, &codes(&format!("of {at}")));
    }
    for (at, one) in columns.iter().enumerate() {
        let Way::Codes(index) = cache.way(one, 1, FREE, Eagerness::AtOnce) else {
            panic!("{one:?} was kept");
        };
        let first = index.as_codes().unwrap().dictionary().text(0).map(str::to_owned);
        assert_eq!(first, Some(format!("of {at}")), "{one:?}");
    }
}

#[test]
fn codes_are_made_once_enough_values_were_masked() {
    let (cache, one) = (MaskedCache::new(1 << 20), column(Mask::Redact));
    let ask = |asked: u64| cache.way(&one, asked, values(100), Eagerness::OncePaid);
    assert!(matches!(ask(10), Way::EachValue));
    cache.note_masked(&one, 10);
    assert!(matches!(ask(4), Way::EachValue));
    let Way::Make(making) = ask(1) else { panic!("25 of 100 were masked") };
    assert!(matches!(ask(100), Way::EachValue), "somebody makes them");
    drop(making);
    assert!(matches!(ask(10), Way::EachValue), "whoever made them gave up");
    assert!(matches!(cache.way(&one, 0, values(100), Eagerness::AtOnce), Way::Make(_)));
}

#[test]
fn what_scans_use_stays_and_what_they_do_not_gives_way() {
    let cache = MaskedCache::new(bytes_of(2));
    let of = |at: usize| MaskedColumn { column: at, ..column(Mask::Redact) };
    keep(&cache, &of(0), &codes("a"));
    keep(&cache, &of(1), &codes("a"));
    keep(&cache, &of(2), &codes("a"));
    assert!(is_kept(&cache, &of(0)) && is_kept(&cache, &of(1)) && !is_kept(&cache, &of(2)));
    let made_again = |at: usize| cache.way(&of(at), 1, FREE, Eagerness::AtOnce);
    assert!(matches!(made_again(2), Way::EachValue), "it is not made in vain once more");
    for _ in 0..IDLE_SCANS {
        cache.begin_scan();
        assert!(is_kept(&cache, &of(1)));
    }
    keep(&cache, &of(2), &codes("a"));
    assert!(!is_kept(&cache, &of(0)) && is_kept(&cache, &of(1)) && is_kept(&cache, &of(2)));
    let state = cache.state();
    assert_eq!(state.bytes, bytes_of(2));
}

#[test]
fn what_is_too_large_or_cannot_be_made_is_not_kept() {
    let cache = MaskedCache::new(bytes_of(1) - 1);
    keep(&cache, &column(Mask::Redact), &codes("a"));
    assert!(!is_kept(&cache, &column(Mask::Redact)));
    let none = column(Mask::FreeText);
    let Way::Make(making) = cache.way(&none, 1, FREE, Eagerness::AtOnce) else {
        panic!("nobody knows yet");
    };
    assert!(making.done(None).is_none());
    assert!(matches!(cache.way(&none, 1, FREE, Eagerness::AtOnce), Way::EachValue));
    assert_eq!(cache.state().bytes, 0);
}

#[test]
fn what_is_made_at_the_same_time_takes_no_more_than_what_is_kept_may() {
    let cache = MaskedCache::new(100);
    let ask = |column: usize, bytes: u64| {
        let column = MaskedColumn { column, ..self::column(Mask::Redact) };
        cache.way(&column, 1, Cost { values: 1, bytes }, Eagerness::AtOnce)
    };
    let large = ask(0, 1_000);
    assert!(matches!(large, Way::Make(_)), "one alone may be as large as it is");
    assert!(matches!(ask(1, 1), Way::EachValue));
    drop(large);
    let some = [ask(1, 60), ask(2, 40)];
    assert!(some.iter().all(|way| matches!(way, Way::Make(_))));
    assert!(matches!(ask(3, 1), Way::EachValue));
    drop(some);
    assert!(matches!(ask(3, 100), Way::Make(_)));
}

#[test]
fn what_did_not_fit_is_made_again_for_many_values_alone() {
    let cache = MaskedCache::new(bytes_of(1));
    let (kept, other) = (column(Mask::Redact), column(Mask::Mobile(Profile::Doc)));
    keep(&cache, &kept, &codes("a"));
    let Way::Make(making) = cache.way(&other, 100, values(100), Eagerness::OncePaid) else {
        panic!("all of its values were masked");
    };
    assert!(making.done(Some(codes("a"))).is_none(), "what is not kept is not handed on");
    (0..IDLE_SCANS).for_each(|_| cache.begin_scan());
    let ask = |asked: u64| cache.way(&other, asked, values(100), Eagerness::OncePaid);
    assert!(matches!(ask(0), Way::EachValue), "one row is shown, and there would be room");
    assert!(matches!(ask(24), Way::EachValue));
    assert!(matches!(ask(1), Way::Make(_)), "25 of 100 since");
}

#[test]
fn without_room_nothing_is_made() {
    let cache = MaskedCache::new(0);
    let asked = cache.way(&column(Mask::Redact), 100, values(100), Eagerness::AtOnce);
    assert!(matches!(asked, Way::EachValue));
}
