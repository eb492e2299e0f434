//! The two files that SQL changes, with everything in them that it does not change.

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::{Change, NewRule, Rows, SqlRefused};
use crate::bundle::{BundleText, ROLES_FILE, RULES_FILE};
use crate::rule::Literal;

const ROLE: &str = "role";
const RULE: &str = "row_rule";

/// `roles.toml` and `rules.toml`.
pub(super) struct Documents {
    roles: DocumentMut,
    rules: DocumentMut,
}

impl Documents {
    pub(super) fn read(text: &BundleText) -> Result<Self, SqlRefused> {
        let read = |file: &str| {
            let content = text.files.get(file).map(String::as_str).unwrap_or_default();
            content.parse::<DocumentMut>().map_err(|_| SqlRefused {
                line: 0,
                reason: format!("{file} cannot be read; `martlet policy check` says where"),
            })
        };
        Ok(Self { roles: read(ROLES_FILE)?, rules: read(RULES_FILE)? })
    }

    /// The bundle with these two files.
    pub(super) fn written(&self, text: &BundleText) -> BundleText {
        let mut text = text.clone();
        text.files.insert(ROLES_FILE.into(), self.roles.to_string());
        text.files.insert(RULES_FILE.into(), self.rules.to_string());
        text
    }

    /// Makes one change, or says why not.
    pub(super) fn make(&mut self, change: Change) -> Result<(), String> {
        match change {
            Change::CreateRole { role, inherits } => self.create_role(&role, &inherits),
            Change::DropRole { role } => self.drop_role(&role),
            Change::GrantTables { tables, roles } => self.add(&roles, "tables", &tables),
            Change::RevokeTables { tables, roles } => self.remove(&roles, "tables", &tables),
            Change::GrantRoles { granted, roles } => {
                granted.iter().try_for_each(|role| self.role(role).map(drop))?;
                self.add(&roles, "inherits", &granted)
            }
            Change::RevokeRoles { granted, roles } => self.remove(&roles, "inherits", &granted),
            Change::CreateRule(rule) => self.create_rule(&rule),
            Change::DropRule { rule, table } => self.drop_rule(&rule, &table),
        }
    }

    fn role(&mut self, name: &str) -> Result<&mut Table, String> {
        let unknown = || {
            format!(
                "the bundle has no role `{name}`; people get their roles from the feed of principals"
            )
        };
        named(list(&mut self.roles, ROLES_FILE, ROLE)?, name).ok_or_else(unknown)
    }

    fn create_role(&mut self, name: &str, inherits: &[String]) -> Result<(), String> {
        if self.role(name).is_ok() {
            return Err(format!("the bundle has a role `{name}` already"));
        }
        inherits.iter().try_for_each(|role| self.role(role).map(drop))?;
        let mut role = Table::new();
        role.insert("name", value(name));
        if !inherits.is_empty() {
            role.insert("inherits", value(texts(inherits)));
        }
        list(&mut self.roles, ROLES_FILE, ROLE)?.push(role);
        Ok(())
    }

    fn drop_role(&mut self, name: &str) -> Result<(), String> {
        self.role(name)?;
        let heirs = list(&mut self.roles, ROLES_FILE, ROLE)?;
        if let Some(heir) = heirs.iter().find(|role| holds(role, "inherits", name)) {
            let heir = heir.get("name").and_then(Item::as_str).unwrap_or_default();
            return Err(format!("the role `{heir}` inherits from `{name}`: revoke that first"));
        }
        let rules = list(&mut self.rules, RULES_FILE, RULE)?;
        if let Some(rule) = rules.iter().find(|rule| holds(rule, "roles", name)) {
            let rule = rule.get("name").and_then(Item::as_str).unwrap_or_default();
            return Err(format!("the policy `{rule}` is for `{name}`: drop it first"));
        }
        list(&mut self.roles, ROLES_FILE, ROLE)?
            .retain(|role| role.get("name").and_then(Item::as_str) != Some(name));
        Ok(())
    }

    /// Adds to a list of each role what is not in it.
    fn add(&mut self, roles: &[String], key: &str, wanted: &[String]) -> Result<(), String> {
        for role in roles {
            let list = texts_of(self.role(role)?, key)?;
            for text in wanted {
                if !list.iter().any(|known| known.as_str() == Some(text)) {
                    list.push(text.as_str());
                }
            }
        }
        Ok(())
    }

