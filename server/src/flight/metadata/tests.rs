//! Answers have the schemas that drivers compare, and hold only what the catalog shows.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, UInt32Type, UnionMode};
use arrow_flight::IpcMessage;
use arrow_flight::sql::{
    CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTables, CommandGetXdbcTypeInfo, SqlInfo,
};

use super::types::type_of;
use super::*;

fn table(schema: &str, name: &str, key: Option<&[&str]>) -> VisibleTable {
    let columns = Schema::new(vec![
        Field::new("customer_id", DataType::Utf8, true),
        Field::new("balance", DataType::Decimal128(18, 2), true),
        Field::new("birth_date", DataType::Int32, true),
    ]);
    VisibleTable {
        schema: schema.into(),
        name: name.into(),
        columns: Arc::new(columns),
        primary_key: key.map(|key| key.iter().map(ToString::to_string).collect()),
    }
}

fn catalog() -> VisibleCatalog {
    let tables = vec![
        table("system", "audit_record", None),
        table("mart", "customer", Some(&["customer_id"])),
        table("mart", "service_contact", Some(&["outlet", "contact_id"])),
        table("mart", "account", None),
    ];
    VisibleCatalog { tables }
}

fn all_queries() -> Vec<MetadataQuery> {
    let tables = |include_schema| {
        MetadataQuery::Tables(CommandGetTables { include_schema, ..Default::default() })
    };
    vec![
        MetadataQuery::Catalogs,
        MetadataQuery::DbSchemas(CommandGetDbSchemas::default()),
        tables(false),
        tables(true),
        MetadataQuery::TableTypes,
        MetadataQuery::SqlInfo(CommandGetSqlInfo::default()),
        MetadataQuery::XdbcTypeInfo(CommandGetXdbcTypeInfo::default()),
        MetadataQuery::PrimaryKeys(CommandGetPrimaryKeys {
            table: "customer".into(),
            ..Default::default()
        }),
        MetadataQuery::ExportedKeys(CommandGetExportedKeys::default()),
        MetadataQuery::ImportedKeys(CommandGetImportedKeys::default()),
        MetadataQuery::CrossReference(CommandGetCrossReference::default()),
    ]
}

fn column(batch: &RecordBatch, name: &str) -> Vec<String> {
    let values = batch.column_by_name(name).unwrap().as_string::<i32>();
    values.iter().map(|value| value.unwrap_or("null").to_string()).collect()
}

fn tables_of(query: CommandGetTables) -> Vec<String> {
    column(&answer(&MetadataQuery::Tables(query), &catalog()).unwrap(), "table_name")
}

/// `name type nullable`, one line per field.
fn golden(schema: &Schema) -> Vec<String> {
    let line = |field: &Arc<Field>| {
        let nullable = if field.is_nullable() { "null" } else { "not null" };
        format!("{} {} {nullable}", field.name(), field.data_type())
    };
    schema.fields().iter().map(line).collect()
}

#[test]
fn every_answer_has_the_schema_that_was_announced() {
    for query in all_queries() {
        let announced = schema(&query).unwrap();
        for catalog in [catalog(), VisibleCatalog::default()] {
            assert_eq!(answer(&query, &catalog).unwrap().schema(), announced, "{query:?}");
        }
        assert!(announced.metadata().is_empty());
        assert!(announced.fields().iter().all(|field| field.metadata().is_empty()));
    }
}

