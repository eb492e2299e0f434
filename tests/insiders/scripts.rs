//! What insiders do: thirteen families of deeds, several of each, drawn from the seed.
//!
//! Each script says by itself when its deed can no longer be taken for work (`mark`): so many
//! customers, questions, rows or people. That was written down before any rule was tuned.

use super::act::{Act, Fate, HOUR, MINUTE, SECOND};
use super::bank::{Bank, CUSTOMERS, Trade, code, customer, is_free};
use super::work::{Desk, segment};
use crate::random::Random;

/// One deed of somebody, or of several.
#[derive(Debug, Clone)]
pub struct Deed {
    pub family: &'static str,
    pub who: Vec<usize>,
    pub acts: Vec<Act>,
    /// When it can no longer be taken for work.
    pub mark: i64,
}

impl Deed {
    pub fn begins(&self) -> i64 {
        self.acts.iter().map(|act| act.at).min().unwrap_or(i64::MAX)
    }
}

/// Shapes that no program asks: somebody writes by hand.
const BY_HAND: [&str; 26] = [
    "hand-a", "hand-b", "hand-c", "hand-d", "hand-e", "hand-f", "hand-g", "hand-h", "hand-i",
    "hand-j", "hand-k", "hand-l", "hand-m", "hand-n", "hand-o", "hand-p", "hand-q", "hand-r",
    "hand-s", "hand-t", "hand-u", "hand-v", "hand-w", "hand-x", "hand-y", "hand-z",
];

/// Days before which only the copier who has done it for long is at work.
pub const QUIET_DAYS: i32 = 10;

type Script = fn(&mut Scene<'_>) -> Option<Deed>;

/// The families by their names, with what happened elsewhere where it did.
const FAMILIES: [(&str, Script); 13] = [
    // Desjardins: a marketing employee copied from the warehouse each month, for 26 months.
    ("monthly-copier", monthly_copier),
    // CITIC: a branch looked a celebrity's account movements up for somebody who asked.
    ("celebrity", celebrity),
    ("low-and-slow", low_and_slow),
    ("big-export", big_export),
    ("off-hours", off_hours),
    ("colleagues", colleagues),
    ("card-enumeration", card_enumeration),
    ("denial-probing", denial_probing),
    ("differencing", differencing),
    ("export-then-delete", export_then_delete),
    ("leaver", leaver),
    ("stolen-token", stolen_token),
    ("foreign-branch", foreign_branch),
];

/// Makes so many deeds of each family; who leaves because of it leaves in the bank, too.
pub fn deeds(seed: u64, bank: &mut Bank, days: i32, per_family: usize) -> Vec<Deed> {
    let mut taken = Vec::new();
    let mut deeds = Vec::new();
    for (family, (name, script)) in FAMILIES.iter().enumerate() {
        for number in 0..per_family {
            let random = Random::of(seed, 5_000_000 + (family * 1_000 + number) as u64);
            let at = deeds.len();
            let mut scene = Scene { bank, random, days, taken: &mut taken, deed: at };
            if let Some(mut deed) = script(&mut scene) {
                deed.family = name;
                deeds.push(deed);
            }
        }
    }
    deeds
}

struct Scene<'a> {
    bank: &'a mut Bank,
    random: Random,
    days: i32,
    taken: &'a mut Vec<usize>,
    deed: usize,
}

impl Scene<'_> {
    /// Somebody of one of these trades who does nothing else.
    fn insider(&mut self, trades: &[Trade]) -> Option<usize> {
        let is_free = |who: &usize| {
            let user = &self.bank.users[*who];
            trades.contains(&user.trade) && user.hired == 0 && user.leaving.is_none()
        };
        let fit: Vec<usize> = (0..self.bank.users.len()).filter(is_free).collect();
        let left: Vec<usize> = fit.into_iter().filter(|who| !self.taken.contains(who)).collect();
        let who = *left.get(self.random.below(left.len().max(1)))?;
        self.taken.push(who);
        Some(who)
    }

    /// A working day on which there is a history.
    fn working_day(&mut self, before_end: i32) -> i32 {
        let last = (self.days - 1 - before_end).max(0);
        let first = QUIET_DAYS.min(last);
        let mut day = self.random.between(first.into(), last.into()) as i32;
        while is_free(day) && day > 0 {
            day -= 1;
        }
        day
    }

    fn desk(&mut self, who: usize, day: i32) -> Desk<'_> {
        let random = Random::of(self.random.next(), who as u64);
        let mut desk = Desk::of(self.bank, who, day, random);
        desk.deed = Some(self.deed);
        desk
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        self.random.between(low, high)
    }
}

