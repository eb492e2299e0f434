//! The long-lived part: the store, the caches, the memory and the current state of the mart.
//!
//! Never answers a question itself; it opens a [`Session`] for a principal.

use std::sync::{Arc, RwLock};

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use martlet_core::limits::BATCH_ROWS_MAX;
use martlet_core::{SnapshotNumber, TableName};
use martlet_policy::{EmergencyId, HiddenColumn, Principal, SignedIn, TokenKeys};
use martlet_store::{Snapshot, Store};

use crate::calendar;
use crate::catalog::CATALOG;
use crate::clock::Clock;
use crate::error::QueryError;
use crate::functions::accepted;
use crate::granted_rows::GrantedRows;
use crate::group_size::{GroupMemory, Planner};
use crate::index_cache::IndexCache;
use crate::joined_text::JoinedTexts;
use crate::lookup;
use crate::mart::Mart;
use crate::masked_cache::MaskedCache;
use crate::optimizer::{self, IndexPaths};
use crate::rules;
use crate::session::Session;
use crate::shared::{EngineOptions, Shared};
use crate::system::SystemRecords;

/// The query engine over one store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    mart: Arc<RwLock<Arc<Mart>>>,
}

impl Engine {
    /// Opens the store's latest snapshot.
    ///
    /// `records` gives the server's audit records to `system.audit_record`; `keys` make the
    /// tokens of masked identifiers.
    ///
    /// # Errors
    /// As [`Mart::latest`].
    pub async fn open(
        store: Store,
        options: EngineOptions,
        records: Arc<dyn SystemRecords>,
        keys: TokenKeys,
    ) -> Result<Self, QueryError> {
        let mart = Arc::new(Mart::latest(&store).await?);
        log_hidden(&mart, &[]);
        let template = template(&options)?;
        let indexes = IndexCache::new(options.index_cache_bytes);
        let masked = MaskedCache::new(options.masked_cache_bytes);
        store.limit_mapped_bytes(options.mapped_bytes);
        let groups = GroupMemory::default();
        let granted_rows = GrantedRows::new(options.granted_rows_bytes);
        let shared = Shared {
            store,
            options,
            indexes,
            granted_rows,
            masked,
            records,
            keys,
            groups,
            template,
            clock: Clock::start(),
        };
        Ok(Self { shared: Arc::new(shared), mart: Arc::new(RwLock::new(mart)) })
    }

    /// Looks for a newer snapshot and takes it over whole; on an error the old state stays.
    ///
    /// # Errors
    /// As [`Mart::latest`].
    pub async fn refresh(&self) -> Result<Arc<Mart>, QueryError> {
        let current = self.mart();
        let latest = self.shared.store.latest().await?;
        if latest.number() == current.snapshot().number() {
            return Ok(current);
        }
        let loaded = Mart::of_snapshot(&self.shared.store, latest.clone(), Some(&current)).await;
        let mart = match loaded {
            Ok(mart) => {
                log_hidden(&mart, &current.hidden_columns());
                Arc::new(mart)
            }
            Err(error) => {
                self.take_closings(&current, &latest).await;
                return Err(error);
            }
        };
        let mut slot = self.mart.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if mart.snapshot().number() > slot.snapshot().number() {
            *slot = mart;
        }
        Ok(Arc::clone(&slot))
    }

