//! The crate against the plain way: random tables, random predicates, random damage.

mod binned;
mod counting;
mod filtering;
mod format;
mod grouping;
mod in_memory;
mod lookup;
mod members;
mod ngram;
mod numbered;
mod probing;
mod slices;
mod support;
mod top_of_each;
mod vectors;

use crate::conformance;
use crate::kind::IndexKind;

#[test]
fn bitmaps_pass_the_battery() {
    assert_eq!(conformance::check(IndexKind::Bitmap), Ok(()));
}

#[test]
fn codes_pass_the_battery() {
    assert_eq!(conformance::check(IndexKind::Codes), Ok(()));
}

#[test]
fn every_other_kind_passes_the_battery() {
    for kind in IndexKind::ALL {
        if !matches!(kind, IndexKind::Bitmap | IndexKind::Codes) {
            assert_eq!(conformance::check(kind), Ok(()), "{}", kind.name());
        }
    }
}
