//! One customer as a person: names, identifiers, address, dates. Everything is drawn from
//! (seed, customer); nobody in it exists. Never knows accounts or amounts.

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::census::Bank;
use crate::draw::{Draw, Purpose, Skew};
use crate::organization::City;
use crate::places::{DISTRICTS, PROVINCES, STREETS};
use crate::words;

const ADULT_MONTHS: u32 = 18 * 12;
/// The oldest customers are this many years beyond eighteen.
const ADULT_YEARS: u64 = 72;
/// The bank opened its doors this many days before the last opening of an account.
const BANK_DAYS: u64 = 35 * 365;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gender {
    Female,
    Male,
}

/// When a customer was born and came to the bank: at eighteen or later.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dates {
    pub(crate) born: NaiveDate,
    pub(crate) opened: NaiveDate,
}

#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) id_number: Option<String>,
    pub(crate) mobile: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) dates: Dates,
    pub(crate) gender: Option<&'static str>,
    pub(crate) education: Option<&'static str>,
    pub(crate) occupation: Option<&'static str>,
    pub(crate) marital_status: Option<&'static str>,
    pub(crate) risk_level: Option<&'static str>,
    pub(crate) memo: Option<String>,
}

/// The weighted choices of people's data, made once.
#[derive(Debug)]
pub(crate) struct Population {
    surnames: Skew,
    education: Skew,
    marital_status: Skew,
    risk_level: Skew,
}

impl Population {
    pub(crate) fn new() -> Self {
        Self {
            surnames: Skew::new(words::SURNAMES.iter().map(|(_, weight)| *weight)),
            education: Skew::new(words::EDUCATION_WEIGHTS),
            marital_status: Skew::new(words::MARITAL_STATUS_WEIGHTS),
            risk_level: Skew::new(words::RISK_LEVEL_WEIGHTS),
        }
    }
}

fn stream(bank: &Bank, customer: u64) -> Draw {
    Draw::new(bank.plan.seed, Purpose::Person, customer)
}

/// The dates alone, for tables that need no name.
pub(crate) fn dates(bank: &Bank, customer: u64) -> Dates {
    draw_dates(bank.last_opening, &mut stream(bank, customer))
}

fn draw_dates(last_opening: NaiveDate, draw: &mut Draw) -> Dates {
    let days_back = |from: NaiveDate, days| from.checked_sub_days(Days::new(days)).unwrap_or(from);
    let youngest = last_opening.checked_sub_months(Months::new(ADULT_MONTHS));
    let half = ADULT_YEARS * 365 / 2;
    // The sum of two draws: most customers are of middle age.
    let born = days_back(youngest.unwrap_or(last_opening), draw.below(half) + draw.below(half));
    let adult = born.checked_add_months(Months::new(ADULT_MONTHS)).unwrap_or(last_opening);
    let first = adult.max(days_back(last_opening, BANK_DAYS)).min(last_opening);
    let span = (last_opening - first).num_days().unsigned_abs();
    Dates { born, opened: days_back(last_opening, draw.below(span + 1)) }
}

/// The whole person; `city` is the outlet's.
pub(crate) fn person(bank: &Bank, customer: u64, city: &City) -> Person {
    let draw = &mut stream(bank, customer);
    let dates = draw_dates(bank.last_opening, draw);
    let gender = if draw.happens(490) { Gender::Female } else { Gender::Male };
    let latin = draw.happens(200);
    let name = if latin { latin_name(draw, gender) } else { chinese_name(bank, draw, gender) };
    let mobile = mobile(draw);
    Person {
        name,
        id_number: (!draw.happens(10)).then(|| id_number(draw, city, dates.born, gender)),
        email: draw.happens(600).then(|| email(draw)),
        address: (!draw.happens(40)).then(|| address(draw, city)),
        memo: draw.happens(120).then(|| memo(draw, &mobile)),
        mobile: (!draw.happens(30)).then_some(mobile),
        dates,
        gender: (!draw.happens(10)).then_some(if gender == Gender::Female { "F" } else { "M" }),
        education: (!draw.happens(90))
            .then(|| words::EDUCATION[bank.population.education.pick(draw)]),
        occupation: (!draw.happens(80)).then(|| draw.pick(&words::OCCUPATIONS)),
        marital_status: (!draw.happens(120))
            .then(|| words::MARITAL_STATUS[bank.population.marital_status.pick(draw)]),
        risk_level: (!draw.happens(150))
            .then(|| words::RISK_LEVELS[bank.population.risk_level.pick(draw)]),
    }
}

