//! That a choice made by hand comes back as it was, and weighs what it should.

use martlet_core::{ColumnSchema, ColumnType, TableName};
use proptest::prelude::*;

use super::*;
use crate::statistics::{ColumnStatistics, Role, Spread};

fn column(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

fn schema() -> TableSchema {
    let columns = ["a", "b", "c", "d"].map(|name| ColumnSchema {
        name: column(name),
        column_type: ColumnType::Text,
        nullable: true,
        class: None,
    });
    TableSchema::new(TableName::new("t").unwrap(), columns.to_vec(), &[], &[]).unwrap()
}

#[test]
fn the_last_word_counts() {
    let mut choices = HandChoices::default();
    choices.add(&column("a"), &[IndexKind::Bitmap, IndexKind::Codes]);
    choices.drop_kinds(&column("a"), &[IndexKind::Bitmap]);
    let choice = choices.of(&column("a")).unwrap();
    assert_eq!(choice.added, BTreeSet::from([IndexKind::Codes]));
    assert_eq!(choice.dropped, BTreeSet::from([IndexKind::Bitmap]));
    choices.add(&column("a"), &[IndexKind::Bitmap]);
    assert!(choices.of(&column("a")).unwrap().dropped.is_empty());
    assert_eq!(choices.of(&column("b")), None);
}

fn of_values(distinct: Option<usize>) -> ColumnStatistics {
    ColumnStatistics {
        column_type: ColumnType::Boolean,
        role: Role::Property,
        rows: 1_000_000,
        nulls: 0,
        distinct,
        spread: Spread::Scattered,
        number_bits: None,
        texts: None,
    }
}

#[test]
fn only_auto_gives_way_to_a_choice_made_by_hand() {
    let mut by_hand = HandChoices::default();
    for name in ["a", "b", "c"] {
        by_hand.add(&column(name), &[IndexKind::Codes]);
        by_hand.drop_kinds(&column(name), &[IndexKind::Bitmap]);
    }
    let named = IndexChoice::Kinds(vec![IndexKind::Bitmap]);
    let written = [IndexChoice::Auto, IndexChoice::None, named.clone(), IndexChoice::Auto];
    let mut choices = written.to_vec();
    by_hand.apply(&schema(), &mut choices);
    assert_eq!(choices[1..], [IndexChoice::None, named, IndexChoice::Auto]);
    // Few values in many rows call for bitmaps, too many booleans for nothing.
    assert_eq!(choices[0].kinds(&of_values(Some(2))), [IndexKind::Codes]);
    assert_eq!(choices[0].kinds(&of_values(None)), [IndexKind::Codes]);
}

#[test]
fn nothing_chosen_is_nothing_stored() {
    assert!(HandChoices::default().encode().is_empty());
    assert_eq!(HandChoices::decode(&[]), Ok(HandChoices::default()));
}

proptest! {
    #[test]
    fn a_choice_comes_back_as_it_was(
        steps in prop::collection::vec((0_usize..4, prop::bool::ANY, 0..IndexKind::ALL.len()), 1..20)
    ) {
        let mut choices = HandChoices::default();
        for (at, is_added, kind) in steps {
            let name = &schema().columns()[at].name.clone();
            let kinds = [IndexKind::ALL[kind]];
            if is_added { choices.add(name, &kinds) } else { choices.drop_kinds(name, &kinds) }
        }
        let stored = choices.encode();
        prop_assert_eq!(HandChoices::decode(&stored), Ok(choices));
    }

    #[test]
    fn foreign_bytes_are_refused_or_read_and_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..64)
    ) {
        if let Ok(choices) = HandChoices::decode(&bytes) {
            prop_assert_eq!(HandChoices::decode(&choices.encode()), Ok(choices));
        }
    }
}
