//! The people of a made-up bank: who works where, how much, and for how long yet.

use std::collections::BTreeSet;
use std::sync::Arc;

use martlet_server::alarm::Person;

use crate::random::Random;

/// The first day: Monday, 2 March 2026, so that a quarter ends on the thirtieth.
pub const FIRST_DAY: i32 = 20_514;
/// A long weekend of the bank, counted from the first day.
pub const HOLIDAYS: [i32; 3] = [34, 35, 36];
/// Principals of an outlet.
const PER_OUTLET: usize = 8;
/// Outlets of a city.
const PER_CITY: usize = 10;
/// Customers of an outlet.
pub const CUSTOMERS: usize = 3_000;

/// What somebody is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trade {
    Teller,
    BranchManager,
    CityManager,
    Relationship,
    Analyst,
    CallCentre,
    Risk,
    Service,
}

impl Trade {
    /// The role that the feed gives it.
    pub const fn role(self) -> &'static str {
        match self {
            Self::Teller => "teller",
            Self::BranchManager => "branch_manager",
            Self::CityManager => "city_manager",
            Self::Relationship => "relationship_manager",
            Self::Analyst => "analyst",
            Self::CallCentre => "call_center",
            Self::Risk => "risk",
            Self::Service => "service",
        }
    }

    /// Of a hundred and twenty principals; tellers are the rest.
    const fn of(number: usize) -> Self {
        match number % 120 {
            0..=7 => Self::BranchManager,
            8..=10 => Self::CityManager,
            11..=24 => Self::Relationship,
            25..=33 => Self::Analyst,
            34..=39 => Self::CallCentre,
            40..=43 => Self::Risk,
            44..=45 => Self::Service,
            _ => Self::Teller,
        }
    }

    pub const fn is_of_outlet(self) -> bool {
        matches!(self, Self::Teller | Self::BranchManager | Self::Relationship)
    }
}

/// Somebody.
#[derive(Debug, Clone)]
pub struct User {
    pub name: String,
    pub trade: Trade,
    pub outlet: usize,
    /// The network of the own place.
    pub network: u8,
    pub host: u8,
    /// How much more or less than others it does, around 1.
    pub pace: f64,
    /// Minutes after the usual beginning at which it begins.
    pub begins: i64,
    /// The first day of work, counted from the first day of all.
    pub hired: i32,
    /// The last day, if the feed names one.
    pub leaving: Option<i32>,
    /// Works late now and then.
    pub late: bool,
}

/// Everybody.
#[derive(Debug, Clone)]
pub struct Bank {
    pub users: Vec<User>,
    pub outlets: usize,
}

impl Bank {
    pub fn made(seed: u64, users: usize, days: i32) -> Self {
        let outlets = (users / PER_OUTLET).max(4);
        let users = (0..users).map(|number| user(seed, number, outlets, days)).collect();
        Self { users, outlets }
    }

    /// What the alarms know of them, as of a day.
    pub fn people(&self) -> Vec<(String, Person)> {
        self.users.iter().map(|user| (user.name.clone(), self.person(user))).collect()
    }

    fn person(&self, user: &User) -> Person {
        let outlets: Vec<usize> = match user.trade {
            _ if user.trade.is_of_outlet() => vec![user.outlet],
            Trade::CityManager => {
                let first = user.outlet / PER_CITY * PER_CITY;
                (first..(first + PER_CITY).min(self.outlets)).collect()
            }
            _ => (0..self.outlets).collect(),
        };
        let codes: BTreeSet<String> = outlets.into_iter().map(code).collect();
        Person {
            roles: BTreeSet::from([user.trade.role().to_owned()]),
            nodes: Some(Arc::new(codes)),
            leaving: user.leaving.map(|day| FIRST_DAY + day),
        }
    }

    /// The outlets of the own city.
    pub fn city(&self, user: &User) -> std::ops::Range<usize> {
        let first = user.outlet / PER_CITY * PER_CITY;
        first..(first + PER_CITY).min(self.outlets)
    }
}

fn user(seed: u64, number: usize, outlets: usize, days: i32) -> User {
    let mut random = Random::of(seed, 1_000_000 + number as u64);
    let trade = Trade::of(number);
    let outlet = number % outlets;
    let is_new = random.chance(3);
    let leaves = random.chance(2);
    let day = |random: &mut Random| random.below(days.unsigned_abs() as usize) as i32;
    User {
        name: format!("{}{number:05}", trade.role()),
        trade,
        outlet,
        network: if trade.is_of_outlet() {
            1 + (outlet % 200) as u8
        } else {
            220 + random.below(8) as u8
        },
        host: random.below(250) as u8 + 1,
        pace: around_one(&mut random, 0.35),
        begins: random.between(-20, 40),
        hired: if is_new { day(&mut random) } else { 0 },
        leaving: leaves.then(|| day(&mut random)),
        late: random.chance(12),
    }
}

/// The code of an outlet.
pub fn code(outlet: usize) -> String {
    format!("{:04}", 1_000 + outlet)
}

/// The number of a customer: those of an outlet do not follow each other closely.
pub fn customer(outlet: usize, index: usize) -> u64 {
    100_000_000 + outlet as u64 * 100_000 + (index as u64 * 7_919) % 99_991
}

/// A number around 1 that is twice as large as seldom as half as large.
pub fn around_one(random: &mut Random, spread: f64) -> f64 {
    // The sum of twelve even draws is as good as normal.
    let normal: f64 = (0..12).map(|_| random.below(1_000_001) as f64 / 1e6).sum::<f64>() - 6.0;
    (spread * normal).exp()
}

/// Whether the bank's outlets are closed on that day.
pub fn is_free(day: i32) -> bool {
    day % 7 >= 5 || HOLIDAYS.contains(&day)
}

/// Whether months or the quarter are being closed.
pub fn is_closing(day: i32) -> bool {
    // 31 March is day 29: the two days before, the day itself and the two after.
    (27..=31).contains(&day)
}
