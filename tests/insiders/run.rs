//! One run: the bank's records, day by day, through the product's watch.

use std::collections::HashMap;

use martlet_server::alarm::{Alarm, People, Rules, Watch};

use super::act::{Act, Fate, ending, entry, record_id};
use super::bank::{Bank, FIRST_DAY, HOLIDAYS};
use super::report::{Found, Report};
use super::scripts::{Deed, deeds};
use super::work::{complaints, honest_day};

/// What is to be run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    pub users: usize,
    pub days: i32,
    /// Insiders of each family.
    pub per_family: usize,
}

/// Days of which no false alarm is counted: nothing is usual yet.
pub const LEARNING_DAYS: i32 = 7;

/// The product's own rules, with the made-up bank's clock and holidays.
pub fn rules() -> Rules {
    let days = HOLIDAYS.map(|day| {
        let date = chrono_day(FIRST_DAY + day);
        format!("\"{date}\"")
    });
    let text = Rules::EXAMPLE
        .replace("holidays = []", &format!("holidays = [{}]", days.join(", ")))
        .replace("utc_offset = \"+00:00\"", "utc_offset = \"+08:00\"");
    assert!(text.contains(&days[0]) && text.contains("+08:00"), "the built-in rules have both");
    Rules::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// `2026-04-05` of a day counted from 1970-01-01; all of them are in April 2026.
fn chrono_day(day: i32) -> String {
    format!("2026-04-{:02}", day - 20_543)
}

/// Runs it under rules; `tell` hears of each day.
pub fn run(plan: Plan, rules: Rules, tell: &dyn Fn(i32)) -> Report {
    let mut bank = Bank::made(plan.seed, plan.users, plan.days);
    let deeds = deeds(plan.seed, &mut bank, plan.days, plan.per_family);
    let mut watch = Watch::new(rules, People::of(bank.people()), [7; 32]);
    let mut found = Found::new(&bank, &deeds);
    let mut number = 0;
    for day in 0..plan.days {
        let mut acts = day_of(plan, &bank, &deeds, day);
        acts.sort_by_key(|act| act.at);
        for alarm in heard(&mut watch, &acts, &bank, &mut number) {
            found.alarm(&alarm, day);
        }
        tell(day);
    }
    found.report(plan, number)
}

fn day_of(plan: Plan, bank: &Bank, deeds: &[Deed], day: i32) -> Vec<Act> {
    let mut acts: Vec<Act> =
        (0..bank.users.len()).flat_map(|who| honest_day(plan.seed, bank, who, day)).collect();
    acts.extend(complaints(plan.seed, bank, day));
    let begins = super::act::DAY * i64::from(FIRST_DAY + day) - super::act::AHEAD;
    let of_day = begins..begins + super::act::DAY;
    let deeds = deeds.iter().flat_map(|deed| &deed.acts);
    acts.extend(deeds.filter(|act| of_day.contains(&act.at)).cloned());
    acts
}

/// Beginnings and ends in the order of their times.
fn heard(watch: &mut Watch, acts: &[Act], bank: &Bank, number: &mut u64) -> Vec<Alarm> {
    let mut order: Vec<(i64, bool, usize)> = Vec::with_capacity(2 * acts.len());
    for (at, act) in acts.iter().enumerate() {
        order.push((act.at, false, at));
        if matches!(act.fate, Fate::Answered { .. }) {
            order.push((act.at + act.took * 1_000, true, at));
        }
    }
    order.sort_unstable();
    let mut ids = HashMap::new();
    let mut alarms = Vec::new();
    for (time, is_end, at) in order {
        let act = &acts[at];
        if is_end {
            if let (Some(id), Some(ending)) = (ids.remove(&at), ending(act)) {
                alarms.extend(watch.ended(&record_id(id), time, &ending));
            }
            continue;
        }
        *number += 1;
        let entry = entry(act, *number, &bank.users[act.who].name);
        if let Fate::Answered { .. } = act.fate {
            ids.insert(at, *number);
            alarms.extend(watch.begun(&entry));
        } else {
            alarms.extend(watch.whole(&entry));
        }
    }
    alarms
}
