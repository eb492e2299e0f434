//! An honest day of each trade: what is asked, when, and how much comes back.
//!
//! Made from how such work is done, before any rule was tuned: services at the counter in a few
//! statements each, lists and reports, campaigns, month's end, late evenings, shifts, wrong
//! numbers, wrong passwords, broken dashboards, substitutes, hand-overs, complaints that several
//! people look into.

use super::act::{AHEAD, Act, DAY, Fate, HOUR, MINUTE, SECOND};
use super::bank::{
    Bank, CUSTOMERS, FIRST_DAY, Trade, User, around_one, code, customer, is_closing, is_free,
};
use crate::random::Random;

/// Writes acts of one user on one day.
pub struct Desk<'a> {
    pub bank: &'a Bank,
    pub user: &'a User,
    pub who: usize,
    pub day: i32,
    pub random: Random,
    pub peer: (u8, u8),
    /// At which outlet it works today.
    pub outlet: usize,
    pub deed: Option<usize>,
    pub acts: Vec<Act>,
}

impl<'a> Desk<'a> {
    pub fn of(bank: &'a Bank, who: usize, day: i32, random: Random) -> Self {
        let user = &bank.users[who];
        let peer = (user.network, user.host);
        Self {
            bank,
            user,
            who,
            day,
            random,
            peer,
            outlet: user.outlet,
            deed: None,
            acts: Vec::new(),
        }
    }

    /// A moment of the day, in minutes of the bank's clock.
    pub fn at(&self, minute: i64) -> i64 {
        i64::from(FIRST_DAY + self.day) * DAY - AHEAD + minute * MINUTE
    }

    pub fn say(
        &mut self,
        at: i64,
        shape: &'static str,
        table: &'static str,
        sql: String,
        fate: Fate,
    ) {
        let rows = if let Fate::Answered { rows, .. } = fate { rows } else { 0 };
        let took = self.random.between(5, 60) + rows.min(3_000_000) as i64 / 50;
        let (who, peer, deed) = (self.who, self.peer, self.deed);
        self.acts.push(Act { at, who, peer, shape, sql, table, fate, took, deed });
    }

    pub fn answer(
        &mut self,
        at: i64,
        shape: &'static str,
        table: &'static str,
        sql: String,
        rows: u64,
    ) {
        self.say(at, shape, table, sql, Fate::Answered { rows, lookups: 0 });
    }

    /// A customer of an outlet; some come often.
    pub fn someone(&mut self, outlet: usize) -> u64 {
        let (one, other) = (self.random.below(CUSTOMERS), self.random.below(CUSTOMERS));
        customer(outlet, one.min(other))
    }

    /// What the counter's program asks about one customer.
    pub fn serve(&mut self, at: i64, who: u64, pages: usize) {
        let mut at = at;
        let found_by = self.random.below(10);
        if found_by < 4 {
            let sql =
                format!("SELECT customer_id, name FROM customer WHERE lookup(mobile, '138{who}')");
            let misses = self.random.chance(4);
            self.say(
                at,
                "find-mobile",
                "customer",
                sql,
                Fate::Answered { rows: u64::from(!misses), lookups: 1 },
            );
            if misses {
                return;
            }
            at += self.random.between(2, 20) * SECOND;
        }
        for page in 0..pages {
            let (shape, table, rows) = match page {
                0 => ("customer", "customer", 1),
                1 => ("accounts", "account", self.random.between(1, 6)),
                2 => ("transactions", "transaction", self.random.between(3, 60)),
                3 => ("cards", "card", self.random.between(0, 3)),
                4 => ("loans", "loan", self.random.between(0, 2)),
                _ => ("statement", "transaction", self.random.between(60, 400)),
            };
            let sql = format!("SELECT * FROM {table} WHERE customer_id = {who}");
            self.answer(at, shape, table, sql, rows.unsigned_abs());
            at += self.random.between(5, 60) * SECOND;
        }
    }

    /// A list or report of the outlet.
    pub fn list(&mut self, at: i64, shape: &'static str, outlet: usize, rows: u64) {
        let sql = format!("SELECT * FROM customer WHERE outlet = '{}'", code(outlet));
        self.answer(at, shape, "customer", sql, rows);
    }

    /// A count around a usual one.
    fn about(&mut self, usual: f64, spread: f64) -> usize {
        let pace = self.user.pace * around_one(&mut self.random, spread);
        (usual * pace).round() as usize
    }

    fn minute_between(&mut self, from: i64, until: i64) -> i64 {
        let seconds = self.random.between(from * 60, until * 60);
        self.at(0) + seconds * SECOND
    }
}

