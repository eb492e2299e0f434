//! What was found: by family, by rule, and one line of JSON.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use martlet_server::alarm::Alarm;
use serde_json::{Value, json};

use super::act::MINUTE;
use super::bank::Bank;
use super::run::{LEARNING_DAYS, Plan};
use super::scripts::Deed;

/// What has been found so far.
pub struct Found<'a> {
    who: HashMap<&'a str, usize>,
    deeds: &'a [Deed],
    by_user: HashMap<usize, usize>,
    /// The first alarm of each deed, and its rule.
    first: Vec<Option<(i64, String)>>,
    rules: BTreeMap<String, Rule>,
    false_alarms: u64,
    /// The first false alarms, to see what honest people are mistaken for.
    mistaken: Vec<String>,
}

/// How one rule did.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    pub deeds: Vec<usize>,
    pub false_alarms: u64,
    pub by_trade: BTreeMap<String, u64>,
}

/// What a run found.
#[derive(Debug, Clone)]
pub struct Report {
    pub plan: Plan,
    pub records: u64,
    pub insiders: usize,
    pub detected: usize,
    pub within_a_minute: usize,
    pub false_alarms: u64,
    pub families: BTreeMap<&'static str, Family>,
    pub rules: BTreeMap<String, Rule>,
    pub missed: Vec<String>,
    pub mistaken: Vec<String>,
}

/// How one family was found.
#[derive(Debug, Clone, Default)]
pub struct Family {
    pub insiders: usize,
    pub detected: usize,
    pub within_a_minute: usize,
}

impl<'a> Found<'a> {
    pub fn new(bank: &'a Bank, deeds: &'a [Deed]) -> Self {
        let names = bank.users.iter().enumerate();
        let of_deed = |(at, deed): (usize, &Deed)| {
            deed.who.iter().map(move |who| (*who, at)).collect::<Vec<_>>()
        };
        Self {
            who: names.map(|(who, user)| (user.name.as_str(), who)).collect(),
            deeds,
            by_user: deeds.iter().enumerate().flat_map(of_deed).collect(),
            first: vec![None; deeds.len()],
            rules: BTreeMap::new(),
            false_alarms: 0,
            mistaken: Vec::new(),
        }
    }

    pub fn alarm(&mut self, alarm: &Alarm, day: i32) {
        let who = self.who.get(alarm.principal.as_str()).copied();
        let deed = who.and_then(|who| self.by_user.get(&who)).copied();
        let deed = deed.filter(|deed| alarm.at >= self.deeds[*deed].begins());
        let rule = self.rules.entry(alarm.rule.clone()).or_default();
        if let Some(deed) = deed {
            if !rule.deeds.contains(&deed) {
                rule.deeds.push(deed);
            }
            self.first[deed].get_or_insert_with(|| (alarm.at, alarm.rule.clone()));
        } else if day >= LEARNING_DAYS {
            rule.false_alarms += 1;
            let trade = alarm.principal.trim_end_matches(|one: char| one.is_ascii_digit());
            *rule.by_trade.entry(trade.to_owned()).or_default() += 1;
            self.false_alarms += 1;
            self.mistaken.push(format!("day {day} {}: {}", alarm.principal, alarm.text()));
        }
    }

    pub fn report(self, plan: Plan, records: u64) -> Report {
        let mut families: BTreeMap<&'static str, Family> = BTreeMap::new();
        let mut missed = Vec::new();
        for (deed, first) in self.deeds.iter().zip(&self.first) {
            let family = families.entry(deed.family).or_default();
            family.insiders += 1;
            family.detected += usize::from(first.is_some());
            let in_time = first.as_ref().is_some_and(|(at, _)| *at <= deed.mark + MINUTE);
            family.within_a_minute += usize::from(in_time);
            if !in_time {
                let late =
                    first.as_ref().map(|(at, rule)| ((at - deed.mark) / MINUTE, rule.clone()));
                missed.push(format!(
                    "{} {:?} acts {} late {late:?}",
                    deed.family,
                    deed.who,
                    deed.acts.len()
                ));
            }
        }
        let sum = |of: fn(&Family) -> usize| families.values().map(of).sum();
        Report {
            plan,
            records,
            insiders: self.deeds.len(),
            detected: sum(|family| family.detected),
            within_a_minute: sum(|family| family.within_a_minute),
            false_alarms: self.false_alarms,
            rules: self.rules,
            missed,
            mistaken: self.mistaken,
            families,
        }
    }
}

impl Report {
    /// False alarms of a thousand users on one day.
    pub fn false_rate(&self) -> f64 {
        let days = f64::from((self.plan.days - LEARNING_DAYS).max(1));
        self.false_alarms as f64 * 1_000.0 / (self.plan.users as f64 * days)
    }

    pub fn json(&self) -> Value {
        json!({
            "seed": self.plan.seed,
            "insiders": self.insiders,
            "detected": self.detected,
            "detected_within_a_minute": self.within_a_minute,
            "false_alarms": self.false_alarms,
            "users": self.plan.users,
            "days": self.plan.days,
            "records": self.records,
            "false_alarms_per_1000_users_day": (self.false_rate() * 1_000.0).round() / 1_000.0,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:<20} {:>8} {:>8} {:>9}", "family", "insiders", "found", "in time")?;
        for (name, family) in &self.families {
            let Family { insiders, detected, within_a_minute } = family;
            writeln!(formatter, "{name:<20} {insiders:>8} {detected:>8} {within_a_minute:>9}")?;
        }
        writeln!(formatter, "\n{:<24} {:>12} {:>12}", "rule", "deeds found", "false alarms")?;
        for (name, rule) in &self.rules {
            let of: Vec<String> =
                rule.by_trade.iter().map(|(trade, count)| format!("{trade} {count}")).collect();
            let (deeds, wrong) = (rule.deeds.len(), rule.false_alarms);
            writeln!(formatter, "{name:<24} {deeds:>12} {wrong:>12}  {}", of.join(", "))?;
        }
        Ok(())
    }
}
