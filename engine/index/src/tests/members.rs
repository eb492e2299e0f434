//! Rows whose value is a member of a set, by every kind that tells them, against the rows.

use std::collections::BTreeSet;

use martlet_core::Value;
use proptest::prelude::*;

use super::counting::selection;
use super::support::{TYPES, built, opened, table};
use crate::choose::IndexChoice;
use crate::kind::IndexKind;
use crate::members::MemberSet;
use crate::values::value_at;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn members_are_told_among_any_rows(
        table in table(),
        column in 0..TYPES.len(),
        kind in 0_usize..3,
        nth in 1_usize..5,
        shape in 0_u8..6,
    ) {
        let kind = [IndexKind::Codes, IndexKind::Vector, IndexKind::Bitmap][kind];
        let built = built(&table, &IndexChoice::Kinds(vec![kind]));
        let Some(index) = opened(&built, column, kind) else { return Ok(()) };
        let array = table.rows.column(column);
        let values: BTreeSet<Value> =
            (0..array.len()).filter_map(|row| value_at(array.as_ref(), row)).collect();
        let members: Vec<Value> = values.into_iter().step_by(nth).collect();
        let set: MemberSet = members.iter().cloned().collect();
        let is_member = |row: u32| {
            value_at(array.as_ref(), row as usize).is_some_and(|value| set.contains(&value))
        };
        let among = selection(table.rows.num_rows() as u32, shape);
        let expected: Vec<u32> = among.iter().filter(|row| is_member(*row)).collect();
        let found = set.rows_among(&index, &among);
        prop_assert_eq!(found.unwrap().iter().collect::<Vec<_>>(), expected);
        let all: Vec<u32> = (0..index.rows()).filter(|row| is_member(*row)).collect();
        prop_assert_eq!(set.rows(&index).unwrap().iter().collect::<Vec<_>>(), all);
    }
}
