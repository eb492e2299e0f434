//! The first walk over all customers: how many rows each table will have, how customers are
//! spread over outlets, and how active they are together. Keeps one counter per outlet.

use chrono::{Days, NaiveDate};

use crate::calendar::Calendar;
use crate::draw::{Draw, Purpose};
use crate::organization::Organization;
use crate::person::Population;
use crate::plan::BankPlan;
use crate::{card, contact, household, loan};

/// The day of the last new customer, where the history begins later: fixed, so that the same
/// customers stand in the files of one night and the next.
const LAST_OPENING: (i32, u32, u32) = (2024, 12, 31);
/// Customers who did nothing in all the history.
const INACTIVE_PER_MILLE: u64 = 80;

/// What every part of the generator draws from.
#[derive(Debug)]
pub(crate) struct Bank<'a> {
    pub(crate) plan: &'a BankPlan,
    pub(crate) organization: Organization,
    pub(crate) calendar: Calendar,
    pub(crate) population: Population,
    pub(crate) last_opening: NaiveDate,
}

impl<'a> Bank<'a> {
    pub(crate) fn new(plan: &'a BankPlan) -> Self {
        let (year, month, day) = LAST_OPENING;
        let before_history = plan.first_day().checked_sub_days(Days::new(1));
        let last_opening = NaiveDate::from_ymd_opt(year, month, day).min(before_history);
        Self {
            plan,
            organization: Organization::new(plan),
            calendar: Calendar::new(plan),
            population: Population::new(),
            last_opening: last_opening.unwrap_or(plan.date),
        }
    }

    /// The outlet that keeps a customer: an index into the organization's outlets.
    pub(crate) fn outlet_of(&self, customer: u64) -> usize {
        let mut draw = Draw::new(self.plan.seed, Purpose::CustomerOutlet, customer);
        self.organization.pick_outlet(&mut draw)
    }

    pub(crate) fn outlet_code(&self, customer: u64) -> &str {
        &self.organization.outlets[self.outlet_of(customer)].code
    }

    /// Whether the plan's piece holds the customer.
    pub(crate) fn writes(&self, customer: u64) -> bool {
        let piece = self.plan.piece;
        piece.of == 1 || {
            let outlets = self.organization.outlets.len() as u64;
            let run = self.outlet_of(customer) as u64 * u64::from(piece.of) / outlets;
            run == u64::from(piece.index)
        }
    }

    /// The customers that the plan's piece holds, in order.
    pub(crate) fn customers(&self) -> impl Iterator<Item = u64> {
        (0..self.plan.customers).filter(|customer| self.writes(*customer))
    }

    /// A customer's share of all transactions, in parts of [`Census::activity`].
    fn activity(&self, customer: u64) -> u64 {
        let mut draw = Draw::new(self.plan.seed, Purpose::Activity, customer);
        if draw.happens(INACTIVE_PER_MILLE) {
            return 0;
        }
        // A log-normal share; at most 2^30, so that the sum over 2·10^8 customers fits.
        draw.cents(1_000.0, 1.1).min(1 << 30) as u64
    }
}

/// What the walk found.
#[derive(Debug)]
pub(crate) struct Census {
    pub(crate) customers_by_outlet: Vec<u64>,
    pub(crate) accounts: u64,
    pub(crate) cards: u64,
    pub(crate) loans: u64,
    pub(crate) contacts: u64,
    pub(crate) responses: u64,
    activity: u64,
}

impl Census {
    pub(crate) fn take(bank: &Bank) -> Self {
        let mut census = Self {
            customers_by_outlet: vec![0; bank.organization.outlets.len()],
            accounts: 0,
            cards: 0,
            loans: 0,
            contacts: 0,
            responses: 0,
            activity: 0,
        };
        for customer in 0..bank.plan.customers {
            census.customers_by_outlet[bank.outlet_of(customer)] += 1;
            census.accounts += household::accounts_of(bank, customer);
            census.cards += card::cards_of(bank, customer);
            census.loans += u64::from(loan::has_loan(bank, customer));
            census.contacts += contact::contacts_of(bank, customer);
            census.responses += contact::responses_of(bank, customer);
            census.activity += bank.activity(customer);
        }
        census
    }

    /// The outlet for the teller: in `province`, and of the size nearest to the bank's average,
    /// but at least some forty customers where an outlet has as many.
    pub(crate) fn middle_outlet(&self, bank: &Bank, province: &str) -> usize {
        const CUSTOMERS_WANTED: u64 = 40;
        let outlets = &bank.organization.outlets;
        let average = bank.plan.customers / outlets.len() as u64;
        let wanted = average.max(CUSTOMERS_WANTED);
        (0..outlets.len())
            .filter(|outlet| bank.organization.province_of(*outlet) == province)
            .min_by_key(|outlet| self.customers_by_outlet[*outlet].abs_diff(wanted))
            .unwrap_or(0)
    }
}

/// Deals the planned transactions out to customers, in their order, by activity: the rounding
/// of the running sum makes the total exact without a table.
#[derive(Debug)]
pub(crate) struct Deal {
    total_activity: u128,
    activity: u128,
    dealt: u64,
}

impl Deal {
    pub(crate) const fn new(census: &Census) -> Self {
        Self { total_activity: census.activity as u128, activity: 0, dealt: 0 }
    }

    /// How many transactions the next customer has. Customers must come in order.
    pub(crate) fn next(&mut self, bank: &Bank, customer: u64) -> u64 {
        self.activity += u128::from(bank.activity(customer));
        let is_last = customer + 1 == bank.plan.customers;
        let due = match (u128::from(bank.plan.transactions) * self.activity)
            .checked_div(self.total_activity)
        {
            Some(due) => due as u64,
            // Nobody is active: the last customer takes what the plan asks for.
            None if is_last => bank.plan.transactions,
            None => 0,
        };
        let share = due - self.dealt;
        self.dealt = due;
        share
    }
}
