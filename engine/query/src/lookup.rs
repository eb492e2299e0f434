//! Look-ups: `lookup(column, value)`, equality with the raw value of a column that is shown masked.
//!
//! For the teller who has the customer's card or ID in hand. Owns the function's name and the one
//! place where it may stand: a condition of its own, joined to others by AND, that the scan of a
//! table answers below the masks. Must never run on a row itself, and never accept a column
//! without a grant to look it up.
//!
//! How often somebody looks something up is counted where statements are run; see
//! [`Statement::lookups`](crate::Statement::lookups).

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use martlet_core::{Comparison, Predicate, TableSchema};
use martlet_policy::{Access, Grant, LookupRight};

use crate::convert::value_of;
use crate::error::QueryError;

/// The function's name.
const NAME: &str = "lookup";

/// The function, as statements know it.
pub(crate) fn function() -> ScalarUDF {
    ScalarUDF::from(LookUp { signature: Signature::any(2, Volatility::Stable) })
}

/// Stands for a condition that only a scan answers.
#[derive(Debug, PartialEq, Eq, Hash)]
struct LookUp {
    signature: Signature,
}

impl ScalarUDFImpl for LookUp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Boolean)
    }

    /// Reached only where it was left above a scan: it never sees a raw value.
    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        Err(QueryError::LookupNotGranted.into())
    }
}

/// The condition on raw values that a look-up asks, if the grant gives it for the column; `None`
/// for every other condition.
pub(crate) fn looked_up(
    condition: &Expr,
    grant: &Grant,
    schema: &TableSchema,
) -> Option<Predicate> {
    let [Expr::Column(column), Expr::Literal(constant, _)] = arguments(condition)? else {
        return None;
    };
    let granted = grant.columns().iter().find(|granted| granted.name.as_str() == column.name)?;
    // A column that is shown as stored may be asked without.
    let is_masked = matches!(granted.access, Access::Masked(_));
    if granted.lookup == LookupRight::Absent && is_masked {
        return None;
    }
    let stored = schema.columns().get(granted.position)?;
    let value = value_of(constant, stored.column_type)?;
    let column = stored.name.clone();
    Some(Predicate::Compare { column, comparison: Comparison::Equal, value })
}

fn arguments(expression: &Expr) -> Option<&[Expr]> {
    match expression {
        Expr::ScalarFunction(function) if function.name() == NAME => Some(&function.args),
        _ => None,
    }
}

/// How many look-ups a plan as written asks, each of one value.
///
/// Each has to stand in the WHERE of a SELECT from its table alone, with a constant: a value that
/// comes from elsewhere could be another one in every branch of a UNION, and over a join or a group
/// the optimizer would take it for a condition on what is shown.
///
/// # Errors
/// [`QueryError::LookupNotGranted`] if one stands elsewhere.
pub(crate) fn asked(written: &LogicalPlan) -> Result<usize, QueryError> {
    let (mut all, mut well_placed) = (0, 0);
    each_expression(written, &mut |expression| {
        all += usize::from(arguments(expression).is_some());
    })?;
    if all == 0 {
        return Ok(0);
    }
    written
        .apply_with_subqueries(|node| {
            if let LogicalPlan::Filter(filter) = node
                && is_one_table(&filter.input)
            {
                let conditions = split_conjunction(&filter.predicate);
                well_placed += conditions.into_iter().filter(|one| asks_a_constant(one)).count();
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(QueryError::from_planning)?;
    if all == well_placed { Ok(all) } else { Err(QueryError::LookupNotGranted) }
}

/// A table, under whatever name.
fn is_one_table(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => true,
        LogicalPlan::SubqueryAlias(alias) => is_one_table(&alias.input),
        _ => false,
    }
}

fn asks_a_constant(condition: &Expr) -> bool {
    match arguments(condition) {
        Some([Expr::Column(_), value]) => is_constant(value),
        _ => false,
    }
}

fn is_constant(value: &Expr) -> bool {
    match value {
        Expr::Literal(..) | Expr::Placeholder(_) => true,
        Expr::Cast(cast) => is_constant(&cast.expr),
        _ => false,
    }
}

/// Whether the scans answer every look-up of an optimized plan: what is left above one would be
/// asked of what is shown.
///
/// # Errors
/// [`QueryError::LookupNotGranted`] if one is left.
pub(crate) fn all_answered(optimized: &LogicalPlan) -> Result<(), QueryError> {
    let mut left = 0;
    optimized
        .apply_with_subqueries(|node| {
            // What a scan took it answers.
            if !matches!(node, LogicalPlan::TableScan(_)) {
                count_in(node, &mut |expression| {
                    left += usize::from(arguments(expression).is_some());
                })?;
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(QueryError::from_planning)?;
    if left == 0 { Ok(()) } else { Err(QueryError::LookupNotGranted) }
}

fn each_expression(plan: &LogicalPlan, visit: &mut dyn FnMut(&Expr)) -> Result<(), QueryError> {
    plan.apply_with_subqueries(|node| {
        count_in(node, visit)?;
        Ok(TreeNodeRecursion::Continue)
    })
    .map(|_| ())
    .map_err(QueryError::from_planning)
}

fn count_in(node: &LogicalPlan, visit: &mut dyn FnMut(&Expr)) -> DataFusionResult<()> {
    node.apply_expressions(|expression| {
        expression.apply(|part| {
            visit(part);
            Ok(TreeNodeRecursion::Continue)
        })
    })
    .map(|_| ())
}
