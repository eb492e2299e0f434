//! Writes the policy bundle: its text files stand in `policy/` of this crate, ready to read;
//! only the organization tree and the version are made here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::census::Bank;
use crate::error::BankError;

const BUNDLE: &str = include_str!("../policy/bundle.toml");
pub(crate) const CLASSES: &str = include_str!("../policy/classes.toml");
const ROLES: &str = include_str!("../policy/roles.toml");
const RULES: &str = include_str!("../policy/rules.toml");

pub(crate) fn write(bank: &Bank, dir: &Path) -> Result<PathBuf, BankError> {
    let folder = dir.join("policy");
    fs::create_dir_all(&folder).map_err(BankError::at(&folder))?;
    let bundle = BUNDLE.replace("{date}", &bank.plan.date.format("%Y-%m-%d").to_string());
    let files = [
        ("bundle.toml", bundle.as_str()),
        ("classes.toml", CLASSES),
        ("roles.toml", ROLES),
        ("rules.toml", RULES),
        ("organization.csv", &organization(bank)),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(BankError::at(&path))?;
    }
    Ok(folder)
}

/// Codes and names hold no comma, quote or line end, so nothing needs quoting.
fn organization(bank: &Bank) -> String {
    let mut text = "node,parent,level,name\n".to_owned();
    for node in bank.organization.nodes() {
        text.push_str(&format!("{},{},{},{}\n", node.code, node.parent, node.level, node.name));
    }
    text
}

#[cfg(test)]
#[path = "bundle_tests.rs"]
mod tests;
