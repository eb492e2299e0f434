//! What a statement does with each stored column: compares it, groups by it, adds it up.
//!
//! Receives: an optimized plan. Hands on: uses to whoever looks for indexes that would help.
//! Tells names only, never a constant of the statement.

use std::collections::BTreeSet;

use datafusion::common::Column;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator, TableScan};
use martlet_core::{ColumnName, TableName};

use crate::error::QueryError;

/// What is done with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UseKind {
    /// `= <> IN IS NULL` against constants.
    Compared,
    /// `< <= > >= BETWEEN` against constants.
    Ranged,
    /// `LIKE`.
    Matched,
    /// A part of a date is compared or grouped by.
    DatePart,
    /// Rows are grouped by it.
    Grouped,
    /// It is counted, added up, or its extremes are asked for.
    Aggregated,
    /// Tables are joined on it.
    Joined,
}

/// One use of a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnUse {
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: ColumnName,
    /// What is done with it.
    pub kind: UseKind,
}

/// The uses in an optimized plan. A column that an operator names without its table is taken to
/// be of every scanned table that has it: a use too many costs a measurement, one too few an
/// index.
pub(crate) fn column_uses(plan: &LogicalPlan) -> Result<BTreeSet<ColumnUse>, QueryError> {
    let mut found = Found::default();
    plan.apply_with_subqueries(|node| {
        found.node(node);
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(QueryError::from_planning)?;
    Ok(found.resolved())
}

#[derive(Debug, Default)]
struct Found {
    /// The scanned tables with the columns that are read.
    scans: Vec<(TableName, BTreeSet<String>)>,
    uses: BTreeSet<ColumnUse>,
    /// Uses above scans, by the column's name alone.
    loose: Vec<(String, UseKind)>,
}

impl Found {
    fn node(&mut self, node: &LogicalPlan) {
        match node {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::Aggregate(aggregate) => {
                for group in &aggregate.group_expr {
                    let is_plain = matches!(group, Expr::Column(_) | Expr::Alias(_));
                    let kind = if is_plain { UseKind::Grouped } else { UseKind::DatePart };
                    self.above(group, kind);
                    self.above(group, UseKind::Grouped);
                }
                for aggregated in &aggregate.aggr_expr {
                    self.above(aggregated, UseKind::Aggregated);
                }
            }
            LogicalPlan::Join(join) => {
                for (left, right) in &join.on {
                    self.above(left, UseKind::Joined);
                    self.above(right, UseKind::Joined);
                }
            }
            _ => {}
        }
    }

    fn scan(&mut self, scan: &TableScan) {
        let schema = scan.table_name.schema().unwrap_or(TableName::MART_SCHEMA);
        let name = scan.table_name.table();
        let full = match schema {
            TableName::MART_SCHEMA => name.to_owned(),
            _ => format!("{schema}.{name}"),
        };
        let Ok(table) = TableName::new(&full) else { return };
        let read = scan.projected_schema.fields().iter().map(|field| field.name().clone());
        self.scans.push((table.clone(), read.collect()));
        for filter in &scan.filters {
            each_leaf(filter, &mut |leaf, kind| {
                for column in leaf.column_refs() {
                    self.uses.extend(column_use(&table, column, kind));
                }
            });
        }
    }

    fn above(&mut self, expression: &Expr, kind: UseKind) {
        let names = expression.column_refs();
        self.loose.extend(names.into_iter().map(|column| (column.name.clone(), kind)));
    }

    fn resolved(mut self) -> BTreeSet<ColumnUse> {
        for (name, kind) in &self.loose {
            for (table, _) in self.scans.iter().filter(|(_, columns)| columns.contains(name)) {
                self.uses.extend(column_use(table, &Column::from_name(name.as_str()), *kind));
            }
        }
        self.uses
    }
}

fn column_use(table: &TableName, column: &Column, kind: UseKind) -> Option<ColumnUse> {
    let column = ColumnName::new(&column.name).ok()?;
    Some(ColumnUse { table: table.clone(), column, kind })
}

/// The conditions below AND, OR and NOT, and what each does with its columns.
fn each_leaf(condition: &Expr, visit: &mut dyn FnMut(&Expr, UseKind)) {
    match condition {
        Expr::BinaryExpr(binary) => match binary.op {
            Operator::And | Operator::Or => {
                each_leaf(&binary.left, visit);
                each_leaf(&binary.right, visit);
            }
            _ if is_computed(&binary.left) || is_computed(&binary.right) => {
                visit(condition, UseKind::DatePart);
            }
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
                visit(condition, UseKind::Ranged);
            }
            _ => visit(condition, UseKind::Compared),
        },
        Expr::Not(inner) => each_leaf(inner, visit),
        Expr::Between(_) => visit(condition, UseKind::Ranged),
        Expr::Like(_) | Expr::SimilarTo(_) => visit(condition, UseKind::Matched),
        _ => visit(condition, UseKind::Compared),
    }
}

fn is_computed(side: &Expr) -> bool {
    matches!(side, Expr::ScalarFunction(_))
}
