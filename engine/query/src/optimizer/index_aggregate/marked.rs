//! The distinct values that one segment adds: as bits where that can be, else one by one.
//!
//! Values that no other segment has are added by their number alone. That is right only while
//! groups stay apart to the end: groups that become one afterwards may share values.

use std::collections::{BTreeMap, HashMap};

use martlet_core::Selection;
use martlet_index::grouping::{Grouped, KeyColumn, Marked, SharedCodes, group, mark};

use super::distinct::Prepared;
use super::merged::Merged;
use super::segment::{Opened, OpenedKey};
use super::spec::Spec;

/// The values of one column that occur in each group.
pub(super) enum Distinct<'a> {
    /// As bits, with the codes that other segments may have as well.
    Marked(Marked, &'a SharedCodes),
    /// As the combinations of keys and value.
    Combined(Grouped),
}

impl<'a> Distinct<'a> {
    /// `None` if an index is not sound.
    pub(super) fn of(
        keys: &[KeyColumn<'_>],
        distinct: &OpenedKey,
        shared: Option<&'a SharedCodes>,
        rows: &Selection,
    ) -> Option<Self> {
        if let (Some(codes), Some(shared)) = (distinct.index.as_codes(), shared)
            && let Some(marked) = mark(keys, codes, rows).ok()?
        {
            return Some(Self::Marked(marked, shared));
        }
        let columns: Vec<_> = keys.iter().copied().chain([distinct.column()?]).collect();
        Some(Self::Combined(group(&columns, &[], rows).ok()?))
    }
}

impl Opened {
    /// Adds the values of the distinct column at a position.
    pub(super) fn merge_values(
        &self,
        spec: &Spec,
        at: usize,
        values: &Distinct<'_>,
        into: &mut Merged,
    ) {
        match values {
            Distinct::Marked(marked, shared) => self.merge_marked(spec, at, marked, shared, into),
            Distinct::Combined(combinations) => self.merge_distinct(spec, at, combinations, into),
        }
    }

    fn merge_marked(
        &self,
        spec: &Spec,
        at: usize,
        marked: &Marked,
        shared: &SharedCodes,
        into: &mut Merged,
    ) {
        let groups = Grouped {
            keys: marked.keys.clone(),
            vector_keys: vec![Vec::new(); marked.keys.len()],
            counts: vec![0; marked.len()],
            ..Grouped::default()
        };
        // Rows of several keys may fall into one group, by what they are joined to.
        let mut of_group: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for placed in self.placed(spec, &groups, into) {
            of_group.entry(placed.group).or_default().push(placed.position);
        }
        let Some(codes) = self.distincts[at].index.as_codes() else { return };
        let mut prepared: HashMap<u32, Prepared> = HashMap::new();
        for (group, positions) in of_group {
            let distinct = &mut into.distincts[at];
            distinct.add_apart(group, marked.count_apart(&positions, shared));
            for code in marked.shared(&positions, shared) {
                let Some(value) = codes.value(code) else { continue };
                let value = prepared.entry(code).or_insert_with(|| distinct.prepared(value));
                distinct.add(group, value);
            }
        }
    }
}
