//! The types that columns have on the wire, by the names that drivers know.
//!
//! Owns the one table of names, so that a column's TYPE_NAME is always one of the types that
//! GetXdbcTypeInfo lists: BI tools push down nothing on a column whose type is not listed.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow_flight::sql::metadata::{XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{Nullable, Searchable, XdbcDataType, XdbcDatetimeSubcode};

/// How a column's type is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColumnTypeInfo {
    /// Its name in SQL.
    pub(crate) name: &'static str,
    /// Decimal digits, or characters of a date, where they are fixed.
    pub(crate) precision: Option<i32>,
    /// Decimal digits after the point.
    pub(crate) scale: Option<i32>,
    /// Whether `a` and `A` differ.
    pub(crate) case_sensitive: bool,
}

/// How a type of the wire is told.
pub(crate) fn type_of(data_type: &DataType) -> ColumnTypeInfo {
    let plain = |name, precision, scale| ColumnTypeInfo {
        name,
        precision,
        scale,
        case_sensitive: name == "VARCHAR",
    };
    match data_type {
        DataType::Boolean => plain("BOOLEAN", Some(1), None),
        DataType::Int8 | DataType::Int16 => plain("SMALLINT", Some(5), Some(0)),
        DataType::Int32 => plain("INTEGER", Some(10), Some(0)),
        DataType::Int64 => plain("BIGINT", Some(19), Some(0)),
        DataType::Float32 => plain("REAL", Some(7), None),
        DataType::Float64 => plain("DOUBLE", Some(15), None),
        DataType::Decimal128(digits, scale) | DataType::Decimal256(digits, scale) => {
            plain("DECIMAL", Some((*digits).into()), Some((*scale).into()))
        }
        DataType::Date32 | DataType::Date64 => plain("DATE", Some(10), None),
        DataType::Time32(_) | DataType::Time64(_) => plain("TIME", Some(15), None),
        DataType::Timestamp(..) => plain("TIMESTAMP", Some(26), Some(6)),
        DataType::Binary => plain("VARBINARY", None, None),
        // Lists, structs and intervals are told as text: drivers show them so.
        _ => plain("VARCHAR", None, None),
    }
}

/// One row of GetXdbcTypeInfo: name, code, size, quoted, radix, scales, parameters.
struct Listed {
    name: &'static str,
    code: XdbcDataType,
    size: i32,
    quotes: Quotes,
    radix: Option<i32>,
    scale_max: Option<i32>,
    parameters: &'static [&'static str],
}

/// How a literal of the type is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    /// The type's name before the quoted text: `DATE '2026-11-22'`.
    Named,
    /// Hexadecimal digits: `X'00ff'`.
    Hexadecimal,
}

const fn listed(name: &'static str, code: XdbcDataType, size: i32, quotes: Quotes) -> Listed {
    Listed { name, code, size, quotes, radix: None, scale_max: None, parameters: &[] }
}

const fn number(name: &'static str, code: XdbcDataType, size: i32, radix: i32) -> Listed {
    let plain = listed(name, code, size, Quotes::None);
    Listed { radix: Some(radix), scale_max: Some(0), ..plain }
}

const fn decimal(name: &'static str, code: XdbcDataType) -> Listed {
    let plain = number(name, code, 38, 10);
    Listed { scale_max: Some(38), parameters: &["precision", "scale"], ..plain }
}

