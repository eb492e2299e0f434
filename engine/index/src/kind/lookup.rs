//! `lookup`: where the rows of a key may stand, for columns of many distinct values.
//!
//! A key is hashed; the hash leads to a bucket, and a bucket holds, for each group of sixteen
//! rows that has a key of it, a few more bits of the key's hash (its fingerprint) and the
//! number of the group. So a key that the segment does not have is refuted by its fingerprint
//! nearly always (all but one in 256), and one that it has leads to its rows and seldom to
//! others. The answer is an upper bound that the rows themselves settle, and exact where no
//! entry is left.
//!
//! Why groups of rows and not rows: whoever settles the answer reads a page at least, to which
//! sixteen rows are as cheap as one; an entry is four bits smaller; and in a column whose
//! values stand together (the account of a transaction, sorted by customer) one entry serves
//! many rows. A full segment of distinct keys takes 3.3 bytes a row, one of clustered keys
//! less than one.
//!
//! Why no filter of its own (a binary fuse filter takes nine bits a key for one false answer
//! in 256): there are as many buckets as entries, so the place in the bucket table is
//! itself a part of the hash, and two and a half bits a key for that table with eight for the
//! fingerprint refute as many strangers. A filter would come on top of them, not in their
//! place, and save only the reading of a section whose segment does not have the key.
//!
//! Never holds a key: it can neither list values nor count them exactly.

mod builder;
mod format;
mod hash;
mod reader;

pub(crate) use builder::build;
pub use reader::LookupIndex;

use martlet_core::Comparison;

use crate::kind::Answers;
use crate::logic::Leaf;

pub(super) const fn answers(leaf: &Leaf<'_>) -> Answers {
    match leaf {
        Leaf::IsNull => Answers::Exactly,
        Leaf::Compare(Comparison::Equal, _) | Leaf::In(_) => Answers::AtMost,
        Leaf::Compare(..) | Leaf::Like(_) | Leaf::Part(..) | Leaf::Between(..) => Answers::Not,
    }
}
