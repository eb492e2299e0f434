//! Compiles every `.proto` file under `schema/` into one Rust module per package.
//!
//! The compiler is `protox`, so no system `protoc` is needed. Never edits a schema.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

const SCHEMA_FOLDER: &str = "schema";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SCHEMA_FOLDER}");
    let mut files = Vec::new();
    collect_schemas(Path::new(SCHEMA_FOLDER), &mut files)?;
    files.sort();
    let descriptors = protox::compile(&files, [SCHEMA_FOLDER])?;
    prost_build::Config::new().bytes(["."]).compile_fds(descriptors)?;
    Ok(())
}

fn collect_schemas(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_schemas(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