fn chinese_name(bank: &Bank, draw: &mut Draw, gender: Gender) -> String {
    let kind = draw.below(1000);
    if kind < 6 {
        let (own, father) = words::DOTTED_NAMES[draw.index(words::DOTTED_NAMES.len())];
        return format!("{own}·{father}");
    }
    let mut name = if kind < 16 {
        draw.pick(&words::COMPOUND_SURNAMES).to_owned()
    } else {
        words::SURNAMES[bank.population.surnames.pick(draw)].0.to_owned()
    };
    let characters =
        if gender == Gender::Female { &words::GIVEN_FEMALE } else { &words::GIVEN_MALE };
    name.push_str(draw.pick(characters));
    if draw.happens(800) {
        name.push_str(draw.pick(characters));
    }
    name
}

fn latin_name(draw: &mut Draw, gender: Gender) -> String {
    let given = draw.pick(&words::LATIN_GIVEN[usize::from(gender == Gender::Male)]);
    format!("{given} {}", draw.pick(&words::LATIN_FAMILY))
}

/// A resident ID number: region (6), birth date (8), sequence (3, odd for men), check (1).
fn id_number(draw: &mut Draw, home: &City, born: NaiveDate, gender: Gender) -> String {
    let region = if draw.happens(850) {
        format!("{}{:02}", home.code, 1 + draw.below(12))
    } else {
        let province = PROVINCES[draw.index(PROVINCES.len())].code;
        format!("{province}{:02}{:02}", 1 + draw.below(9), 1 + draw.below(12))
    };
    let sequence = draw.below(500) * 2 + u64::from(gender == Gender::Male);
    let body =
        format!("{region}{:04}{:02}{:02}{sequence:03}", born.year(), born.month(), born.day());
    let check = id_check_digit(&body);
    format!("{body}{check}")
}

/// The check character of GB 11643 (ISO 7064, MOD 11-2) over the first seventeen digits.
pub(crate) fn id_check_digit(body: &str) -> char {
    let sum = body.bytes().fold(0_u32, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    match (12 - sum) % 11 {
        10 => 'X',
        digit => char::from(b'0' + digit as u8),
    }
}

fn mobile(draw: &mut Draw) -> String {
    let second = 3 + draw.below(7);
    format!("1{second}{:09}", draw.below(1_000_000_000))
}

fn email(draw: &mut Draw) -> String {
    let (first, second) = (draw.pick(&words::SYLLABLES), draw.pick(&words::SYLLABLES));
    let number = draw.below(10_000);
    format!("{first}{second}{number}@{}", draw.pick(&words::EMAIL_DOMAINS))
}

fn address(draw: &mut Draw, city: &City) -> String {
    let province = PROVINCES[city.province].name;
    let (street, _) = STREETS[draw.index(STREETS.len())];
    let number = 1 + draw.below(300);
    let room = (1 + draw.below(28)) * 100 + 1 + draw.below(4);
    // A district of a municipality is its own district.
    let district = if city.name.ends_with('区') { "" } else { draw.pick(&DISTRICTS) };
    format!("{province}{}{district}{street}{number}号{room}室", city.name)
}

fn memo(draw: &mut Draw, mobile: &str) -> String {
    draw.pick(&words::CUSTOMER_MEMOS).replace("{}", mobile)
}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
