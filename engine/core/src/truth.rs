//! Three-valued truth over the rows of a segment.
//!
//! SQL's NOT of an unknown is unknown, so one set of rows is not enough: a predicate is
//! answered with the rows where it *may be true* and the rows where it *may be false*.
//! While every part is exact the two sets are the true and the false rows and the rest is
//! unknown; once a part is only an upper bound, the result is one too.

use std::borrow::Cow;

use crate::selection::Selection;

/// Where a predicate holds and where it fails, each exactly or as an upper bound.
#[derive(Debug, Clone)]
pub struct Truth {
    /// Rows where the predicate is true (if exact), or may be.
    pub holds: Selection,
    fails: Fails,
    /// Whether both sets are exact.
    pub exact: bool,
}

/// The rows where it fails: few who ask for the one set want the other, so it can be left open.
#[derive(Debug, Clone)]
enum Fails {
    Known(Selection),
    /// Every row that neither holds nor is one of these.
    Rest(Selection),
    /// Every row but these.
    AllBut(Selection),
}

impl PartialEq for Truth {
    fn eq(&self, other: &Self) -> bool {
        self.exact == other.exact && self.holds == other.holds && self.fails() == other.fails()
    }
}

impl Truth {
    /// An exact answer.
    #[must_use]
    pub const fn exact(holds: Selection, fails: Selection) -> Self {
        Self { holds, fails: Fails::Known(fails), exact: true }
    }

    /// An exact answer by the rows where it holds and those where it is unknown; it fails on
    /// the others.
    #[must_use]
    pub const fn exact_but(holds: Selection, unknown: Selection) -> Self {
        Self { holds, fails: Fails::Rest(unknown), exact: true }
    }

    /// Upper bounds: never too narrow.
    #[must_use]
    pub const fn bounds(holds: Selection, fails: Selection) -> Self {
        Self { holds, fails: Fails::Known(fails), exact: false }
    }

    /// An upper bound of the rows where it holds; it may fail in every row but those where it is
    /// unknown.
    #[must_use]
    pub const fn bound_but(holds: Selection, unknown: Selection) -> Self {
        Self { holds, fails: Fails::AllBut(unknown), exact: false }
    }

    /// Nothing is known about any of the `rows` rows.
    #[must_use]
    pub const fn unknown(rows: u32) -> Self {
        Self::bounds(Selection::all(rows), Selection::all(rows))
    }

    /// The same answer for every row.
    #[must_use]
    pub fn constant(rows: u32, value: bool) -> Self {
        let (holds, fails) = if value {
            (Selection::all(rows), Selection::none(rows))
        } else {
            (Selection::none(rows), Selection::all(rows))
        };
        Self::exact(holds, fails)
    }

    /// Rows where the predicate is false (if exact), or may be.
    #[must_use]
    pub fn fails(&self) -> Cow<'_, Selection> {
        match &self.fails {
            Fails::Known(fails) => Cow::Borrowed(fails),
            Fails::Rest(unknown) => Cow::Owned(self.holds.or(unknown).complement()),
            Fails::AllBut(unknown) => Cow::Owned(unknown.complement()),
        }
    }

    /// NOT.
    #[must_use]
    pub fn negated(self) -> Self {
        let fails = self.fails().into_owned();
        Self { holds: fails, fails: Fails::Known(self.holds), exact: self.exact }
    }

    /// AND.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            holds: self.holds.and(&other.holds),
            fails: Fails::Known(self.fails().or(&other.fails())),
            exact: self.exact && other.exact,
        }
    }

    /// OR.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self {
            holds: self.holds.or(&other.holds),
            fails: Fails::Known(self.fails().and(&other.fails())),
            exact: self.exact && other.exact,
        }
    }
}
