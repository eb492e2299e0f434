//! What may be computed on rows of single persons: what never fails and never has an effect.
//!
//! An error that only one row raises tells of that row, whoever is left out afterwards. So the
//! optimized plan, in which constants are computed and types are made equal, has nothing below the
//! deciding node but the expressions listed here. A constant that could not be computed is none of
//! them either: it fails where there is a row to compute it for.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::expr::{AggregateFunction, InList, ScalarFunction};
use datafusion::logical_expr::{
    Aggregate, Case, Expr, ExprSchemable, GroupingSet, Join, Like, LogicalPlan, Operator,
};
use martlet_core::TableName;

use super::node::EnoughPersons;
use super::rows::ROW;
use crate::error::QueryError;
use crate::statement::table_name;

/// A longer pattern may become too large to be compiled, and that fails where a row is tested.
const PATTERN_BYTES_MAX: usize = 200;

/// Parts that every date has. A part that there is none of fails where it is asked of a row, and so does
/// cutting a moment off to one where that needs nanoseconds, which end in 2262.
const PARTS: [&str; 7] = ["year", "quarter", "month", "week", "day", "dow", "doy"];

const UNCERTAIN: QueryError = QueryError::TooFine {
    accepted: "what is computed of single rows cannot fail: comparisons, LIKE, IN, CASE, and year, \
               quarter, month, week, day, dow and doy of dates; no arithmetic, no cast that may fail and no other function",
};

/// Checks the optimized plan of a statement that reads this table under a minimum group size.
///
/// # Errors
/// [`QueryError::TooFine`] if something that may fail is computed of its rows, and if they are read
/// where no group is made of them.
pub(crate) fn stay_harmless(optimized: &LogicalPlan, table: &TableName) -> Result<(), QueryError> {
    if let Some(below) = EnoughPersons::below(optimized) {
        return harmless_plan(below);
    }
    if let LogicalPlan::TableScan(scan) = optimized
        && table_name(&scan.table_name)?.as_ref() == Some(table)
    {
        return Err(QueryError::Bug { promise: "groups are made of rows before they are shown" });
    }
    optimized.inputs().into_iter().try_for_each(|input| stay_harmless(input, table))
}

/// A plan below the deciding node.
fn harmless_plan(plan: &LogicalPlan) -> Result<(), QueryError> {
    let all = match plan {
        // What a scan has taken over is leak-proof, and so it never fails.
        LogicalPlan::TableScan(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::SubqueryAlias(_) => true,
        LogicalPlan::Filter(filter) => is_harmless(&filter.predicate, filter.input.schema()),
        LogicalPlan::Projection(projection) => {
            let schema = projection.input.schema();
            let is_harmless =
                |one: &Expr| tells_the_grouping(one, &projection.input) || is_harmless(one, schema);
            projection.expr.iter().all(is_harmless)
        }
        LogicalPlan::Join(join) => is_harmless_join(join),
        LogicalPlan::Aggregate(aggregate) => {
            let schema = aggregate.input.schema();
            aggregate.group_expr.iter().all(|key| is_harmless(key, schema))
                && aggregate.aggr_expr.iter().all(|total| is_harmless_total(total, schema))
        }
        _ => false,
    };
    if !all {
        return Err(UNCERTAIN);
    }
    plan.inputs().into_iter().try_for_each(harmless_plan)
}

/// `grouping(column)`, of whatever it was made: no row has a say in which grouping a group is of. The
/// number that it is made of stands behind the keys of an aggregation; whatever else has its name is
/// something that the statement called so.
fn tells_the_grouping(expression: &Expr, input: &LogicalPlan) -> bool {
    let LogicalPlan::Aggregate(Aggregate { group_expr, schema, .. }) = input else { return false };
    let [Expr::GroupingSet(sets)] = group_expr.as_slice() else { return false };
    let behind_keys = sets.distinct_expr().len();
    let columns = expression.column_refs();
    let is_grouping = |column: &&Column| {
        column.name == Aggregate::INTERNAL_GROUPING_ID
            && schema.maybe_index_of_column(column) == Some(behind_keys)
    };
    !columns.is_empty() && columns.iter().all(is_grouping)
}

/// Which joins there are was checked in the plan as written.
fn is_harmless_join(join: &Join) -> bool {
    let (left, right) = (join.left.schema(), join.right.schema());
    let keys = join.on.iter().all(|(own, met)| is_harmless(own, left) && is_harmless(met, right));
    keys && join.filter.iter().all(|condition| is_harmless(condition, &join.schema))
}

/// Which aggregates there are was checked in the plan as written.
fn is_harmless_total(total: &Expr, schema: &DFSchema) -> bool {
    match total {
        Expr::Alias(named) => is_harmless_total(&named.expr, schema),
        Expr::AggregateFunction(AggregateFunction { params, .. }) => {
            let is_plain = params.filter.is_none() && params.order_by.is_empty();
            is_plain && params.args.iter().all(|argument| is_harmless(argument, schema))
        }
        _ => false,
    }
}

fn is_harmless(expression: &Expr, schema: &DFSchema) -> bool {
    let of = |part: &Expr| is_harmless(part, schema);
    match expression {
        // A parameter is a constant before the plan is run.
        Expr::Column(_) | Expr::Literal(..) | Expr::Placeholder(_) => true,
        Expr::Alias(named) => of(&named.expr),
        Expr::Not(part)
        | Expr::IsNull(part)
        | Expr::IsNotNull(part)
        | Expr::IsTrue(part)
        | Expr::IsNotTrue(part)
        | Expr::IsFalse(part)
        | Expr::IsNotFalse(part)
        | Expr::IsUnknown(part)
        | Expr::IsNotUnknown(part) => of(part),
        Expr::BinaryExpr(binary) => {
            is_comparison(binary.op) && of(&binary.left) && of(&binary.right)
        }
        Expr::Between(between) => of(&between.expr) && of(&between.low) && of(&between.high),
        Expr::InList(InList { expr, list, .. }) => of(expr) && list.iter().all(of),
        Expr::Like(like) => of(&like.expr) && is_short_pattern(like),
        Expr::Case(case) => is_harmless_case(case, schema),
        Expr::Cast(cast) => {
            let from = cast.expr.get_type(schema);
            from.is_ok_and(|from| always_fits(&from, cast.field.data_type())) && of(&cast.expr)
        }
        Expr::ScalarFunction(function) => is_harmless_function(function, schema),
        Expr::GroupingSet(GroupingSet::Rollup(keys) | GroupingSet::Cube(keys)) => {
            keys.iter().all(of)
        }
        Expr::GroupingSet(GroupingSet::GroupingSets(sets)) => sets.iter().flatten().all(of),
        _ => false,
    }
}

const fn is_comparison(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
            | Operator::And
            | Operator::Or
    )
}

