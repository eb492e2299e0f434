//! What `auto` picks for the columns of a bank.

use super::*;
use crate::descriptor::{ColumnZones, SectionRef};
use crate::statistics::TextStatistics;
use crate::zone::{Bounds, ZoneMap};

const ROWS: usize = 1 << 20;
const BOTH: [IndexKind; 2] = [IndexKind::Bitmap, IndexKind::Codes];

fn column(column_type: ColumnType, distinct: Option<usize>) -> ColumnStatistics {
    ColumnStatistics {
        column_type,
        role: Role::Property,
        rows: ROWS,
        nulls: 0,
        distinct,
        spread: Spread::Scattered,
        number_bits: None,
        texts: None,
    }
}

fn texts(mean_bytes: usize, digits_percent: usize, words_percent: usize) -> ColumnStatistics {
    let texts = Some(TextStatistics { mean_bytes, digits_percent, words_percent });
    ColumnStatistics { texts, ..column(ColumnType::Text, None) }
}

#[test]
fn few_values_get_a_dictionary() {
    let of = |distinct, rows| {
        let mut kinds =
            choose(&ColumnStatistics { rows, ..column(ColumnType::Int32, Some(distinct)) });
        kinds.retain(|kind| *kind != IndexKind::Binned);
        kinds
    };
    assert_eq!(of(BITMAP_DISTINCT_MAX, ROWS), BOTH);
    assert_eq!(of(BITMAP_DISTINCT_MAX + 1, ROWS), [IndexKind::Codes]);
    assert_eq!(of(CODES_DISTINCT_MAX, ROWS), [IndexKind::Codes]);
    assert!(!of(CODES_DISTINCT_MAX + 1, ROWS).contains(&IndexKind::Codes));
    assert_eq!(of(FEW_DISTINCT, FEW_DISTINCT), BOTH);
    assert!(!of(FEW_DISTINCT + 1, FEW_DISTINCT + 1).contains(&IndexKind::Codes));
    assert_eq!(of(1_000, 1_000 * REPEATS_MIN), BOTH);
    assert!(!of(1_000, 1_000 * REPEATS_MIN - 1).contains(&IndexKind::Codes));
}

#[test]
fn measures_get_a_vector_and_keys_a_look_up() {
    let money = ColumnType::Decimal { precision: 18, scale: 2 };
    for measure in [money, ColumnType::Float64, ColumnType::Timestamp, ColumnType::Date] {
        assert_eq!(choose(&column(measure, None)), [IndexKind::Vector, IndexKind::Binned]);
    }
    assert_eq!(choose(&column(ColumnType::Boolean, None)), []);
    let integer = column(ColumnType::Int64, None);
    assert_eq!(choose(&integer), [IndexKind::Vector, IndexKind::Binned, IndexKind::Lookup]);
    let transaction = ColumnStatistics { role: Role::Identity, number_bits: Some(47), ..integer };
    assert_eq!(choose(&transaction), [IndexKind::Lookup]);
    let counted_up =
        ColumnStatistics { spread: Spread::Together, number_bits: Some(20), ..transaction };
    assert_eq!(choose(&counted_up), [IndexKind::Vector]);
}

#[test]
fn many_values_in_order_get_bins() {
    let has_bins = |column: &ColumnStatistics| choose(column).contains(&IndexKind::Binned);
    for distinct in [Some(UNBINNED_DISTINCT_MAX + 1), Some(CODES_DISTINCT_MAX), None] {
        assert!(has_bins(&column(ColumnType::Date, distinct)));
        assert!(!has_bins(&column(ColumnType::Text, distinct)));
        let key = ColumnStatistics { role: Role::Identity, ..column(ColumnType::Int64, distinct) };
        assert!(!has_bins(&key));
    }
    assert!(!has_bins(&column(ColumnType::Date, Some(UNBINNED_DISTINCT_MAX))));
    let year = column(ColumnType::Date, Some(365));
    assert_eq!(choose(&year), [IndexKind::Bitmap, IndexKind::Codes, IndexKind::Binned]);
}

#[test]
fn texts_get_what_they_are_asked_for() {
    let mobile = ColumnStatistics { number_bits: Some(34), ..texts(11, 100, 100) };
    assert_eq!(choose(&mobile), [IndexKind::Vector, IndexKind::Lookup]);
    let seldom = ColumnStatistics { nulls: ROWS / 3 * 2, ..mobile };
    assert_eq!(choose(&seldom), [IndexKind::Lookup]);
    let card = ColumnStatistics { number_bits: Some(60), ..mobile };
    assert_eq!(choose(&card), [IndexKind::Lookup]);
    let customer = ColumnStatistics { role: Role::Identity, number_bits: Some(24), ..mobile };
    assert_eq!(choose(&customer), [IndexKind::Vector, IndexKind::Lookup]);
    let (id_number, email) = (texts(18, 95, 100), texts(22, 20, 100));
    assert_eq!(choose(&id_number), [IndexKind::Lookup]);
    assert_eq!(choose(&email), [IndexKind::Lookup, IndexKind::Ngram, IndexKind::Texts]);
    let (name, address, initials) = (texts(8, 0, 0), texts(60, 15, 2), texts(3, 0, 0));
    assert_eq!(choose(&name), [IndexKind::Ngram, IndexKind::Texts]);
    assert_eq!(choose(&address), [IndexKind::Ngram, IndexKind::Texts]);
    assert_eq!(choose(&initials), [IndexKind::Lookup]);
}

fn segment(rows: u32, distinct: Option<u32>, kinds: &[IndexKind]) -> Descriptor {
    let zone = ZoneMap { rows, nulls: 0, min: None, max: None, bounds: Bounds::Loose, distinct };
    let section = |kind: &IndexKind| SectionRef {
        column: 0,
        kind: *kind,
        offset: 8,
        length: 0,
        digest: 0,
        distinct: distinct.unwrap_or(0),
        build_micros: 0,
    };
    let zones = ColumnZones { column: zone, pages: Vec::new() };
    Descriptor::new(rows, vec![zones], kinds.iter().map(section).collect())
}

#[test]
fn what_a_segment_has_tells_whether_auto_can_have_picked_it() {
    let is_auto =
        |rows, distinct, kinds: &[IndexKind]| is_as_auto_picks(&segment(rows, distinct, kinds), 0);
    assert!(is_auto(1_000, Some(3), &BOTH));
    assert!(!is_auto(1_000, Some(3), &[IndexKind::Codes]));
    assert!(!is_auto(1_000, Some(3), &[IndexKind::Bitmap, IndexKind::Codes, IndexKind::Lookup]));
    assert!(is_auto(1_000, Some(800), &[IndexKind::Lookup, IndexKind::Ngram]));
    assert!(is_auto(1_000, Some(800), &[]));
    assert!(is_auto(1_000, Some(800), &[IndexKind::Vector, IndexKind::Binned]));
    assert!(!is_auto(1_000, Some(3), &[IndexKind::Bitmap, IndexKind::Codes, IndexKind::Binned]));
    for kinds in [&BOTH[..], &[IndexKind::Bitmap, IndexKind::Codes, IndexKind::Binned]] {
        assert!(is_auto(10_000, Some(300), kinds));
    }
    assert!(!is_auto(1_000, Some(800), &[IndexKind::Codes]));
    assert!(!is_auto(1_000, Some(800), &[IndexKind::BitSliced]));
    // Never counted: of too many values, or nobody asked auto.
    assert!(!is_auto(1_000, None, &[IndexKind::Lookup]));
}
