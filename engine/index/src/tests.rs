//! The crate against the plain way: random tables, random predicates, random damage.

mod counting;
mod format;
mod probing;
mod support;
mod vectors;

use crate::conformance;
use crate::kind::IndexKind;

#[test]
fn every_kind_passes_the_battery() {
    for kind in IndexKind::ALL {
        assert_eq!(conformance::check(kind), Ok(()), "{}", kind.name());
    }
}
