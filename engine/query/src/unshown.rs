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

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    BinaryExpr, Distinct, Expr, Join, JoinType, LogicalPlan, Operator, TableScan,
};
use martlet_policy::Access;

use crate::error::QueryError;
use crate::session::Session;
use crate::statement::table_name;

/// Checks a plan as written.
///
/// # Errors
/// [`QueryError::NotShown`] if it would show such a column, or set it beside one that is shown.
pub(crate) fn stay_unshown(session: &Session, written: &LogicalPlan) -> Result<(), QueryError> {
    if !session.has_unshown_columns() {
        return Ok(());
    }
    let mut walk = Walk { session, outer: Vec::new(), met: false };
    if walk.plan(written)?.shows_all() { Ok(()) } else { Err(QueryError::NotShown) }
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

    fn either(self, other: Self) -> Self {
        Self::unshown_if(self == Self::Unshown || other == Self::Unshown)
    }
}

/// Which kinds of columns an expression speaks of.
#[derive(Debug, Clone, Copy, Default)]
struct Speaks {
    of_shown: bool,
    of_unshown: bool,
    /// A subquery in it asks of an unshown column, whatever it answers.
    by_subquery: bool,
}

impl Speaks {
    /// A column that nobody knows may be of either kind.
    const fn note(&mut self, kept: Option<Kept>) {
        match kept {
            Some(Kept::Shown) => self.of_shown = true,
            Some(Kept::Unshown) => self.of_unshown = true,
            None => (self.of_shown, self.of_unshown) = (true, true),
        }
    }

    const fn of_both(self) -> bool {
        self.of_shown && self.of_unshown
    }

    const fn with(self, other: Self) -> Self {
        Self {
            of_shown: self.of_shown || other.of_shown,
            of_unshown: self.of_unshown || other.of_unshown,
            by_subquery: self.by_subquery || other.by_subquery,
        }
    }
}

/// What a node gives.
#[derive(Debug, Clone)]
struct Output {
    /// Of each column, in their order.
    columns: Vec<Kept>,
    /// Whether there are so many rows, or just these, for another reason than conditions: because
    /// they were made distinct, grouped or cut off by unshown columns. Then every count tells.
    rows: Kept,
}

impl Output {
    const fn of_shown_rows(columns: Vec<Kept>) -> Self {
        Self { columns, rows: Kept::Shown }
    }

    fn all(kept: Kept, columns: usize) -> Self {
        Self { columns: vec![kept; columns], rows: kept }
    }

    /// The same where rows were made distinct by all their columns.
    fn distinct(self) -> Self {
        let by_unshown = self.rows == Kept::Unshown || self.columns.contains(&Kept::Unshown);
        if by_unshown { Self::all(Kept::Unshown, self.columns.len()) } else { self }
    }

