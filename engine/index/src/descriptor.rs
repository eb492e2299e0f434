//! What is told of a segment's indexes without reading them: where each section lies, and
//! the zone maps.
//!
//! Owns the conversion to and from the stored message. Bytes are proven by a digest of their
//! own and checked field by field; what is decoded holds every promise that the probe needs.

use bytes::Bytes;
use martlet_core::Value;
use martlet_core::limits::SEGMENT_ROWS_MAX;
use martlet_proto::index as stored;
use prost::Message;

use crate::error::IndexError;
use crate::file::digest;
use crate::kind::IndexKind;
use crate::zone::{Bounds, PAGE_ROWS, ZoneMap};

const FORMAT_VERSION: u32 = 1;
const DIGEST_BYTES: usize = 8;

/// Where one index lies in the index object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionRef {
    /// Position of the column in the table's schema.
    pub column: usize,
    /// The kind of index.
    pub kind: IndexKind,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// First eight bytes of the section's BLAKE3.
    pub digest: u64,
    /// Distinct values, without null; 0 where the kind did not count them.
    pub distinct: u32,
    /// Microseconds that building it took; 0 where nobody measured.
    pub build_micros: u64,
}

/// The zone maps of one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnZones {
    pub(crate) column: ZoneMap,
    /// Either empty or one per page of [`PAGE_ROWS`] rows.
    pub(crate) pages: Vec<ZoneMap>,
}

/// Everything about the indexes of one segment but the indexes.
#[derive(Debug, Clone, PartialEq)]
pub struct Descriptor {
    rows: u32,
    columns: Vec<ColumnZones>,
    sections: Vec<SectionRef>,
}

impl Descriptor {
    pub(crate) const fn new(
        rows: u32,
        columns: Vec<ColumnZones>,
        sections: Vec<SectionRef>,
    ) -> Self {
        Self { rows, columns, sections }
    }

    /// The descriptor of a segment without any index: every probe of it answers unknown.
    #[must_use]
    pub const fn without_indexes(rows: u32) -> Self {
        Self::new(rows, Vec::new(), Vec::new())
    }

    /// Rows of the segment.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// The zone maps of all columns.
    pub(crate) fn zones(&self) -> &[ColumnZones] {
        &self.columns
    }

    /// The zone map of a column, by its position in the schema.
    #[must_use]
    pub fn zone_map(&self, column: usize) -> Option<&ZoneMap> {
        self.columns.get(column).map(|zones| &zones.column)
    }

    /// The zone maps of a column's pages, one per [`PAGE_ROWS`] rows in row order; empty
    /// where they would prove no more than the column's.
    #[must_use]
    pub fn page_zones(&self, column: usize) -> &[ZoneMap] {
        self.columns.get(column).map_or(&[], |zones| &zones.pages)
    }

    /// The index of that kind over a column, if it was built.
    #[must_use]
    pub fn section(&self, column: usize, kind: IndexKind) -> Option<&SectionRef> {
        self.sections.iter().find(|section| section.column == column && section.kind == kind)
    }

    /// Every index, in the order of the object's bytes.
    #[must_use]
    pub fn sections(&self) -> &[SectionRef] {
        &self.sections
    }

    /// The same without some of its indexes: their bytes stay in the object, and nobody is told.
    #[must_use]
    pub fn hiding(mut self, is_hidden: impl Fn(&SectionRef) -> bool) -> Self {
        self.sections.retain(|section| !is_hidden(section));
        self
    }

    /// The stored form: the message, then eight bytes of its BLAKE3.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let message = stored::Descriptor {
            format_version: FORMAT_VERSION,
            rows: self.rows,
            page_rows: PAGE_ROWS,
            sections: self.sections.iter().map(stored_section).collect(),
            columns: self.columns.iter().map(stored_zones).collect(),
        };
        let mut bytes = message.encode_to_vec();
        let proof = digest(&bytes);
        bytes.extend_from_slice(&proof.to_le_bytes());
        bytes.into()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] if the bytes are not what was written,
    /// [`IndexError::UnknownFormat`] if a later version wrote them.
    pub fn decode(bytes: &[u8]) -> Result<Self, IndexError> {
        let (message, proof) = bytes
            .split_last_chunk::<DIGEST_BYTES>()
            .ok_or(IndexError::damaged("its descriptor is too short"))?;
        if digest(message) != u64::from_le_bytes(*proof) {
            return Err(IndexError::damaged("its descriptor does not match its digest"));
        }
        let message = stored::Descriptor::decode(message)
            .map_err(|_| IndexError::damaged("its descriptor is not well formed"))?;
        if message.format_version != FORMAT_VERSION || message.page_rows != PAGE_ROWS {
            return Err(IndexError::UnknownFormat { version: message.format_version });
        }
        Self::checked(&message)
    }

    fn checked(message: &stored::Descriptor) -> Result<Self, IndexError> {
        let rows = message.rows;
        if rows > SEGMENT_ROWS_MAX {
            return Err(IndexError::damaged("its descriptor tells of too many rows"));
        }
        let columns = message
            .columns
            .iter()
            .map(|zones| checked_zones(rows, zones))
            .collect::<Result<Vec<_>, _>>()?;
        let sections = message
            .sections
            .iter()
            .map(|section| checked_section(columns.len(), section))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { rows, columns, sections })
    }
}

