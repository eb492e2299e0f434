//! What an aggregation asks for, in stored columns.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::scalar::ScalarValue;
use martlet_core::{ColumnType, Predicate};
use martlet_index::IndexKind;
use martlet_index::grouping::{KEY_COLUMNS_MAX, Wanted};

use super::bucket::Bucket;
use super::condition::{Sign, Slice, Term, branches, predicate};
use super::dimension::Dimension;
use super::grouping::{Grouping, Groupings};
use super::ranked::{Ranked, has_keys, is_ranked};
use super::source::{Derived, Source};

/// Whose output the operator gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The states of the first of two stages.
    First,
    /// The results of an aggregation in one stage.
    Only,
}

/// An aggregation that indexes can answer.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) stage: Stage,
    /// What of the scan's own columns tells groups apart.
    pub(super) keys: Vec<Key>,
    /// The plans that the scan is joined to.
    pub(super) dimensions: Vec<Arc<Dimension>>,
    /// What is grouped by, in the order of the output.
    pub(super) groupings: Vec<Grouping>,
    pub(super) functions: Vec<Function>,
    /// The parts of the rows that are totalled; the first is the whole.
    pub(super) slices: Vec<Slice>,
    /// What the functions total, each once.
    pub(super) measures: Vec<Measure>,
    /// The columns whose distinct values are counted.
    pub(super) distincts: Vec<Key>,
    /// The columns of which values at ranks are wanted.
    pub(super) ranked: Vec<Ranked>,
}

/// A grouping column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) column: usize,
    pub(super) column_type: ColumnType,
    pub(super) bucket: Bucket,
}

/// What to total over one slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// Position of the slice.
    pub(super) slice: usize,
    /// The column; without one only rows are counted.
    pub(super) column: Option<(usize, ColumnType)>,
    pub(super) wanted: Wanted,
}

/// What a function adds up from one measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Position among the measures.
    pub(super) measure: usize,
    /// How often the sum of its values counts: 1 or -1; of rows, the number each one adds.
    pub(super) times: i128,
    pub(super) rows: Rows,
}

/// What becomes of the rows of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// They are among those that the function is over.
    Added,
    /// They were added with a larger part to which they do not belong.
    TakenAway,
}

impl Part {
    /// The same rows, taken away from a larger part.
    const fn taken_away(self) -> Self {
        Self { times: -self.times, rows: Rows::TakenAway, ..self }
    }
}

/// One output of the aggregation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Function {
    /// `COUNT(*)`, or of a column that is never null.
    CountRows,
    Count(Vec<Part>),
    Sum(Vec<Part>),
    Average(Vec<Part>),
    /// The number is a position among the measures.
    Lowest(usize),
    Highest(usize),
    /// The number is a position among the distinct columns.
    CountDistinct(usize),
    /// The value at a point of the order: positions among the ranked columns and their points.
    AtRank(usize, usize),
}

impl Spec {
    /// Whether the groups of a partition may be handed on in parts, the same group in several of
    /// them: to a second stage, and without anything that is only known of a group at its end.
    pub(super) const fn may_come_in_parts(&self) -> bool {
        matches!(self.stage, Stage::First) && self.distincts.is_empty() && self.ranked.is_empty()
    }

    /// Whether a segment tells each of its groups once: by one total of one slice, and not as
    /// what rows are joined to.
    pub(super) fn tells_groups_once(&self) -> bool {
        !self.keys.is_empty()
            && self.dimensions.is_empty()
            && self.slices.len() == 1
            && self.distincts.is_empty()
            && self.ranked.is_empty()
    }

