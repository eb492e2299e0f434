//! How large a bank to make, and from which seed. Checks the plan; makes nothing.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use crate::error::BankError;

/// The principals that have a name of their own, in the order of the principals feed.
pub const NAMED_PRINCIPALS: [&str; 5] = ["teller", "manager", "analyst", "auditor", "security"];

/// Card numbers have nine free digits, and four of them are kept for each customer.
const CUSTOMERS_MAX: u64 = 200_000_000;
/// Four digits number the outlets of a city; the largest city has some 0.4 % of all outlets.
const OUTLETS_MAX: u32 = 20_000;
const HISTORY_DAYS_MAX: u32 = 3_660;

/// A piece of the bank: the outlets are cut into `of` runs of equal number, and only customers of
/// run `index` are written, with all that is theirs. The pieces together hold what the whole
/// holds, under other numbers of transactions and contacts, so that a bank larger than the disk
/// can be written, loaded and removed piece by piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// From 0.
    pub index: u32,
    /// At least 1, at most 10: the piece is one digit of a transaction's number.
    pub of: u32,
}

impl Piece {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    const PIECES_MAX: u32 = 10;

    const fn is_possible(self) -> bool {
        self.of >= 1 && self.of <= Self::PIECES_MAX && self.index < self.of
    }
}

/// What to generate. The same plan gives the same bytes (on one platform: amounts go through
/// the platform's `exp`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankPlan {
    /// Customers, at least 1.
    pub customers: u64,
    /// Rows of the transaction table, exactly; may be 0.
    pub transactions: u64,
    /// Principals beside the named ones.
    pub branch_users: u32,
    /// Outlets, at least 1; small numbers leave provinces and cities out.
    pub outlets: u32,
    /// Days of transactions, the last of them being `date`; at least 1.
    pub history_days: u32,
    /// Everything random comes from here.
    pub seed: u64,
    /// The night's business date: the `--date` of the load, and the date in the file names.
    pub date: NaiveDate,
    /// Which customers are written.
    pub piece: Piece,
    /// Argon2id PHC strings by principal name ([`NAMED_PRINCIPALS`]); who has none cannot
    /// sign in with a password.
    pub named_passwords: BTreeMap<String, String>,
}

impl BankPlan {
    /// Transactions per customer where nobody says otherwise.
    pub const TRANSACTIONS_PER_CUSTOMER: u64 = 20;

    /// The demo's proportions for this many customers: twenty transactions each.
    #[must_use]
    pub fn of_customers(customers: u64) -> Self {
        Self {
            customers,
            transactions: customers.saturating_mul(Self::TRANSACTIONS_PER_CUSTOMER),
            ..Self::default()
        }
    }

    /// A bank for tests: 600 customers, 6,000 transactions, 40 outlets, 60 branch users.
    #[must_use]
    pub fn small() -> Self {
        Self {
            customers: 600,
            transactions: 6_000,
            branch_users: 60,
            outlets: 40,
            history_days: 90,
            ..Self::default()
        }
    }

    /// The first day that has transactions.
    pub(crate) fn first_day(&self) -> NaiveDate {
        let before = Days::new(u64::from(self.history_days).saturating_sub(1));
        self.date.checked_sub_days(before).unwrap_or(NaiveDate::MIN)
    }

    pub(crate) fn check(&self) -> Result<(), BankError> {
        if !(1..=CUSTOMERS_MAX).contains(&self.customers) {
            return Err(BankError::plan(format!(
                "{} customers: from 1 to {CUSTOMERS_MAX} are possible",
                self.customers
            )));
        }
        if !(1..=OUTLETS_MAX).contains(&self.outlets) {
            return Err(BankError::plan(format!(
                "{} outlets: from 1 to {OUTLETS_MAX} are possible",
                self.outlets
            )));
        }
        if !(1..=HISTORY_DAYS_MAX).contains(&self.history_days) {
            return Err(BankError::plan(format!(
                "{} days of history: from 1 to {HISTORY_DAYS_MAX} are possible",
                self.history_days
            )));
        }
        if !self.piece.is_possible() {
            return Err(BankError::plan(format!(
                "piece {} of {}: there are 1 to {} pieces, counted from 0",
                self.piece.index,
                self.piece.of,
                Piece::PIECES_MAX
            )));
        }
        self.check_date()?;
        self.check_names()
    }

    fn check_date(&self) -> Result<(), BankError> {
        use chrono::Datelike;
        if (1990..=2100).contains(&self.date.year()) {
            return Ok(());
        }
        Err(BankError::plan("the business date must lie between 1990 and 2100"))
    }

    fn check_names(&self) -> Result<(), BankError> {
        match self.named_passwords.keys().find(|name| !NAMED_PRINCIPALS.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(BankError::plan(format!(
                "a password for `{name}`: only {} can have one",
                NAMED_PRINCIPALS.join(", ")
            ))),
        }
    }
}

impl Default for BankPlan {
    /// The demo's bank: 100,000 customers, 2,000,000 transactions in a year, 3,000 outlets,
    /// 12,000 branch users, no passwords.
    fn default() -> Self {
        Self {
            customers: 100_000,
            transactions: 100_000 * Self::TRANSACTIONS_PER_CUSTOMER,
            branch_users: 12_000,
            outlets: 3_000,
            history_days: 365,
            seed: 1994,
            date: NaiveDate::from_ymd_opt(2026, 10, 31).unwrap_or_default(),
            piece: Piece::WHOLE,
            named_passwords: BTreeMap::new(),
        }
    }
}
