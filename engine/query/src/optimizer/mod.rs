//! Martlet's own physical optimizer rules, one file each.

pub(crate) mod index_count;
