//! The only table provider: a table's rows as one grant shows them.
//!
//! Its schema is the grant's: denied columns do not exist, masked ones have their mask's type.
//! Never reports a statistic, and never lets a condition below the guard that is not
//! leak-proof ([`crate::leak_proof`]).

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use martlet_core::TableSchema;
use martlet_policy::{Access, Grant};

use crate::indexed_table::IndexedTable;
use crate::leak_proof::{Condition, Wanted, leak_proof};
use crate::scan::SecuredScan;
use crate::shared::Shared;
use crate::system::Source;

/// Where a table's raw rows are.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    /// In the segments of a published snapshot.
    Segments(Arc<IndexedTable>),
    /// Nowhere yet: one of Martlet's own tables, made when it is read.
    System(Source),
}

/// A table together with the grant under which it is read.
#[derive(Debug)]
pub(crate) struct SecuredTable {
    shared: Arc<Shared>,
    grant: Arc<Grant>,
    schema: Arc<TableSchema>,
    rows: Rows,
}

impl SecuredTable {
    pub(crate) fn new(shared: &Arc<Shared>, grant: Grant, schema: TableSchema, rows: Rows) -> Self {
        Self { shared: Arc::clone(shared), grant: Arc::new(grant), schema: Arc::new(schema), rows }
    }

    pub(crate) fn shared_grant(&self) -> Arc<Grant> {
        Arc::clone(&self.grant)
    }

    pub(crate) fn grant(&self) -> &Grant {
        &self.grant
    }

    pub(crate) fn table_schema(&self) -> &TableSchema {
        &self.schema
    }

    /// The primary key's columns, where no two rows have the same key and all are granted as stored.
    pub(crate) fn unique_key(&self) -> Option<Vec<String>> {
        let Rows::Segments(table) = &self.rows else { return None };
        let version = table.version();
        let mut batches = version.segments().iter().map(|segment| segment.batch());
        let first = batches.next()?;
        if !version.settled().is_empty() || batches.any(|batch| batch != first) {
            return None;
        }
        let name = |position: &usize| {
            let granted =
                self.grant.columns().iter().find(|column| column.position == *position)?;
            let is_stored = matches!(granted.access, Access::Clear | Access::Unshown);
            is_stored.then(|| granted.name.to_string())
        };
        self.schema.primary_key().iter().map(name).collect()
    }

    /// The condition, if the scan answers it. Of Martlet's own tables, which are made when they are
    /// read, masked columns are not asked below the guard.
    fn answered(&self, filter: &Expr) -> Option<Condition> {
        let condition = leak_proof(filter, &self.grant, &self.schema)?;
        match (&condition, &self.rows) {
            (Condition::OfShown(_), Rows::System(_)) => None,
            _ => Some(condition),
        }
    }

    /// The digest of the stored content. Martlet's own tables have none: they grow all the time.
    pub(crate) fn content(&self) -> [u8; 32] {
        match &self.rows {
            Rows::Segments(table) => *table.version().part().digest(),
            Rows::System(_) => [0; 32],
        }
    }
}

#[async_trait]
impl TableProvider for SecuredTable {
    fn schema(&self) -> SchemaRef {
        self.grant.output_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let answer = |filter: &&Expr| match self.answered(filter) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(answer).collect())
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        const PUSHED: crate::QueryError =
            crate::QueryError::Bug { promise: "only leak-proof conditions are pushed down" };
        let wanted = filters.iter().try_fold(Wanted::ALL, |all, filter| {
            self.answered(filter).map(|one| all.and(one)).ok_or(PUSHED)
        })?;
        let all: Vec<usize> = (0..self.grant.columns().len()).collect();
        let projection = projection.unwrap_or(&all);
        Ok(Arc::new(SecuredScan::new(
            &self.shared,
            &self.grant,
            &self.schema,
            &self.rows,
            projection,
            wanted,
        )?))
    }
}