const LISTED: [Listed; 20] = [
    listed("BOOLEAN", XdbcDataType::XdbcBit, 1, Quotes::None),
    number("TINYINT", XdbcDataType::XdbcTinyint, 3, 10),
    number("SMALLINT", XdbcDataType::XdbcSmallint, 5, 10),
    number("INTEGER", XdbcDataType::XdbcInteger, 10, 10),
    number("BIGINT", XdbcDataType::XdbcBigint, 19, 10),
    Listed { scale_max: None, ..number("REAL", XdbcDataType::XdbcReal, 24, 2) },
    Listed { scale_max: None, ..number("FLOAT", XdbcDataType::XdbcFloat, 53, 2) },
    Listed { scale_max: None, ..number("DOUBLE", XdbcDataType::XdbcDouble, 53, 2) },
    decimal("DECIMAL", XdbcDataType::XdbcDecimal),
    decimal("NUMERIC", XdbcDataType::XdbcNumeric),
    Listed {
        parameters: &["length"],
        ..listed("CHAR", XdbcDataType::XdbcChar, i32::MAX, Quotes::Single)
    },
    Listed {
        parameters: &["length"],
        ..listed("VARCHAR", XdbcDataType::XdbcVarchar, i32::MAX, Quotes::Single)
    },
    listed("LONGVARCHAR", XdbcDataType::XdbcLongvarchar, i32::MAX, Quotes::Single),
    listed("WCHAR", XdbcDataType::XdbcWchar, i32::MAX, Quotes::Single),
    listed("WVARCHAR", XdbcDataType::XdbcWvarchar, i32::MAX, Quotes::Single),
    listed("VARBINARY", XdbcDataType::XdbcVarbinary, i32::MAX, Quotes::Hexadecimal),
    listed("BINARY", XdbcDataType::XdbcBinary, i32::MAX, Quotes::Hexadecimal),
    listed("DATE", XdbcDataType::XdbcDate, 10, Quotes::Named),
    Listed { scale_max: Some(6), ..listed("TIME", XdbcDataType::XdbcTime, 15, Quotes::Named) },
    Listed {
        scale_max: Some(6),
        ..listed("TIMESTAMP", XdbcDataType::XdbcTimestamp, 26, Quotes::Named)
    },
];

/// Built once: the types never change while the server runs.
static INFOS: LazyLock<Option<XdbcTypeInfoData>> = LazyLock::new(|| {
    let mut builder = XdbcTypeInfoDataBuilder::new();
    for row in &LISTED {
        builder.append(info(row));
    }
    builder.build().ok()
});

fn info(row: &Listed) -> XdbcTypeInfo {
    let (prefix, suffix) = match row.quotes {
        Quotes::None => (None, None),
        Quotes::Single => (Some("'".to_string()), Some("'".to_string())),
        Quotes::Named => (Some(format!("{} '", row.name)), Some("'".to_string())),
        Quotes::Hexadecimal => (Some("X'".to_string()), Some("'".to_string())),
    };
    let (sql_data_type, datetime_subcode) = match row.code {
        XdbcDataType::XdbcDate => {
            // ODBC's code of a date is 1, which this enum calls a year.
            (XdbcDataType::XdbcDatetime, Some(XdbcDatetimeSubcode::XdbcSubcodeYear))
        }
        XdbcDataType::XdbcTime => {
            (XdbcDataType::XdbcDatetime, Some(XdbcDatetimeSubcode::XdbcSubcodeTime))
        }
        XdbcDataType::XdbcTimestamp => {
            (XdbcDataType::XdbcDatetime, Some(XdbcDatetimeSubcode::XdbcSubcodeTimestamp))
        }
        code => (code, None),
    };
    XdbcTypeInfo {
        type_name: row.name.into(),
        data_type: row.code,
        column_size: Some(row.size),
        literal_prefix: prefix,
        literal_suffix: suffix,
        create_params: Some(row.parameters.iter().map(ToString::to_string).collect()),
        nullable: Nullable::NullabilityNullable,
        case_sensitive: row.quotes == Quotes::Single,
        searchable: Searchable::Full,
        unsigned_attribute: row.radix.map(|_| false),
        fixed_prec_scale: false,
        auto_increment: row.radix.map(|_| false),
        local_type_name: Some(row.name.into()),
        minimum_scale: row.scale_max.map(|_| 0),
        maximum_scale: row.scale_max,
        sql_data_type,
        datetime_subcode,
        num_prec_radix: row.radix,
        interval_precision: None,
    }
}

pub(crate) fn schema() -> SchemaRef {
    INFOS.as_ref().map_or_else(|| Arc::new(Schema::empty()), XdbcTypeInfoData::schema)
}

/// The types of one code, or all.
pub(crate) fn infos(code: Option<i32>) -> Result<RecordBatch, ArrowError> {
    let broken = || ArrowError::SchemaError("the list of types cannot be built".into());
    INFOS.as_ref().ok_or_else(broken)?.record_batch(code).map_err(|_| broken())
}