    pub(super) fn of(aggregate: &AggregateExec, source: &Source<'_>, stage: Stage) -> Option<Self> {
        let Groupings { keys, dimensions, groupings } = Groupings::of(aggregate, source)?;
        let mut spec = Self {
            stage,
            keys,
            dimensions,
            groupings,
            functions: Vec::new(),
            slices: vec![Slice::WHOLE],
            measures: Vec::new(),
            distincts: Vec::new(),
            ranked: Vec::new(),
        };
        for (function, filter) in aggregate.aggr_expr().iter().zip(aggregate.filter_expr()) {
            let within = match filter {
                Some(filter) => Slice { when: predicate(filter, source)?, ..Slice::WHOLE },
                None => Slice::WHOLE,
            };
            let function = spec.function(function, within, source)?;
            spec.functions.push(function);
        }
        // The second pass looks for the groups of a segment where the first one put them, each in
        // one place: the rows of a join may fall into several, and groups that an expression
        // makes one are put together afterwards. There the plain operator answers.
        let is_apart = spec.dimensions.is_empty() && !spec.computes_groups();
        if !spec.ranked.is_empty() && !is_apart {
            return None;
        }
        let says_something = !spec.functions.is_empty() || !spec.groupings.is_empty();
        let grouped_by = spec.slots() + usize::from(!spec.distincts.is_empty());
        (says_something && grouped_by <= KEY_COLUMNS_MAX).then_some(spec)
    }

    /// Whether only rows are counted.
    pub(super) const fn totals_nothing(&self) -> bool {
        self.measures.is_empty() && self.distincts.is_empty() && self.ranked.is_empty()
    }

    fn function(
        &mut self,
        function: &AggregateFunctionExpr,
        within: Slice,
        source: &Source<'_>,
    ) -> Option<Function> {
        if is_ranked(function) {
            return self.at_rank(function, within, source);
        }
        let arguments = function.expressions();
        let [argument] = arguments.as_slice() else { return None };
        if !function.order_bys().is_empty() {
            return None;
        }
        let name = function.fun().name();
        let is_whole = within == Slice::WHOLE;
        if function.is_distinct() {
            return (name == "count" && is_whole)
                .then(|| self.distinct(argument, source))
                .flatten();
        }
        if name == "count" && is_whole && counts_rows(argument, source) {
            return Some(Function::CountRows);
        }
        match name {
            "count" => {
                Some(Function::Count(self.parts(argument, within, Wanted::default(), source)?))
            }
            "sum" => Some(Function::Sum(self.parts(argument, within, SUM, source)?)),
            "avg" => {
                let parts = self.parts(argument, within, SUM, source)?;
                // A constant's own type is not kept, and an average needs its digits.
                let is_of_column = |part: &Part| self.measures[part.measure].column.is_some();
                parts.iter().any(is_of_column).then_some(Function::Average(parts))
            }
            "min" | "max" => {
                let derived = source.derived(argument)?;
                // A cast to a float keeps the order, so it is cast afterwards.
                let plain = derived.bucket == Bucket::Value;
                let extremes = Wanted { extremes: true, ..Wanted::default() };
                let measure =
                    plain.then(|| self.measure(within, &derived, extremes, source)).flatten()?;
                Some(if name == "min" {
                    Function::Lowest(measure)
                } else {
                    Function::Highest(measure)
                })
            }
            _ => None,
        }
    }

    /// What a function adds up of its argument: a column, or the branches of a CASE.
    fn parts(
        &mut self,
        argument: &Arc<dyn PhysicalExpr>,
        within: Slice,
        wanted: Wanted,
        source: &Source<'_>,
    ) -> Option<Vec<Part>> {
        let branches = match branches(argument, source) {
            Some(branches) if within == Slice::WHOLE => branches,
            // A FILTER over a CASE would need conditions of conditions.
            Some(_) => return None,
            None => vec![(within, Term::of(argument))],
        };
        let mut parts = Vec::new();
        for (at, (slice, term)) in branches.iter().enumerate() {
            let earlier = branches[..at].iter().map(|(slice, _)| slice);
            if slice.is_rest() && self.sums_exactly(term, wanted, source) {
                // What is left is the whole less the others, which costs no walk of its own.
                parts.extend(self.part(&Slice::WHOLE, term, argument, wanted, source)?);
                for slice in earlier {
                    let part = self.part(slice, term, argument, wanted, source)?;
                    parts.extend(part.map(Part::taken_away));
                }
            } else {
                parts.extend(self.part(slice, term, argument, wanted, source)?);
            }
        }
        Some(parts)
    }

    /// Whether sums of what a term adds may be taken from one another.
    fn sums_exactly(&self, term: &Term, wanted: Wanted, source: &Source<'_>) -> bool {
        let Term::Column(column, _) = term else { return true };
        let stored = |column| source.stored(&source.derived(column)?);
        !wanted.sum
            || stored(column).is_some_and(|stored| stored.column_type != ColumnType::Float64)
    }