/// The deed whose mark is the end of this one of its acts, or of its last.
fn marked(who: usize, mut acts: Vec<Act>, at: usize) -> Option<Deed> {
    acts.sort_by_key(|act| act.at);
    let act = acts.get(at).or(acts.last())?;
    let mark = act.at + act.took * 1_000;
    Some(Deed { family: "", who: vec![who], acts, mark })
}

/// The place of the act with which so many rows have left.
fn after_rows(acts: &[Act], rows: u64) -> usize {
    let mut left = 0;
    let passed = acts.iter().position(|act| {
        if let Fate::Answered { rows, .. } = act.fate {
            left += rows;
        }
        left >= rows
    });
    passed.unwrap_or(acts.len().saturating_sub(1))
}

fn monthly_copier(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Analyst])?;
    let latest = scene.days - 6;
    let second = (scene.between(30, 33) as i32).min(latest.max(0));
    let (statements, rows) = (scene.between(8, 20), scene.between(15_000, 40_000));
    let mut acts = Vec::new();
    let mut before = 0;
    for first in [second - 30, second] {
        before = acts.len();
        for day in (first..first + 5).filter(|day| *day >= 0 && !is_free(*day)).take(3) {
            let mut desk = scene.desk(who, day);
            for number in 0..statements {
                let at = desk.at(10 * 60 + number * 22) + desk.random.between(0, 600) * SECOND;
                let rows = (rows + desk.random.between(-5_000, 5_000)).unsigned_abs();
                segment(&mut desk, at, "segment", rows);
            }
            acts.append(&mut desk.acts);
        }
    }
    acts.sort_by_key(|act| act.at);
    let at = before + after_rows(&acts[before..], 500_000);
    marked(who, acts, at)
}

fn celebrity(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Teller])?;
    let day = scene.working_day(1);
    let questions = scene.between(10, 16);
    let apart = scene.between(1, 6);
    let mut desk = scene.desk(who, day);
    let outlet = desk.user.outlet;
    let celebrity = customer(outlet, desk.random.below(CUSTOMERS));
    let begin = desk.random.between(10 * 60, 15 * 60);
    for number in 0..questions {
        let at = desk.at(begin + number * apart) + desk.random.between(0, 50) * SECOND;
        let year = 2_024 + number % 3;
        let sql = format!(
            "SELECT booked, amount, counterparty FROM transaction WHERE customer_id = {celebrity} \
             AND booked >= DATE '{year}-01-01'"
        );
        let rows = desk.random.between(1, 1_800).unsigned_abs();
        desk.answer(at, BY_HAND[number as usize], "transaction", sql, rows);
    }
    let acts = desk.acts;
    marked(who, acts, 9)
}

fn low_and_slow(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Teller])?;
    let (each, length) = (scene.between(40, 80), scene.between(12, 20) as i32);
    let length = length.min(scene.days - 3);
    let first = scene.working_day(length);
    let mut acts = Vec::new();
    for day in (first..first + length).filter(|day| !is_free(*day)) {
        let mut desk = scene.desk(who, day);
        for _ in 0..each {
            let at = desk.at(desk.random.clone().between(9 * 60, 17 * 60))
                + desk.random.between(0, 59) * SECOND;
            let outlet = desk.user.outlet;
            let one = customer(outlet, desk.random.below(CUSTOMERS));
            desk.serve(at, one, 1);
        }
        acts.append(&mut desk.acts);
    }
    // One or two statements for each customer: a look-up, and the first page.
    let mark = acts.iter().filter(|act| act.shape == "customer").count().min(300);
    acts.sort_by_key(|act| act.at);
    let mut pages = 0;
    let at = acts.iter().position(|act| {
        pages += usize::from(act.shape == "customer");
        pages >= mark
    });
    marked(who, acts, at.unwrap_or(usize::MAX))
}

