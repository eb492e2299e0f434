//! Rules in force and tables that came after them: no load keeps anybody from being let go.

use martlet_core::{ClassName, ColumnName, ColumnSchema, ColumnType, TableSchema};

use super::*;
use crate::testing::{bundle_text, principal, table, today};
use crate::{Decision, decide, explain};

const CLASSES: &str = "[[class]]\nname = \"open\"\n\
    [[class]]\nname = \"number\"\nmask = \"token\"\npurpose = \"count\"\n\
    [[class]]\nname = \"id\"\nmask = \"id_number\"\n\
    [[class]]\nname = \"born\"\nmask = \"birth_date\"\n";

const COLUMNS: &str = "[[table]]\nname = \"person\"\n[table.columns]\n\
    key = \"number\"\noutlet = \"open\"\nid_number = \"id\"\nborn = \"born\"\n";

const RULES: &str = "[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"reader\"]\n\
    tables = [\"person\"]\nall = true\n";

/// A role that sees the ID number and the day of birth masked, with more of its own and behind it.
fn rules(own: &str, behind: &str) -> BundleText {
    let roles = format!(
        "[[role]]\nname = \"reader\"\ntables = [\"person\"]\n{own}[role.classes]\n\
         open = \"clear\"\nnumber = \"filter\"\nid = \"mask\"\nborn = \"mask\"\n{behind}"
    );
    bundle_text(&[
        ("bundle.toml", "name = \"c\"\nversion = \"1\"\nprofile = \"doc\"\n"),
        ("organization.csv", "node,parent,level,name\n00,,head_office,Head\n"),
        ("classes.toml", CLASSES),
        ("columns.toml", COLUMNS),
        ("roles.toml", &roles),
        ("rules.toml", RULES),
    ])
}

const ACCEPTED: &str = "[[accepted_risk]]\nname = \"month\"\nroles = [\"reader\"]\n\
    hidden = \"born\"\nbeside = [\"id\"]\nreason = \"tellers need both\"\n";

const COUNTED: &str = "minimum_group = 10\nminimum_group_by = \"key\"\n";

fn person() -> TableSchema {
    let text = ColumnType::Text;
    let columns = [("key", text, "number"), ("outlet", text, "open"), ("id_number", text, "id")];
    table("person", &[&columns[..], &[("born", ColumnType::Date, "born")]].concat())
}

/// The persons, with one column loaded as something else.
fn loaded_as(column: &str, class: &str) -> TableSchema {
    let class = ClassName::new(class).unwrap();
    person().with_classes(|of| {
        if of.name.as_str() == column { Some(class.clone()) } else { of.class.clone() }
    })
}

fn findings(occasion: Occasion, text: &BundleText, table: &TableSchema) -> Vec<String> {
    match check_on(occasion, text, std::slice::from_ref(table)) {
        Ok(_) => Vec::new(),
        Err(findings) => findings.iter().map(ToString::to_string).collect(),
    }
}

fn taken_over(text: &BundleText, table: &TableSchema) -> CheckedBundle {
    check_on(Occasion::TakeOver, text, std::slice::from_ref(table)).unwrap()
}

/// What officers are told of hidden columns.
fn hidden(bundle: &CheckedBundle, table: &TableSchema) -> Vec<String> {
    let tables = std::slice::from_ref(table);
    bundle.classification().hidden_columns(tables).map(|it| it.to_string()).collect()
}

/// The columns that a reader sees; `None` where the table is denied.
fn shown(bundle: &CheckedBundle, table: &TableSchema) -> Option<Vec<String>> {
    match decide(&principal("reader", "00", "7"), table, bundle, today()) {
        Decision::Granted(grant) => {
            Some(grant.columns().iter().map(|column| column.name.to_string()).collect())
        }
        Decision::Denied => None,
    }
}