    fn shows_all(&self) -> bool {
        self.rows == Kept::Shown && !self.columns.contains(&Kept::Unshown)
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
}

impl Walk<'_> {
    /// What the node gives.
    fn plan(&mut self, plan: &LogicalPlan) -> Result<Output, QueryError> {
        let columns = plan.schema().fields().len();
        let output = match plan {
            LogicalPlan::TableScan(scan) => Output::of_shown_rows(self.scan(scan)),
            LogicalPlan::Projection(projection) => {
                let scope = self.scope_of(&projection.input)?;
                let columns = self.computed(&projection.expr, &scope)?;
                Output { columns, rows: scope.output.rows }
            }
            LogicalPlan::Filter(filter) => {
                let scope = self.scope_of(&filter.input)?;
                self.condition(&filter.predicate, &scope)?;
                scope.output
            }
            LogicalPlan::SubqueryAlias(alias) => self.plan(&alias.input)?,
            LogicalPlan::Subquery(subquery) => self.plan(&subquery.subquery)?,
            LogicalPlan::Limit(limit) => {
                has_no_subquery(plan)?;
                self.plan(&limit.input)?
            }
            LogicalPlan::Repartition(repartition) => self.plan(&repartition.input)?,
            LogicalPlan::Sort(sort) => {
                let scope = self.scope_of(&sort.input)?;
                let keys: Vec<&Expr> = sort.expr.iter().map(|key| &key.expr).collect();
                self.behind(&keys, scope.output.clone(), &scope)?
            }
            LogicalPlan::Distinct(Distinct::All(input)) => self.plan(input)?.distinct(),
            LogicalPlan::Distinct(Distinct::On(on)) => {
                let scope = self.scope_of(&on.input)?;
                let mut keys: Vec<&Expr> = on.on_expr.iter().collect();
                keys.extend(on.sort_expr.iter().flatten().map(|key| &key.expr));
                let columns = self.computed(&on.select_expr, &scope)?;
                self.behind(&keys, Output { columns, rows: scope.output.rows }, &scope)?
            }
            LogicalPlan::Aggregate(aggregate) => {
                let scope = self.scope_of(&aggregate.input)?;
                let totals = self.computed(&aggregate.aggr_expr, &scope)?;
                let groups = columns.saturating_sub(totals.len());
                let kept = std::iter::repeat_n(Kept::Shown, groups).chain(totals).collect();
                let keys: Vec<&Expr> = aggregate.group_expr.iter().collect();
                let output = self.behind(&keys, Output::of_shown_rows(kept), &scope)?;
                // A count of rows that tell is told.
                match scope.output.rows {
                    Kept::Shown => output,
                    Kept::Unshown => Output::all(Kept::Unshown, columns),
                }
            }
            LogicalPlan::Window(window) => {
                let scope = self.scope_of(&window.input)?;
                let ranks = self.computed(&window.window_expr, &scope)?;
                let Output { mut columns, rows } = scope.output;
                columns.extend(ranks);
                Output { columns, rows }
            }
            LogicalPlan::Join(join) => self.join(join)?,
            LogicalPlan::Union(union) => {
                let mut inputs = union.inputs.iter();
                let first = inputs.next().map(|input| self.plan(input)).transpose()?;
                let mut output = first.unwrap_or_else(|| Output::all(Kept::Shown, columns));
                for input in inputs {
                    let of_input = self.plan(input)?;
                    output.rows = output.rows.either(of_input.rows);
                    // A column of both kinds would be compared with either.
                    if of_input.columns != output.columns {
                        return Err(QueryError::NotShown);
                    }
                }
                output
            }
            // What is told of a plan is told to who may explain.
            LogicalPlan::Explain(explain) => {
                self.plan(&explain.plan)?;
                Output::of_shown_rows(vec![Kept::Shown; columns])
            }
            LogicalPlan::Analyze(analyze) => {
                self.plan(&analyze.input)?;
                Output::of_shown_rows(vec![Kept::Shown; columns])
            }
            _ => self.of_any_input(plan, columns)?,
        };
        // A node whose columns are counted in another way than here is not understood.
        let is_understood = output.columns.len() == columns;
        if is_understood { Ok(output) } else { self.of_any_input(plan, columns) }
    }

    /// Of a node that is not looked into: all or nothing, and nothing may be computed in it.
    fn of_any_input(&mut self, plan: &LogicalPlan, columns: usize) -> Result<Output, QueryError> {
        has_no_subquery(plan)?;
        let mut any = false;
        for input in plan.inputs() {
            any |= !self.plan(input)?.shows_all();
        }
        Ok(Output::all(Kept::unshown_if(any), columns))
    }

    fn scope_of(&mut self, input: &LogicalPlan) -> Result<Scope, QueryError> {
        Ok(Scope { output: self.plan(input)?, schema: input.schema().clone() })
    }

    /// A name without a grant is that of rows that the statement itself makes.
    fn scan(&self, scan: &TableScan) -> Vec<Kept> {
        let table = table_name(&scan.table_name).ok().flatten();
        let grant = table.and_then(|table| self.session.grant(&table));
        let is_unshown = |column: &str| {
            grant.is_some_and(|grant| {
                grant.columns().iter().any(|granted| {
                    granted.name.as_str() == column && granted.access == Access::Unshown
                })
            })
        };
        let fields = scan.projected_schema.fields().iter();
        fields.map(|field| Kept::unshown_if(is_unshown(field.name()))).collect()
    }

