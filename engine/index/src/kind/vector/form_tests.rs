//! The order of keys against the order of values, for constants of any shape.

use martlet_core::{Comparison, Value};
use proptest::prelude::*;

use super::*;

fn digit_text(prefix: &str, digits: u8) -> VectorForm {
    VectorForm::DigitText { prefix: Arc::from(prefix), digits }
}

const COMPARISONS: [Comparison; 5] = [
    Comparison::Equal,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, ..ProptestConfig::default() })]

    #[test]
    fn digit_texts_compare_as_texts(
        prefix in "[a0/:č]{0,2}", digits in 1_u8..4, text in "[a0/:č]{0,2}[0-9/:a]{0,5}",
    ) {
        let form = digit_text(&prefix, digits);
        let constant = Value::text(&text);
        for comparison in COMPARISONS {
            let keys = form.keys_that(comparison, &constant).unwrap();
            for key in 0..10_i64.pow(u32::from(digits)) {
                let value = form.value_of(key);
                prop_assert_eq!(form.key_of(&value), Some(key));
                prop_assert_eq!(
                    keys.contains(&i128::from(key)), comparison.holds(value.cmp(&constant))
                );
            }
        }
        let key = form.key_of(&constant);
        prop_assert!(key.is_none_or(|key| form.value_of(key) == constant));
    }

    #[test]
    fn floats_and_wide_decimals_compare_as_values(left in any::<u64>(), right in any::<i128>()) {
        let value = Value::Float(crate::values::sql_float(f64::from_bits(left)));
        let key = VectorForm::Float.key_of(&value).unwrap();
        prop_assert_eq!(VectorForm::Float.value_of(key), value);
        let constant = Value::Decimal(right);
        for comparison in COMPARISONS {
            let keys = VectorForm::Decimal.keys_that(comparison, &constant).unwrap();
            for key in [i64::MIN, -1, 0, i64::MAX, left.cast_signed()] {
                let holds = comparison.holds(i128::from(key).cmp(&right));
                prop_assert_eq!(keys.contains(&i128::from(key)), holds);
            }
        }
    }
}

#[test]
fn a_value_of_another_shape_has_no_key() {
    let form = digit_text("C", 4);
    for text in ["C123", "C12345", "c1234", "1234", "C12a4", "C+123", ""] {
        assert_eq!(form.key_of(&Value::text(text)), None, "{text}");
    }
    assert_eq!(form.key_of(&Value::text("C0042")), Some(42));
    assert_eq!(form.key_of(&Value::Int(42)), None);
    assert_eq!(VectorForm::Int.key_of(&Value::Date(42)), None);
    assert_eq!(VectorForm::Decimal.key_of(&Value::Decimal(1 << 70)), None);
}
