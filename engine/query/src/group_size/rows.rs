//! Numbers for the rows that a reader sees, and for the persons they are of.
//!
//! A row is named by everything that the reader sees of it: rows that look the same cannot be told
//! apart by any statement, so they have one number. The name is a digest of 64 bits, and nothing of
//! a row is kept beside it. Owns the function that a guarded plan computes above a scan; no
//! statement knows its name.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::{Array, ArrayRef, UInt64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::budget::{Budget, Taken};
use super::told::NOBODY;
use crate::error::QueryError;

/// The name of the function and of its column.
pub(super) const ROW: &str = "__martlet_row";

/// Bytes that a row takes here: two digests with their numbers in tables, and its person.
const BYTES_OF_ROW: usize = 48;

/// The numbers of a table's rows, as the holders of one grant see them.
#[derive(Debug)]
pub(super) struct RowNames {
    digest: foldhash::quality::RandomState,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    rows: HashMap<u64, u32>,
    persons: HashMap<u64, u32>,
    /// The person of each row.
    person_of: Vec<u32>,
    taken: Taken,
}

impl RowNames {
    pub(super) fn new(budget: &Budget) -> Self {
        let known = Known {
            rows: HashMap::new(),
            persons: HashMap::new(),
            person_of: Vec::new(),
            taken: Taken::of(budget),
        };
        Self { digest: foldhash::quality::RandomState::default(), known: Mutex::new(known) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the persons of all rows that were numbered.
    pub(super) fn with_persons<T>(&self, then: impl FnOnce(&[u32]) -> T) -> T {
        then(&self.known().person_of)
    }

    /// The numbers of rows, each beside its person's; `persons` is the column that tells persons
    /// apart, if it is not the row itself.
    fn numbers(
        &self,
        columns: &[ArrayRef],
        persons: Option<&ArrayRef>,
    ) -> DataFusionResult<Vec<u64>> {
        let rows = self.digests(columns)?;
        let people = persons.map(|column| self.people(column)).transpose()?;
        let mut known = self.known();
        let mut numbers = Vec::with_capacity(rows.len());
        for (at, row) in rows.into_iter().enumerate() {
            let person =
                people.as_ref().map_or(Some(row), |people| people.get(at).copied().flatten());
            numbers.push(known.number(row, person)?);
        }
        Ok(numbers)
    }

    /// The persons of a column; none where it is null.
    fn people(&self, column: &ArrayRef) -> DataFusionResult<Vec<Option<u64>>> {
        let nulls = column.logical_nulls();
        let is_null = |at: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(at));
        let digests = self.digests(std::slice::from_ref(column))?;
        let person = |(at, digest): (usize, u64)| (!is_null(at)).then_some(digest);
        Ok(digests.into_iter().enumerate().map(person).collect())
    }

    fn digests(&self, columns: &[ArrayRef]) -> DataFusionResult<Vec<u64>> {
        let fields = columns.iter().map(|column| SortField::new(column.data_type().clone()));
        let rows = RowConverter::new(fields.collect())?.convert_columns(columns)?;
        Ok(rows.iter().map(|row| self.digest.hash_one(row.as_ref())).collect())
    }
}

impl Known {
    /// The row's number in the low half, its person's in the high one.
    fn number(&mut self, row: u64, person: Option<u64>) -> Result<u64, QueryError> {
        let number = match self.rows.get(&row) {
            Some(number) => *number,
            None => self.add(row, person)?,
        };
        let person = self.person_of.get(number as usize).copied().unwrap_or(NOBODY);
        Ok(u64::from(person) << 32 | u64::from(number))
    }

    fn add(&mut self, row: u64, person: Option<u64>) -> Result<u32, QueryError> {
        const FULL: QueryError =
            QueryError::Exhausted { resource: "rows under a minimum group size" };
        self.taken.grow(BYTES_OF_ROW)?;
        let number = u32::try_from(self.person_of.len()).ok().filter(|number| *number < NOBODY);
        let number = number.ok_or(FULL)?;
        let next = self.persons.len() as u32;
        let person = person.map_or(NOBODY, |person| *self.persons.entry(person).or_insert(next));
        self.rows.insert(row, number);
        self.person_of.push(person);
        Ok(number)
    }
}

/// Numbers each row by all its columns.
#[derive(Debug)]
pub(super) struct NumberRows {
    names: Arc<RowNames>,
    /// The argument that tells persons apart; rows are persons without one.
    persons: Option<usize>,
    signature: Signature,
}

impl NumberRows {
    pub(super) fn function(names: &Arc<RowNames>, persons: Option<usize>) -> ScalarUDF {
        let signature = Signature::variadic_any(Volatility::Stable);
        ScalarUDF::from(Self { names: Arc::clone(names), persons, signature })
    }
}

impl PartialEq for NumberRows {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.names, &other.names) && self.persons == other.persons
    }
}

impl Eq for NumberRows {}

impl Hash for NumberRows {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.persons.hash(state);
    }
}

impl ScalarUDFImpl for NumberRows {
    fn name(&self) -> &'static str {
        ROW
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let rows = arguments.number_rows;
        let columns = arguments.args.iter().map(|argument| argument.to_array(rows));
        let columns: Vec<ArrayRef> = columns.collect::<DataFusionResult<_>>()?;
        let persons = self.persons.and_then(|at| columns.get(at));
        let numbers = self.names.numbers(&columns, persons)?;
        Ok(ColumnarValue::Array(Arc::new(UInt64Array::from(numbers))))
    }
}