    fn join(&mut self, join: &Join) -> Result<Output, QueryError> {
        let left = self.scope_of(&join.left)?;
        let right = if is_lateral(&join.right) {
            // It names columns of the left.
            self.outer.push(left.clone());
            let right = self.scope_of(&join.right);
            self.outer.pop();
            right?
        } else {
            self.scope_of(&join.right)?
        };
        let mut by_unshown = false;
        for (of_left, of_right) in &join.on {
            let (left, right) = (self.speaks(of_left, &left)?, self.speaks(of_right, &right)?);
            let are_plain = is_plain(of_left) && is_plain(of_right);
            if left.with(right).of_both() || (left.of_unshown && !are_plain) {
                return Err(QueryError::NotShown);
            }
            by_unshown |= left.of_unshown;
        }
        let both = joined(&left, &right)?;
        if let Some(condition) = &join.filter {
            let speaks = self.condition(condition, &both)?;
            by_unshown |= speaks.of_unshown || speaks.by_subquery;
        }
        // Where rows without a partner stay, nulls tell which these are.
        let keeps_all = matches!(join.join_type, JoinType::Left | JoinType::Right | JoinType::Full);
        if by_unshown && keeps_all {
            return Err(QueryError::NotShown);
        }
        // The mark tells of every row what the condition says of it.
        let marked = |Output { mut columns, rows }: Output| {
            columns.push(Kept::Unshown);
            Output { columns, rows }
        };
        Ok(match join.join_type {
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => both.output,
            JoinType::LeftSemi | JoinType::LeftAnti => left.output,
            JoinType::RightSemi | JoinType::RightAnti => right.output,
            JoinType::LeftMark => marked(left.output),
            JoinType::RightMark => marked(right.output),
        })
    }

    /// What is left of an output whose rows were grouped, ordered or chosen by these keys.
    fn behind(
        &mut self,
        keys: &[&Expr],
        output: Output,
        scope: &Scope,
    ) -> Result<Output, QueryError> {
        let mut by_unshown = false;
        for key in keys {
            let before = std::mem::replace(&mut self.met, false);
            by_unshown |= self.speaks(key, scope)?.of_unshown || self.met;
            self.met |= before;
        }
        let columns = output.columns.len();
        Ok(if by_unshown { Output::all(Kept::Unshown, columns) } else { output })
    }

    /// Of each expression, whether what it gives may be shown. An unshown column is handed on under
    /// whatever name; nothing else is made of one.
    fn computed(&mut self, expressions: &[Expr], scope: &Scope) -> Result<Vec<Kept>, QueryError> {
        let of = |walk: &mut Self, expression: &Expr| {
            let before = std::mem::replace(&mut walk.met, false);
            let speaks = walk.speaks(expression, scope)?;
            // A subquery that asks of one and gives another tells of it just as well.
            let met = walk.met || speaks.of_unshown;
            walk.met |= before;
            match met {
                false => Ok(Kept::Shown),
                true if is_plain(expression) && !speaks.of_shown => Ok(Kept::Unshown),
                true => Err(QueryError::NotShown),
            }
        };
        expressions.iter().map(|expression| of(self, expression)).collect()
    }