#[test]
fn schemas_are_flight_sqls() {
    assert_eq!(golden(&tables::catalogs_schema()), ["catalog_name Utf8 not null"]);
    assert_eq!(
        golden(&tables::schemas_schema()),
        ["catalog_name Utf8 null", "db_schema_name Utf8 not null"]
    );
    assert_eq!(
        golden(&tables::tables_schema(true)),
        [
            "catalog_name Utf8 null",
            "db_schema_name Utf8 null",
            "table_name Utf8 not null",
            "table_type Utf8 not null",
            "table_schema Binary not null"
        ]
    );
    assert_eq!(golden(&tables::table_types_schema()), ["table_type Utf8 not null"]);
    assert_eq!(
        golden(&keys::primary_schema()),
        [
            "catalog_name Utf8 null",
            "db_schema_name Utf8 null",
            "table_name Utf8 not null",
            "column_name Utf8 not null",
            "key_name Utf8 null",
            "key_sequence Int32 not null"
        ]
    );
    assert_eq!(
        golden(&keys::foreign_schema()),
        [
            "pk_catalog_name Utf8 null",
            "pk_db_schema_name Utf8 null",
            "pk_table_name Utf8 not null",
            "pk_column_name Utf8 not null",
            "fk_catalog_name Utf8 null",
            "fk_db_schema_name Utf8 null",
            "fk_table_name Utf8 not null",
            "fk_column_name Utf8 not null",
            "key_sequence Int32 not null",
            "fk_key_name Utf8 null",
            "pk_key_name Utf8 null",
            "update_rule UInt8 not null",
            "delete_rule UInt8 not null"
        ]
    );
}

#[test]
fn absent_pattern_and_name_find_the_catalog_and_an_empty_name_finds_none() {
    for (asked, found) in [
        (None, true),
        (Some("martlet"), true),
        (Some("%"), true),
        (Some(""), false),
        (Some("x"), false),
    ] {
        let catalog_asked = asked.map(ToString::to_string);
        let tables =
            tables_of(CommandGetTables { catalog: catalog_asked.clone(), ..Default::default() });
        assert_eq!(!tables.is_empty(), found, "{asked:?}");
        let query = CommandGetDbSchemas { catalog: catalog_asked, db_schema_filter_pattern: None };
        let schemas = answer(&MetadataQuery::DbSchemas(query), &catalog()).unwrap();
        assert_eq!(column(&schemas, "db_schema_name").len(), if found { 2 } else { 0 });
    }
}

#[test]
fn tables_are_sorted_and_filtered_by_patterns() {
    let all = tables_of(CommandGetTables::default());
    assert_eq!(all, ["account", "customer", "service_contact", "audit_record"]);
    let by_name = |pattern: &str| {
        tables_of(CommandGetTables {
            table_name_filter_pattern: Some(pattern.into()),
            ..Default::default()
        })
    };
    assert_eq!(by_name("%c_nt_ct"), ["service_contact"]);
    assert_eq!(by_name(r"service\_contact"), ["service_contact"]);
    assert_eq!(by_name(r"service\%"), [""; 0]);
    let system =
        CommandGetTables { db_schema_filter_pattern: Some("sys%".into()), ..Default::default() };
    assert_eq!(tables_of(system), ["audit_record"]);
}

#[test]
fn a_table_is_called_as_the_client_called_it() {
    let types = |asked: &[&str]| {
        let table_types = asked.iter().map(ToString::to_string).collect();
        let query = CommandGetTables { table_types, ..Default::default() };
        column(&answer(&MetadataQuery::Tables(query), &catalog()).unwrap(), "table_type")
    };
    assert_eq!(types(&[]), ["TABLE"; 4]);
    assert_eq!(types(&["VIEW", "BASE TABLE", "table"]), ["BASE TABLE"; 4]);
    assert_eq!(types(&["table"]), ["table"; 4]);
    assert_eq!(types(&["VIEW"]), [""; 0]);
}

#[test]
fn table_schemas_carry_the_types_that_the_type_list_names() {
    let query = CommandGetTables {
        include_schema: true,
        table_name_filter_pattern: Some("customer".into()),
        ..Default::default()
    };
    let batch = answer(&MetadataQuery::Tables(query), &catalog()).unwrap();
    let bytes = batch.column_by_name("table_schema").unwrap().as_binary::<i32>().value(0).to_vec();
    let schema = Schema::try_from(IpcMessage(bytes.into())).unwrap();
    let of = |column: &str, key: &str| {
        let field = schema.field_with_name(column).unwrap();
        field.metadata().get(&format!("ARROW:FLIGHT:SQL:{key}")).cloned()
    };
    assert_eq!(of("customer_id", "TYPE_NAME").unwrap(), "VARCHAR");
    assert_eq!(of("customer_id", "TABLE_NAME").unwrap(), "customer");
    assert_eq!(of("balance", "TYPE_NAME").unwrap(), "DECIMAL");
    assert_eq!(of("balance", "PRECISION").unwrap(), "18");
    assert_eq!(of("balance", "SCALE").unwrap(), "2");
    assert_eq!(of("customer_id", "PRECISION"), None);

    let listed = column(&types::infos(None).unwrap(), "type_name");
    for data_type in [
        DataType::Boolean,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::Float32,
        DataType::Float64,
        DataType::Decimal128(18, 2),
        DataType::Date32,
        DataType::Time64(arrow::datatypes::TimeUnit::Microsecond),
        DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None),
        DataType::Binary,
        DataType::Utf8,
    ] {
        let name = type_of(&data_type).name;
        assert!(listed.iter().any(|listed| listed == name), "{name}");
    }
}