#[test]
fn a_load_that_makes_an_accepted_risk_needless_is_taken_over() {
    let text = rules("", ACCEPTED);
    assert_eq!(findings(Occasion::Change, &text, &person()), [""; 0]);
    let lowered = loaded_as("born", "open");
    let bundle = taken_over(&text, &lowered);
    assert_eq!(shown(&bundle, &lowered).unwrap(), ["key", "outlet", "id_number"]);
    let harmless = rules("", &ACCEPTED.replace("\"born\"", "\"number\""));
    let found = findings(Occasion::Change, &harmless, &person());
    let is_needless = |line: &String| line.contains("nothing needs the accepted risk `month`");
    assert!(found.iter().any(is_needless), "officers hear of it: {found:?}");
}

/// The persons before a load brought their days of birth.
fn earlier() -> TableSchema {
    let columns = person().columns()[..3].to_vec();
    TableSchema::new(person().name().clone(), columns, &[], &[]).unwrap()
}

#[test]
fn officers_decide_about_what_is_to_come_as_if_it_was_there() {
    for table in [person(), earlier(), loaded_as("born", "open")] {
        let found = findings(Occasion::Change, &rules("", ""), &table);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("`person.born` (class `born`: mask:birth_date)"), "{found:?}");
        assert_eq!(findings(Occasion::Change, &rules("", ACCEPTED), &table), [""; 0]);
    }
    let mut unnamed = rules("", ACCEPTED);
    let fewer = COLUMNS.replace("born = \"born\"\n", "");
    unnamed.files.insert("columns.toml".to_owned(), fewer);
    let found = findings(Occasion::Change, &unnamed, &person());
    assert!(found[0].contains("nothing needs the accepted risk `month`"), "{found:?}");
}

#[test]
fn a_column_that_its_mask_cannot_hide_is_withheld_and_the_rest_is_shown() {
    let columns = person().columns().to_vec().into_iter().map(|mut column| {
        if column.name.as_str() == "born" {
            column.column_type = ColumnType::Text;
        }
        column
    });
    let name = person().name().clone();
    let retyped = TableSchema::new(name, columns.collect(), &[], &[]).unwrap();
    let text = rules("", ACCEPTED);
    let found = findings(Occasion::Change, &text, &retyped);
    let expected = "the mask `birth_date` cannot hide `person.born`, which is text";
    assert!(found.len() == 1 && found[0].ends_with(expected), "{found:?}");
    let bundle = taken_over(&text, &retyped);
    assert_eq!(shown(&bundle, &retyped).unwrap(), ["key", "outlet", "id_number"]);
    assert_eq!(
        hidden(&bundle, &retyped),
        [format!("`person.born` is hidden from everyone: {expected}")]
    );
}

#[test]
fn what_gives_a_column_away_is_withheld_and_the_rest_is_shown() {
    let mut columns = person().columns().to_vec();
    columns.push(ColumnSchema { name: ColumnName::new("old_id").unwrap(), ..columns[2].clone() });
    let twice = TableSchema::new(person().name().clone(), columns, &[], &[]).unwrap();
    let mut text = rules("", "");
    text.files.insert("columns.toml".to_owned(), format!("{COLUMNS}old_id = \"id\"\n"));
    assert!(!findings(Occasion::Change, &text, &twice).is_empty());
    let bundle = taken_over(&text, &twice);
    assert_eq!(shown(&bundle, &twice).unwrap(), ["key", "outlet", "born"], "both ID numbers");
    let hidden = hidden(&bundle, &twice);
    assert_eq!(hidden.len(), 2);
    for expected in
        ["`person.id_number` is hidden", "`person.born` (class `born`: mask:birth_date)"]
    {
        assert!(hidden[0].contains(expected), "{expected} in {hidden:?}");
    }
}

#[test]
fn a_load_that_takes_a_column_from_a_row_rule_is_taken_over_and_the_table_denied() {
    let mut text = rules("", ACCEPTED);
    let by_outlet = RULES.replace("all = true", "column = \"outlet\"\nin = [\"a\"]");
    text.files.insert("rules.toml".to_owned(), by_outlet);
    assert!(shown(&taken_over(&text, &person()), &person()).is_some());
    let mut columns = person().columns().to_vec();
    columns[1].column_type = ColumnType::Date;
    let retyped = TableSchema::new(person().name().clone(), columns.clone(), &[], &[]).unwrap();
    columns.remove(1);
    let fewer = TableSchema::new(person().name().clone(), columns, &[], &[]).unwrap();
    for table in [retyped, fewer] {
        assert_eq!(findings(Occasion::Change, &text, &table).len(), 1);
        assert_eq!(shown(&taken_over(&text, &table), &table), None);
    }
}

