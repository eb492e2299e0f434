use super::*;
use crate::testing::{customer, example_text, principal, today};
use crate::{BundleText, CheckedBundle, Decision, check, decide, explain, review};

/// The file that `docs/security.md` shows.
const COLUMNS: &str = r#"# What each column is, as the officers see it. A column that is not here, or that was loaded as
# something else, is hidden from everyone.
[[table]]
name = "customer"

[table.columns]
customer_id = "customer_number"
outlet = "open"
desk = "open"
segment = "open"
name = "name"
born = "birth_date"
balance = "balance"
note = "memo"
"#;

fn with_columns(columns: &str) -> BundleText {
    let mut text = example_text();
    text.files.insert("columns.toml".to_owned(), columns.to_owned());
    text
}

fn bundle(columns: &str) -> CheckedBundle {
    check(&with_columns(columns), &[customer()]).unwrap()
}

/// The customers, with one column loaded as something else.
fn loaded_as(column: &str, class: &str) -> TableSchema {
    let class = ClassName::new(class).unwrap();
    customer().with_classes(|of| {
        if of.name.as_str() == column { Some(class.clone()) } else { of.class.clone() }
    })
}

/// What an analyst sees of the table: each column with how it is shown.
fn shown(table: &TableSchema, bundle: &CheckedBundle) -> Vec<String> {
    match decide(&principal("analyst", "00", "7"), table, bundle, today()) {
        Decision::Granted(grant) => {
            grant.columns().iter().map(|it| format!("{} {}", it.name, it.access)).collect()
        }
        Decision::Denied => Vec::new(),
    }
}

fn without(shown: &[String], column: &str) -> Vec<String> {
    let is_other = |line: &&String| !line.starts_with(&format!("{column} "));
    shown.iter().filter(is_other).cloned().collect()
}

#[test]
fn columns_that_were_loaded_as_they_are_named_are_shown_as_ever() {
    let as_ever = shown(&customer(), &check(&example_text(), &[customer()]).unwrap());
    assert_eq!(shown(&customer(), &bundle(COLUMNS)), as_ever);
    assert!(as_ever.contains(&"name token:campaign".to_owned()), "{as_ever:?}");
}

#[test]
fn a_class_that_a_load_names_alone_shows_nothing() {
    let lowered = loaded_as("name", "open");
    let as_ever = shown(&customer(), &bundle(COLUMNS));
    assert_eq!(shown(&lowered, &bundle(COLUMNS)), without(&as_ever, "name"));
    let alone = check(&example_text(), &[customer()]).unwrap();
    assert!(shown(&lowered, &alone).contains(&"name clear".to_owned()), "without the file");
    // Nor does one that no class is named for: the bundle gives no class to what has none.
    let more = format!("{COLUMNS}unclassed = \"open\"\n");
    assert_eq!(shown(&customer(), &bundle(&more)), as_ever);
    let unclassed = loaded_as("unclassed", "open");
    assert_eq!(shown(&unclassed, &bundle(COLUMNS)), as_ever);
    assert!(shown(&unclassed, &bundle(&more)).contains(&"unclassed clear".to_owned()));
}

#[test]
fn a_column_or_table_that_is_not_named_is_hidden() {
    let as_ever = shown(&customer(), &bundle(COLUMNS));
    let fewer = COLUMNS.replace("born = \"birth_date\"\n", "");
    assert_eq!(shown(&customer(), &bundle(&fewer)), without(&as_ever, "born"));
    assert!(shown(&customer(), &bundle("")).is_empty(), "an empty file names nothing");
    let another = COLUMNS.replace("\"customer\"", "\"account\"");
    assert!(shown(&customer(), &bundle(&another)).is_empty(), "and one may name what is to come");
}

#[test]
fn neither_a_review_nor_an_explanation_shows_more() {
    let (kim, table) = (principal("analyst", "00", "7"), loaded_as("name", "open"));
    let lines = explain(&kim, &table, &bundle(COLUMNS), today()).join("\n");
    let expected = "column `name`: hidden, it was loaded as `open`, and columns.toml says `name`";
    assert!(lines.contains(expected), "{lines}");
    let lines = explain(&kim, &loaded_as("unclassed", "open"), &bundle(COLUMNS), today());
    let expected = "column `unclassed`: hidden, it was loaded as `open`, and columns.toml does not \
                    name it";
    assert!(lines.contains(&expected.to_owned()), "{lines:?}");
    let lines = explain(&kim, &customer(), &bundle(""), today());
    assert_eq!(lines.len(), 1 + 8, "of a table that is hidden by it, each column: {lines:?}");
    assert!(lines[0].ends_with("denied: no column of the table is visible"), "{lines:?}");
    assert!(lines[1].ends_with("as `customer_number`, and columns.toml does not name it"));
    let people = crate::Directory::parse("name,roles,node,password,desk\nkim,analyst,00,,7\n");
    let (people, tables, bundle) = (people.unwrap(), [table], bundle(COLUMNS));
    let reviewed: Vec<_> = review(&people, &tables, &bundle, today()).collect();
    let columns = reviewed.iter().flat_map(|line| &line.columns);
    assert!(columns.clone().count() > 0 && columns.clone().all(|column| column.name != "name"));
}

