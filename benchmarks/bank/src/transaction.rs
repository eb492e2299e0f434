//! The transactions of one customer: when, what, how much, and the balance that is left.
//! An account never goes below zero. Holds one customer's events at a time.

use chrono::Datelike;

use crate::census::Bank;
use crate::draw::{Draw, Purpose, Skew};
use crate::entity;
use crate::error::BankError;
use crate::feed::TableWriter;
use crate::generate::Feed;
use crate::generated::TableFiles;
use crate::household::{Account, account_number};
use crate::words::TRANSACTION_MEMOS;

/// Transactions of one day at most: ten digits follow the day in a transaction's number.
const DAY_FACTOR: u64 = 10_000_000_000;
/// The first of those digits is the piece's.
const PIECE_FACTOR: u64 = DAY_FACTOR / 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Credit,
    Debit,
}

/// One kind of transaction.
struct Kind {
    name: &'static str,
    direction: Direction,
    median_cents: f64,
    sigma: f64,
    per_mille: u64,
    /// Channels it comes through; more frequent ones stand more than once.
    channels: &'static [&'static str],
    hours: Hours,
    has_counterparty: bool,
}

/// When in a day.
#[derive(Debug, Clone, Copy)]
enum Hours {
    /// In the outlet's opening hours.
    Office,
    /// From six to midnight, most in the middle of it.
    Waking,
    /// At night, by the core banking system itself.
    Batch,
}

const REMOTE: &[&str] =
    &["mobile", "mobile", "mobile", "mobile", "mobile", "internet", "internet", "wallet"];
const SHOP: &[&str] = &["pos", "pos", "wallet", "wallet", "internet"];
const CASH: &[&str] = &["atm", "atm", "atm", "counter"];
const CORE: &[&str] = &["batch"];

const fn kind(
    name: &'static str,
    direction: Direction,
    amount: (f64, f64),
    per_mille: u64,
) -> Kind {
    Kind {
        name,
        direction,
        median_cents: amount.0,
        sigma: amount.1,
        per_mille,
        channels: REMOTE,
        hours: Hours::Waking,
        has_counterparty: false,
    }
}

impl Kind {
    const fn through(self, channels: &'static [&'static str], hours: Hours) -> Self {
        Self { channels, hours, ..self }
    }

    const fn with_counterparty(self) -> Self {
        Self { has_counterparty: true, ..self }
    }
}

/// Into which kind a debit turns that the balance cannot bear.
const TRANSFER_IN: usize = 0;

static KINDS: [Kind; 11] = [
    kind("transfer_in", Direction::Credit, (120_000.0, 1.4), 150).with_counterparty(),
    kind("transfer_out", Direction::Debit, (90_000.0, 1.5), 170).with_counterparty(),
    kind("card_payment", Direction::Debit, (12_000.0, 1.1), 330).through(SHOP, Hours::Waking),
    kind("salary", Direction::Credit, (850_000.0, 0.5), 60)
        .through(CORE, Hours::Batch)
        .with_counterparty(),
    kind("cash_withdrawal", Direction::Debit, (150_000.0, 0.8), 80).through(CASH, Hours::Waking),
    kind("cash_deposit", Direction::Credit, (300_000.0, 1.0), 40)
        .through(&["counter", "atm"], Hours::Office),
    kind("utility", Direction::Debit, (15_000.0, 0.7), 60),
    kind("fee", Direction::Debit, (1_000.0, 0.8), 40).through(CORE, Hours::Batch),
    kind("interest", Direction::Credit, (2_000.0, 1.5), 30).through(CORE, Hours::Batch),
    kind("investment_buy", Direction::Debit, (2_000_000.0, 1.2), 20),
    kind("investment_sell", Direction::Credit, (2_000_000.0, 1.2), 20),
];

/// When something happens on which account, ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    day: u32,
    second: u32,
    kind: usize,
    account: usize,
}

/// Writes the table transaction.
#[derive(Debug)]
pub(crate) struct TransactionWriter {
    table: TableWriter,
    kinds: Skew,
    /// The next number of each day of the history.
    next_number: Vec<u64>,
}

