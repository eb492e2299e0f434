//! Makes the whole bank: reads top to bottom as the list of what is written.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::census::{Bank, Census};
use crate::entity::Entity;
use crate::error::BankError;
use crate::feed::TableWriter;
use crate::generated::{Generated, TableFiles};
use crate::organization::HEAD_OFFICE;
use crate::plan::BankPlan;
use crate::{bundle, card, contact, household, load_file, loan, principals, reference};

/// Told of rows done and rows in all, per table.
pub(crate) type Progress<'a> = dyn Fn(&str, u64, u64) + 'a;

/// Progress is reported once per so many customers.
pub(crate) const REPORT_EVERY: u64 = 8_192;

/// The folder of the feed, and the night it is for.
#[derive(Debug)]
pub(crate) struct Feed {
    folder: PathBuf,
    date: NaiveDate,
}

impl Feed {
    pub(crate) fn table(&self, entity: &'static Entity) -> Result<TableWriter, BankError> {
        TableWriter::create(&self.folder, entity, self.date)
    }
}

/// Writes the bank into `dir`, which is made if it is missing. Files of an earlier run for the
/// same date are replaced; another date's feed files stay, so several nights can share a folder.
///
/// `progress(table, rows done, rows in all)` is called on the caller's thread, several times
/// for each table; calls for `customer`, `account` and `transaction` come by turns, because
/// these three are written together. The last call of a table has done = all, but for a piece of
/// a bank, where all counts the rows of all pieces.
///
/// # Errors
/// [`BankError::Plan`] when the plan is impossible, [`BankError::File`] when writing fails.
pub fn generate(
    plan: &BankPlan,
    dir: &Path,
    progress: &dyn Fn(&str, u64, u64),
) -> Result<Generated, BankError> {
    plan.check()?;
    let folder = dir.join("feed");
    fs::create_dir_all(&folder).map_err(BankError::at(&folder))?;
    let bank = Bank::new(plan);
    let census = Census::take(&bank);
    let tables = write_feed(&bank, &census, &Feed { folder, date: plan.date }, progress)?;

    let manager_node = bank.organization.largest_province();
    let teller = census.middle_outlet(&bank, manager_node);
    let teller_outlet = bank.organization.outlets[teller].code.clone();
    let (principals_file, principals) =
        principals::write(&bank, dir, &teller_outlet, manager_node)?;
    Ok(Generated {
        dir: dir.to_owned(),
        date: plan.date,
        load_file: load_file::write(dir)?,
        policy_dir: bundle::write(&bank, dir)?,
        principals_file,
        principals,
        tables,
        head_office: HEAD_OFFICE.to_owned(),
        manager_node: manager_node.to_owned(),
        teller_outlet,
        teller_customers: census.customers_by_outlet[teller],
    })
}

fn write_feed(
    bank: &Bank,
    census: &Census,
    feed: &Feed,
    progress: &Progress,
) -> Result<Vec<TableFiles>, BankError> {
    let mut tables = reference::write(bank, feed, progress)?;
    tables.extend(household::write(bank, census, feed, progress)?);
    tables.push(loan::write(bank, census, feed, progress)?);
    tables.push(card::write(bank, census, feed, progress)?);
    tables.push(contact::write_contacts(bank, census, feed, progress)?);
    tables.push(contact::write_responses(bank, census, feed, progress)?);
    Ok(tables)
}