    /// What a function adds up of one term over a slice; nothing, where the term is nothing.
    fn part(
        &mut self,
        slice: &Slice,
        term: &Term,
        argument: &Arc<dyn PhysicalExpr>,
        wanted: Wanted,
        source: &Source<'_>,
    ) -> Option<Option<Part>> {
        let (measure, times) = match term {
            Term::Nothing => return Some(None),
            Term::Constant(constant) => {
                let times = if wanted.sum { unscaled(constant, argument, source)? } else { 1 };
                (self.rows_of(slice.clone()), times)
            }
            Term::Column(column, _)
                if !wanted.sum && self.groupings.is_empty() && knows_nulls(column, source)? =>
            {
                // Rows that hold a value are counted without being looked at.
                let present = present(&source.derived(column)?, source)?;
                (self.rows_of(slice.clone().and(present)), 1)
            }
            Term::Column(column, Sign::Minus) if is_narrow(column, source)? => return None,
            Term::Column(column, sign) => {
                let measure = self.addend(slice, column, wanted, source)?;
                (measure, if *sign == Sign::Minus { -1 } else { 1 })
            }
        };
        Some(Some(Part { measure, times, rows: Rows::Added }))
    }

    /// The measure over a column whose values are counted or added up.
    fn addend(
        &mut self,
        slice: &Slice,
        column: &Arc<dyn PhysicalExpr>,
        wanted: Wanted,
        source: &Source<'_>,
    ) -> Option<usize> {
        let derived = source.derived(column)?;
        let column_type = source.stored(&derived)?.column_type;
        let is_number = matches!(
            column_type,
            ColumnType::Int32
                | ColumnType::Int64
                | ColumnType::Decimal { .. }
                | ColumnType::Float64
        );
        // Casting each decimal rounds each: that sum is another.
        let is_rounded = derived.as_float && matches!(column_type, ColumnType::Decimal { .. });
        let can_sum = is_number && !is_rounded;
        if derived.bucket != Bucket::Value || (wanted.sum && !can_sum) {
            return None;
        }
        let of_floats = wanted.sum && column_type == ColumnType::Float64;
        let wanted = if of_floats { FLOAT_SUM } else { wanted };
        self.measure(slice.clone(), &derived, wanted, source)
    }

    /// The position of a slice, added if it is new.
    pub(super) fn slice(&mut self, slice: Slice) -> usize {
        self.slices.iter().position(|known| *known == slice).unwrap_or_else(|| {
            self.slices.push(slice);
            self.slices.len() - 1
        })
    }

    /// The measure that counts the rows of a slice.
    fn rows_of(&mut self, slice: Slice) -> usize {
        let slice = self.slice(slice);
        let is_known = |known: &Measure| known.slice == slice && known.column.is_none();
        self.measures.iter().position(is_known).unwrap_or_else(|| {
            self.measures.push(Measure { slice, column: None, wanted: Wanted::default() });
            self.measures.len() - 1
        })
    }

    /// Distinct values join only where everything comes together.
    fn distinct(
        &mut self,
        argument: &Arc<dyn PhysicalExpr>,
        source: &Source<'_>,
    ) -> Option<Function> {
        let key = key(&source.derived(argument)?, source)?;
        if self.stage != Stage::Only || key.bucket != Bucket::Value {
            return None;
        }
        let known = self.distincts.iter().position(|known| known.column == key.column);
        Some(Function::CountDistinct(known.unwrap_or_else(|| {
            self.distincts.push(key);
            self.distincts.len() - 1
        })))
    }

    /// The measure over a column of a slice, made if there is none; what is wanted is added.
    fn measure(
        &mut self,
        slice: Slice,
        derived: &Derived,
        wanted: Wanted,
        source: &Source<'_>,
    ) -> Option<usize> {
        let slice = self.slice(slice);
        let column_type = source.stored(derived)?.column_type;
        let column = Some((derived.column, column_type));
        let is_known = |known: &Measure| known.slice == slice && known.column == column;
        if let Some(at) = self.measures.iter().position(is_known) {
            let known = &mut self.measures[at].wanted;
            known.sum |= wanted.sum;
            known.float_sum |= wanted.float_sum;
            known.extremes |= wanted.extremes;
            return Some(at);
        }
        if !has_keys(source, derived.column, column_type) {
            return None;
        }
        self.measures.push(Measure { slice, column, wanted });
        Some(self.measures.len() - 1)
    }
}

