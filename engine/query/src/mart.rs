//! One state of the mart: a snapshot, the rules in force and the principals, loaded whole.
//!
//! Never half-changes: a new state is checked completely before it replaces the old one.

use std::collections::BTreeMap;
use std::sync::Arc;

use martlet_core::{SnapshotNumber, TableName, TableSchema};
use martlet_policy::{
    BundleText, CheckedBundle, Directory, Emergencies, EmergencyLedger, HiddenColumn, Occasion,
    StoredBundle, check_on,
};
use martlet_store::{Snapshot, Store, StoreError, TableVersion};

use crate::approved::{self, Followed};
use crate::emergencies;
use crate::error::QueryError;
use crate::indexed_table::IndexedTable;
use crate::system;

/// A snapshot together with the rules and principals under which it is read.
#[derive(Debug, Clone)]
pub struct Mart {
    snapshot: Snapshot,
    tables: BTreeMap<TableName, Arc<IndexedTable>>,
    /// The snapshot whose column classes, rules and principals are in force.
    newest: Snapshot,
    /// The rules as they are stored: what may follow them is judged by them.
    rules: Option<Arc<StoredBundle>>,
    bundle: Option<Arc<CheckedBundle>>,
    directory: Arc<Directory>,
    /// Proven by these rules and people.
    emergencies: Arc<Emergencies>,
}

impl Mart {
    /// Loads the latest snapshot with its rules and principals, and checks them.
    ///
    /// # Errors
    /// [`QueryError::Store`] if anything stored cannot be read, [`QueryError::Rules`] if the
    /// stored policy does not fit the stored tables, or was not approved by the officers of the
    /// rules before it, or the principals are malformed.
    pub async fn latest(store: &Store) -> Result<Self, QueryError> {
        Self::of_snapshot(store, store.latest().await?, None).await
    }

    /// As [`Self::latest`]; what `before` knows of tables that did not change is taken over.
    pub(crate) async fn of_snapshot(
        store: &Store,
        snapshot: Snapshot,
        before: Option<&Self>,
    ) -> Result<Self, QueryError> {
        let rules = match before {
            Some(before) => {
                let followed = Followed::of(before.newest.number(), before.rules.clone());
                approved::rules_of(store, &snapshot, followed).await?
            }
            None => approved::rules_of(store, &snapshot, Followed::nothing()).await?,
        };
        let bundle = match &rules {
            Some(rules) => Some(Arc::new(checked(rules.text(), &snapshot)?)),
            None => None,
        };
        let directory = match snapshot.principals() {
            Some(object) => directory(&store.read(object).await?)?,
            None => Directory::default(),
        };
        let directory = Arc::new(directory);
        let ledger = match before {
            Some(before) => {
                let known = before.emergencies.ledger().clone();
                emergencies::follow(store, &snapshot, known, before.newest.number()).await?
            }
            None => emergencies::known(store, &snapshot).await?,
        };
        let emergencies = Arc::new(judged(ledger, rules.as_deref(), bundle.as_deref(), &directory));
        let tables = indexed_tables(&snapshot, before);
        let newest = snapshot.clone();
        Ok(Self { newest, tables, snapshot, rules, bundle, directory, emergencies })
    }

    /// This state with the emergencies closed that a later snapshot closes; nothing if it closes
    /// none.
    pub(crate) async fn with_closings_of(
        &self,
        store: &Store,
        later: &Snapshot,
    ) -> Result<Option<Self>, QueryError> {
        let mut ledger = self.emergencies.ledger().clone();
        let told = emergencies::follow(store, later, ledger.clone(), self.newest.number()).await?;
        if !ledger.learn_closings(&told) {
            return Ok(None);
        }
        let (rules, bundle) = (self.rules.as_deref(), self.bundle.as_deref());
        let emergencies = Arc::new(judged(ledger, rules, bundle, &self.directory));
        Ok(Some(Self { emergencies, ..self.clone() }))
    }

    /// An older snapshot's tables under this state's rules and principals: today's rules
    /// apply to yesterday's data.
    pub(crate) async fn at(
        &self,
        store: &Store,
        number: SnapshotNumber,
    ) -> Result<Self, QueryError> {
        let snapshot = store.snapshot(number).await.map_err(|error| match error {
            StoreError::NoSnapshot { .. } => QueryError::NoSnapshot { number },
            other => QueryError::from(other),
        })?;
        Ok(Self {
            tables: indexed_tables(&snapshot, Some(self)),
            snapshot,
            newest: self.newest.clone(),
            rules: self.rules.clone(),
            bundle: self.bundle.clone(),
            directory: Arc::clone(&self.directory),
            emergencies: Arc::clone(&self.emergencies),
        })
    }