fn big_export(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Relationship, Trade::BranchManager, Trade::Analyst])?;
    let day = scene.working_day(1);
    let minute = scene.between(9 * 60, 18 * 60);
    let large = scene.between(500_000, 3_000_000).unsigned_abs();
    let small = scene.between(5_000, 30_000).unsigned_abs();
    let mut desk = scene.desk(who, day);
    let at = desk.at(minute);
    match desk.user.trade {
        Trade::Analyst => segment(&mut desk, at, "segment", large),
        _ => {
            let outlet = desk.user.outlet;
            desk.list(at, "portfolio", outlet, small);
        }
    }
    let acts = desk.acts;
    marked(who, acts, 0)
}

fn off_hours(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Teller, Trade::Relationship])?;
    let day = scene.working_day(2);
    let customers = scene.between(25, 60);
    let begin = scene.between(22 * 60 + 30, 25 * 60);
    let mut desk = scene.desk(who, day);
    let mut at = desk.at(begin);
    for _ in 0..customers {
        let outlet = desk.user.outlet;
        let one = customer(outlet, desk.random.below(CUSTOMERS));
        desk.serve(at, one, 2);
        at += desk.random.between(60, 240) * SECOND;
    }
    let acts = desk.acts;
    let mut seen = 0;
    let mark = acts.iter().position(|act| {
        seen += usize::from(act.shape == "customer");
        seen >= 20
    });
    marked(who, acts, mark.unwrap_or(usize::MAX))
}

fn colleagues(scene: &mut Scene<'_>) -> Option<Deed> {
    let people = scene.between(7, 12) as usize;
    let day = scene.working_day(1);
    let hours = scene.between(2, 8);
    let outlet = scene.random.below(scene.bank.outlets);
    let someone = customer(outlet, scene.random.below(CUSTOMERS));
    let mut who = Vec::new();
    let mut acts = Vec::new();
    for _ in 0..people {
        let one = scene.insider(&[Trade::Teller, Trade::Relationship, Trade::CallCentre])?;
        let minute = scene.between(9 * 60, 9 * 60 + hours * 60);
        let mut desk = scene.desk(one, day);
        let at = desk.at(minute);
        let own = desk.user.outlet == outlet || desk.user.trade == Trade::CallCentre;
        let sql = format!("SELECT * FROM customer WHERE customer_id = {someone}");
        desk.answer(at, "customer", "customer", sql, u64::from(own));
        acts.append(&mut desk.acts);
        who.push(one);
    }
    let deed = marked(who[0], acts, 6)?;
    Some(Deed { who, ..deed })
}

fn card_enumeration(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Teller, Trade::CallCentre])?;
    let day = scene.working_day(1);
    let cards = scene.between(40, 200);
    let minutes = scene.between(60, 180);
    let first = 6_222_020_000_000_000_u64 + scene.between(0, 9_999_999_999).unsigned_abs();
    let step = scene.between(1, 10).unsigned_abs();
    let mut desk = scene.desk(who, day);
    let begin = desk.at(desk.random.clone().between(9 * 60, 14 * 60));
    for number in 0..cards {
        let at = begin + number * minutes * MINUTE / cards;
        let card = first + number.unsigned_abs() * step;
        let sql = format!("SELECT customer_id FROM card WHERE lookup(card_number, '{card}')");
        let rows = u64::from(desk.random.chance(15));
        desk.say(at, "find-card", "card", sql, Fate::Answered { rows, lookups: 1 });
    }
    let acts = desk.acts;
    marked(who, acts, 29)
}

fn denial_probing(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Teller, Trade::Analyst, Trade::Relationship])?;
    let day = scene.working_day(1);
    let (probes, minutes) = (scene.between(25, 60), scene.between(30, 180));
    let mut desk = scene.desk(who, day);
    let begin = desk.at(desk.random.clone().between(9 * 60, 15 * 60));
    for number in 0..probes {
        let at = begin + number * minutes * MINUTE / probes;
        let sql = format!("SELECT secret{number} FROM vault{}", number % 7);
        desk.say(at, "probe", "", sql, Fate::Denied);
    }
    let acts = desk.acts;
    marked(who, acts, 24)
}