fn stored_section(section: &SectionRef) -> stored::Section {
    let kind = match section.kind {
        IndexKind::Bitmap => stored::Kind::Bitmap,
        IndexKind::Codes => stored::Kind::Codes,
        IndexKind::Vector => stored::Kind::Vector,
        IndexKind::BitSliced => stored::Kind::BitSliced,
        IndexKind::Binned => stored::Kind::Binned,
        IndexKind::DatePart => stored::Kind::DatePart,
        IndexKind::Lookup => stored::Kind::Lookup,
        IndexKind::Ngram => stored::Kind::Ngram,
        IndexKind::Texts => stored::Kind::Texts,
    };
    stored::Section {
        // A table has at most 1,024 columns.
        column: u32::try_from(section.column).unwrap_or(u32::MAX),
        kind: kind.into(),
        offset: section.offset,
        length: section.length,
        digest: section.digest,
        distinct: section.distinct,
        build_micros: section.build_micros,
    }
}

fn checked_section(columns: usize, section: &stored::Section) -> Result<SectionRef, IndexError> {
    let kind = match section.kind() {
        stored::Kind::Bitmap => IndexKind::Bitmap,
        stored::Kind::Codes => IndexKind::Codes,
        stored::Kind::Vector => IndexKind::Vector,
        stored::Kind::BitSliced => IndexKind::BitSliced,
        stored::Kind::Binned => IndexKind::Binned,
        stored::Kind::DatePart => IndexKind::DatePart,
        stored::Kind::Lookup => IndexKind::Lookup,
        stored::Kind::Ngram => IndexKind::Ngram,
        stored::Kind::Texts => IndexKind::Texts,
        stored::Kind::Unspecified => {
            return Err(IndexError::damaged("its descriptor names an unknown kind"));
        }
    };
    let column = section.column as usize;
    if column >= columns || section.offset.checked_add(section.length).is_none() {
        return Err(IndexError::damaged("a section of its descriptor lies outside"));
    }
    Ok(SectionRef {
        column,
        kind,
        offset: section.offset,
        length: section.length,
        digest: section.digest,
        distinct: section.distinct,
        build_micros: section.build_micros,
    })
}

fn stored_zones(zones: &ColumnZones) -> stored::ColumnZones {
    stored::ColumnZones {
        column: Some(stored_zone(&zones.column)),
        pages: zones.pages.iter().map(stored_zone).collect(),
    }
}

fn stored_zone(zone: &ZoneMap) -> stored::Zone {
    stored::Zone {
        min: zone.min.as_ref().map(stored_value),
        max: zone.max.as_ref().map(stored_value),
        exact: zone.bounds == Bounds::Exact,
        nulls: zone.nulls,
        distinct: zone.distinct,
    }
}

fn checked_zones(rows: u32, zones: &stored::ColumnZones) -> Result<ColumnZones, IndexError> {
    let missing = || IndexError::damaged("a column of its descriptor has no zone map");
    let column = checked_zone(rows, zones.column.as_ref().ok_or_else(missing)?)?;
    let page_count = rows.div_ceil(PAGE_ROWS) as usize;
    if !zones.pages.is_empty() && zones.pages.len() != page_count {
        return Err(IndexError::damaged("its descriptor has zone maps for other pages"));
    }
    let page_starts = (0..rows).step_by(PAGE_ROWS as usize);
    let pages = page_starts
        .zip(&zones.pages)
        .map(|(start, zone)| checked_zone(PAGE_ROWS.min(rows - start), zone))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(ColumnZones { column, pages })
}

fn checked_zone(rows: u32, zone: &stored::Zone) -> Result<ZoneMap, IndexError> {
    let min = zone.min.as_ref().map(checked_value).transpose()?;
    let max = zone.max.as_ref().map(checked_value).transpose()?;
    let is_ordered = match (&min, &max) {
        (Some(min), Some(max)) => {
            min <= max && std::mem::discriminant(min) == std::mem::discriminant(max)
        }
        _ => true,
    };
    if zone.nulls > rows || !is_ordered {
        return Err(IndexError::damaged("a zone map of its descriptor contradicts itself"));
    }
    let bounds = if zone.exact { Bounds::Exact } else { Bounds::Loose };
    Ok(ZoneMap { rows, nulls: zone.nulls, min, max, bounds, distinct: zone.distinct })
}

fn stored_value(value: &Value) -> stored::Value {
    use stored::value::Value as Stored;
    let value = match value {
        Value::Boolean(value) => Stored::Boolean(*value),
        Value::Int(value) => Stored::Int(*value),
        Value::Float(value) => Stored::FloatBits(value.to_bits()),
        Value::Decimal(value) => Stored::Decimal(Bytes::copy_from_slice(&value.to_le_bytes())),
        Value::Date(value) => Stored::Date(*value),
        Value::Timestamp(value) => Stored::Timestamp(*value),
        Value::Text(value) => Stored::Text(value.to_string()),
    };
    stored::Value { value: Some(value) }
}

fn checked_value(value: &stored::Value) -> Result<Value, IndexError> {
    use stored::value::Value as Stored;
    let refused = || IndexError::damaged("a value of its descriptor is not well formed");
    Ok(match value.value.as_ref().ok_or_else(refused)? {
        Stored::Boolean(value) => Value::Boolean(*value),
        Stored::Int(value) => Value::Int(*value),
        Stored::FloatBits(bits) => Value::Float(f64::from_bits(*bits)),
        Stored::Decimal(bytes) => {
            Value::Decimal(i128::from_le_bytes(bytes[..].try_into().map_err(|_| refused())?))
        }
        Stored::Date(value) => Value::Date(*value),
        Stored::Timestamp(value) => Value::Timestamp(*value),
        Stored::Text(value) => Value::text(value),
    })
}
