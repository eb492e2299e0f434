//! Partners of keys against a plain map from each key to its rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{Int64Array, StringArray};
use datafusion::arrow::datatypes::{Field, Schema};
use martlet_index::value_at;
use proptest::prelude::*;

use super::*;
use crate::optimizer::index_aggregate::condition::Slice;
use crate::optimizer::index_aggregate::merged::Merged;
use crate::optimizer::index_aggregate::spec::{Spec, Stage};

/// A row of the other side: a key and two columns that are grouped by.
type Row = (Option<i64>, Option<u8>, i64);

/// The rows of a key: each tuple with how often it is there.
type Tuples = BTreeMap<(Option<String>, i64), u64>;

fn text(pick: u8) -> String {
    ["", "a", "b", "李"][usize::from(pick) % 4].to_owned()
}

fn schema() -> SchemaRef {
    let fields = [("n", DataType::Int64), ("key", DataType::Int64), ("text", DataType::Utf8)];
    Arc::new(Schema::new(fields.map(|(name, of)| Field::new(name, of, true)).to_vec()))
}

fn batch(rows: &[Row]) -> RecordBatch {
    let numbers: Int64Array = rows.iter().map(|row| Some(row.2)).collect();
    let keys: Int64Array = rows.iter().map(|row| row.0).collect();
    let texts: StringArray = rows.iter().map(|row| row.1.map(text)).collect();
    RecordBatch::try_new(schema(), vec![Arc::new(numbers), Arc::new(keys), Arc::new(texts)])
        .unwrap()
}

fn collected(batches: &[Vec<Row>], grouped_by: &[usize]) -> Partners {
    let mut collector = Collector::new(&schema(), 1, grouped_by).unwrap();
    batches.iter().for_each(|rows| collector.add(&batch(rows)).unwrap());
    collector.finish().unwrap()
}

fn tuples(partners: &Partners, combination: u32) -> Tuples {
    let cell = |column: usize, row: u32| value_at(partners.tuples()[column].as_ref(), row as usize);
    let tuple = |(tuple, times): &Part| {
        let text = match cell(0, *tuple) {
            Some(Value::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let Some(Value::Int(number)) = cell(1, *tuple) else { panic!("a number is there") };
        ((text, number), *times)
    };
    partners.parts(combination).iter().map(tuple).collect()
}

fn rows() -> impl Strategy<Value = Vec<Vec<Row>>> {
    let row = (proptest::option::of(-3_i64..9), proptest::option::of(0_u8..3), 0_i64..2);
    proptest::collection::vec(proptest::collection::vec(row, 0..20), 0..4)
}

proptest! {
    #[test]
    fn a_key_is_joined_to_its_rows_as_often_as_they_are_there(batches in rows()) {
        let mut plain: BTreeMap<i64, Tuples> = BTreeMap::new();
        for (key, pick, number) in batches.iter().flatten() {
            let Some(key) = key else { continue };
            let tuples = plain.entry(*key).or_default();
            *tuples.entry((pick.map(text), *number)).or_insert(0) += 1;
        }
        let partners = collected(&batches, &[2, 0]);
        prop_assert_eq!(partners.is_empty(), plain.is_empty());
        let mut combinations = BTreeSet::new();
        for key in -4..10 {
            let combination = partners.combination(&Value::Int(key));
            let found = combination.map(|combination| tuples(&partners, combination));
            prop_assert_eq!(found.as_ref(), plain.get(&key));
            combinations.extend(combination);
        }
        // Keys with the same rows are one combination.
        let different: BTreeSet<&Tuples> = plain.values().collect();
        prop_assert_eq!(combinations.len(), different.len());
    }

    #[test]
    fn rows_that_nothing_is_grouped_by_are_counted(batches in rows()) {
        let partners = collected(&batches, &[]);
        for key in -4..10 {
            let rows = batches.iter().flatten().filter(|row| row.0 == Some(key)).count() as u64;
            let combination = partners.combination(&Value::Int(key));
            let parts = combination.map(|combination| partners.parts(combination).to_vec());
            let expected = (rows > 0).then(|| vec![(0, rows)]);
            prop_assert_eq!(parts, expected);
        }
    }
}

#[test]
fn rows_of_two_plans_are_multiplied() {
    let twice = collected(&[vec![(Some(1), Some(1), 0), (Some(1), Some(1), 0)]], &[2]);
    let either = collected(&[vec![(Some(7), Some(1), 0), (Some(7), Some(2), 0)]], &[2]);
    let of = |partners: &Partners, key| partners.combination(&Value::Int(key)).unwrap();
    let combinations = [of(&twice, 1), of(&either, 7), 0, 0];
    let spec = Spec {
        stage: Stage::Only,
        keys: Vec::new(),
        dimensions: Vec::new(),
        groupings: Vec::new(),
        functions: Vec::new(),
        slices: vec![Slice::WHOLE],
        measures: Vec::new(),
        distincts: Vec::new(),
        ranked: Vec::new(),
    };
    let mut merged = Merged::new(&spec, vec![Arc::new(twice), Arc::new(either)]);
    let mut places = Vec::new();
    merged.places([0; 4], &combinations, &mut places);
    let found: Vec<(u32, u64)> =
        places.iter().map(|(group, times)| (merged.keys[*group][1], *times)).collect();
    assert_eq!(found, [(0, 2), (1, 2)]);
}