#[test]
fn without_the_file_what_does_not_fit_is_refused() {
    let mut text = rules("", "");
    text.files.remove("columns.toml");
    assert_eq!(findings(Occasion::TakeOver, &text, &person()).len(), 1);
}

#[test]
fn a_load_that_hides_who_is_counted_is_taken_over_and_the_table_denied() {
    let text = rules(COUNTED, ACCEPTED);
    assert!(shown(&taken_over(&text, &person()), &person()).is_some());
    let lowered = loaded_as("key", "open");
    for occasion in [Occasion::Change, Occasion::TakeOver] {
        assert_eq!(findings(occasion, &text, &lowered), [""; 0], "{occasion:?}");
    }
    let bundle = taken_over(&text, &lowered);
    assert_eq!(shown(&bundle, &lowered), None);
    let lines = explain(&principal("reader", "00", "7"), &lowered, &bundle, today()).join("\n");
    for expected in [
        "denied: the column of persons `key` is hidden, so no group can be counted",
        "column `key`: hidden, it was loaded as `open`, and columns.toml says `number`",
    ] {
        assert!(lines.contains(expected), "{expected} in {lines}");
    }
}

#[test]
fn officers_are_told_of_persons_who_are_not_seen_whatever_is_loaded() {
    let mut silent = rules(COUNTED, ACCEPTED);
    let mut unnamed = silent.clone();
    for (text, file, word) in [
        (&mut silent, "roles.toml", "number = \"filter\"\n"),
        (&mut unnamed, "columns.toml", "key = \"number\"\n"),
    ] {
        let fewer = text.files[file].replace(word, "");
        text.files.insert(file.to_owned(), fewer);
        for table in [person(), loaded_as("key", "open")] {
            let found = findings(Occasion::Change, text, &table);
            assert!(found[0].contains("does not see `key` of `person`"), "{found:?}");
            assert_eq!(shown(&taken_over(text, &table), &table), None, "and nothing is shown");
        }
    }
}

#[test]
fn persons_may_be_counted_by_a_column_that_is_to_come() {
    let columns = person().columns()[1..].to_vec();
    let earlier = TableSchema::new(person().name().clone(), columns, &[], &[]).unwrap();
    let text = rules(COUNTED, ACCEPTED);
    assert_eq!(findings(Occasion::Change, &text, &earlier), [""; 0]);
    assert_eq!(shown(&taken_over(&text, &earlier), &earlier), None, "nobody is counted before");
}

#[test]
fn words_that_officers_read_are_checked_as_they_are_shown_and_keep_no_rules_out() {
    let text = |file: &str, old: &str, new: &str| {
        let mut text = rules("", ACCEPTED);
        let changed = text.files[file].replace(old, new);
        assert_ne!(changed, text.files[file]);
        text.files.insert(file.to_owned(), changed);
        text
    };
    assert_eq!(findings(Occasion::Change, &rules("", ACCEPTED), &person()), [""; 0]);
    for (file, old, new) in [
        ("bundle.toml", "\"c\"", "\" c\""),
        ("bundle.toml", "\"1\"", "\"1 \""),
        ("bundle.toml", "\"1\"", "\"1\u{202e}\""),
        ("roles.toml", "\"month\"", "\"month\u{2066}\""),
        ("roles.toml", "need both", "need\u{2028}both"),
    ] {
        let text = text(file, old, new);
        let found = findings(Occasion::Change, &text, &person());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("turns or breaks a line"), "{found:?}");
        assert!(!found[0].contains(['\u{202e}', '\u{2066}', '\u{2028}']), "{found:?}");
        taken_over(&text, &person());
    }
    // What is empty, or has control characters, is found once.
    let empty = text("bundle.toml", "\"1\"", "\" \"");
    assert_eq!(findings(Occasion::Change, &empty, &person()).len(), 1);
}
