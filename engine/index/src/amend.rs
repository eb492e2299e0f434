//! An index object made from another: sections that stay are copied, others are built anew.
//!
//! Receives: a segment's descriptor, the sound sections to keep, and the rows of the columns to
//! index, from whoever adds, drops or mends indexes. Hands on: a whole new object, to be attached
//! in the place of the old one. Every section that is kept is proven again; never reads a file.

use arrow::array::RecordBatch;
use bytes::Bytes;
use martlet_core::TableSchema;

use crate::build::{Built, build, built_room};
use crate::choose::IndexChoice;
use crate::descriptor::{ColumnZones, Descriptor, SectionRef};
use crate::error::IndexError;
use crate::file::{FileBuilder, digest};
use crate::kind::IndexKind;

/// A section that stays as it is.
#[derive(Debug, Clone)]
pub struct KeptSection {
    /// Where it lay and what it is.
    pub section: SectionRef,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Makes a segment's index object anew from the sections to keep and the kinds to build.
///
/// `base` tells the zone maps. `wanted` names columns by position, each once, with the kinds to
/// build over it; `rows` holds those columns of the whole segment in stored order (and may hold
/// no column if none is wanted). A kind that does not apply to a column's values is left out, as
/// [`build`] does.
///
/// # Errors
/// [`IndexError::Damaged`] if a kept section is not what its digest says, or the descriptor has
/// other columns than the schema; otherwise as [`build`].
pub fn amend(
    schema: &TableSchema,
    base: &Descriptor,
    kept: &[KeptSection],
    rows: &RecordBatch,
    wanted: &[(usize, Vec<IndexKind>)],
) -> Result<Built, IndexError> {
    let mut zones = base.zones().to_vec();
    if zones.len() != schema.columns().len() {
        return Err(IndexError::damaged("its descriptor has other columns than the table"));
    }
    let kept_bytes: usize = kept.iter().map(|section| section.bytes.len()).sum();
    let mut file = FileBuilder::with_room(kept_bytes + built_room(rows));
    for KeptSection { section, bytes } in kept {
        if digest(bytes) != section.digest {
            return Err(IndexError::damaged("a section does not match its digest"));
        }
        file.keep(section.clone(), bytes);
    }
    if !wanted.is_empty() {
        add_built(schema, base, rows, wanted, &mut file, &mut zones)?;
    }
    let (bytes, sections) = file.finish();
    Ok(Built { bytes, descriptor: Descriptor::new(base.rows(), zones, sections) })
}

/// Builds what is wanted as the object of a narrower table and takes its sections over.
fn add_built(
    schema: &TableSchema,
    base: &Descriptor,
    rows: &RecordBatch,
    wanted: &[(usize, Vec<IndexKind>)],
    file: &mut FileBuilder,
    zones: &mut [ColumnZones],
) -> Result<(), IndexError> {
    if rows.num_rows() != base.rows() as usize {
        let selection = u32::try_from(rows.num_rows()).unwrap_or(u32::MAX);
        return Err(IndexError::Lengths { index: base.rows(), selection });
    }
    let columns: Vec<_> =
        wanted.iter().filter_map(|(column, _)| schema.columns().get(*column)).cloned().collect();
    let choices: Vec<_> =
        wanted.iter().map(|(_, kinds)| IndexChoice::Kinds(kinds.clone())).collect();
    let wrong = IndexError::Choices { choices: choices.len(), columns: columns.len() };
    let narrow = TableSchema::new(schema.name().clone(), columns, &[], &[]).map_err(|_| wrong)?;
    let built = build(&narrow, rows, &choices)?;
    for section in built.descriptor.sections() {
        // An object in memory is never as long as the address space.
        let (start, length) = (section.offset as usize, section.length as usize);
        let (column, _) = wanted[section.column];
        file.keep(SectionRef { column, ..section.clone() }, &built.bytes[start..start + length]);
    }
    for ((column, _), measured) in wanted.iter().zip(built.descriptor.zones()) {
        zones[*column] = measured.clone();
    }
    Ok(())
}

#[cfg(test)]
#[path = "amend_tests.rs"]
mod tests;