    /// Checks what a condition sets beside each other, and tells what it speaks of.
    fn condition(&mut self, condition: &Expr, scope: &Scope) -> Result<Speaks, QueryError> {
        match condition {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                let left = self.condition(left, scope)?;
                Ok(left.with(self.condition(right, scope)?))
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                let left = self.alternative(left, scope)?;
                Ok(left.with(self.alternative(right, scope)?))
            }
            Expr::Not(inner) if !matches!(**inner, Expr::BinaryExpr(_)) => {
                self.condition(inner, scope)
            }
            _ => self.comparison(condition, scope),
        }
    }

    /// One side of an OR. `x = 1 AND hidden > 1 OR x = 2 AND hidden > 2` sets the two beside each
    /// other, and so it does where a subquery asks for the hidden one.
    fn alternative(&mut self, side: &Expr, scope: &Scope) -> Result<Speaks, QueryError> {
        let speaks = self.condition(side, scope)?;
        let is_or = matches!(side, Expr::BinaryExpr(inner) if inner.op == Operator::Or);
        if !is_or && (speaks.of_both() || speaks.by_subquery) {
            return Err(QueryError::NotShown);
        }
        Ok(speaks)
    }

    /// A condition that AND, OR and NOT take no further apart.
    fn comparison(&mut self, condition: &Expr, scope: &Scope) -> Result<Speaks, QueryError> {
        let speaks = self.speaks(condition, scope)?;
        let are_several = speaks.of_unshown && unshown_columns(condition, scope) > 1;
        let is_question = matches!(condition, Expr::InSubquery(_) | Expr::Exists(_));
        if speaks.of_both()
            || (are_several && !is_equality(condition))
            || (speaks.by_subquery && !is_question)
        {
            return Err(QueryError::NotShown);
        }
        Ok(speaks)
    }

    /// Which columns an expression speaks of, those of its subqueries' answers included.
    fn speaks(&mut self, expression: &Expr, scope: &Scope) -> Result<Speaks, QueryError> {
        let mut speaks = Speaks::default();
        let mut subqueries: Vec<(LogicalPlan, Answers)> = Vec::new();
        expression
            .apply(|part| {
                match part {
                    Expr::Column(column) => speaks.note(self.kept(column, Some(scope))),
                    Expr::OuterReferenceColumn(_, column) => speaks.note(self.kept(column, None)),
                    Expr::ScalarSubquery(subquery) => {
                        subqueries.push((subquery.subquery.as_ref().clone(), Answers::Value));
                    }
                    Expr::InSubquery(within) => {
                        let plan = within.subquery.subquery.as_ref().clone();
                        subqueries.push((plan, Answers::Membership));
                    }
                    Expr::SetComparison(within) => {
                        let plan = within.subquery.subquery.as_ref().clone();
                        subqueries.push((plan, Answers::Value));
                    }
                    Expr::Exists(exists) => {
                        let plan = exists.subquery.subquery.as_ref().clone();
                        subqueries.push((plan, Answers::Existence));
                    }
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
            .map_err(QueryError::from_planning)?;
        self.met |= speaks.of_unshown;
        for (plan, answers) in subqueries {
            self.outer.push(scope.clone());
            let before = std::mem::replace(&mut self.met, false);
            let output = self.plan(&plan);
            self.outer.pop();
            let met = std::mem::replace(&mut self.met, before);
            self.met |= met;
            let output = output?;
            if answers != Answers::Existence {
                output.columns.iter().for_each(|kept| speaks.note(Some(*kept)));
            }
            let asks_of_unshown = met || !output.shows_all();
            speaks.by_subquery |= asks_of_unshown;
            // A count of rows that a condition left is a value made of the condition's columns.
            speaks.of_unshown |= answers == Answers::Value && asks_of_unshown;
        }
        Ok(speaks)
    }

    /// What is kept of a column, from the inside out.
    fn kept(&self, column: &Column, scope: Option<&Scope>) -> Option<Kept> {
        let scopes = scope.into_iter().chain(self.outer.iter().rev());
        scopes.filter_map(|scope| scope.kept(column)).next()
    }
}

/// What of a subquery an expression uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// A value of its row, or values in their order.
    Value,
    /// Which values there are.
    Membership,
    /// Whether there is a row; its own conditions are checked where they stand.
    Existence,
}

/// A column under whatever name.
fn is_plain(expression: &Expr) -> bool {
    match expression {
        Expr::Column(_) => true,
        Expr::Alias(alias) => is_plain(&alias.expr),
        _ => false,
    }
}

/// Two columns, or a column and what a subquery lists, made equal.
fn is_equality(condition: &Expr) -> bool {
    let is_column = |side: &Expr| matches!(side, Expr::Column(_) | Expr::OuterReferenceColumn(..));
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            is_column(left) && is_column(right)
        }
        _ => false,
    }
}

/// How many columns a condition speaks of, constants aside: more than one are compared.
fn unshown_columns(condition: &Expr, scope: &Scope) -> usize {
    let outer = usize::from(condition.contains_outer());
    let own = condition.column_refs().into_iter().filter(|column| scope.kept(column).is_some());
    own.count() + outer
}

/// A derived table that names columns of what stands before it.
fn is_lateral(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Subquery(_) => true,
        LogicalPlan::SubqueryAlias(alias) => is_lateral(&alias.input),
        _ => false,
    }
}

/// A node whose expressions are not followed may hold none that asks another plan.
fn has_no_subquery(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut found = false;
    count_subqueries(plan, &mut found).map_err(QueryError::from_planning)?;
    if found { Err(QueryError::NotShown) } else { Ok(()) }
}

fn count_subqueries(plan: &LogicalPlan, found: &mut bool) -> DataFusionResult<()> {
    plan.apply_expressions(|expression| {
        expression.apply(|part| {
            *found |= matches!(
                part,
                Expr::ScalarSubquery(_)
                    | Expr::InSubquery(_)
                    | Expr::SetComparison(_)
                    | Expr::Exists(_)
            );
            Ok(TreeNodeRecursion::Continue)
        })
    })
    .map(|_| ())
}

fn joined(left: &Scope, right: &Scope) -> Result<Scope, QueryError> {
    let schema = left.schema.join(&right.schema).map_err(QueryError::from_planning)?;
    let columns = [left.output.columns.clone(), right.output.columns.clone()].concat();
    let rows = left.output.rows.either(right.output.rows);
    Ok(Scope { schema: schema.into(), output: Output { columns, rows } })
}
