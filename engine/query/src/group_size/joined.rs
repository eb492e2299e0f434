//! Which joins leave every row of a table in its place: those by the whole primary key of another
//! table, so that a row meets one other row or none.
//!
//! Where a row could meet several, it would be in several groups, or count several times in one:
//! then groups are made to differ by one person.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Expr, Join, JoinType, LogicalPlan, Operator, TableScan,
};

use crate::session::Session;
use crate::statement::table_name;

/// The side of a join whose rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Left,
    Right,
}

/// Whether each row of the counted side meets at most one of the other.
pub(super) fn meets_one(session: &Session, join: &Join, counted: Counted) -> bool {
    let (own, other) = match (counted, join.join_type) {
        (Counted::Left, JoinType::Inner | JoinType::Left) => (&join.left, &join.right),
        (Counted::Right, JoinType::Inner | JoinType::Right) => (&join.right, &join.left),
        _ => return false,
    };
    let key = scanned(other).and_then(|scan| {
        let table = table_name(&scan.table_name).ok().flatten()?;
        session.unique_key(&table)
    });
    let Some(key) = key else { return false };
    let met: Vec<String> = equalities(join)
        .into_iter()
        .filter_map(|(left, right)| met_by(left, right, own.schema(), other.schema()))
        .collect();
    !key.is_empty() && key.iter().all(|column| met.contains(column))
}

/// The table of a plan that is nothing else, under whatever name.
fn scanned(plan: &LogicalPlan) -> Option<&TableScan> {
    match plan {
        LogicalPlan::TableScan(scan) => Some(scan),
        LogicalPlan::SubqueryAlias(named) => scanned(&named.input),
        _ => None,
    }
}

/// What has to be equal for two rows to meet.
fn equalities(join: &Join) -> Vec<(&Expr, &Expr)> {
    let conditions = join.filter.iter().flat_map(split_conjunction);
    let written = conditions.filter_map(|condition| match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => Some((&**left, &**right)),
        _ => None,
    });
    join.on.iter().map(|(left, right)| (left, right)).chain(written).collect()
}

/// The column of the other side that is made equal to one of the counted side. Values of one type
/// that is compared as it is: made into another, two of them could become one.
fn met_by(left: &Expr, right: &Expr, own: &DFSchema, other: &DFSchema) -> Option<String> {
    let (Expr::Column(left), Expr::Column(right)) = (left, right) else { return None };
    let (own_column, column) = match (type_in(left, own), type_in(right, other)) {
        (Some(_), Some(_)) => (left, right),
        _ => (right, left),
    };
    // A name that means a column of either side could be compared with itself.
    let is_of_one_side = type_in(own_column, other).is_none() && type_in(column, own).is_none();
    let (of_own, of_other) = (type_in(own_column, own)?, type_in(column, other)?);
    let is_as_it_is = of_own == of_other && !of_own.is_floating();
    (is_of_one_side && is_as_it_is).then(|| column.name.clone())
}

fn type_in<'a>(column: &Column, schema: &'a DFSchema) -> Option<&'a DataType> {
    let at = schema.maybe_index_of_column(column)?;
    Some(schema.field(at).data_type())
}