#[test]
fn primary_keys_come_in_the_keys_order_and_only_where_they_are_visible() {
    let keys = |table: &str| {
        let query = CommandGetPrimaryKeys { table: table.into(), ..Default::default() };
        answer(&MetadataQuery::PrimaryKeys(query), &catalog()).unwrap()
    };
    let contact = keys("service_contact");
    assert_eq!(column(&contact, "column_name"), ["outlet", "contact_id"]);
    let sequence = contact.column_by_name("key_sequence").unwrap().as_primitive::<Int32Type>();
    assert_eq!(sequence.values(), &[1, 2]);
    assert_eq!(keys("account").num_rows(), 0);
    assert_eq!(keys("hidden"), keys("missing"));
}

#[test]
fn all_standard_infos_are_there_and_no_other() {
    let all = sql_info::infos(&[]).unwrap();
    let codes = all.column(0).as_primitive::<UInt32Type>().values().to_vec();
    let standard: Vec<u32> = (0..12).chain(100..102).chain(500..577).collect();
    assert_eq!(codes, standard);
    assert!(codes.iter().all(|code| SqlInfo::try_from(*code as i32).is_ok()));
    assert_eq!(sql_info::infos(&[8, 504, 10_000]).unwrap().num_rows(), 2);
}

/// Drivers read each code from one child of the union without looking which it is.
#[test]
fn every_info_has_its_drivers_type() {
    const TEXT: i8 = 0;
    const FLAG: i8 = 1;
    const BIG: i8 = 2;
    const MASK: i8 = 3;
    const LIST: i8 = 4;
    const MAP: i8 = 5;
    let expected = |code: u32| match code {
        0..=2 | 6 | 7 | 504 | 513 | 514 | 529..=531 => TEXT,
        8 | 100 | 101 | 522 | 525 | 526 | 528 | 533..=535 | 538 | 540 | 564 | 567..=571 => MASK,
        503 | 505 | 507 | 541..=555 | 557..=562 => BIG,
        508..=512 => LIST,
        517 => MAP,
        _ => FLAG,
    };
    let all = sql_info::infos(&[]).unwrap();
    let codes = all.column(0).as_primitive::<UInt32Type>().clone();
    let union = all.column(1).as_union();
    for row in 0..all.num_rows() {
        let code = codes.value(row);
        assert_eq!(union.type_id(row), expected(code), "code {code}");
    }
    let DataType::Union(children, UnionMode::Dense) = union.data_type() else {
        panic!("not a dense union")
    };
    let names: Vec<&str> = children.iter().map(|(_, field)| field.name().as_str()).collect();
    assert_eq!(
        names,
        [
            "string_value",
            "bool_value",
            "bigint_value",
            "int32_bitmask",
            "string_list",
            "int32_to_int32_list_map"
        ]
    );
}

#[test]
fn the_type_list_can_be_asked_for_one_code() {
    assert_eq!(column(&types::infos(Some(12)).unwrap(), "type_name"), ["VARCHAR"]);
    assert_eq!(types::infos(Some(4711)).unwrap().num_rows(), 0);
    let all = types::infos(None).unwrap();
    let searchable = all.column_by_name("searchable").unwrap().as_primitive::<Int32Type>();
    assert!(searchable.values().iter().all(|value| *value == 3), "every type can be filtered by");
}
