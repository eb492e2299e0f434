//! One session = one principal + one snapshot + the rules in force.
//!
//! Owns the decision which tables exist for the principal. Never outlives a change of the
//! rules: the server opens a new one for every execution.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use datafusion::catalog::{CatalogProviderList, MemoryCatalogProviderList, TableProvider};
use datafusion::execution::session_state::SessionState;
use martlet_core::{BatchDate, TableName, TableSchema};
use martlet_policy::{
    Access, Capability, CheckedBundle, Decision, Grant, MinimumGroup, Principal, RowRule, decide,
    may,
};

use crate::catalog::{CATALOG, SecuredCatalog, VisibleCatalog, VisibleTable};
use crate::column_use::{ColumnUse, UseKind};
use crate::error::QueryError;
use crate::explain_policy;
use crate::group_size::{Memory, Shown};
use crate::mart::Mart;
use crate::secured_table::{Rows, SecuredTable};
use crate::shared::Shared;
use crate::statement::Statement;
use crate::system::{self, Source};
use crate::wire::wire_schema;

/// What a principal can ask, and of what.
#[derive(Debug)]
pub struct Session {
    mart: Arc<Mart>,
    /// The principal's name.
    reader: String,
    shared: Arc<Shared>,
    catalogs: Arc<dyn CatalogProviderList>,
    /// Made when somebody asks for it: most statements do not.
    catalog: OnceLock<VisibleCatalog>,
    tables: BTreeMap<TableName, Arc<SecuredTable>>,
    rules: RulesTold,
}

/// Whether the principal may ask what the rules show to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RulesTold {
    OfEverybody,
    Nobody,
}

impl Session {
    pub(crate) fn open(shared: &Arc<Shared>, principal: &Principal, mart: &Arc<Mart>) -> Self {
        let tables = granted_tables(shared, principal, mart);
        let catalogs = MemoryCatalogProviderList::new();
        catalogs.register_catalog(CATALOG.into(), Arc::new(SecuredCatalog::new(tables.clone())));
        Self {
            mart: Arc::clone(mart),
            reader: principal.name().to_owned(),
            shared: Arc::clone(shared),
            catalogs: Arc::new(catalogs),
            catalog: OnceLock::new(),
            tables,
            rules: rules_told(principal, mart),
        }
    }

    /// Everything that the principal may know exists.
    #[must_use]
    pub fn catalog(&self) -> &VisibleCatalog {
        self.catalog.get_or_init(|| VisibleCatalog {
            tables: self.tables.values().filter_map(|table| visible(table)).collect(),
        })
    }

    /// The state of the mart that the session reads.
    #[must_use]
    pub const fn mart(&self) -> &Arc<Mart> {
        &self.mart
    }

    /// Parses, authorises and plans one statement; reads no row.
    ///
    /// # Errors
    /// [`QueryError`] of kind invalid, denied or not found; forbidden and missing tables give
    /// the same one.
    pub async fn prepare(&self, sql: &str) -> Result<Statement, QueryError> {
        match explain_policy::asked(sql)? {
            Some(_) if self.rules == RulesTold::Nobody => Err(QueryError::ExplainPolicyNotGranted),
            Some(question) => {
                let now = self.shared.clock.seconds();
                let lines = explain_policy::lines(&self.mart, &question, now)?;
                Statement::told(self, sql, "policy", lines)
            }
            None => Statement::prepare(self, sql).await,
        }
    }

    /// What the principal's row rules on these tables do with columns: they are part of every
    /// question.
    #[must_use]
    pub fn rule_uses(&self, tables: &[TableName]) -> Vec<ColumnUse> {
        let rule = |table: &TableName| match self.grant(table)?.rows() {
            RowRule::Where(rule) => Some((table.clone(), rule)),
            RowRule::All | RowRule::None => None,
        };
        let uses = tables.iter().filter_map(rule).flat_map(|(table, rule)| {
            rule.columns()
                .into_iter()
                .map(|column| ColumnUse {
                    table: table.clone(),
                    column: column.clone(),
                    kind: UseKind::Compared,
                })
                .collect::<Vec<_>>()
        });
        uses.collect()
    }