/// What somebody does on a day, if it works at all.
pub fn honest_day(seed: u64, bank: &Bank, who: usize, day: i32) -> Vec<Act> {
    let random = Random::of(seed, (who as u64) << 20 | u64::from(day.unsigned_abs()));
    let mut desk = Desk::of(bank, who, day, random);
    let user = desk.user;
    let is_gone = day < user.hired || user.leaving.is_some_and(|last| day > last);
    let is_away = desk.random.chance(6);
    if is_gone || (is_away && user.trade != Trade::Service) {
        return Vec::new();
    }
    match user.trade {
        Trade::Service => service(&mut desk),
        Trade::CallCentre => call_centre(&mut desk),
        _ if is_free(day) => free_day(&mut desk),
        Trade::Teller => teller(&mut desk),
        Trade::BranchManager => branch_manager(&mut desk),
        Trade::CityManager => city_manager(&mut desk),
        Trade::Relationship => relationship(&mut desk),
        Trade::Analyst => analyst(&mut desk),
        Trade::Risk => risk(&mut desk),
    }
    if !desk.acts.is_empty() {
        mishaps(&mut desk);
    }
    desk.acts
}

fn teller(desk: &mut Desk<'_>) {
    // A substitute sits in another outlet for the day, under that outlet's rights.
    if desk.random.chance(2) {
        desk.outlet = desk.random.below(desk.bank.outlets);
        desk.peer = (1 + (desk.outlet % 200) as u8, desk.user.host);
    }
    let busy = if is_closing(desk.day) { 1.4 } else { 1.0 };
    let begin = 8 * 60 + 40 + desk.user.begins;
    for _ in 0..desk.about(34.0 * busy, 0.25) {
        let at = desk.minute_between(begin, begin + 8 * 60 + 20);
        let customer = desk.someone(desk.outlet);
        let pages = 1 + desk.random.below(4) + usize::from(desk.random.chance(10)) * 2;
        desk.serve(at, customer, pages.min(6));
    }
    for _ in 0..desk.random.below(3) {
        let (at, rows) = (desk.minute_between(begin, begin + 480), desk.random.between(10, 60));
        desk.list(at, "due-deposits", desk.outlet, rows.unsigned_abs());
    }
    if is_closing(desk.day) {
        let (at, rows) =
            (desk.minute_between(begin + 400, begin + 500), desk.random.between(80, 300));
        desk.list(at, "cash-report", desk.outlet, rows.unsigned_abs());
    }
}

fn branch_manager(desk: &mut Desk<'_>) {
    let begin = 8 * 60 + 30 + desk.user.begins;
    let closing = is_closing(desk.day);
    for _ in 0..desk.about(16.0, 0.3) {
        let at = desk.minute_between(begin, begin + 9 * 60);
        let rows = desk.random.between(1, 60).unsigned_abs();
        desk.list(at, "outlet-figures", desk.outlet, rows);
    }
    let lists = if closing { 2 + desk.random.below(5) } else { desk.random.below(3) };
    for _ in 0..lists {
        let at = desk.minute_between(begin, begin + 10 * 60);
        let rows = desk.random.between(80, if closing { 2_500 } else { 500 });
        desk.list(at, "outlet-list", desk.outlet, rows.unsigned_abs());
    }
    for _ in 0..desk.about(4.0, 0.4) {
        let at = desk.minute_between(begin, begin + 9 * 60);
        let customer = desk.someone(desk.outlet);
        desk.serve(at, customer, 3);
    }
    late(desk, if closing { 40 } else { 10 }, 200);
}

fn city_manager(desk: &mut Desk<'_>) {
    let begin = 8 * 60 + 40 + desk.user.begins;
    let closing = is_closing(desk.day);
    let city = desk.bank.city(desk.user);
    for _ in 0..desk.about(20.0, 0.3) {
        let at = desk.minute_between(begin, begin + 9 * 60);
        let outlet = city.start + desk.random.below(city.len());
        let rows = desk.random.between(1, if closing { 900 } else { 250 });
        desk.list(at, "city-figures", outlet, rows.unsigned_abs());
    }
    late(desk, if closing { 40 } else { 10 }, 200);
}