impl TransactionWriter {
    pub(crate) fn new(bank: &Bank, feed: &Feed) -> Result<Self, BankError> {
        let number = |day: &chrono::NaiveDate| {
            let digits = u64::from(day.year().unsigned_abs()) * 10_000
                + u64::from(day.month() * 100 + day.day());
            digits * DAY_FACTOR + u64::from(bank.plan.piece.index) * PIECE_FACTOR + 1
        };
        Ok(Self {
            table: feed.table(&entity::TRANSACTION)?,
            kinds: Skew::new(KINDS.iter().map(|kind| kind.per_mille)),
            next_number: bank.calendar.days().iter().map(number).collect(),
        })
    }

    pub(crate) const fn rows(&self) -> u64 {
        self.table.rows()
    }

    pub(crate) fn finish(self) -> Result<TableFiles, BankError> {
        self.table.finish()
    }

    /// Writes `count` transactions on the customer's open accounts and carries their balances
    /// on. `events` is room to work in.
    pub(crate) fn write(
        &mut self,
        bank: &Bank,
        customer: u64,
        outlet: &str,
        count: u64,
        accounts: &mut [Account],
        events: &mut Vec<Event>,
    ) -> Result<(), BankError> {
        // The date is part of the address: another night brings other transactions.
        let night = u64::from(bank.plan.date.num_days_from_ce().unsigned_abs());
        let draw = &mut Draw::new(bank.plan.seed ^ (night << 32), Purpose::Transactions, customer);
        events.clear();
        events.extend((0..count).map(|_| self.draw_event(bank, accounts, draw)));
        events.sort_unstable();
        for event in events.iter() {
            self.write_event(bank, customer, outlet, event, &mut accounts[event.account], draw)?;
        }
        Ok(())
    }

    fn draw_event(&self, bank: &Bank, accounts: &[Account], draw: &mut Draw) -> Event {
        let kind = self.kinds.pick(draw);
        let other = if draw.happens(700) { 0 } else { draw.index(accounts.len()) };
        Event {
            day: bank.calendar.pick(draw) as u32,
            second: draw_second(KINDS[kind].hours, draw),
            kind,
            // The first account is always open.
            account: if accounts[other].is_open() { other } else { 0 },
        }
    }

    fn write_event(
        &mut self,
        bank: &Bank,
        customer: u64,
        outlet: &str,
        event: &Event,
        account: &mut Account,
        draw: &mut Draw,
    ) -> Result<(), BankError> {
        let (kind, amount) = settle(&KINDS[event.kind], account.balance, draw);
        account.balance += match kind.direction {
            Direction::Credit => amount,
            Direction::Debit => -amount,
        };
        let day = event.day as usize;
        let number = self.next_number[day];
        self.next_number[day] += 1;
        let table = &mut self.table;
        table.integer(number).digits(account.number).customer_id(customer).text(outlet);
        table.text(draw.pick(kind.channels)).text(kind.name);
        table.text(match kind.direction {
            Direction::Credit => "credit",
            Direction::Debit => "debit",
        });
        table.money(amount).money(account.balance).text(account.currency);
        let date = bank.calendar.days()[day];
        table.date(date).timestamp(date, event.second);
        if kind.has_counterparty && draw.happens(900) {
            table.digits(account_number(draw.below(bank.plan.customers), 0));
        } else {
            table.null();
        }
        table.optional_text(draw.happens(120).then(|| draw.pick(&TRANSACTION_MEMOS)));
        table.end_row()
    }
}

/// The amount, and the kind that the balance allows: a debit beyond it takes a third of what
/// is there, or, where next to nothing is there, money comes in instead.
fn settle(kind: &'static Kind, balance: i64, draw: &mut Draw) -> (&'static Kind, i64) {
    let amount = draw.cents(kind.median_cents, kind.sigma);
    if kind.direction == Direction::Credit || amount <= balance {
        (kind, amount)
    } else if balance >= 300 {
        (kind, balance / 3)
    } else {
        (&KINDS[TRANSFER_IN], amount)
    }
}

fn draw_second(hours: Hours, draw: &mut Draw) -> u32 {
    const HOUR: u64 = 3_600;
    let second = match hours {
        Hours::Office => 9 * HOUR + draw.below(8 * HOUR),
        Hours::Waking => 6 * HOUR + draw.below(9 * HOUR) + draw.below(9 * HOUR),
        Hours::Batch => HOUR + draw.below(3 * HOUR),
    };
    second as u32
}
