//! The second walk: each customer with accounts and transactions, in one go, so that a
//! customer's balance is the sum of the accounts' and an account's the last transaction's.
//! Holds one customer at a time.

use chrono::{Days, NaiveDate};

use crate::census::{Bank, Census, Deal};
use crate::draw::{Draw, Purpose, scrambled};
use crate::entity;
use crate::error::BankError;
use crate::feed::TableWriter;
use crate::generate::{Feed, Progress, REPORT_EVERY};
use crate::generated::TableFiles;
use crate::person::{self, Person};
use crate::reference::{CURRENT_ACCOUNT, DEPOSIT_PRODUCTS, HOME_CURRENCY};
use crate::transaction::{Event, TransactionWriter};

/// Accounts of one customer at most; numbers of accounts and cards leave room for as many.
pub(crate) const ACCOUNTS_MAX: u64 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Active,
    Dormant,
    Closed,
}

/// One account while its customer is being written.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) number: u64,
    pub(crate) currency: &'static str,
    /// In cents; after the transactions, the closing balance.
    pub(crate) balance: i64,
    product: &'static str,
    opened: NaiveDate,
    closed: Option<NaiveDate>,
    status: Status,
}

impl Account {
    pub(crate) fn is_open(&self) -> bool {
        self.status != Status::Closed
    }
}

fn stream(bank: &Bank, customer: u64) -> Draw {
    Draw::new(bank.plan.seed, Purpose::Accounts, customer)
}

/// How many accounts a customer has: one to four.
pub(crate) fn accounts_of(bank: &Bank, customer: u64) -> u64 {
    draw_count(&mut stream(bank, customer))
}

fn draw_count(draw: &mut Draw) -> u64 {
    match draw.below(100) {
        0..55 => 1,
        55..85 => 2,
        85..96 => 3,
        _ => ACCOUNTS_MAX,
    }
}

/// The number of a customer's n-th account: sixteen digits, the first of them 6.
pub(crate) const fn account_number(customer: u64, ordinal: u64) -> u64 {
    6_000_000_000_000_000 + scrambled(customer * ACCOUNTS_MAX + ordinal, 15)
}

/// The tables of this walk.
struct Writers {
    customers: TableWriter,
    accounts: TableWriter,
    transactions: TransactionWriter,
}

/// Writes the tables customer, account and transaction.
pub(crate) fn write(
    bank: &Bank,
    census: &Census,
    feed: &Feed,
    progress: &Progress,
) -> Result<Vec<TableFiles>, BankError> {
    let mut writers = Writers {
        customers: feed.table(&entity::CUSTOMER)?,
        accounts: feed.table(&entity::ACCOUNT)?,
        transactions: TransactionWriter::new(bank, feed)?,
    };
    let mut deal = Deal::new(census);
    let mut events = Vec::new();
    for customer in 0..bank.plan.customers {
        // Dealt to everyone, so that a piece gives its customers what the whole gives them.
        let share = deal.next(bank, customer);
        if bank.writes(customer) {
            write_customer(bank, customer, share, &mut events, &mut writers)?;
        }
        if customer % REPORT_EVERY == 0 {
            writers.report(bank, census, progress);
        }
    }
    writers.report(bank, census, progress);
    let Writers { customers, accounts, transactions } = writers;
    Ok(vec![customers.finish()?, accounts.finish()?, transactions.finish()?])
}

impl Writers {
    fn report(&self, bank: &Bank, census: &Census, progress: &Progress) {
        progress("customer", self.customers.rows(), bank.plan.customers);
        progress("account", self.accounts.rows(), census.accounts);
        progress("transaction", self.transactions.rows(), bank.plan.transactions);
    }
}

fn write_customer(
    bank: &Bank,
    customer: u64,
    transactions: u64,
    events: &mut Vec<Event>,
    writers: &mut Writers,
) -> Result<(), BankError> {
    let outlet = bank.outlet_of(customer);
    let code = &bank.organization.outlets[outlet].code;
    let person = person::person(bank, customer, bank.organization.city_of(outlet));
    let draw = &mut stream(bank, customer);
    let mut accounts = draw_accounts(bank, customer, &person, transactions, draw);
    writers.transactions.write(bank, customer, code, transactions, &mut accounts, events)?;
    for account in &accounts {
        write_account(&mut writers.accounts, customer, code, account)?;
    }
    let wealth = Wealth::draw(&accounts, draw);
    write_person(&mut writers.customers, customer, code, &person, &wealth)
}

