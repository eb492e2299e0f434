//! What a load file means, and where it is refused.

use martlet_core::ColumnType;
use martlet_index::{IndexChoice, IndexKind};

use super::plan::*;
use super::*;
use crate::error::Place;

/// A load file with these lines in its column, its source and its table.
fn with(column: &str, source: &str, table: &str) -> String {
    format!(
        "name = \"night\"\n\
         [[table]]\n\
         name = \"t\"\n\
         mode = \"append\"\n\
         {table}\n\
         [[table.column]]\n\
         name = \"a\"\n\
         {column}\n\
         [[table.source]]\n\
         files = [\"a.csv\"]\n\
         {source}\n"
    )
}

fn parse(text: &str) -> Result<LoadPlan, IngestError> {
    LoadPlan::parse(Path::new("night.toml"), text, Path::new("in"))
}

fn refusal(text: &str) -> (Place, String) {
    match parse(text) {
        Err(IngestError::LoadFile { place, problem, .. }) => (place, problem),
        other => panic!("not refused as a load file: {other:?}"),
    }
}

fn dialect(plan: &LoadPlan) -> &Dialect {
    match &plan.tables[0].sources[0].format {
        FileFormat::Delimited(dialect) => dialect,
        FileFormat::Parquet => panic!("a delimited source"),
    }
}

#[test]
fn little_has_to_be_said() {
    let plan = parse(&with("type = \"int64\"", "", "")).unwrap();
    assert_eq!(plan.name(), "night");
    assert_eq!(plan.reject_limit(), RejectLimit::Rows(0));
    let table = &plan.tables[0];
    let column = &table.schema.columns()[0];
    assert_eq!((column.column_type, column.nullable), (ColumnType::Int64, true));
    assert_eq!(column.class, None, "without a class a column is secret");
    assert_eq!(table.indexes, [IndexChoice::Auto]);
    let source = &table.sources[0];
    assert_eq!(source.rules[0].input, Input::Named("a".into()));
    assert_eq!(source.rules[0].nulls, NullMarks { empty: Empty::Null, words: vec![] });
    let dialect = dialect(&plan);
    assert_eq!((dialect.delimiter, dialect.quote), (',', Some('"')));
    assert_eq!((dialect.header, dialect.newlines), (Header::Named, Newlines::EndRecords));
    assert_eq!(dialect.encoding, encoding_rs::UTF_8);
}

#[test]
fn a_column_overrules_its_source() {
    let column =
        "type = \"decimal(9,2)\"\ndecimal_point = \",\"\nnull = \"-\"\nindex = [\"codes\"]";
    let source = "decimal_point = \";\"\nthousands = \".\"\nnull = [\"\", \"?\"]\ntrim = true";
    let plan = parse(&with(column, source, "")).unwrap();
    let rule = &plan.tables[0].sources[0].rules[0];
    assert_eq!(rule.nulls, NullMarks { empty: Empty::Value, words: vec!["-".into()] });
    assert_eq!(rule.trim, Trim::Spaces);
    let style = NumberStyle { decimal_point: b',', thousands: Some(b'.') };
    assert!(
        matches!(rule.parse, Parse::Decimal { precision: 9, scale: 2, style: found } if found == style)
    );
    assert_eq!(plan.tables[0].indexes, [IndexChoice::Kinds(vec![IndexKind::Codes])]);
}

#[test]
fn a_source_may_call_fields_otherwise() {
    let plan =
        parse(&with("type = \"text\"\nfield = \"A\"", "fields = { a = \"KUNDE\" }", "")).unwrap();
    assert_eq!(plan.tables[0].sources[0].rules[0].input, Input::Named("KUNDE".into()));
}

#[test]
fn without_a_header_columns_stand_in_order() {
    let text = with("type = \"text\"", "header = false\nfield_count = 5", "").replace(
        "[[table.source]]",
        "[[table.column]]\nname = \"b\"\ntype = \"text\"\nvalue = \"file_name\"\n\
         [[table.column]]\nname = \"c\"\ntype = \"text\"\n\
         [[table.column]]\nname = \"d\"\ntype = \"text\"\nfield = 1\n\
         [[table.source]]",
    );
    let plan = parse(&text).unwrap();
    let inputs: Vec<&Input> =
        plan.tables[0].sources[0].rules.iter().map(|rule| &rule.input).collect();
    assert_eq!(
        inputs,
        [
            &Input::Position(0),
            &Input::Derived(Derived::FileName),
            &Input::Position(1),
            &Input::Position(0)
        ]
    );
    assert_eq!(dialect(&plan).header, Header::Absent { fields: 5 });
}

#[test]
fn a_key_is_never_null() {
    let plan = parse(&with("type = \"text\"", "", "primary_key = [\"a\"]")).unwrap();
    assert!(!plan.tables[0].schema.columns()[0].nullable);
}

#[test]
fn parquet_has_its_own_null() {
    let plan = parse(&with("type = \"text\"", "format = \"parquet\"", "")).unwrap();
    let source = &plan.tables[0].sources[0];
    assert!(matches!(source.format, FileFormat::Parquet));
    assert_eq!(source.rules[0].nulls, NullMarks { empty: Empty::Value, words: vec![] });
}

#[test]
fn the_limit_is_spelled() {
    let limit = |text: &str| {
        parse(&with("type = \"text\"", "", "").replacen(
            "\n",
            &format!("\nreject_limit = {text}\n"),
            1,
        ))
    };
    assert_eq!(limit("7").unwrap().reject_limit(), RejectLimit::Rows(7));
    assert_eq!(limit("\"unlimited\"").unwrap().reject_limit(), RejectLimit::Unlimited);
    assert!(limit("-1").is_err());
    assert!(limit("\"none\"").is_err());
}

