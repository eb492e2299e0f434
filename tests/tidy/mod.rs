//! The house rules as tests: maps that name what exists, files that say what they own, one
//! direction between the crates, heavy crates behind their fence.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a product file at most; tests stand in files of their own.
const LINES_MAX: usize = 520;

/// Members in the order of the data's way: each may depend only on those before it.
const ORDER: [&str; 12] = [
    "martlet-bank",
    "martlet-proto",
    "martlet-core",
    "martlet-policy",
    "martlet-store",
    "martlet-index",
    "martlet-query",
    "martlet-ingest",
    "martlet-server",
    "martlet-decisions",
    "martlet-bench",
    "martlet-tests",
];

/// Outside crates that may appear in these members only.
const FENCES: [(&str, &[&str]); 6] = [
    ("datafusion", &["martlet-query", "martlet-tests"]),
    ("tonic", &["martlet-server", "martlet-decisions", "martlet-tests"]),
    ("arrow-flight", &["martlet-server", "martlet-decisions", "martlet-tests"]),
    ("parquet", &["martlet-store", "martlet-ingest"]),
    ("object_store", &["martlet-store", "martlet-tests"]),
    ("roaring", &["martlet-core", "martlet-index", "martlet-query"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            if entry.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(entry);
            } else if entry.extension().is_some_and(|of| of == extension) {
                found.push(entry);
            }
        }
    }
    found.sort();
    found
}

fn is_test(path: &Path) -> bool {
    path.strip_prefix(root()).unwrap().to_string_lossy().contains("tests")
}

#[test]
fn every_source_file_opens_with_what_it_owns() {
    let silent: Vec<_> = files_below(&root(), "rs")
        .into_iter()
        .filter(|path| !is_test(path) && !path.ends_with("build.rs"))
        .filter(|path| !fs::read_to_string(path).unwrap().starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "files without an opening: {silent:#?}");
}

#[test]
fn no_product_file_has_become_a_heap() {
    let heaps: Vec<_> = files_below(&root(), "rs")
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .collect();
    assert!(heaps.is_empty(), "files over {LINES_MAX} lines: {heaps:#?}");
}

#[test]
fn unsafe_code_stands_in_one_file() {
    let marks = ["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe", "expect(unsafe"];
    let found: Vec<_> = files_below(&root(), "rs")
        .into_iter()
        .filter(|path| !is_test(path))
        .filter(|path| {
            let text = fs::read_to_string(path).unwrap();
            marks.iter().any(|mark| text.contains(mark))
        })
        .collect();
    assert_eq!(found, [root().join("engine/store/src/object/map.rs")]);
}

#[test]
fn the_maps_name_only_what_exists() {
    let mut missing = Vec::new();
    let mut pages = files_below(&root().join("docs"), "md");
    pages.push(root().join("README.md"));
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            let ours =
                ["engine/", "ingest/", "server/", "proto/", "tests/", "benchmarks/", "docs/"]
                    .iter()
                    .any(|folder| quoted.starts_with(folder));
            let is_path = ours && !quoted.contains([' ', '*', '{', '<', '\n']);
            if is_path && !root().join(quoted).exists() {
                missing.push((page.clone(), quoted.to_string()));
            }
        }
    }
    assert!(missing.is_empty(), "paths that do not exist: {missing:#?}");
}

type Manifest = toml::Table;

fn manifests() -> BTreeMap<String, Manifest> {
    let workspace: Manifest =
        toml::from_str(&fs::read_to_string(root().join("Cargo.toml")).unwrap()).unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    members
        .iter()
        .map(|member| {
            let path = root().join(member.as_str().unwrap()).join("Cargo.toml");
            let manifest: Manifest = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            (manifest["package"]["name"].as_str().unwrap().to_string(), manifest)
        })
        .collect()
}

fn dependencies(manifest: &Manifest, tables: &[&str]) -> BTreeSet<String> {
    tables
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table())
        .flat_map(|table| table.keys().cloned())
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let manifests = manifests();
    assert_eq!(manifests.keys().map(String::as_str).collect::<BTreeSet<_>>(), ORDER.into());
    for (place, name) in ORDER.iter().enumerate() {
        let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
        for dependency in dependencies(&manifests[*name], &tables) {
            if let Some(of) = ORDER.iter().position(|member| *member == dependency) {
                assert!(
                    of < place || dependency == **name,
                    "{name} must not depend on {dependency}"
                );
            }
        }
    }
    let storage = dependencies(&manifests["martlet-store"], &["dependencies"]);
    assert!(!storage.contains("martlet-policy"), "the store does not know what a rule is");
    let ingest = dependencies(&manifests["martlet-ingest"], &["dependencies"]);
    assert!(!ingest.contains("martlet-policy") && !ingest.contains("martlet-query"));
}

#[test]
fn heavy_crates_stay_behind_their_fence() {
    for (name, manifest) in manifests() {
        for dependency in dependencies(&manifest, &["dependencies"]) {
            for (fenced, allowed) in FENCES {
                assert!(
                    dependency != fenced || allowed.contains(&name.as_str()),
                    "{name} must not depend on {fenced}"
                );
            }
        }
    }
}

/// `evidence` says which tests show a control: each of them has to be there, and the page has to be
/// of the list.
#[test]
fn the_evidence_names_tests_that_exist() {
    let list = fs::read_to_string(root().join("tests/evidence/controls.toml")).unwrap();
    let list: toml::Table = toml::from_str(&list).unwrap();
    let page = fs::read_to_string(root().join("docs/evidence.md")).unwrap();
    let sources: String = ["engine", "ingest", "server", "tests"]
        .iter()
        .flat_map(|folder| files_below(&root().join(folder), "rs"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let controls = list["control"].as_array().unwrap();
    for control in controls {
        let name = control["name"].as_str().unwrap();
        assert!(
            page.contains(&format!("\n## {name}\n")),
            "docs/evidence.md lacks `{name}`: write it anew"
        );
        for test in control["tests"].as_array().unwrap() {
            let test = test.as_str().unwrap();
            let function = test.rsplit("::").next().unwrap();
            assert!(sources.contains(&format!("fn {function}(")), "there is no test {test}");
            assert!(
                page.contains(&format!("- `{test}`: passed\n")),
                "{test} has no place in docs/evidence.md, or did not pass"
            );
        }
    }
}