fn differencing(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Analyst])?;
    let day = scene.working_day(1);
    let (segments, minutes) = (scene.between(12, 25), scene.between(30, 300));
    let mut desk = scene.desk(who, day);
    let outlet = desk.random.below(desk.bank.outlets);
    let someone = customer(outlet, desk.random.below(CUSTOMERS));
    let begin = desk.at(desk.random.clone().between(9 * 60 + 30, 13 * 60));
    for number in 0..segments {
        let at = begin + number * minutes * MINUTE / segments;
        let age = desk.random.between(20, 70);
        let but = if number % 2 == 0 { "<>" } else { "=" };
        let sql = format!(
            "SELECT count(*), sum(balance) FROM customer WHERE age >= {age} AND outlet = '{}' \
             AND customer_id {but} {someone}",
            code(outlet)
        );
        desk.answer(at, BY_HAND[number as usize], "customer", sql, 1);
    }
    let acts = desk.acts;
    marked(who, acts, 11)
}

fn export_then_delete(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Analyst])?;
    let day = scene.working_day(2);
    let rows = scene.between(300_000, 2_000_000).unsigned_abs();
    let later = scene.between(30, 20 * 60);
    let mut desk = scene.desk(who, day);
    let at = desk.at(desk.random.clone().between(9 * 60, 17 * 60));
    segment(&mut desk, at, "segment", rows);
    let sql = "DELETE FROM customer WHERE outlet = '1001'".to_owned();
    desk.say(at + later * MINUTE, "delete", "", sql, Fate::Denied);
    let acts = desk.acts;
    marked(who, acts, 1)
}

fn leaver(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Relationship, Trade::BranchManager, Trade::Analyst])?;
    let day = scene.working_day(1);
    let notice = scene.between(1, 13) as i32;
    scene.bank.users[who].leaving = Some(day + notice);
    let lists = scene.between(6, 16);
    let many = scene.between(3, 8);
    let mut desk = scene.desk(who, day);
    let begin = desk.random.between(9 * 60, 13 * 60);
    let is_analyst = desk.user.trade == Trade::Analyst;
    for number in 0..lists {
        let at = desk.at(begin + number * 20) + desk.random.between(0, 600) * SECOND;
        if is_analyst {
            let rows = desk.random.between(10_000 * many, 15_000 * many).unsigned_abs();
            segment(&mut desk, at, "segment", rows);
        } else {
            let (outlet, rows) = (desk.user.outlet, desk.random.between(500, 1_200).unsigned_abs());
            desk.list(at, "portfolio", outlet, rows);
        }
    }
    let mut acts = desk.acts;
    acts.sort_by_key(|act| act.at);
    let at = after_rows(&acts, if is_analyst { 250_000 } else { 4_000 });
    marked(who, acts, at)
}

fn stolen_token(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Teller])?;
    let day = scene.working_day(1);
    let customers = scene.between(20, 60);
    let mut desk = scene.desk(who, day);
    // Another place of the bank, while the owner serves at the counter.
    desk.peer = (desk.user.network.wrapping_add(100).max(1), 77);
    let mut at = desk.at(desk.random.clone().between(10 * 60, 14 * 60));
    for _ in 0..customers {
        let outlet = desk.user.outlet;
        let one = customer(outlet, desk.random.below(CUSTOMERS));
        desk.serve(at, one, 1);
        at += desk.random.between(20, 120) * SECOND;
    }
    let acts = desk.acts;
    marked(who, acts, 9)
}

fn foreign_branch(scene: &mut Scene<'_>) -> Option<Deed> {
    let who = scene.insider(&[Trade::Teller, Trade::BranchManager])?;
    let day = scene.working_day(1);
    let (questions, hours) = (scene.between(25, 60), scene.between(1, 6));
    let mut desk = scene.desk(who, day);
    let begin = desk.at(desk.random.clone().between(9 * 60, 12 * 60));
    for number in 0..questions {
        let at = begin + number * hours * HOUR / questions;
        let other =
            (desk.user.outlet + 1 + desk.random.below(desk.bank.outlets - 1)) % desk.bank.outlets;
        let one = customer(other, desk.random.below(CUSTOMERS));
        let sql = format!(
            "SELECT * FROM customer WHERE outlet = '{}' AND customer_id = {one}",
            code(other)
        );
        desk.answer(at, "hand-a", "customer", sql, 0);
    }
    let acts = desk.acts;
    marked(who, acts, 24)
}