fn is_short_pattern(like: &Like) -> bool {
    let Expr::Literal(pattern, _) = &*like.pattern else { return false };
    let pattern = pattern.try_as_str().flatten();
    like.escape_char.is_none() && pattern.is_none_or(|text| text.len() <= PATTERN_BYTES_MAX)
}

fn is_harmless_case(case: &Case, schema: &DFSchema) -> bool {
    let branches = case.when_then_expr.iter().flat_map(|(when, then)| [&**when, &**then]);
    let rest = case.expr.iter().chain(&case.else_expr).map(|part| &**part);
    branches.chain(rest).all(|part| is_harmless(part, schema))
}

fn is_harmless_function(function: &ScalarFunction, schema: &DFSchema) -> bool {
    match (function.name(), function.args.as_slice()) {
        (ROW, columns) => columns.iter().all(|column| is_harmless(column, schema)),
        ("date_part", [Expr::Literal(part, _), moment]) => {
            let part = part.try_as_str().flatten().map(str::to_ascii_lowercase);
            let is_part = part.is_some_and(|part| PARTS.contains(&part.as_str()));
            let of = moment.get_type(schema);
            let is_moment =
                of.is_ok_and(|of| matches!(of, DataType::Date32 | DataType::Timestamp(..)));
            is_part && is_moment && is_harmless(moment, schema)
        }
        _ => false,
    }
}

/// Whether every value of a type is one of another.
fn always_fits(from: &DataType, to: &DataType) -> bool {
    let is_text =
        |of: &DataType| matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match (from, to) {
        _ if from == to || *from == DataType::Null => true,
        (DataType::Decimal128(digits, scale), DataType::Decimal128(to_digits, to_scale)) => {
            let whole = i16::from(*digits) - i16::from(*scale);
            scale <= to_scale && whole <= i16::from(*to_digits) - i16::from(*to_scale)
        }
        (_, DataType::Decimal128(digits, scale)) => integer_digits(from)
            .is_some_and(|needed| needed <= i16::from(*digits) - i16::from(*scale)),
        (DataType::Decimal128(..), DataType::Float64) => true,
        (_, DataType::Float64) => from.is_integer() || from.is_floating(),
        _ if is_text(from) && is_text(to) => true,
        _ => match (integer_bytes(from), integer_bytes(to)) {
            (Some(own), Some(other)) => own <= other,
            _ => false,
        },
    }
}

/// Signed integers alone: stored numbers have a sign.
const fn integer_bytes(of: &DataType) -> Option<u8> {
    match of {
        DataType::Int8 => Some(1),
        DataType::Int16 => Some(2),
        DataType::Int32 => Some(4),
        DataType::Int64 => Some(8),
        _ => None,
    }
}

/// Digits that every value of an integer type has room in.
const fn integer_digits(of: &DataType) -> Option<i16> {
    match integer_bytes(of) {
        Some(1) => Some(3),
        Some(2) => Some(5),
        Some(4) => Some(10),
        Some(_) => Some(19),
        None => None,
    }
}

#[cfg(test)]
#[path = "harmless_tests.rs"]
mod tests;