    /// Takes from a list of each role what has to be in it.
    fn remove(&mut self, roles: &[String], key: &str, unwanted: &[String]) -> Result<(), String> {
        for role in roles {
            let list = texts_of(self.role(role)?, key)?;
            for text in unwanted {
                let at = list.iter().position(|known| known.as_str() == Some(text)).ok_or_else(|| {
                    format!("the role `{role}` does not have `{text}` by itself: revoke it where it is granted")
                })?;
                list.remove(at);
            }
        }
        Ok(())
    }

    fn create_rule(&mut self, rule: &NewRule) -> Result<(), String> {
        rule.roles.iter().try_for_each(|role| self.role(role).map(drop))?;
        let rules = list(&mut self.rules, RULES_FILE, RULE)?;
        if named(rules, &rule.name).is_some() {
            return Err(format!("the bundle has a policy `{}` already", rule.name));
        }
        rules.push(written(rule));
        Ok(())
    }

    /// A rule of several tables loses the one.
    fn drop_rule(&mut self, name: &str, table: &str) -> Result<(), String> {
        let rules = list(&mut self.rules, RULES_FILE, RULE)?;
        let missing = || format!("there is no policy `{name}` on `{table}`");
        let tables = texts_of(named(rules, name).ok_or_else(missing)?, "tables")?;
        let at = tables.iter().position(|known| known.as_str() == Some(table));
        tables.remove(at.ok_or_else(missing)?);
        if tables.is_empty() {
            rules.retain(|rule| rule.get("name").and_then(Item::as_str) != Some(name));
        }
        Ok(())
    }
}

/// The `[[key]]` tables of a file; made where it has none.
fn list<'a>(
    document: &'a mut DocumentMut,
    file: &str,
    key: &str,
) -> Result<&'a mut ArrayOfTables, String> {
    let item = document.entry(key).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    item.as_array_of_tables_mut().ok_or_else(|| format!("{file} has no list of [[{key}]]"))
}

fn named<'a>(tables: &'a mut ArrayOfTables, name: &str) -> Option<&'a mut Table> {
    tables.iter_mut().find(|table| table.get("name").and_then(Item::as_str) == Some(name))
}

fn texts_of<'a>(table: &'a mut Table, key: &str) -> Result<&'a mut Array, String> {
    let item = table.entry(key).or_insert_with(|| value(Array::new()));
    item.as_array_mut().ok_or_else(|| format!("`{key}` is no list of names"))
}

fn holds(table: &Table, key: &str, text: &str) -> bool {
    let list = table.get(key).and_then(Item::as_array);
    list.is_some_and(|list| list.iter().any(|known| known.as_str() == Some(text)))
}

fn texts(names: &[String]) -> Array {
    names.iter().map(String::as_str).collect()
}

fn written(rule: &NewRule) -> Table {
    let mut table = Table::new();
    table.insert("name", value(rule.name.as_str()));
    table.insert("effect", value(rule.effect.word()));
    table.insert("roles", value(texts(&rule.roles)));
    table.insert("tables", value(texts(std::slice::from_ref(&rule.table))));
    let mut put = |key: &str, what: toml_edit::Value| table.insert(key, Item::Value(what));
    match &rule.rows {
        Rows::All => drop(put("all", true.into())),
        Rows::Within { column, attribute } => {
            put("column", column.as_str().into());
            put("within", attribute.as_str().into());
        }
        Rows::Equals { column, attribute } => {
            put("column", column.as_str().into());
            put("equals", attribute.as_str().into());
        }
        Rows::OneOf { column, values } => {
            put("column", column.as_str().into());
            put("in", values.iter().map(literal).collect::<Array>().into());
        }
        Rows::Range { column, at_least, below } => {
            put("column", column.as_str().into());
            at_least.iter().for_each(|end| drop(put("at_least", literal(end))));
            below.iter().for_each(|end| drop(put("below", literal(end))));
        }
    }
    table
}

/// Digits that TOML cannot hold stay a text, which the check then refuses where it does not fit.
fn literal(literal: &Literal) -> toml_edit::Value {
    match literal {
        Literal::Text(text) => text.as_str().into(),
        Literal::Boolean(flag) => (*flag).into(),
        Literal::Integer(digits) => {
            digits.parse::<i64>().map_or_else(|_| digits.as_str().into(), Into::into)
        }
        Literal::Float(digits) => {
            digits.parse::<f64>().map_or_else(|_| digits.as_str().into(), Into::into)
        }
    }
}
