//! The names that one principal may know; all others do not exist.
//!
//! Never holds a table without a grant: every entry is made from one.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::error::Result as DataFusionResult;
use martlet_core::TableName;

use crate::secured_table::SecuredTable;

/// The one catalog.
pub(crate) const CATALOG: &str = "martlet";

/// A table as the principal sees it.
#[derive(Debug, Clone)]
pub struct VisibleTable {
    /// `mart` or `system`.
    pub schema: String,
    /// The table's name within its schema.
    pub name: String,
    /// The visible columns in wire types; masked columns have their mask's type.
    pub columns: SchemaRef,
    /// The primary key, where all its columns are visible as stored.
    pub primary_key: Option<Vec<String>>,
}

/// Everything that the principal may know exists.
#[derive(Debug, Clone, Default)]
pub struct VisibleCatalog {
    /// The tables, by schema and name.
    pub tables: Vec<VisibleTable>,
}

impl VisibleCatalog {
    /// The catalog's name.
    pub const NAME: &'static str = CATALOG;

    /// The names of the schemas that hold a visible table.
    #[must_use]
    pub fn schemas(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tables.iter().map(|table| table.schema.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// DataFusion's view of the same.
#[derive(Debug)]
pub(crate) struct SecuredCatalog {
    schemas: BTreeMap<String, Arc<dyn SchemaProvider>>,
}

impl SecuredCatalog {
    pub(crate) fn new(tables: BTreeMap<TableName, Arc<SecuredTable>>) -> Self {
        let mut by_schema: BTreeMap<String, BTreeMap<String, Arc<SecuredTable>>> = BTreeMap::new();
        for (name, table) in tables {
            by_schema
                .entry(name.schema_part().to_string())
                .or_default()
                .insert(name.table_part().to_string(), table);
        }
        let schemas = by_schema
            .into_iter()
            .map(|(name, tables)| {
                (name, Arc::new(SecuredSchema { tables }) as Arc<dyn SchemaProvider>)
            })
            .collect();
        Self { schemas }
    }
}

impl CatalogProvider for SecuredCatalog {
    fn schema_names(&self) -> Vec<String> {
        self.schemas.keys().cloned().collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        self.schemas.get(name).cloned()
    }
}

#[derive(Debug)]
struct SecuredSchema {
    tables: BTreeMap<String, Arc<SecuredTable>>,
}

#[async_trait]
impl SchemaProvider for SecuredSchema {
    fn table_names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> DataFusionResult<Option<Arc<dyn TableProvider>>> {
        Ok(self.tables.get(name).map(|table| Arc::clone(table) as Arc<dyn TableProvider>))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.contains_key(name)
    }
}
