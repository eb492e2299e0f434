//! `martlet policy sql`: rules in PostgreSQL's words into a bundle's files.
//!
//! Owns the reading and writing of the files. Must never put anything into force: what it writes
//! is checked, compared, approved and applied like what people write.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use martlet_policy::{BundleText, change_by_sql};

use super::apply::print_diff;
use crate::command::exit::Failure;
use crate::command::terminal::say;

const EXAMPLES: &str = "\
Examples:
  martlet policy sql ./policy -c 'GRANT SELECT ON customer TO teller'
  martlet policy sql ./policy -f rules.sql

CREATE ROLE, DROP ROLE, GRANT SELECT ON, GRANT a_role TO a_role, REVOKE, CREATE POLICY … USING (…) and
DROP POLICY, in PostgreSQL's spelling; which conditions a USING may have, docs/security.md says. All
statements are taken or none. Then: martlet policy check, diff, apply.";

/// The options of `martlet policy sql`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The bundle's folder
    bundle: PathBuf,
    /// The statements
    #[arg(short = 'c', value_name = "SQL", required_unless_present = "file")]
    command: Option<String>,
    /// A file of statements
    #[arg(short = 'f', value_name = "FILE", conflicts_with = "command")]
    file: Option<PathBuf>,
}

/// Changes the files, or none of them.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let sql = match (&arguments.command, &arguments.file) {
        (Some(sql), _) => sql.clone(),
        (None, Some(file)) => fs::read_to_string(file)
            .map_err(|error| Failure::file("reading the statements", file, &error))?,
        (None, None) => String::new(),
    };
    let old = BundleText::read_dir(&arguments.bundle)?;
    let new = change_by_sql(&old, &sql)
        .map_err(|refused| Failure::invalid(refused.to_string()).advise("nothing was changed"))?;
    for (name, text) in new.files.iter().filter(|(name, text)| old.files.get(*name) != Some(text)) {
        replace(&arguments.bundle.join(name), text)?;
    }
    print_diff(Some(&old), &new);
    if old != new {
        say!("The bundle's files are changed; `martlet policy check` and `apply` are next.");
    }
    Ok(())
}

/// Writes beside it first, so that a file is whole at any time.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let fresh = path.with_extension("toml.new");
    fs::write(&fresh, text)
        .and_then(|()| fs::rename(&fresh, path))
        .map_err(|error| Failure::file("writing the bundle's file", path, &error))
}