#[test]
fn nobody_looks_up_what_is_hidden() {
    let mut text = with_columns(COLUMNS);
    let roles = text.files.get_mut("roles.toml").unwrap();
    *roles = roles.replacen("may = [\"explain\"]", "lookup = [\"open\", \"name\"]", 1);
    let bundle = check(&text, &[customer()]).unwrap();
    let looked_up = |table: &TableSchema| {
        let decision = decide(&principal("analyst", "00", "7"), table, &bundle, today());
        let Decision::Granted(grant) = decision else { panic!("denied") };
        let columns = grant.columns().iter().filter(|it| it.lookup == crate::LookupRight::Given);
        columns.map(|it| it.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(looked_up(&customer()), ["outlet", "desk", "segment", "name"]);
    assert_eq!(looked_up(&loaded_as("name", "open")), ["outlet", "desk", "segment"]);
}

/// A class that there is not, or whose mask does not fit, would be a finding if it counted.
#[test]
fn a_class_that_does_not_count_is_hidden_and_no_finding() {
    for (column, class) in [("name", "nowhere"), ("born", "name"), ("desk", "memo")] {
        let table = loaded_as(column, class);
        let bundle = check(&with_columns(COLUMNS), std::slice::from_ref(&table)).unwrap();
        let hidden: Vec<String> = bundle
            .classification()
            .hidden_columns(&[table])
            .map(|it| it.column.to_string())
            .collect();
        assert_eq!(hidden, [column]);
    }
}

#[test]
fn martlets_own_tables_are_as_they_are() {
    let record =
        crate::testing::table("system.role", &[("name", martlet_core::ColumnType::Text, "rules")]);
    let bundle = bundle("");
    assert_eq!(*bundle.classification().in_force(&record), record);
    assert_eq!(bundle.classification().hidden_columns(&[record]).count(), 0);
}

/// Names and keys of a table that loses classes stay.
#[test]
fn only_classes_are_taken_away() {
    let key = [ColumnName::new("desk").unwrap()];
    let columns = customer().columns().to_vec();
    let table = TableSchema::new(customer().name().clone(), columns, &key, &key).unwrap();
    let bundle = bundle("");
    let in_force = bundle.classification().in_force(&table);
    assert!(in_force.columns().iter().all(|column| column.class.is_none()));
    assert_eq!((in_force.primary_key(), in_force.cluster_key()), (&[2][..], &[2][..]));
    assert_eq!(in_force.arrow(), table.arrow());
}

#[test]
fn each_mistake_is_found_in_its_place() {
    let table = "[[table]]\nname = \"customer\"\n";
    for (columns, expected) in [
        (format!("{table}columns = {{ note = \"mema\" }}"), "3:20: there is no class `mema`"),
        (format!("{table}columns = {{ note = \"Memo\" }}"), "3:20: `Memo`: "),
        (format!("{table}columns = {{ Note = \"memo\" }}"), "3:13: `Note`: "),
        (format!("{table}columns = {{ note = 1 }}"), "3:20: this has to be a text in quotes"),
        (format!("{table}columns = [\"note\"]"), "3:11: `columns` has to be a table"),
        (format!("{table}colums = {{ note = \"memo\" }}"), "3:1: unknown key `colums`"),
        (table.to_owned(), "2:8: `columns` says of no column of `customer` what it is"),
        (format!("{table}columns = {{ note = \"memo\", note = \"open\" }}"), "3:28: duplicate key"),
        (
            format!(
                "{table}columns = {{ note = \"memo\" }}\n{table}columns = {{ desk = \"open\" }}"
            ),
            "5:8: the table `customer` is already defined in line 2",
        ),
        ("[[tables]]\n".to_owned(), "1:3: unknown key `tables`"),
        ("table = 1\n".to_owned(), "1:9: `table` has to be written as [[…]] tables"),
        ("[[table]]\ncolumns = { note = \"memo\" }".to_owned(), "1:1: `name` is missing"),
        (
            "[[table]]\nname = \"system.role\"\ncolumns = { name = \"open\" }".to_owned(),
            "2:8: `system.role` is Martlet's own",
        ),
    ] {
        let findings = check(&with_columns(&columns), &[customer()]).map(|_| ()).unwrap_err();
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let expected = format!("columns.toml:{expected}");
        assert!(lines.iter().any(|line| line.starts_with(&expected)), "{expected}: {lines:?}");
    }
}

#[test]
fn a_misspelt_file_is_refused() {
    let mut text = example_text();
    text.files.insert("column.toml".to_owned(), COLUMNS.to_owned());
    let findings = check(&text, &[customer()]).map(|_| ()).unwrap_err();
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert!(finding.to_string().contains("and, if wanted, columns.toml"), "{finding}");
}

#[test]
fn stored_bytes_that_lost_the_file_are_no_bundle() {
    let whole = with_columns(COLUMNS).to_bytes();
    for cut in 0..whole.len() {
        let Ok(text) = BundleText::from_bytes(&whole[..cut]) else { continue };
        assert!(check(&text, &[customer()]).is_err(), "cut at {cut}");
    }
}

#[test]
fn the_documentation_shows_this_very_file() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/security.md");
    assert!(std::fs::read_to_string(path).unwrap().contains(COLUMNS));
}

#[test]
fn what_is_named_is_told_in_words() {
    let named = bundle(COLUMNS).classification().to_string();
    assert_eq!(named, "by columns.toml, which names 8");
    let hidden = bundle(COLUMNS);
    let tables = [loaded_as("name", "open")];
    let hidden: Vec<String> =
        hidden.classification().hidden_columns(&tables).map(|it| it.to_string()).collect();
    let expected = "`customer.name` is hidden from everyone: it was loaded as `open`, and \
                    columns.toml says `name`";
    assert_eq!(hidden, [expected]);
}
