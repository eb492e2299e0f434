//! Counts the bank again from its files: the second opinion that an engine's answers are
//! compared with. Reads what lies on disk with the `csv` crate; never asks the generator, so
//! a mistake in one is not repeated in the other.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use crate::error::BankError;
use crate::generated::{Generated, TableFiles};

/// Transactions of one outlet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutletTransactions {
    /// How many.
    pub count: u64,
    /// The sum of their amounts in cents, whatever their direction and currency.
    pub cents: i128,
}

/// What the files hold. Outlets without a row are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recount {
    /// Customers by outlet.
    pub customers_by_outlet: BTreeMap<String, u64>,
    /// Customers by outlet and segment; `None` is the missing segment.
    pub customers_by_segment: BTreeMap<(String, Option<String>), u64>,
    /// The sum of `deposit_balance` in cents, by outlet.
    pub deposits_by_outlet: BTreeMap<String, i128>,
    /// Transactions by outlet.
    pub transactions_by_outlet: BTreeMap<String, OutletTransactions>,
    /// Parent and level of every node of the organization; the root's parent is empty.
    pub nodes: BTreeMap<String, (String, String)>,
}

impl Recount {
    /// The outlets in the subtree of a node, itself included where it is an outlet; empty for
    /// a node that the organization does not have.
    #[must_use]
    pub fn outlets_below(&self, node: &str) -> Vec<String> {
        let outlets = self.nodes.iter().filter(|(_, (_, level))| level == "outlet");
        outlets.map(|(code, _)| code).filter(|code| self.is_within(code, node)).cloned().collect()
    }

    fn is_within(&self, code: &str, node: &str) -> bool {
        let mut at = code;
        // A tree of four levels; the bound ends the walk even in a damaged file with a circle.
        for _ in 0..self.nodes.len() {
            if at == node {
                return true;
            }
            match self.nodes.get(at) {
                Some((parent, _)) if !parent.is_empty() => at = parent,
                _ => return false,
            }
        }
        false
    }

    /// Customers of all outlets below a node.
    #[must_use]
    pub fn customers_below(&self, node: &str) -> u64 {
        let outlets = self.outlets_below(node);
        outlets.iter().filter_map(|outlet| self.customers_by_outlet.get(outlet)).sum()
    }

    /// Customers of all outlets below a node, by segment.
    #[must_use]
    pub fn segments_below(&self, node: &str) -> BTreeMap<Option<String>, u64> {
        let outlets = self.outlets_below(node);
        let mut segments = BTreeMap::new();
        for ((outlet, segment), customers) in &self.customers_by_segment {
            // `outlets` is in the order of the map it was taken from.
            if outlets.binary_search(outlet).is_ok() {
                *segments.entry(segment.clone()).or_default() += customers;
            }
        }
        segments
    }

    /// Deposits of all outlets below a node, in cents.
    #[must_use]
    pub fn deposits_below(&self, node: &str) -> i128 {
        let outlets = self.outlets_below(node);
        outlets.iter().filter_map(|outlet| self.deposits_by_outlet.get(outlet)).sum()
    }

    /// Transactions of all outlets below a node.
    #[must_use]
    pub fn transactions_below(&self, node: &str) -> OutletTransactions {
        let mut sum = OutletTransactions::default();
        for outlet in self.outlets_below(node) {
            if let Some(part) = self.transactions_by_outlet.get(&outlet) {
                sum.count += part.count;
                sum.cents += part.cents;
            }
        }
        sum
    }
}

/// Reads the organization, customer and transaction files and counts.
///
/// # Errors
/// [`BankError::File`] or [`BankError::Content`] when a file is missing or not as written.
pub fn recount(generated: &Generated) -> Result<Recount, BankError> {
    let mut count = Recount::default();
    for_each_row(table(generated, "organization")?, &["code", "parent", "level"], |row| {
        let [code, parent, level] = row.fields;
        count.nodes.insert(code.to_owned(), (parent.to_owned(), level.to_owned()));
        Ok(())
    })?;
    for_each_row(table(generated, "customer")?, &["ORG_NO", "SEGMENT", "DEPOSIT_BAL"], |row| {
        let [outlet, segment, deposits] = row.fields;
        let deposits = cents(deposits).ok_or_else(|| row.not_money("DEPOSIT_BAL"))?;
        let segment = (!segment.is_empty()).then(|| segment.to_owned());
        *count.customers_by_outlet.entry(outlet.to_owned()).or_default() += 1;
        *count.customers_by_segment.entry((outlet.to_owned(), segment)).or_default() += 1;
        *count.deposits_by_outlet.entry(outlet.to_owned()).or_default() += deposits;
        Ok(())
    })?;
    for_each_row(table(generated, "transaction")?, &["outlet", "amount"], |row| {
        let [outlet, amount] = row.fields;
        let amount = cents(amount).ok_or_else(|| row.not_money("amount"))?;
        // Nearly always there already: no copy of the code for each of 300 million rows.
        if !count.transactions_by_outlet.contains_key(outlet) {
            count.transactions_by_outlet.insert(outlet.to_owned(), OutletTransactions::default());
        }
        if let Some(sum) = count.transactions_by_outlet.get_mut(outlet) {
            sum.count += 1;
            sum.cents += amount;
        }
        Ok(())
    })?;
    Ok(count)
}

