//! The list of controls, as people write it.

use serde::Deserialize;

/// What a bank has to be able to show.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// What it is called here.
    pub name: String,
    /// Which norms ask for it, and where.
    pub asked_by: Vec<String>,
    /// What Martlet does.
    pub promise: String,
    /// The tests that show it, by their whole names.
    pub tests: Vec<String>,
    /// What it does not do.
    pub open: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    control: Vec<Control>,
}

/// Reads the list. A control without a test shows nothing, so it is refused.
pub fn read(text: &str) -> Result<Vec<Control>, String> {
    let list: List = toml::from_str(text).map_err(|error| error.to_string())?;
    match list.control.iter().find(|control| control.tests.is_empty()) {
        Some(control) => Err(format!("the control `{}` names no test", control.name)),
        None => Ok(list.control),
    }
}
