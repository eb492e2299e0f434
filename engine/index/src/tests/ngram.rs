//! Pairs of characters against the rows: never too narrow, exact where one pair decides.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use martlet_core::{
    ColumnName, ColumnSchema, ColumnType, LikePattern, Predicate, TableName, TableSchema, Truth,
    Value,
};
use proptest::prelude::*;

use super::support::opened;
use crate::build::build;
use crate::choose::IndexChoice;
use crate::descriptor::Descriptor;
use crate::evaluate::evaluate;
use crate::kind::{Index, IndexKind};
use crate::probe::probe;

struct Texts {
    schema: TableSchema,
    rows: RecordBatch,
    descriptor: Descriptor,
    index: Arc<Index>,
}

impl Texts {
    fn new(texts: Vec<Option<String>>) -> Self {
        let name = ColumnName::new("text").unwrap();
        let column =
            ColumnSchema { name, column_type: ColumnType::Text, nullable: true, class: None };
        let schema =
            TableSchema::new(TableName::new("t").unwrap(), vec![column], &[], &[]).unwrap();
        let array: ArrayRef = Arc::new(texts.into_iter().collect::<StringArray>());
        let rows = RecordBatch::try_new(schema.arrow(), vec![array]).unwrap();
        let choices = [IndexChoice::Kinds(vec![IndexKind::Ngram])];
        let built = build(&schema, &rows, &choices).unwrap();
        let index = opened(&built, 0, IndexKind::Ngram).unwrap();
        let sections = built.descriptor.sections().to_vec();
        let descriptor = Descriptor::new(built.descriptor.rows(), Vec::new(), sections);
        Self { schema, rows, descriptor, index }
    }

    fn ask(&self, predicate: &Predicate) -> (Truth, Truth) {
        let answer =
            probe(predicate, &self.schema, &self.descriptor, &|_, _| Some(Arc::clone(&self.index)));
        (answer, evaluate(predicate, &self.schema, &self.rows))
    }
}

fn like(pattern: &str) -> Predicate {
    let column = ColumnName::new("text").unwrap();
    Predicate::Like { column, pattern: LikePattern::new(pattern) }
}

fn is_one_of(text: &str) -> Predicate {
    let column = ColumnName::new("text").unwrap();
    Predicate::In { column, values: [Value::text(text), Value::text("b")].into_iter().collect() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_match_is_left_out(
        texts in proptest::collection::vec(proptest::option::weighted(0.9, "[abc李明%]{0,5}"), 0..400),
        patterns in proptest::collection::vec("[ab李%_\\\\]{0,5}", 8),
    ) {
        let texts = Texts::new(texts);
        for predicate in patterns.iter().map(|text| like(text))
            .chain(patterns.iter().map(|text| is_one_of(text)))
        {
            let (answer, plain) = texts.ask(&predicate);
            prop_assert!(plain.holds.is_within(&answer.holds));
            prop_assert!(plain.fails().is_within(&answer.fails()));
            if answer.exact || answer.holds.is_none() {
                prop_assert_eq!(answer, plain);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn frequent_pairs_leave_no_match_out(
        texts in proptest::collection::vec(
            proptest::option::weighted(0.9, prop_oneof![8 => "a[bc]b{0,2}", 1 => "[abc]{0,3}"]),
            0..400,
        ),
        patterns in proptest::collection::vec("[abc%_]{0,4}", 8),
    ) {
        let texts = Texts::new(texts);
        for predicate in patterns.iter().map(|text| like(text)) {
            let (answer, plain) = texts.ask(&predicate);
            prop_assert!(plain.holds.is_within(&answer.holds));
            prop_assert!(plain.fails().is_within(&answer.fails()));
            if answer.exact || answer.holds.is_none() {
                prop_assert_eq!(answer, plain);
            }
        }
    }
}

/// Names of a common surname and of two rare ones, in blocks and between each other.
fn names() -> Texts {
    let given = ["伟", "芳", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳"];
    let surname = |row: usize| match row {
        _ if row.is_multiple_of(97) => "李",
        3_000..3_400 => "欧阳",
        _ => ["王", "张", "刘"][row % 3],
    };
    let name = |row: usize| format!("{}{}", surname(row), given[row / 3 % given.len()]);
    Texts::new((0..10_000).map(|row| (row % 50 != 7).then(|| name(row))).collect())
}

#[test]
fn one_pair_or_one_character_is_an_exact_answer() {
    let names = names();
    for pattern in ["%李%", "李%", "%英", "%欧阳%", "%秀英%", "%龙%", "", "%", "%%", "李"]
    {
        let (answer, plain) = names.ask(&like(pattern));
        if pattern != "李" {
            assert!(answer.exact, "{pattern}");
        }
        assert!(plain.holds.is_within(&answer.holds), "{pattern}");
        assert!(!answer.exact || answer == plain, "{pattern}");
    }
}

#[test]
fn more_pairs_are_a_narrow_upper_bound() {
    let names = names();
    for pattern in ["欧阳秀%", "%李_英%", "李敏", "%阳%英%", "李__"] {
        let (answer, plain) = names.ask(&like(pattern));
        assert!(plain.holds.is_within(&answer.holds), "{pattern}");
        assert!(answer.holds.count() <= 12 * plain.holds.count() + 100, "{pattern}");
    }
    // A pair that no name has.
    let (answer, plain) = names.ask(&like("%阳李_"));
    assert!(answer.exact && answer.holds.is_none());
    assert_eq!(answer, plain);
}

#[test]
fn a_pair_of_most_rows_is_kept_without_them() {
    let text = |row: usize| {
        if row.is_multiple_of(10) { "北街".to_owned() } else { "南街1号".to_owned() }
    };
    let texts = Texts::new((0..5_000).map(|row| (row % 7 != 3).then(|| text(row))).collect());
    for pattern in ["%南街%", "%北街%", "%街%", "南%", "%号"] {
        let (answer, plain) = texts.ask(&like(pattern));
        assert!(answer.exact, "{pattern}");
        assert_eq!(answer, plain, "{pattern}");
    }
    // No row has both: found, because the rows without the frequent pair are known.
    let (answer, plain) = texts.ask(&like("%北街%南街%"));
    assert!(plain.holds.is_none());
    assert_eq!(answer, plain);
}

#[test]
fn only_texts_are_indexed() {
    use super::support::{TYPES, built, table};
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let table = table().new_tree(&mut runner).unwrap().current();
    let built = built(&table, &IndexChoice::Kinds(vec![IndexKind::Ngram]));
    let columns: Vec<usize> =
        built.descriptor.sections().iter().map(|section| section.column).collect();
    let texts = (0..TYPES.len()).filter(|column| TYPES[*column] == ColumnType::Text);
    assert_eq!(columns, texts.collect::<Vec<_>>());
}