fn relationship(desk: &mut Desk<'_>) {
    let begin = 8 * 60 + 40 + desk.user.begins;
    // Campaigns come in weeks, another one for everybody.
    let campaign = (desk.day / 7 + desk.who as i32) % 5 == 0;
    let busy = if campaign { 2.0 } else { 1.0 };
    for _ in 0..desk.about(18.0 * busy, 0.3) {
        let at = desk.minute_between(begin, begin + 9 * 60);
        let customer = desk.someone(desk.outlet);
        let pages = 1 + desk.random.below(5);
        desk.serve(at, customer, pages);
    }
    for _ in 0..desk.about(2.0 * busy, 0.4) {
        let (at, rows) = (desk.minute_between(begin, begin + 540), desk.random.between(60, 800));
        desk.list(at, "portfolio", desk.outlet, rows.unsigned_abs());
    }
    // Who leaves hands the portfolio over, once.
    if desk.user.leaving.is_some_and(|last| last - desk.day == 3) {
        let (at, rows) = (desk.at(15 * 60), desk.random.between(500, 900));
        desk.list(at, "portfolio", desk.outlet, rows.unsigned_abs());
    }
    late(desk, if campaign { 20 } else { 5 }, 150);
}

fn analyst(desk: &mut Desk<'_>) {
    let begin = 9 * 60 + desk.user.begins;
    let closing = is_closing(desk.day);
    const SHAPES: [&str; 8] = [
        "by-product",
        "by-age",
        "by-month",
        "cohort",
        "churn",
        "top-outlets",
        "balances",
        "shares",
    ];
    for _ in 0..desk.about(if closing { 45.0 } else { 25.0 }, 0.4) {
        let at = desk.minute_between(begin, begin + 9 * 60 + 30);
        let shape = SHAPES[desk.random.below(SHAPES.len())];
        let sql = format!(
            "SELECT segment, sum(balance) FROM account WHERE opened > DATE '20{}-01-01' GROUP BY segment",
            10 + desk.random.below(15)
        );
        let rows = desk.random.between(1, 400).unsigned_abs();
        desk.answer(at, shape, "account", sql, rows);
    }
    let segments = if closing { 1 + desk.random.below(4) } else { desk.random.below(3) };
    for _ in 0..segments {
        let at = desk.minute_between(begin, begin + 9 * 60);
        let rows = (20_000.0 * around_one(&mut desk.random, 0.9)) as u64;
        segment(desk, at, "segment", rows);
    }
    late(desk, if closing { 40 } else { 10 }, 3_000);
}

/// A segment of customers over the whole bank.
pub fn segment(desk: &mut Desk<'_>, at: i64, shape: &'static str, rows: u64) {
    let age = desk.random.between(18, 70);
    let sql = format!("SELECT customer_id, segment, balance FROM customer WHERE age > {age}");
    desk.answer(at, shape, "customer", sql, rows);
}

fn risk(desk: &mut Desk<'_>) {
    let begin = 9 * 60 + desk.user.begins;
    // Cases: somebody's payments are followed from customer to customer.
    for _ in 0..desk.random.below(4) {
        let mut at = desk.minute_between(begin, begin + 8 * 60);
        for _ in 0..desk.about(14.0, 0.5).min(60) {
            let outlet = desk.random.below(desk.bank.outlets);
            let customer = desk.someone(outlet);
            let pages = 2 + desk.random.below(2);
            desk.serve(at, customer, pages);
            at += desk.random.between(60, 240) * SECOND;
        }
    }
    for _ in 0..desk.random.below(3) {
        let (at, rows) = (desk.minute_between(begin, begin + 500), desk.random.between(200, 5_000));
        segment(desk, at, "sample", rows.unsigned_abs());
    }
}

/// Shifts around the clock, every day of the week; callers are of the whole bank.
fn call_centre(desk: &mut Desk<'_>) {
    let shift = (desk.day + desk.who as i32).rem_euclid(4);
    let begin = match shift {
        0 => 6 * 60,
        1 => 14 * 60,
        2 => 22 * 60,
        _ => return,
    };
    for _ in 0..desk.about(if shift == 2 { 45.0 } else { 85.0 }, 0.2) {
        let at = desk.minute_between(begin, begin + 8 * 60);
        let outlet = desk.random.below(desk.bank.outlets);
        let customer = desk.someone(outlet);
        let pages = 1 + desk.random.below(3);
        desk.serve(at, customer, pages);
    }
}

/// A program's extracts of every night, from one of two machines.
fn service(desk: &mut Desk<'_>) {
    desk.peer.1 = if desk.random.chance(50) { 10 } else { 11 };
    let more = if is_closing(desk.day) { 2.0 } else { 1.0 };
    for extract in 0..12_i64 {
        let at = desk.at(60 + extract * 15) + desk.random.between(0, 300) * SECOND;
        let usual = 40_000.0 * (1 + extract % 4) as f64 * more;
        let rows = usual * desk.user.pace * around_one(&mut desk.random, 0.08);
        segment(desk, at, "extract", rows as u64);
    }
}

