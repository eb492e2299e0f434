//! A delivery is complete or refused, and its digest tells it from every other.

use std::fs;

use martlet_core::ErrorKind;
use martlet_core::Kinded as _;

use super::*;
use crate::progress::Silent;

const PLAN: &str = r#"
name = "night"
[[table]]
name = "t"
mode = "replace"
[[table.column]]
name = "a"
type = "text"
[[table.source]]
files = ["{yyyymmdd}/t_*.csv"]
[[table.source]]
files = ["{date}.csv"]
"#;

fn plan(folder: &Path, text: &str) -> LoadPlan {
    LoadPlan::parse(Path::new("night.toml"), text, folder).unwrap()
}

fn date() -> BatchDate {
    "1994-03-31".parse().unwrap()
}

fn delivery() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("19940331")).unwrap();
    for (name, text) in [("t_2.csv", "a\n2\n"), ("t_1.csv", "a\n1\n"), ("other.csv", "a\n9\n")] {
        fs::write(folder.path().join("19940331").join(name), text).unwrap();
    }
    fs::write(folder.path().join("1994-03-31.csv"), "a\n3\n").unwrap();
    folder
}

#[test]
fn files_come_in_a_fixed_order() {
    let folder = delivery();
    let arrival = arrive(&plan(folder.path(), PLAN), date()).unwrap();
    let shown: Vec<&str> = arrival.tables[0].iter().map(|file| file.shown.as_str()).collect();
    assert_eq!(shown, ["19940331/t_1.csv", "19940331/t_2.csv", "1994-03-31.csv"]);
    assert_eq!(arrival.tables[0][2].source, 1);
    assert_eq!(arrival.tables[0][2].bytes, 4);
}

#[test]
fn the_digest_tells_content_names_and_the_load_file() {
    let folder = delivery();
    let digest = |text: &str| {
        let plan = plan(folder.path(), text);
        arrive(&plan, date()).unwrap().digest(&plan, &Silent).unwrap()
    };
    let before = digest(PLAN);
    assert_eq!(digest(PLAN), before);
    assert_ne!(digest(&PLAN.replace("replace", "append")), before);
    let one = folder.path().join("19940331/t_1.csv");
    fs::write(&one, "a\n7\n").unwrap();
    assert_ne!(digest(PLAN), before);
    fs::write(&one, "a\n1\n").unwrap();
    assert_eq!(digest(PLAN), before, "time alone changes nothing");
    fs::rename(&one, folder.path().join("19940331/t_3.csv")).unwrap();
    assert_ne!(digest(PLAN), before);
}

#[test]
fn the_digest_does_not_depend_on_where_the_folder_is() {
    let (one, other) = (delivery(), delivery());
    let digest = |folder: &Path| {
        let plan = plan(folder, PLAN);
        arrive(&plan, date()).unwrap().digest(&plan, &Silent).unwrap()
    };
    assert_eq!(digest(one.path()), digest(other.path()));
}

#[test]
fn a_missing_file_is_an_incomplete_delivery() {
    let folder = delivery();
    let error = arrive(&plan(folder.path(), PLAN), "1994-04-01".parse().unwrap());
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("`19940401/t_*.csv`"), "{error}");
}

#[test]
fn a_file_is_not_loaded_twice_into_a_table() {
    let folder = delivery();
    let text = PLAN.replace("{date}.csv", "*/t_1.csv");
    let error = arrive(&plan(folder.path(), &text), date()).unwrap_err();
    assert!(matches!(error, IngestError::FileTwice { .. }), "{error}");
}

#[test]
fn a_file_that_changes_is_noticed() {
    let folder = delivery();
    let arrival = arrive(&plan(folder.path(), PLAN), date()).unwrap();
    let file = &arrival.tables[0][0];
    file.is_unchanged().unwrap();
    fs::write(&file.path, "a\n1\n2\n").unwrap();
    let error = file.is_unchanged().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retry);
}

#[test]
fn folders_with_pattern_characters_are_found() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("in[1]*");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("t.csv"), "a\n").unwrap();
    let text = PLAN.replace("{yyyymmdd}/t_*.csv", "t.csv").replace("{date}.csv", "t.csv");
    let text = text.rsplit_once("[[table.source]]").unwrap().0.to_string();
    assert_eq!(arrive(&plan(&folder, &text), date()).unwrap().tables[0].len(), 1);
}