/// Column, source, table; the line of the refusal; words of it.
const REFUSED: &[(&str, &str, &str, usize, &str)] = &[
    ("type = \"varchar\"", "", "", 8, "`type` is one of"),
    ("type = \"decimal(39,2)\"", "", "", 8, "`type` is one of"),
    ("type = \"text\"\nformat = \"%Y\"", "", "", 9, "only columns of type date"),
    ("type = \"date\"\nformat = \"%Y-%m\"", "", "", 9, "year, month and day"),
    ("type = \"date\"\nformat = 7", "", "", 9, "a text or a list of texts"),
    ("type = \"text\"\nnullabel = true", "", "", 9, "unknown field `nullabel`"),
    ("type = \"text\"\nnullable = \"no\"", "", "", 9, "invalid type"),
    ("type = \"text\"\nnullable = true", "", "primary_key = [\"a\"]", 9, "cannot be nullable"),
    ("type = \"text\"\nfield = 0", "", "", 9, "counts from 1"),
    (
        "type = \"text\"\nfield = 1\nvalue = \"file_name\"",
        "",
        "",
        10,
        "either a `field` or a `value`",
    ),
    ("type = \"int32\"\nvalue = \"batch_date\"", "", "", 9, "has type text"),
    ("type = \"text\"\nvalue = \"now\"", "", "", 9, "`value` is batch_date"),
    ("type = \"text\"\nthousands = \",\"", "", "", 9, "only columns of numbers"),
    ("type = \"int32\"\nthousands = \"0\"", "", "", 9, "no letter, digit or sign"),
    ("type = \"float64\"\nthousands = \".\"", "", "", 9, "cannot be the same"),
    ("type = \"text\"\nindex = [\"btree\"]", "", "", 9, "a list of kinds"),
    ("type = \"text\"\nclass = \"Very Secret\"", "", "", 9, "is not a name"),
    (
        "type = \"text\"\nvalue = \"source_system\"\nnullable = false",
        "",
        "",
        11,
        "give the source a `system`",
    ),
    ("type = \"text\"", "format = \"xml\"", "", 11, "\"delimited\" or \"parquet\""),
    ("type = \"text\"", "delimiter = \";;\"", "", 11, "exactly one character"),
    ("type = \"text\"", "delimiter = \"\\n\"", "", 11, "a line end cannot"),
    ("type = \"text\"", "quote = \",\"", "", 1, "cannot be the same"),
    ("type = \"text\"", "encoding = \"utf-16\"", "", 11, "line ends cannot be found"),
    ("type = \"text\"", "encoding = \"klingon\"", "", 11, "not the name of an encoding"),
    ("type = \"text\"", "quoted_empty = \"zero\"", "", 11, "`quoted_empty` is"),
    ("type = \"text\"", "header = false\nfield_count = 0", "", 12, "at least 1"),
    ("type = \"text\"\nfield = \"A\"", "header = false", "", 12, "no field `A`"),
    ("type = \"text\"", "field_count = 3", "", 11, "leave `field_count` out"),
    ("type = \"text\"", "fields = { b = 1 }", "", 11, "not a column of the table"),
    ("type = \"text\"", "format = \"parquet\"\nquote = \"'\"", "", 12, "no such key"),
    ("type = \"text\"", "", "cluster_key = [\"b\"]", 5, "not a column"),
    ("type = \"text\"", "", "primary_key = [\"a\", \"a\"]", 5, "twice"),
    ("type = \"text", "", "", 8, "string"),
];

#[test]
fn refusals_say_where_and_what() {
    for (column, source, table, line, words) in REFUSED {
        let (place, problem) = refusal(&with(column, source, table));
        assert!(problem.contains(words), "{column} {source} {table}: {problem}");
        assert_eq!(place.line, *line, "{column} {source} {table}: {problem}");
    }
}

#[test]
fn the_column_counts_characters() {
    let text = with("type = \"text\"", "", "").replace("mode = \"append\"", "mode = \"中\"");
    let (place, _) = refusal(&text);
    assert_eq!(place, Place { line: 4, column: 8 });
}

#[test]
fn tables_and_patterns() {
    let good = with("type = \"text\"", "", "");
    let twice = format!("{good}{}", good.split_once('\n').unwrap().1);
    assert!(refusal(&twice).1.contains("stands twice"));
    assert!(refusal("name = \"night\"").1.contains("[[table]]"));
    assert!(refusal(&good.replace("a.csv", "a_{day}.csv")).1.contains("{date} and {yyyymmdd}"));
    assert!(refusal(&good.replace("a.csv", "a_[.csv")).1.contains("not a pattern"));
    assert!(refusal(&good.replace("[\"a.csv\"]", "[]")).1.contains("names its `files`"));
    assert!(refusal(&good.replace("\"t\"", "\"system.t\"")).1.contains("Martlet's own"));
    assert!(refusal(&good.replace("append", "merge")).1.contains("\"replace\", \"append\""));
    assert!(refusal(&good.replace("night", "../night")).1.contains("is not a name"));
}

#[test]
fn the_input_folder_is_the_load_files_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("night.toml");
    std::fs::write(&path, with("type = \"text\"", "", "")).unwrap();
    assert_eq!(LoadPlan::read(&path, None).unwrap().input, folder.path());
    assert_eq!(LoadPlan::read(&path, Some(Path::new("/data"))).unwrap().input, Path::new("/data"));
    assert!(matches!(
        LoadPlan::read(&folder.path().join("none.toml"), None),
        Err(IngestError::Read { .. })
    ));
}
