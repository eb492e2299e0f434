//! The distinct values that one segment adds: by their codes where it has such, else one by one.
//!
//! Values that no other segment has are added by their number alone. That is right only where
//! each is counted once in a group, to the end: groups that will become one are counted together.

use martlet_core::Selection;
use martlet_index::CodesIndex;
use martlet_index::grouping::{Grouped, KeyColumn, Marked, SharedCodes, group, mark};

use super::computed::united;
use super::distinct::{DistinctValues, Prepared};
use super::merged::Merged;
use super::segment::{Opened, OpenedKey};
use super::spec::Spec;

/// The values of one column that occur in each group.
pub(super) enum Distinct<'a> {
    /// As codes; with those that other segments may have as well, if that is known.
    Marked(Marked, Option<&'a SharedCodes>),
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
        if let Some(codes) = distinct.index.as_codes() {
            return Some(Self::Marked(mark(keys, codes, rows).ok()?, shared));
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
            Distinct::Marked(marked, shared) => self.merge_marked(spec, at, marked, *shared, into),
            Distinct::Combined(combinations) => self.merge_distinct(spec, at, combinations, into),
        }
    }

    fn merge_marked(
        &self,
        spec: &Spec,
        at: usize,
        marked: &Marked,
        shared: Option<&SharedCodes>,
        into: &mut Merged,
    ) {
        let Some(codes) = self.distincts[at].index.as_codes() else { return };
        let mut places = self.places_of(spec, marked, into);
        let shared = shared.filter(|_| place_together(spec, into, &mut places));
        // Rows of several keys may fall into one group, by what they are joined to.
        places.sort_unstable();
        places.dedup();
        let mut prepared = PreparedCodes::of(codes);
        let distinct = &mut into.distincts[at];
        let mut positions = Vec::new();
        for places in places.chunk_by(|(left, _), (right, _)| left == right) {
            let group = places[0].0;
            positions.clear();
            positions.extend(places.iter().map(|(_, position)| *position));
            let apart =
                marked.split(&positions, shared, |code| prepared.add(code, distinct, group));
            distinct.add_apart(group, apart);
        }
    }

    /// The groups among those of all that rows fall into, each with the position of the rows'
    /// group in the segment.
    fn places_of(&self, spec: &Spec, marked: &Marked, into: &mut Merged) -> Vec<(usize, usize)> {
        let groups = Grouped {
            keys: marked.keys.clone(),
            vector_keys: marked.vector_keys.clone(),
            counts: vec![0; marked.len()],
            ..Grouped::default()
        };
        let placed = self.placed(spec, &groups, into).into_iter();
        placed.map(|placed| (placed.group, placed.position)).collect()
    }
}

/// Puts what falls into groups that an expression makes one into the first of them, so that
/// values are counted once for all of them. `false`, with nothing changed, if the expression
/// fails: then nothing may be counted apart, and it fails again, as it should, at the end.
fn place_together(spec: &Spec, merged: &Merged, places: &mut [(usize, usize)]) -> bool {
    if !spec.computes_groups() {
        return true;
    }
    let groups: Vec<usize> = places.iter().map(|(group, _)| *group).collect();
    let Ok(firsts) = united(spec, merged, &groups) else { return false };
    places.iter_mut().zip(firsts).for_each(|(place, first)| place.0 = first);
    true
}

/// Values of a dictionary, each prepared once to be added to any number of groups.
struct PreparedCodes<'a> {
    codes: &'a CodesIndex,
    /// For each code, one more than the place of its value below; empty before the first value.
    places: Vec<u32>,
    values: Vec<Prepared>,
}

impl<'a> PreparedCodes<'a> {
    const fn of(codes: &'a CodesIndex) -> Self {
        Self { codes, places: Vec::new(), values: Vec::new() }
    }

    /// Adds the value of a code; null's is none.
    fn add(&mut self, code: u32, into: &mut DistinctValues, group: usize) {
        let Some(value) = self.codes.value(code) else { return };
        if self.places.is_empty() {
            self.places.resize(self.codes.dictionary().len(), 0);
        }
        let place = &mut self.places[code as usize];
        if *place == 0 {
            self.values.push(into.prepared(&value));
            // Not more values than codes.
            *place = self.values.len() as u32;
        }
        into.add(group, &self.values[*place as usize - 1]);
    }
}
