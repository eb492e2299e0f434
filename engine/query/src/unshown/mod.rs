//! Columns that may be used in conditions and joins, and never be shown.
//!
//! Follows such columns through a plan as written. They are handed on as they are or not at all:
//! nothing is computed of one but within a condition, and what is grouped, ordered or made distinct
//! by one is as little to be shown. A condition may set one beside constants, and make it equal to
//! another of its kind; beside a column that is shown it would be read off that one, and with an
//! order between two of them they could be ranked. Must never let a plan pass that it does not
//! understand.
//!
//! What stays possible is to ask many constants, in one statement as in many; `docs/security.md`
//! says so.
//!
//! [`plan`] follows them from node to node, [`condition`] looks at what a condition sets beside each
//! other.

mod condition;
mod plan;

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::{Column, DFSchemaRef};
use datafusion::logical_expr::LogicalPlan;

use crate::error::QueryError;
use crate::session::Session;

/// Checks a plan as written.
///
/// # Errors
/// [`QueryError::NotShown`] if it would show such a column, or set it beside one that is shown.
pub(crate) fn stay_unshown(session: &Session, written: &LogicalPlan) -> Result<(), QueryError> {
    if !session.has_unshown_columns() {
        return Ok(());
    }
    let mut walk = Walk { session, outer: Vec::new(), met: false, names: Names::default() };
    let shows_all = walk.plan(written)?.shows_all();
    if shows_all && walk.names.mean_one_thing() { Ok(()) } else { Err(QueryError::NotShown) }
}

/// Whether an output column may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Shown,
    Unshown,
}

impl Kept {
    const fn unshown_if(is_unshown: bool) -> Self {
        if is_unshown { Self::Unshown } else { Self::Shown }
    }
}

/// Why there are just these rows, and so many of them; what tells more comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rows {
    /// Tables have them, and conditions left them.
    Left,
    /// They were made distinct by unshown columns: every count tells, but no value is missing.
    Distinct,
    /// They were grouped, ordered or cut off by unshown columns: which values there are tells, too.
    Chosen,
}

/// What a node gives.
#[derive(Debug, Clone)]
struct Output {
    /// Of each column, in their order.
    columns: Vec<Kept>,
    rows: Rows,
    /// Whether a condition on unshown columns left these rows: then one that is missing tells.
    is_narrowed: bool,
}

impl Output {
    const fn of(columns: Vec<Kept>) -> Self {
        Self { columns, rows: Rows::Left, is_narrowed: false }
    }

    /// Nothing of it is to be shown.
    fn chosen(columns: usize) -> Self {
        Self { columns: vec![Kept::Unshown; columns], rows: Rows::Chosen, is_narrowed: true }
    }

    /// Other columns of the same rows.
    fn with_columns(self, columns: Vec<Kept>) -> Self {
        Self { columns, ..self }
    }

    /// The same where rows were made distinct by all their columns.
    fn distinct(self) -> Self {
        if self.shows_all() { self } else { Self { rows: self.rows.max(Rows::Distinct), ..self } }
    }

    /// So many of the rows as are wanted: of which that could be, only conditions may have a say.
    fn cut_off(self) -> Self {
        if self.rows == Rows::Left { self } else { Self::chosen(self.columns.len()) }
    }

    fn shows_all(&self) -> bool {
        self.rows == Rows::Left && !self.columns.contains(&Kept::Unshown)
    }
}

/// The columns that expressions of one node may name.
#[derive(Debug, Clone)]
struct Scope {
    schema: DFSchemaRef,
    output: Output,
}

impl Scope {
    /// `None` where the node has no such column: then an outer one is meant.
    fn kept(&self, column: &Column) -> Option<Kept> {
        let position = self.schema.maybe_index_of_column(column)?;
        self.output.columns.get(position).copied()
    }
}

struct Walk<'a> {
    session: &'a Session,
    /// What subqueries may name of the nodes around them, the innermost last.
    outer: Vec<Scope>,
    /// Whether an expression has spoken of an unshown column.
    met: bool,
    names: Names,
}

/// A column by its table's name, without a schema, and its own.
type Name = (Option<String>, String);

/// What names mean in a statement. The optimizer takes a subquery's outer names for those of whatever
/// stands beside it then, so one of them may not mean what is shown here and what is not there.
#[derive(Debug, Default)]
struct Names {
    /// Whether a name was that of a column that is shown, and of one that is not.
    kept: BTreeMap<Name, (bool, bool)>,
    of_outer: BTreeSet<Name>,
}

impl Names {
    fn of(column: &Column) -> Name {
        let table = column.relation.as_ref().map(|table| table.table().to_owned());
        (table, column.name.clone())
    }

    fn note(&mut self, scope: &Scope) {
        for (column, kept) in scope.schema.columns().iter().zip(&scope.output.columns) {
            let (is_shown, is_unshown) = self.kept.entry(Self::of(column)).or_default();
            *is_shown |= *kept == Kept::Shown;
            *is_unshown |= *kept == Kept::Unshown;
        }
    }

    fn mean_one_thing(&self) -> bool {
        self.of_outer.iter().all(|name| self.kept.get(name) != Some(&(true, true)))
    }
}

impl Walk<'_> {
    /// What is kept of a column, from the inside out.
    fn kept(&self, column: &Column, scope: Option<&Scope>) -> Option<Kept> {
        let scopes = scope.into_iter().chain(self.outer.iter().rev());
        scopes.filter_map(|scope| scope.kept(column)).next()
    }
}
