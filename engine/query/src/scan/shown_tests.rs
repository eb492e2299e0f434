//! Codes over masked columns against the plain way: to mask every value and to ask it.

use datafusion::arrow::array::{
    Array, ArrayRef, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::take;
use martlet_core::{ColumnName, ColumnType, Comparison, LikePattern, TableName, Value};
use martlet_index::{DerivedColumn, value_at};
use martlet_policy::{Mask, Profile, Purpose};
use proptest::prelude::*;

use super::*;

/// Values of which each mask leaves something, and such as it hides wholly.
const TEXTS: [&str; 16] = [
    "张三",
    "张四",
    "欧阳小明",
    "John Smith",
    "110101199003070011",
    "110101199003079999",
    "13812345678",
    "+86 138-9999-5678",
    "6222021234567890123",
    "6222029999999990123",
    "广东省深圳市南山区科技园路1号",
    "广东省深圳市南山区学府路2号",
    "ann@example.com",
    "abe@example.com",
    "",
    "***",
];
const NUMBERS: [i64; 6] = [13_812_345_678, 13_899_995_678, 0, -1, 9_999, 6_222_021_234_567_890];
const DAYS: [i32; 6] = [0, 7_305, 7_306, 9_000, i32::MAX, i32::MIN];
const MASTER: [u8; 32] = [5; 32];

fn masks() -> Vec<Mask> {
    let purpose = |name: &str| Purpose::new(name).ok();
    let of_words = Mask::WORDS.into_iter().filter(|word| *word != "token");
    of_words
        .flat_map(|word| {
            [Profile::Doc, Profile::Strict].map(|profile| Mask::parse(word, profile, None).unwrap())
        })
        .chain(["tax", "marketing"].map(|name| Mask::Token(purpose(name).unwrap())))
        .collect()
}

const TYPES: [ColumnType; 7] = [
    ColumnType::Text,
    ColumnType::Int32,
    ColumnType::Int64,
    ColumnType::Float64,
    ColumnType::Decimal { precision: 18, scale: 2 },
    ColumnType::Date,
    ColumnType::Timestamp,
];

/// A column of this type; `picks` say which of its values stand in it.
fn column(column_type: ColumnType, picks: &[Option<u8>]) -> ArrayRef {
    let at = |pick: u8, values: usize| usize::from(pick) % values;
    let number = |pick: u8| NUMBERS[at(pick, NUMBERS.len())];
    let day = |pick: u8| DAYS[at(pick, DAYS.len())];
    let picks = || picks.iter().copied();
    match column_type {
        ColumnType::Text => {
            Arc::new(picks().map(|p| p.map(|p| TEXTS[at(p, TEXTS.len())])).collect::<StringArray>())
        }
        ColumnType::Int32 => {
            Arc::new(picks().map(|p| p.map(|p| number(p) as i32)).collect::<Int32Array>())
        }
        ColumnType::Int64 => Arc::new(picks().map(|p| p.map(number)).collect::<Int64Array>()),
        ColumnType::Float64 => {
            let float = |p: u8| if p == 7 { f64::NAN } else { number(p) as f64 / 4.0 };
            Arc::new(picks().map(|p| p.map(float)).collect::<Float64Array>())
        }
        ColumnType::Date => Arc::new(picks().map(|p| p.map(day)).collect::<Date32Array>()),
        ColumnType::Timestamp => {
            let moment = |p: u8| i64::from(day(p)).saturating_mul(86_400_000_000);
            Arc::new(picks().map(|p| p.map(moment)).collect::<TimestampMicrosecondArray>())
        }
        _ => {
            let amounts: Decimal128Array =
                picks().map(|p| p.map(|p| i128::from(number(p)))).collect();
            Arc::new(amounts.with_precision_and_scale(18, 2).unwrap())
        }
    }
}

/// A mask and a type that it takes.
fn masked_type() -> impl Strategy<Value = (Mask, ColumnType)> {
    let all: Vec<(Mask, ColumnType)> = masks()
        .into_iter()
        .flat_map(|mask| TYPES.map(|column_type| (mask.clone(), column_type)))
        .filter(|(mask, column_type)| mask.applies_to(*column_type))
        .collect();
    prop::sample::select(all)
}

fn picks() -> impl Strategy<Value = Vec<Option<u8>>> {
    let cell = prop_oneof![1 => Just(None), 6 => (0_u8..16).prop_map(Some)];
    prop_oneof![
        5 => prop::collection::vec(cell.clone(), 1..300),
        1 => prop::collection::vec(Just(None), 1..9),
    ]
}

/// A condition on the masked column, about values that stand in it and others.
fn condition() -> impl Strategy<Value = Asked> {
    let comparison = prop::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    let leaf = prop_oneof![
        (comparison, 0_usize..20).prop_map(|(comparison, pick)| Asked::Compare(comparison, pick)),
        prop::collection::vec(0_usize..20, 0..4).prop_map(Asked::In),
        "[*1张广省%_@a]{0,4}".prop_map(Asked::Like),
        Just(Asked::IsNull),
    ];
    leaf.prop_recursive(3, 12, 3, |part| {
        prop_oneof![
            prop::collection::vec(part.clone(), 1..4).prop_map(Asked::And),
            prop::collection::vec(part.clone(), 1..4).prop_map(Asked::Or),
            part.prop_map(|part| Asked::Not(Box::new(part))),
        ]
    })
}

/// A condition whose constants are picked from the rows that it is asked of.
#[derive(Debug, Clone)]
enum Asked {
    Compare(Comparison, usize),
    In(Vec<usize>),
    Like(String),
    IsNull,
    And(Vec<Asked>),
    Or(Vec<Asked>),
    Not(Box<Asked>),
}

impl Asked {
    fn of(&self, masked: &ArrayRef) -> Predicate {
        let is_text = *masked.data_type() == ColumnType::Text.arrow();
        let value = |pick: &usize| {
            let stands = value_at(masked, *pick % (masked.len() + 2));
            stands.unwrap_or_else(|| if is_text { Value::text("138") } else { Value::Int(1990) })
        };
        let column = ColumnName::new("c").unwrap();
        let parts = |parts: &[Self]| parts.iter().map(|part| part.of(masked)).collect();
        match self {
            Self::Compare(comparison, pick) => {
                Predicate::Compare { column, comparison: *comparison, value: value(pick) }
            }
            Self::In(picks) => Predicate::In { column, values: picks.iter().map(value).collect() },
            Self::Like(pattern) if is_text => {
                Predicate::Like { column, pattern: LikePattern::new(pattern) }
            }
            Self::Like(_) | Self::IsNull => Predicate::IsNull { column },
            Self::And(all) => Predicate::And(parts(all)),
            Self::Or(any) => Predicate::Or(parts(any)),
            Self::Not(part) => Predicate::Not(Box::new(part.of(masked))),
        }
    }
}

fn schema(column_type: ColumnType) -> TableSchema {
    let column = ColumnSchema {
        name: ColumnName::new("c").unwrap(),
        column_type,
        nullable: true,
        class: None,
    };
    TableSchema::new(TableName::new("t").unwrap(), vec![column], &[], &[]).unwrap()
}

/// Codes over the masked column: of its rows, and of the codes of the stored one.
fn both_ways(mask: &Mask, stored: &ArrayRef, of: ColumnType, keys: &TokenKeys) -> [Arc<Index>; 2] {
    let shown = mask.output_type(of);
    let made = |derived: Option<DerivedColumn>| derived.unwrap().codes().unwrap().index;
    let by_rows = made(DerivedColumn::of_rows(&mask.apply(stored, keys).unwrap(), shown));
    let raw = made(DerivedColumn::of_rows(stored, of));
    let codes = raw.as_codes().unwrap();
    let becomes = mask.apply(&codes.values_array(of).unwrap(), keys).unwrap();
    [by_rows, made(DerivedColumn::of_codes(codes, &becomes, shown))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn codes_answer_and_show_what_masking_every_row_does(
        (mask, of) in masked_type(),
        picks in picks(),
        condition in condition(),
        step in 1_u32..5,
    ) {
        let (keys, stored) = (TokenKeys::from_master(&MASTER), column(of, &picks));
        let (masked, shown) = (mask.apply(&stored, &keys).unwrap(), mask.output_type(of));
        let (condition, schema) = (condition.of(&masked), schema(shown));
        let batch = RecordBatch::try_new(schema.arrow(), vec![Arc::clone(&masked)]).unwrap();
        let plain = evaluate(&condition, &schema, &batch);
        prop_assert!(plain.exact);
        let among = Selection::from_flags((0..plain.holds.rows()).map(|row| row % step == 0));
        let rows = Int32Array::from_iter_values(among.iter().map(|row| row as i32));
        let expected = take(&masked, &rows, None).unwrap();
        for codes in both_ways(&mask, &stored, of, &keys) {
            let told = narrowed(&condition, &schema, &[Some(Arc::clone(&codes))], &among);
            prop_assert!(told.is_exact(), "{mask}: {condition:?}");
            prop_assert_eq!(&told.rows, &plain.holds.and(&among), "{}: {:?}", mask, condition);
            let given = codes.as_codes().unwrap().array(&among, shown).unwrap();
            prop_assert_eq!(&given, &expected, "{}", mask);
        }
        let told = narrowed(&condition, &schema, &[None], &among);
        prop_assert!(among.is_none() || told.is_exact() || told.rows == among);
    }
}
