//! The load file's reference says what the code does: its examples are read, and it names
//! every key.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::Path;

use martlet_ingest::LoadPlan;

fn reference() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/loading.md");
    std::fs::read_to_string(path).unwrap()
}

/// The TOML blocks of the reference, with the line on which each begins.
fn examples(text: &str) -> Vec<(usize, String)> {
    let mut examples: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (at, line) in text.lines().enumerate() {
        match (open, line) {
            (false, "```toml") => {
                examples.push((at + 1, String::new()));
                open = true;
            }
            (true, "```") => open = false,
            (true, line) => {
                let example = &mut examples.last_mut().unwrap().1;
                example.push_str(line);
                example.push('\n');
            }
            (false, _) => {}
        }
    }
    examples
}

#[test]
fn every_example_is_a_load_file() {
    let text = reference();
    let examples = examples(&text);
    assert!(examples.len() >= 2);
    for (line, example) in examples {
        let parsed = LoadPlan::parse(Path::new("example.toml"), &example, Path::new("."));
        assert!(parsed.is_ok(), "docs/loading.md, example of line {line}: {parsed:?}");
    }
}

/// An unknown key makes the reader list the known ones: each has to be in the reference.
#[test]
fn every_key_is_in_the_reference() {
    let text = reference();
    let column = "[[table.column]]\nname = \"a\"\ntype = \"text\"\n";
    let source = "[[table.source]]\nfiles = [\"a.csv\"]\n";
    let head = "name = \"n\"\n";
    let table = "[[table]]\nname = \"t\"\nmode = \"append\"\n";
    let wrong = "nonsense = 1\n";
    for load_file in [
        format!("{head}{wrong}{table}{column}{source}"),
        format!("{head}{table}{wrong}{column}{source}"),
        format!("{head}{table}{column}{wrong}{source}"),
        format!("{head}{table}{column}{source}{wrong}"),
    ] {
        let refused = LoadPlan::parse(Path::new("x.toml"), &load_file, Path::new("."));
        let message = refused.unwrap_err().to_string();
        let (_, keys) = message.split_once("expected one of ").unwrap();
        for key in keys.split(", ").map(|key| key.trim_matches('`')) {
            assert!(text.contains(&format!("`{key}`")), "docs/loading.md does not name `{key}`");
        }
    }
}