    /// DataFusion's state for one statement. A copy of the template shares every function;
    /// building one anew would register each of them again.
    pub(crate) fn state(&self) -> SessionState {
        let mut state = self.shared.template.clone();
        state.register_catalog_list(Arc::clone(&self.catalogs));
        state
    }

    /// Whether there is a column that may be used in conditions and never be shown.
    pub(crate) fn has_unshown_columns(&self) -> bool {
        let mut columns = self.tables.values().flat_map(|table| table.grant().columns());
        columns.any(|column| column.access == Access::Unshown)
    }

    /// The grant of a table of this session, to be kept.
    pub(crate) fn shared_grant(&self, table: &TableName) -> Option<Arc<Grant>> {
        self.tables.get(table).map(|table| table.shared_grant())
    }

    /// The grant of a table of this session.
    pub(crate) fn grant(&self, table: &TableName) -> Option<&Grant> {
        self.tables.get(table).map(|table| table.grant())
    }

    /// The columns of a primary key that is one, all of them granted as stored: rows that one batch
    /// brought were checked against each other, and those of several may repeat keys.
    pub(crate) fn unique_key(&self, table: &TableName) -> Option<Vec<String>> {
        self.tables.get(table)?.unique_key()
    }

    /// The minimum group size of a table that has one, and what the principal was told of it.
    pub(crate) fn groups_of(&self, table: &TableName) -> Option<(&MinimumGroup, Memory)> {
        let secured = self.tables.get(table)?;
        let group = secured.grant().minimum_group()?;
        let shown = Shown {
            table: table.clone(),
            content: secured.content(),
            grant: secured.grant().sight(),
        };
        Some((group, self.shared.groups.of(&self.reader, shown)))
    }
}

fn rules_told(principal: &Principal, mart: &Mart) -> RulesTold {
    let may = |bundle: &CheckedBundle| may(principal, bundle, Capability::ExplainPolicy);
    if mart.bundle().is_some_and(may) { RulesTold::OfEverybody } else { RulesTold::Nobody }
}

fn granted_tables(
    shared: &Arc<Shared>,
    principal: &Principal,
    mart: &Arc<Mart>,
) -> BTreeMap<TableName, Arc<SecuredTable>> {
    let Some(bundle) = mart.bundle() else { return BTreeMap::new() };
    let Some(day) = today(bundle) else { return BTreeMap::new() };
    let grant_of = |schema: &TableSchema| match decide(principal, schema, bundle, day) {
        Decision::Granted(grant) => Some(grant),
        Decision::Denied => None,
    };
    let stored = mart.tables().values().filter_map(|table| {
        let schema = mart.schema_in_force(table.version())?;
        let grant = grant_of(&schema)?;
        Some((table.schema().clone(), grant, Rows::Segments(Arc::clone(table))))
    });
    let stored: Vec<_> = stored.collect();
    let source = Source::new(mart, stored.iter().map(|(_, grant, _)| grant.clone()));
    let own = system::schemas().into_iter().filter_map(|schema| {
        let grant = grant_of(&schema)?;
        Some((schema, grant, Rows::System(source.clone())))
    });
    stored
        .into_iter()
        .chain(own)
        .map(|(schema, grant, rows)| {
            (schema.name().clone(), Arc::new(SecuredTable::new(shared, grant, schema, rows)))
        })
        .collect()
}

/// The bank's day now; without one nothing can be decided.
#[must_use]
pub fn today(bundle: &CheckedBundle) -> Option<BatchDate> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    bundle.utc_offset().day_of(i64::try_from(since_1970.as_secs()).ok()?)
}

fn visible(table: &SecuredTable) -> Option<VisibleTable> {
    let schema = table.table_schema();
    Some(VisibleTable {
        schema: schema.name().schema_part().to_string(),
        name: schema.name().table_part().to_string(),
        columns: wire_schema(&TableProvider::schema(table)).ok()?,
        primary_key: visible_key(table),
    })
}

/// The primary key, if every column of it is granted as stored.
fn visible_key(table: &SecuredTable) -> Option<Vec<String>> {
    let schema = table.table_schema();
    if schema.primary_key().is_empty() {
        return None;
    }
    schema
        .primary_key()
        .iter()
        .map(|position| {
            let granted =
                table.grant().columns().iter().find(|column| column.position == *position)?;
            matches!(granted.access, Access::Clear).then(|| granted.name.to_string())
        })
        .collect()
}