    /// Of a snapshot that can be read and not be taken over its closings are: nobody keeps an
    /// emergency open by publishing rules that nobody approved.
    async fn take_closings(&self, current: &Arc<Mart>, latest: &Snapshot) {
        let closed = match current.with_closings_of(&self.shared.store, latest).await {
            Ok(Some(closed)) => Arc::new(closed),
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "what the mart keeps of emergencies cannot be reached");
                return;
            }
        };
        let mut slot = self.mart.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if Arc::ptr_eq(&slot, current) {
            *slot = closed;
        }
    }

    /// The current state of the mart.
    #[must_use]
    pub fn mart(&self) -> Arc<Mart> {
        Arc::clone(&self.mart.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The tables of an older snapshot under the rules and principals of today.
    ///
    /// # Errors
    /// [`QueryError::NoSnapshot`] if there is none of that number.
    pub async fn mart_at(&self, number: SnapshotNumber) -> Result<Arc<Mart>, QueryError> {
        let current = self.mart();
        if current.snapshot().number() == number {
            return Ok(current);
        }
        Ok(Arc::new(current.at(&self.shared.store, number).await?))
    }

    /// Who asks, as a state of the mart knows them at this moment: under their emergency, if one is
    /// open. `None` if the directory does not know them any more.
    #[must_use]
    pub fn asker(&self, signed_in: &SignedIn, mart: &Mart) -> Option<Principal> {
        let principal = mart.directory().principal(signed_in)?;
        Some(match self.now() {
            Some(now) => mart.emergencies().elevate(principal, now),
            None => principal,
        })
    }

    /// The same under this very emergency and no other; as they are without it, if it is over.
    #[must_use]
    pub fn asker_under(
        &self,
        signed_in: &SignedIn,
        mart: &Mart,
        emergency: Option<EmergencyId>,
    ) -> Option<Principal> {
        let principal = mart.directory().principal(signed_in)?;
        Some(match (emergency, self.now()) {
            (Some(id), Some(now)) => mart.emergencies().elevate_by(principal, id, now),
            _ => principal,
        })
    }

    /// The time by which emergencies begin and end, in seconds since 1970-01-01 00:00 UTC. It never
    /// goes back; without one no emergency counts.
    #[must_use]
    pub fn now(&self) -> Option<i64> {
        self.shared.clock.seconds()
    }

    /// Opens a session: one principal, one snapshot, the rules in force.
    #[must_use]
    pub fn session(&self, principal: &Principal, mart: &Arc<Mart>) -> Session {
        Session::open(&self.shared, principal, mart)
    }
}

/// One line for all columns that nobody sees, where they are others than before.
fn log_hidden(mart: &Mart, before: &[HiddenColumn]) {
    let hidden = mart.hidden_columns();
    let Some(first) = hidden.first().filter(|_| hidden != before) else { return };
    tracing::warn!(
        columns = hidden.len(),
        %first,
        "columns are hidden from everyone; `martlet policy show` names them"
    );
}

fn template(options: &EngineOptions) -> Result<SessionState, QueryError> {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, TableName::MART_SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        .with_target_partitions(options.threads.max(1))
        .with_batch_size(BATCH_ROWS_MAX);
    // Views keep the payload of rows that were filtered out; plain strings do not.
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    // Every column that leaves may be null (`wire`); whether a planner thinks that a key of GROUP
    // BY can be is not worth a refusal, and its two halves do not agree of IS NOT TRUE.
    config.options_mut().execution.skip_physical_aggregate_schema_check = true;
    // What MIN and MAX of columns have learned would also drop rows that another extreme beside
    // them, of an expression, still needs; most extremes come from indexes anyway.
    config.options_mut().optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    // "The first three of each": rows beyond are dropped while they arrive, not after a sort of all.
    config.options_mut().optimizer.enable_window_topn = true;
    let mut builder = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime(options)?)
        .with_default_features()
        .with_optimizer_rules(rules::of_any_tables())
        .with_query_planner(Arc::new(Planner))
        .with_physical_optimizer_rules(optimizer::rules());
    builder.expr_planners().get_or_insert_default().push(JoinedTexts::planner());
    let functions = builder.scalar_functions().take().unwrap_or_default();
    builder = builder.with_scalar_functions(
        accepted(functions)
            .into_iter()
            .chain(calendar::functions())
            .chain([Arc::new(lookup::function())])
            .collect(),
    );
    if let Some(paths) = IndexPaths::of(options.path) {
        builder = builder.with_physical_optimizer_rule(Arc::new(paths));
    }
    Ok(builder.build())
}

/// No spill to disk: rows of one principal must not lie in files that others may read.
fn runtime(options: &EngineOptions) -> Result<Arc<RuntimeEnv>, QueryError> {
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(options.memory_bytes)))
        .with_disk_manager_builder(
            DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
        )
        .build_arc()
        .map_err(QueryError::from_planning)
}
