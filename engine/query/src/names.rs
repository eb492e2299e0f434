//! Whether names mean the same wherever they are looked up.
//!
//! DataFusion finds columns by their names again and again while it changes a plan, and takes the first
//! that fits: `customer.income` fits `mart.customer.income` as well. Whoever checks a plan as written
//! relies on every name's meaning what it means there, so names that could mean two things are refused.

use datafusion::common::{Column, DFSchema};

/// What the optimizer's own names begin with.
const RESERVED: &str = "__";

/// Whether every column is found by its own name.
pub(crate) fn find_themselves(schema: &DFSchema) -> bool {
    schema.iter().enumerate().all(|(at, (qualifier, field))| {
        let column = Column::new(qualifier.cloned(), field.name());
        schema.maybe_index_of_column(&column) == Some(at)
    })
}

/// Whether a name could be one that the optimizer gives.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.starts_with(RESERVED)
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