/// Some come on a Saturday, or finish something on a Sunday.
fn free_day(desk: &mut Desk<'_>) {
    let comes = match desk.user.trade {
        Trade::Teller if desk.day % 7 == 5 => 30,
        Trade::Analyst | Trade::Relationship | Trade::BranchManager => 4,
        _ => 0,
    };
    if !desk.random.chance(comes) {
        return;
    }
    let begin = 9 * 60 + 30;
    if desk.user.trade == Trade::Teller {
        for _ in 0..desk.about(20.0, 0.25) {
            let at = desk.minute_between(begin, begin + 6 * 60);
            let customer = desk.someone(desk.outlet);
            let pages = 1 + desk.random.below(4);
            desk.serve(at, customer, pages);
        }
        return;
    }
    for _ in 0..3 + desk.random.below(8) {
        let (at, rows) = (desk.minute_between(begin, begin + 300), desk.random.between(1, 400));
        desk.list(at, "outlet-figures", desk.outlet, rows.unsigned_abs());
    }
}

/// Whoever works late goes on with what the day was about.
fn late(desk: &mut Desk<'_>, percent: u64, rows_max: i64) {
    if !desk.user.late || !desk.random.chance(percent) {
        return;
    }
    for _ in 0..2 + desk.random.below(7) {
        let at = desk.minute_between(20 * 60, 23 * 60);
        let rows = desk.random.between(1, rows_max).unsigned_abs();
        desk.list(at, "outlet-figures", desk.outlet, rows);
    }
}

/// What goes wrong on any day.
fn mishaps(desk: &mut Desk<'_>) {
    let noon = 12 * 60;
    if desk.user.trade != Trade::Service && desk.random.chance(3) {
        let most = if desk.random.chance(8) { 8 } else { 3 };
        let tries = 1 + desk.random.below(most);
        let at = desk.acts.iter().map(|act| act.at).min().unwrap_or_default() - 3 * MINUTE;
        for number in 0..tries as i64 {
            desk.say(at + number * 7 * SECOND, "", "", "sign in".to_owned(), Fate::SignInRefused);
        }
    }
    let most = if desk.random.chance(20) { 3 } else { 1 };
    for _ in 0..desk.random.below(most) {
        let at = desk.minute_between(noon, noon + 300);
        desk.say(at, "typo", "", "SELEC 1".to_owned(), Fate::Failed);
    }
    // A dashboard that shows what this role may not see asks for all of it at once.
    if desk.user.trade != Trade::Service && desk.random.chance(1) {
        let at = desk.minute_between(noon - 180, noon + 300);
        for number in 0..2 + desk.random.below(12) as i64 {
            let sql = format!("SELECT hidden{number} FROM customer");
            desk.say(at + number * SECOND, "dashboard", "", sql, Fate::Denied);
        }
    }
    // Home in the evening, by the bank's own way in.
    if desk.user.late && desk.random.chance(3) && desk.user.trade != Trade::CallCentre {
        let last = desk.acts.iter().map(|act| act.at).max().unwrap_or_default();
        desk.peer = (250, desk.user.host);
        for number in 0..1 + desk.random.below(5) as i64 {
            let at = last + HOUR + number * 2 * MINUTE;
            let rows = desk.random.between(1, 50).unsigned_abs();
            desk.list(at, "outlet-figures", desk.outlet, rows);
        }
    }
}

/// Complaints and errors of a day: several people look at the same customer for good reasons.
pub fn complaints(seed: u64, bank: &Bank, day: i32) -> Vec<Act> {
    let mut random = Random::of(seed, 77_000_000 + u64::from(day.unsigned_abs()));
    let mut acts = Vec::new();
    if is_free(day) {
        return acts;
    }
    for _ in 0..random.below(1 + bank.users.len() / 200) {
        let outlet = random.below(bank.outlets);
        let customer = customer(outlet, random.below(CUSTOMERS));
        let staff: Vec<usize> = (0..bank.users.len())
            .filter(|who| {
                let user = &bank.users[*who];
                let near = user.trade.is_of_outlet() && user.outlet == outlet;
                let called = user.trade == Trade::CallCentre && random.chance(15);
                let asked = user.trade == Trade::Risk && random.chance(10);
                day >= user.hired && (near || called || asked)
            })
            .collect();
        for _ in 0..2 + random.below(4) {
            let Some(who) = (!staff.is_empty()).then(|| staff[random.below(staff.len())]) else {
                break;
            };
            let mut desk = Desk::of(bank, who, day, random.clone());
            random.next();
            let at = desk.at(9 * 60 + random.between(0, 480));
            desk.serve(at, customer, 3);
            acts.append(&mut desk.acts);
        }
    }
    acts
}
