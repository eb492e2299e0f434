//! Cards of the card system: debit cards on an account, credit cards with a limit.

use chrono::{Days, Months, NaiveDate};

use crate::census::{Bank, Census};
use crate::draw::{Draw, Purpose, scrambled};
use crate::entity;
use crate::error::BankError;
use crate::feed::TableWriter;
use crate::generate::{Feed, Progress, REPORT_EVERY};
use crate::generated::TableFiles;
use crate::household::{account_number, day_between};
use crate::person;

/// Card numbers of one customer at most.
const CARDS_MAX: u64 = 4;
const DEBIT_PREFIX: u64 = 622_700;
const CREDIT_PREFIX: u64 = 625_900;
const VALID_MONTHS: u32 = 96;

fn stream(bank: &Bank, customer: u64) -> Draw {
    Draw::new(bank.plan.seed, Purpose::Cards, customer)
}

/// How many cards a customer has: none to three.
pub(crate) fn cards_of(bank: &Bank, customer: u64) -> u64 {
    draw_count(&mut stream(bank, customer))
}

fn draw_count(draw: &mut Draw) -> u64 {
    match draw.below(100) {
        0..22 => 0,
        22..72 => 1,
        72..93 => 2,
        _ => 3,
    }
}

/// Writes the table card.
pub(crate) fn write(
    bank: &Bank,
    census: &Census,
    feed: &Feed,
    progress: &Progress,
) -> Result<TableFiles, BankError> {
    let mut table = feed.table(&entity::CARD)?;
    for customer in bank.customers() {
        let draw = &mut stream(bank, customer);
        for ordinal in 0..draw_count(draw) {
            write_card(&mut table, bank, customer, ordinal, draw)?;
        }
        if customer % REPORT_EVERY == 0 {
            progress("card", table.rows(), census.cards);
        }
    }
    progress("card", table.rows(), census.cards);
    table.finish()
}

fn write_card(
    table: &mut TableWriter,
    bank: &Bank,
    customer: u64,
    ordinal: u64,
    draw: &mut Draw,
) -> Result<(), BankError> {
    // The first card is mostly the account's; further ones are mostly credit cards.
    let is_credit = draw.happens(if ordinal == 0 { 150 } else { 800 });
    let prefix = if is_credit { CREDIT_PREFIX } else { DEBIT_PREFIX };
    let issued = draw_issue_day(bank, customer, draw);
    let expires = issued.checked_add_months(Months::new(VALID_MONTHS)).unwrap_or(issued);
    table.digits(card_number(prefix, customer * CARDS_MAX + ordinal));
    table.customer_id(customer).text(bank.outlet_code(customer));
    if is_credit {
        table.null().text("credit");
    } else {
        table.digits(account_number(customer, 0)).text("debit");
    }
    table.text(match (expires <= bank.plan.date, draw.below(100)) {
        (true, _) => "expired",
        (false, 0..90) => "active",
        (false, 90..96) => "inactive",
        (false, _) => "lost",
    });
    if is_credit {
        // Limits are whole hundreds.
        table.money(draw.cents(2_000_000.0, 0.8) / 10_000 * 10_000 + 10_000);
    } else {
        table.null();
    }
    table.date(issued).date(expires).end_row()
}

/// A day in the last nine years before the history: some cards have expired by now.
fn draw_issue_day(bank: &Bank, customer: u64, draw: &mut Draw) -> NaiveDate {
    let opened = person::dates(bank, customer).opened;
    let oldest = bank.last_opening.checked_sub_days(Days::new(9 * 365)).unwrap_or(opened);
    day_between(opened.max(oldest), bank.last_opening, draw)
}

/// A card number of sixteen digits: prefix (6), scrambled number (9), Luhn's check digit (1).
fn card_number(prefix: u64, index: u64) -> u64 {
    let body = prefix * 1_000_000_000 + scrambled(index, 9);
    body * 10 + luhn_check_digit(body)
}

/// The digit that makes the number valid after Luhn (ISO/IEC 7812-1).
const fn luhn_check_digit(mut body: u64) -> u64 {
    let mut sum = 0;
    let mut doubled = true;
    while body > 0 {
        let digit = body % 10;
        sum += match (doubled, digit) {
            (true, 5..) => digit * 2 - 9,
            (true, _) => digit * 2,
            (false, _) => digit,
        };
        doubled = !doubled;
        body /= 10;
    }
    (10 - sum % 10) % 10
}

#[cfg(test)]
#[path = "card_tests.rs"]
mod tests;