    /// The snapshot.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The snapshot whose rules and principals are in force: another one than
    /// [`Self::snapshot`] where older data are read.
    #[must_use]
    pub fn in_force(&self) -> SnapshotNumber {
        self.newest.number()
    }

    /// The tables, with what is told of their indexes.
    pub(crate) const fn tables(&self) -> &BTreeMap<TableName, Arc<IndexedTable>> {
        &self.tables
    }

    /// The schema by which a stored table is granted: a column keeps its class only if it has
    /// the same one today, and a table that is gone today is granted to nobody.
    pub(crate) fn schema_in_force(&self, version: &TableVersion) -> Option<TableSchema> {
        let stored = version.schema();
        let today = self.newest.table(stored.name().as_str())?.schema();
        if today == stored {
            return Some(stored.clone());
        }
        let columns = stored.columns().iter().cloned().map(|mut column| {
            let class = today.column(column.name.as_str()).and_then(|today| today.class.clone());
            column.class = column.class.filter(|stored| class.as_ref() == Some(stored));
            column
        });
        TableSchema::new(stored.name().clone(), columns.collect(), &[], &[]).ok()
    }

    /// The rules; without any, nobody sees anything.
    #[must_use]
    pub fn bundle(&self) -> Option<&CheckedBundle> {
        self.bundle.as_deref()
    }

    /// The columns that nobody sees, as the officers do not say of them what their load says, or as
    /// the rules cannot show them.
    #[must_use]
    pub fn hidden_columns(&self) -> Vec<HiddenColumn> {
        let Some(bundle) = &self.bundle else { return Vec::new() };
        let tables = self.newest.tables().values();
        let tables: Vec<TableSchema> = tables.map(|table| table.schema().clone()).collect();
        bundle.classification().hidden_columns(&tables).collect()
    }

    /// The principals.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What the mart keeps of emergencies, proven by the rules and the people in force.
    #[must_use]
    pub fn emergencies(&self) -> &Emergencies {
        &self.emergencies
    }

    /// The version of the rules, as the audit record names it; `none` without rules.
    #[must_use]
    pub fn policy_version(&self) -> String {
        self.bundle.as_ref().map_or_else(|| "none".into(), |bundle| bundle.version().to_string())
    }
}

/// Without rules there is no emergency.
fn judged(
    ledger: EmergencyLedger,
    rules: Option<&StoredBundle>,
    bundle: Option<&CheckedBundle>,
    directory: &Directory,
) -> Emergencies {
    match (rules, bundle) {
        (Some(rules), Some(bundle)) => {
            Emergencies::judge(ledger, rules.edition(), bundle, directory)
        }
        _ => Emergencies::unjudged(ledger),
    }
}

fn indexed_tables(
    snapshot: &Snapshot,
    before: Option<&Mart>,
) -> BTreeMap<TableName, Arc<IndexedTable>> {
    let known = |name: &TableName, version: &Arc<TableVersion>| {
        let known = before?.tables.get(name)?;
        (known.version().part() == version.part()).then(|| Arc::clone(known))
    };
    let tables = snapshot.tables().iter().map(|(name, version)| {
        let table = known(name, version).unwrap_or_else(|| Arc::new(IndexedTable::of(version)));
        (name.clone(), table)
    });
    tables.collect()
}

fn checked(text: &BundleText, snapshot: &Snapshot) -> Result<CheckedBundle, QueryError> {
    let mut tables = system::schemas();
    tables.extend(snapshot.tables().values().map(|table| table.schema().clone()));
    check_on(Occasion::TakeOver, text, &tables).map_err(|findings| QueryError::Rules {
        what: "policy",
        reason: findings.first().map(ToString::to_string).unwrap_or_default(),
    })
}

fn directory(bytes: &[u8]) -> Result<Directory, QueryError> {
    let refused = |reason: String| QueryError::Rules { what: "principals", reason };
    let text = std::str::from_utf8(bytes).map_err(|_| refused("not UTF-8 text".into()))?;
    Directory::parse(text)
        .map_err(|findings| refused(findings.first().map(ToString::to_string).unwrap_or_default()))
}
