//! What is said to be possible between two keys against asking every key in between.

use proptest::prelude::*;

use super::*;
use crate::logic::End;

const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
];

/// How close to the truth an answer has to be.
#[derive(Clone, Copy, PartialEq)]
enum Promise {
    Exact,
    NeverTooNarrow,
}

fn check(
    leaf: &Leaf<'_>,
    form: &VectorForm,
    (lowest, highest): (i64, i64),
    promise: Promise,
) -> Result<(), TestCaseError> {
    let said = Wanted::of(leaf, form).unwrap().among(lowest, highest, form);
    let holds = |key: i64| leaf.holds_for(&form.value_of(key));
    let (any, all) = ((lowest..=highest).any(holds), (lowest..=highest).all(holds));
    if promise == Promise::Exact {
        prop_assert_eq!((said.may_hold, said.may_fail), (any, !all));
    }
    prop_assert!(said.may_hold || !any);
    prop_assert!(said.may_fail || all);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn comparisons_and_sets_are_told_exactly(
        lowest in -30_i64..30, span in 0_i64..20, constants in proptest::collection::vec(-40_i64..40, 2..5),
    ) {
        let bounds = (lowest, lowest + span);
        let form = VectorForm::Int;
        for comparison in COMPARISONS {
            let leaf = Leaf::Compare(comparison, Value::Int(constants[0]));
            check(&leaf, &form, bounds, Promise::Exact)?;
        }
        let end = |comparison, constant: i64| End { comparison, value: Value::Int(constant) };
        for (low, high) in [
            (Comparison::Greater, Comparison::Less),
            (Comparison::GreaterOrEqual, Comparison::LessOrEqual),
        ] {
            let range = Leaf::Between(end(low, constants[0]), end(high, constants[1]));
            check(&range, &form, bounds, Promise::Exact)?;
        }
        let values = constants.iter().map(|constant| Value::Int(*constant)).collect();
        let leaf = Leaf::In(std::borrow::Cow::Owned(values));
        // Of several keys each may be one of a set that holds all of them.
        let promise = if span == 0 { Promise::Exact } else { Promise::NeverTooNarrow };
        check(&leaf, &form, bounds, promise)?;
    }

    #[test]
    fn parts_of_dates_are_never_told_too_narrow(
        lowest in -1_000_i64..30_000, span in 0_i64..70, constant in -1_i64..40, year in 1_966_i64..2_052,
    ) {
        for part in DatePart::ALL {
            let constant = if part == DatePart::Year { year } else { constant };
            for comparison in COMPARISONS {
                let leaf = Leaf::Part(part, comparison, constant);
                let bounds = (lowest, lowest + span);
                check(&leaf, &VectorForm::Date, bounds, Promise::NeverTooNarrow)?;
            }
        }
    }

    #[test]
    fn whole_months_and_quarters_are_told_exactly(
        year in 1_960_i64..2_040, month in 1_i64..=12, constant in 0_i64..14,
    ) {
        let first = |months: i64| {
            let months = year * 12 + month - 1 + months;
            CivilDate { year: months.div_euclid(12), month: months.rem_euclid(12) + 1, day: 1 }.days()
        };
        let bounds = (first(0), first(1) - 1);
        for part in [DatePart::Year, DatePart::Quarter, DatePart::Month, DatePart::Day] {
            let constant = if part == DatePart::Year { 1_990 + constant } else { constant };
            for comparison in COMPARISONS {
                check(&Leaf::Part(part, comparison, constant), &VectorForm::Date, bounds, Promise::Exact)?;
            }
        }
    }
}

#[test]
fn an_hour_is_told_within_its_day() {
    let hour = 3_600_000_000;
    let leaf = Leaf::Part(DatePart::Hour, Comparison::Equal, 9);
    let among = |lowest: i64, highest: i64| {
        let wanted = Wanted::of(&leaf, &VectorForm::Timestamp).unwrap();
        let among = wanted.among(lowest, highest, &VectorForm::Timestamp);
        (among.may_hold, among.may_fail)
    };
    assert_eq!(among(9 * hour, 10 * hour - 1), (true, false));
    assert_eq!(among(-15 * hour, -14 * hour - 1), (true, false));
    assert_eq!(among(10 * hour, 23 * hour), (false, true));
    assert_eq!(among(10 * hour, 25 * hour), (true, true));
}

#[test]
fn what_keys_do_not_tell_is_not_told() {
    let text = Leaf::Compare(Comparison::Equal, Value::text("a"));
    assert!(Wanted::of(&text, &VectorForm::Int).is_none());
    assert!(
        Wanted::of(&Leaf::Part(DatePart::Year, Comparison::Less, 5), &VectorForm::Int).is_none()
    );
}
