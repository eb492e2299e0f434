//! Loans: what was lent, what is still owed, and whether it is paid in time.

use chrono::Months;

use crate::census::{Bank, Census};
use crate::draw::{Draw, Purpose, scrambled};
use crate::entity;
use crate::error::BankError;
use crate::feed::TableWriter;
use crate::generate::{Feed, Progress, REPORT_EVERY};
use crate::generated::TableFiles;
use crate::household::day_between;
use crate::person;
use crate::reference::LOAN_PRODUCTS;

const LOANS_PER_MILLE: u64 = 150;
const FIRST_NUMBER: u64 = 8_000_000_000_000;

fn stream(bank: &Bank, customer: u64) -> Draw {
    Draw::new(bank.plan.seed, Purpose::Loans, customer)
}

/// Whether a customer has a loan.
pub(crate) fn has_loan(bank: &Bank, customer: u64) -> bool {
    stream(bank, customer).happens(LOANS_PER_MILLE)
}

/// Writes the table loan.
pub(crate) fn write(
    bank: &Bank,
    census: &Census,
    feed: &Feed,
    progress: &Progress,
) -> Result<TableFiles, BankError> {
    let mut table = feed.table(&entity::LOAN)?;
    for customer in bank.customers() {
        let draw = &mut stream(bank, customer);
        if draw.happens(LOANS_PER_MILLE) {
            write_loan(&mut table, bank, customer, draw)?;
        }
        if customer % REPORT_EVERY == 0 {
            progress("loan", table.rows(), census.loans);
        }
    }
    progress("loan", table.rows(), census.loans);
    table.finish()
}

fn write_loan(
    table: &mut TableWriter,
    bank: &Bank,
    customer: u64,
    draw: &mut Draw,
) -> Result<(), BankError> {
    let product = &LOAN_PRODUCTS[draw.index(LOAN_PRODUCTS.len())];
    let principal = draw.cents(product.median_cents, 0.9);
    let granted = day_between(person::dates(bank, customer).opened, bank.last_opening, draw);
    let due = granted.checked_add_months(Months::new(product.months)).unwrap_or(granted);
    let standing = Standing::draw(due <= bank.plan.date, draw);
    let owed_per_mille = if standing.status == "settled" { 0 } else { 50 + draw.below(930) };
    let owed = i128::from(principal) * i128::from(owed_per_mille) / 1000;
    table.digits(FIRST_NUMBER + scrambled(customer, 12)).customer_id(customer);
    table.text(bank.outlet_code(customer)).text(product.code).money(principal).money(owed as i64);
    table.rate(300 + draw.below(500) as u32).date(granted).date(due);
    table.text(standing.status).integer(standing.overdue_days);
    table.optional_text(product.collateral).end_row()
}

/// How the borrower pays.
struct Standing {
    status: &'static str,
    overdue_days: u64,
}

impl Standing {
    fn draw(is_past_due: bool, draw: &mut Draw) -> Self {
        let (status, overdue_days) = match (draw.below(1000), is_past_due) {
            (0..35, _) => ("overdue", 1 + draw.below(90)),
            (35..42, _) => ("default", 91 + draw.below(600)),
            (_, true) => ("settled", 0),
            (_, false) => ("current", 0),
        };
        Self { status, overdue_days }
    }
}
