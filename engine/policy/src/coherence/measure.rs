//! How much of what is hidden of one column the others give away, measured on made-up people.
//!
//! The actual masks are run. Everything is computed once for one combination, however many roles
//! and tables have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use martlet_core::BatchDate;

use super::kind::Kind;
use super::mind::{Known, Mind};
use super::people::{Person, people};
use crate::access::{Access, Sight};
use crate::mask::{HIDDEN, Mask, Profile, TokenKeys};

/// A column by what it holds and how it is shown.
pub(super) type Shown = (Kind, Sight);

/// Measures, and remembers.
#[derive(Debug, Default)]
pub(super) struct Measure {
    views: BTreeMap<Shown, Arc<[Known]>>,
    shares: BTreeMap<(Shown, Vec<Shown>), f64>,
}

impl Measure {
    /// The part of what is hidden of `target` that follows from it and these others together:
    /// 0 to 1, the mean over the people of whom something is hidden.
    pub(super) fn recovered(&mut self, target: &Shown, others: &[&Shown]) -> f64 {
        let mut key: Vec<Shown> = others.iter().map(|other| (*other).clone()).collect();
        key.sort();
        key.dedup();
        let key = (target.clone(), key);
        if let Some(share) = self.shares.get(&key) {
            return *share;
        }
        let share = self.simulate(target, &key.1);
        self.shares.insert(key, share);
        share
    }

    fn simulate(&mut self, target: &Shown, others: &[Shown]) -> f64 {
        let own = self.view(target);
        let others: Vec<(Kind, Arc<[Known]>)> =
            others.iter().map(|other| (other.0, self.view(other))).collect();
        let shares: Vec<f64> = people()
            .iter()
            .enumerate()
            .filter_map(|(at, person)| {
                let mut mind = blank(person);
                mind.of_mut(target.0).learn_all(&own[at]);
                for (kind, view) in &others {
                    mind.of_mut(*kind).learn_all(&view[at]);
                }
                mind.conclude();
                share(person.value(target.0), &own[at], mind.of(target.0))
            })
            .collect();
        if shares.is_empty() { 0.0 } else { shares.iter().sum::<f64>() / shares.len() as f64 }
    }

    /// What is seen of everybody.
    fn view(&mut self, shown: &Shown) -> Arc<[Known]> {
        if let Some(view) = self.views.get(shown) {
            return Arc::clone(view);
        }
        let (kind, sight) = shown;
        let view: Arc<[Known]> = match sight {
            Sight::Shown(Access::Clear) => {
                people().iter().map(|person| Known::all(person.value(*kind))).collect()
            }
            Sight::Shown(Access::Masked(mask)) => masked(*kind, mask),
            // What may only be compared is not shown; whoever may compare it can ask for it.
            Sight::Shown(Access::Unshown) | Sight::Hidden => {
                people().iter().map(|person| nothing(person.value(*kind))).collect()
            }
        };
        self.views.insert(shown.clone(), Arc::clone(&view));
        view
    }
}

fn blank(person: &Person) -> Mind {
    Mind::blank(Kind::ALL.into_iter().map(|kind| person.value(kind).chars().count()))
}

fn nothing(value: &str) -> Known {
    Known::nothing(value.chars().count())
}

/// The part of the hidden characters that are known now, and rightly; `None` where none is hidden.
fn share(value: &str, own: &Known, now: &Known) -> Option<f64> {
    let hidden = |at: &usize| own.get(*at).is_none();
    let places = 0..value.chars().count();
    let all = places.filter(hidden).count();
    let right = value
        .chars()
        .enumerate()
        .filter(|(at, character)| hidden(at) && now.get(*at) == Some(*character))
        .count();
    (all > 0).then(|| right as f64 / all as f64)
}

/// Runs a mask on everybody, and reads what it leaves.
fn masked(kind: Kind, mask: &Mask) -> Arc<[Known]> {
    let masked = mask.apply(&values(kind), &TokenKeys::from_master(&[0; 32]));
    let read = |(at, person): (usize, &Person)| {
        let value = person.value(kind);
        masked.as_ref().map_or_else(|_| nothing(value), |masked| read_mask(mask, masked, at, value))
    };
    people().iter().enumerate().map(read).collect()
}

/// Everybody's values as a column.
fn values(kind: Kind) -> ArrayRef {
    match kind {
        Kind::BirthDate => {
            let days = people().iter().map(|person| BatchDate::new(person.born).days());
            Arc::new(Date32Array::from_iter_values(days))
        }
        _ => {
            let texts = people().iter().map(|person| person.value(kind));
            Arc::new(StringArray::from_iter_values(texts))
        }
    }
}

/// What a masked value tells, to whoever knows how the mask is made.
fn read_mask(mask: &Mask, masked: &ArrayRef, at: usize, value: &str) -> Known {
    let length = value.chars().count();
    if masked.is_null(at) {
        return nothing(value);
    }
    match (mask, masked.data_type()) {
        (Mask::BirthDate(profile), DataType::Int32) => {
            let year = masked.as_primitive::<Int32Type>().value(at).to_string();
            // Of five years the first three digits are common.
            let digits = if *profile == Profile::Doc { 4 } else { 3 };
            Known::ends(&year.chars().take(digits).collect::<String>(), "", length)
        }
        (Mask::Token(_) | Mask::Redact | Mask::FreeText | Mask::BalanceBand(_), _) => {
            nothing(value)
        }
        (_, DataType::Utf8) => match masked.as_string::<i32>().value(at) {
            HIDDEN => nothing(value),
            text => {
                let (prefix, _) = text.split_once('*').unwrap_or((text, ""));
                let (_, suffix) = text.rsplit_once('*').unwrap_or(("", ""));
                Known::ends(prefix, suffix, length)
            }
        },
        _ => nothing(value),
    }
}
