//! What an aggregation groups by: columns of the scan, columns of joined plans, and expressions
//! over either.
//!
//! Groups are told apart by numbers: one for each key of the scan's own, then one for each
//! joined plan. What is shown of a group is found by these numbers.

use std::sync::Arc;

use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::aggregates::AggregateExec;
use martlet_core::TableSchema;
use martlet_index::IndexKind;

use super::computed::{Computed, Inputs};
use super::dimension::Dimension;
use super::source::{Derived, Origin, Source};
use super::spec::{Key, Spec, can_show, key};
use crate::access_path::AccessPath;

/// One GROUP BY expression.
#[derive(Debug, Clone)]
pub(super) struct Grouping {
    pub(super) place: Place,
    pub(super) shows: Shown,
}

/// Whose number tells its values apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// That of a key, by its position.
    Key(usize),
    /// That of a joined plan, by its position.
    Joined(usize),
}

/// What of it is shown.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    /// The key's value.
    Value,
    /// A column of the joined plan's tuples.
    Column(usize),
    /// An expression over the key's value or the tuple's columns.
    Computed(Arc<dyn PhysicalExpr>),
}

impl Grouping {
    /// What is shown as an expression over the key's value or the tuple's columns.
    pub(super) fn expression(&self) -> Arc<dyn PhysicalExpr> {
        match &self.shows {
            Shown::Value => Arc::new(Column::new("value", 0)),
            Shown::Column(column) => Arc::new(Column::new("column", *column)),
            Shown::Computed(expression) => Arc::clone(expression),
        }
    }
}

impl Spec {
    /// How many numbers tell groups apart.
    pub(super) const fn slots(&self) -> usize {
        self.keys.len() + self.dimensions.len()
    }

    /// Which of them is meant.
    pub(super) const fn slot(&self, place: Place) -> usize {
        match place {
            Place::Key(key) => key,
            Place::Joined(join) => self.keys.len() + join,
        }
    }

    /// Whether groups may become one at the end, by an expression.
    pub(super) fn computes_groups(&self) -> bool {
        self.groupings.iter().any(|grouping| matches!(grouping.shows, Shown::Computed(_)))
    }

    /// The columns that are grouped by, as EXPLAIN shows them.
    pub(super) fn grouping_names(&self, table: &TableSchema) -> Vec<String> {
        let name = |grouping: &Grouping| match (&grouping.shows, grouping.place) {
            (Shown::Computed(expression), _) => {
                let mut names: Vec<String> = collect_columns(expression)
                    .iter()
                    .map(|column| column.name().to_owned())
                    .collect();
                names.sort_unstable();
                Some(format!("computed from {}", names.join(" and ")))
            }
            (_, Place::Key(key)) => {
                let column = table.columns().get(self.keys.get(key)?.column)?;
                Some(column.name.to_string())
            }
            (Shown::Column(column), Place::Joined(join)) => {
                let tuple = self.dimensions.get(join)?.tuple_schema().ok()?;
                Some(tuple.fields().get(*column)?.name().clone())
            }
            (Shown::Value, Place::Joined(_)) => None,
        };
        self.groupings.iter().filter_map(name).collect()
    }
}

/// The part of a [`Spec`] that says what is grouped by.
pub(super) struct Groupings {
    pub(super) keys: Vec<Key>,
    pub(super) dimensions: Vec<Arc<Dimension>>,
    pub(super) groupings: Vec<Grouping>,
}

impl Groupings {
    pub(super) fn of(aggregate: &AggregateExec, source: &Source<'_>) -> Option<Self> {
        let mut found =
            Found { source, keys: Vec::new(), columns: vec![Vec::new(); source.joined().len()] };
        let expressions = aggregate.group_expr().expr();
        let groupings = expressions
            .iter()
            .map(|(expression, _)| found.grouping(expression))
            .collect::<Option<_>>()?;
        let Found { keys, columns, .. } = found;
        let joined = source.joined().iter().zip(columns);
        let dimensions = joined.map(|(join, columns)| {
            Arc::new(Dimension::new(join.column, join.plan, join.key, columns))
        });
        Some(Self { keys, dimensions: dimensions.collect(), groupings })
    }
}

/// What was found so far to be grouped by.
struct Found<'a, 'b> {
    source: &'a Source<'b>,
    keys: Vec<Key>,
    /// For each joined plan, the outputs that make its tuples.
    columns: Vec<Vec<usize>>,
}

impl Found<'_, '_> {
    fn grouping(&mut self, expression: &Arc<dyn PhysicalExpr>) -> Option<Grouping> {
        let data_type = expression.data_type(&self.source.input_schema()).ok()?;
        match self.source.origin(expression)? {
            Origin::Scan(derived) => {
                let own = key(&derived, self.source).filter(|key| can_show(key, &data_type));
                match own {
                    Some(key) => Some(Grouping { place: self.key(key), shows: Shown::Value }),
                    None if derived.as_float => self.computed(Computed::as_floats(derived.column)),
                    None => self.computed(Computed::of(expression, self.source)?),
                }
            }
            // Rows are not numbered by values that have parts.
            _ if data_type.is_nested() || data_type.is_null() => None,
            Origin::Joined { join, output } => {
                let shows = Shown::Column(self.column(join, output)?);
                Some(Grouping { place: Place::Joined(join), shows })
            }
            Origin::Computed(computed) => self.computed(computed),
        }
    }

    fn key(&mut self, key: Key) -> Place {
        self.keys.push(key);
        Place::Key(self.keys.len() - 1)
    }

    /// The position among a tuple's columns of an output of a joined plan.
    fn column(&mut self, join: usize, output: usize) -> Option<usize> {
        let columns = self.columns.get_mut(join)?;
        Some(columns.iter().position(|known| *known == output).unwrap_or_else(|| {
            columns.push(output);
            columns.len() - 1
        }))
    }

    fn computed(&mut self, computed: Computed) -> Option<Grouping> {
        match computed.of {
            Inputs::Stored(column) => {
                // Values of a vector are nearly as many as its rows.
                let scan = self.source.scan();
                let is_worth_it = scan.segment_scan().path() == AccessPath::Totals
                    || scan.each_segment_has(column, &[IndexKind::Codes]);
                let key = key(&Derived::stored(column), self.source).filter(|_| is_worth_it)?;
                let shows = Shown::Computed(computed.expression);
                Some(Grouping { place: self.key(key), shows })
            }
            Inputs::Joined(join) => {
                let position = &mut |output| self.column(join, output);
                let shows = Shown::Computed(Computed::moved(&computed.expression, position)?);
                Some(Grouping { place: Place::Joined(join), shows })
            }
        }
    }
}