fn draw_accounts(
    bank: &Bank,
    customer: u64,
    person: &Person,
    transactions: u64,
    draw: &mut Draw,
) -> Vec<Account> {
    let count = draw_count(draw);
    let first = |draw: &mut Draw| Account {
        number: account_number(customer, 0),
        currency: HOME_CURRENCY,
        balance: draw.cents(600_000.0, 1.9),
        product: CURRENT_ACCOUNT,
        opened: person.dates.opened,
        closed: None,
        status: if transactions == 0 { Status::Dormant } else { Status::Active },
    };
    let mut accounts = vec![first(draw)];
    accounts.extend(
        (1..count).map(|ordinal| draw_further_account(bank, customer, ordinal, person, draw)),
    );
    accounts
}

fn draw_further_account(
    bank: &Bank,
    customer: u64,
    ordinal: u64,
    person: &Person,
    draw: &mut Draw,
) -> Account {
    let product = &DEPOSIT_PRODUCTS[draw.index(DEPOSIT_PRODUCTS.len())];
    let opened = day_between(person.dates.opened, bank.last_opening, draw);
    let closed = draw.happens(60).then(|| day_between(opened, bank.last_opening, draw));
    let balance = draw.cents(1_500_000.0, 1.6);
    Account {
        number: account_number(customer, ordinal),
        currency: product.currency,
        balance: if closed.is_some() { 0 } else { balance },
        product: product.code,
        opened,
        closed,
        status: if closed.is_some() { Status::Closed } else { Status::Active },
    }
}

/// A day from `first` to `last`, both possible; `first` where they are in the wrong order.
pub(crate) fn day_between(first: NaiveDate, last: NaiveDate, draw: &mut Draw) -> NaiveDate {
    let span = (last - first).num_days().max(0).unsigned_abs();
    first.checked_add_days(Days::new(draw.below(span + 1))).unwrap_or(first)
}

fn write_account(
    table: &mut TableWriter,
    customer: u64,
    outlet: &str,
    account: &Account,
) -> Result<(), BankError> {
    table.digits(account.number).customer_id(customer).text(outlet).text(account.product);
    table.text(account.currency).date(account.opened).optional_date(account.closed);
    table.text(match account.status {
        Status::Active => "active",
        Status::Dormant => "dormant",
        Status::Closed => "closed",
    });
    table.money(account.balance).end_row()
}

/// What a customer owns, in cents of the home currency.
struct Wealth {
    accounts: u64,
    deposits: i64,
    total: i64,
    segment: Option<&'static str>,
    is_vip: bool,
}

impl Wealth {
    fn draw(accounts: &[Account], draw: &mut Draw) -> Self {
        let at_home = accounts.iter().filter(|account| account.currency == HOME_CURRENCY);
        let deposits = at_home.map(|account| account.balance).sum();
        let invested = if draw.happens(350) { draw.cents(3_000_000.0, 1.5) } else { 0 };
        let total = deposits + invested;
        let segment = (!draw.happens(10)).then_some(segment(total));
        let is_vip = total >= 100_000_000 || draw.happens(5);
        Self { accounts: accounts.len() as u64, deposits, total, segment, is_vip }
    }
}

const fn segment(total_cents: i64) -> &'static str {
    match total_cents {
        ..5_000_000 => "basic",
        5_000_000..20_000_000 => "silver",
        20_000_000..100_000_000 => "gold",
        100_000_000..600_000_000 => "platinum",
        _ => "private",
    }
}

fn write_person(
    table: &mut TableWriter,
    customer: u64,
    outlet: &str,
    person: &Person,
    wealth: &Wealth,
) -> Result<(), BankError> {
    table.customer_id(customer).text(outlet).text(&person.name);
    table.optional_text(person.id_number.as_deref()).optional_text(person.mobile.as_deref());
    table.optional_text(person.email.as_deref()).optional_text(person.address.as_deref());
    table.date(person.dates.born).optional_text(person.gender).optional_text(person.education);
    table.optional_text(person.occupation).optional_text(person.marital_status);
    table.optional_text(wealth.segment).optional_text(person.risk_level).boolean(wealth.is_vip);
    table.date(person.dates.opened).integer(wealth.accounts);
    table.money(wealth.deposits).money(wealth.total).optional_text(person.memo.as_deref());
    table.end_row()
}