const SUM: Wanted = Wanted { sum: true, float_sum: false, extremes: false };
const FLOAT_SUM: Wanted = Wanted { sum: false, float_sum: true, extremes: false };

/// Whether a column is of 32 bits: the plain operator turns the sign of its lowest value into that
/// value again, and of sums it cannot be told who of the rows had it.
fn is_narrow(column: &Arc<dyn PhysicalExpr>, source: &Source<'_>) -> Option<bool> {
    Some(source.stored(&source.derived(column)?)?.column_type == ColumnType::Int32)
}

/// Whether an index of each segment tells which rows hold a value of a column.
fn knows_nulls(column: &Arc<dyn PhysicalExpr>, source: &Source<'_>) -> Option<bool> {
    const KINDS: [IndexKind; 5] = [
        IndexKind::Bitmap,
        IndexKind::Codes,
        IndexKind::Vector,
        IndexKind::Binned,
        IndexKind::Lookup,
    ];
    Some(source.scan().each_segment_has(source.derived(column)?.column, &KINDS))
}

/// That a row holds a value of a column, or one computed of it that is never null.
fn present(derived: &Derived, source: &Source<'_>) -> Option<Predicate> {
    let column = source.stored(derived)?.name.clone();
    Some(Predicate::Not(Box::new(Predicate::IsNull { column })))
}

/// Whether the argument of a count is there in every row.
fn counts_rows(argument: &Arc<dyn PhysicalExpr>, source: &Source<'_>) -> bool {
    if let Some(literal) = argument.downcast_ref::<Literal>() {
        return !literal.value().is_null();
    }
    let derived = source.derived(argument);
    derived.and_then(|derived| source.stored(&derived)).is_some_and(|stored| !stored.nullable)
}

/// The whole number that stands for a constant among the sums of an argument.
fn unscaled(
    constant: &ScalarValue,
    argument: &Arc<dyn PhysicalExpr>,
    source: &Source<'_>,
) -> Option<i128> {
    let scale_of = |data_type: &DataType| match data_type {
        DataType::Decimal128(_, scale) => Some(*scale),
        DataType::Int32 | DataType::Int64 => Some(0),
        _ => None,
    };
    let scale = scale_of(&argument.data_type(&source.input_schema()).ok()?)?;
    match constant {
        ScalarValue::Int32(Some(value)) if scale == 0 => Some(i128::from(*value)),
        ScalarValue::Int64(Some(value)) if scale == 0 => Some(i128::from(*value)),
        ScalarValue::Decimal128(Some(value), _, of) if *of == scale => Some(*value),
        _ => None,
    }
}

/// A column of the scan to group by, if every segment can.
pub(super) fn key(derived: &Derived, source: &Source<'_>) -> Option<Key> {
    let stored = source.stored(derived)?;
    let usable = !derived.as_float && has_values(source, derived.column);
    // A vector's floats keep apart what SQL does; codes do as well.
    usable.then_some(Key {
        column: derived.column,
        column_type: stored.column_type,
        bucket: derived.bucket,
    })
}

/// Whether every segment has an index that knows every row's value.
pub(super) fn has_values(source: &Source<'_>, column: usize) -> bool {
    let scan = source.scan();
    scan.each_segment_has(column, &[IndexKind::Codes, IndexKind::Vector])
}

/// Whether a group's value can be shown in the type that the plan has for it.
pub(super) fn can_show(key: &Key, as_type: &DataType) -> bool {
    let stored = key.bucket.column_type(key.column_type).arrow();
    stored == *as_type
        || matches!(
            (key.bucket, as_type),
            (Bucket::Part(_), DataType::Int32)
                | (Bucket::Trunc(_), DataType::Timestamp(_, None) | DataType::Date32)
        )
}