/// The raw customer rows of one outlet, as field name (the file's header) -> text, to check
/// masks against. An empty text is null.
///
/// # Errors
/// As [`recount`].
pub fn customers_of(
    generated: &Generated,
    outlet: &str,
) -> Result<Vec<BTreeMap<String, String>>, BankError> {
    let mut rows = Vec::new();
    for file in &table(generated, "customer")?.files {
        let mut reader = reader(&file.path)?;
        let headers = reader.headers().map_err(|error| unreadable(&file.path, &error))?.clone();
        let at = position(&headers, "ORG_NO", &file.path)?;
        for record in reader.records() {
            let record = record.map_err(|error| unreadable(&file.path, &error))?;
            if record.get(at) == Some(outlet) {
                let pairs = headers.iter().zip(&record);
                rows.push(pairs.map(|(name, text)| (name.to_owned(), text.to_owned())).collect());
            }
        }
    }
    Ok(rows)
}

fn table<'a>(generated: &'a Generated, name: &str) -> Result<&'a TableFiles, BankError> {
    generated
        .table(name)
        .ok_or_else(|| BankError::content(&generated.dir, 0, format!("no files of table `{name}`")))
}

/// The wanted fields of one row, and where it stands.
struct Row<'a, const FIELDS: usize> {
    fields: [&'a str; FIELDS],
    path: &'a Path,
    line: u64,
}

impl<const FIELDS: usize> Row<'_, FIELDS> {
    fn not_money(&self, field: &str) -> BankError {
        BankError::content(self.path, self.line, format!("field `{field}` is not an amount"))
    }
}

/// Reads the core banking system's files: `|`, no quotes, UTF-8.
fn for_each_row<const FIELDS: usize>(
    table: &TableFiles,
    wanted: &[&str; FIELDS],
    mut visit: impl FnMut(Row<'_, FIELDS>) -> Result<(), BankError>,
) -> Result<(), BankError> {
    for file in &table.files {
        let path = file.path.as_path();
        let mut reader = reader(path)?;
        let headers = reader.headers().map_err(|error| unreadable(path, &error))?.clone();
        let mut positions = [0; FIELDS];
        for (at, name) in positions.iter_mut().zip(wanted) {
            *at = position(&headers, name, path)?;
        }
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| unreadable(path, &error))? {
            let line = record.position().map_or(0, csv::Position::line);
            // The reader refuses rows of another width than the header's.
            let fields = positions.map(|at| record.get(at).unwrap_or_default());
            visit(Row { fields, path, line })?;
        }
    }
    Ok(())
}

fn reader(path: &Path) -> Result<csv::Reader<File>, BankError> {
    let file = File::open(path).map_err(BankError::at(path))?;
    Ok(ReaderBuilder::new().delimiter(b'|').quoting(false).from_reader(file))
}

fn position(headers: &StringRecord, name: &str, path: &Path) -> Result<usize, BankError> {
    headers
        .iter()
        .position(|header| header == name)
        .ok_or_else(|| BankError::content(path, 1, format!("no field is called `{name}`")))
}

/// The csv crate's texts may quote the file's content: only the place is kept.
fn unreadable(path: &Path, error: &csv::Error) -> BankError {
    let line = error.position().map_or(0, csv::Position::line);
    BankError::content(path, line, "the row cannot be read: wrong number of fields, or not UTF-8")
}

/// Cents of a decimal with exactly two digits behind the point.
fn cents(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.')?;
    if fraction.len() != 2 {
        return None;
    }
    let magnitude: i128 = format!("{}{fraction}", whole.trim_start_matches('-')).parse().ok()?;
    Some(if whole.starts_with('-') { -magnitude } else { magnitude })
}
