//! `martlet-decisions`: what a decision costs under a policy of a whole bank.
//!
//! Makes the rules and the people of a bank of 3,000 outlets, 200 roles and 12,000 principals,
//! and times what happens when they change and when somebody asks: reading and checking the rules,
//! reading the feed, deciding about one table, and how long a running server takes to obey a
//! change. Owns no rule of its own: the text goes the way of every bundle.

mod bank;
mod effect;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use martlet_core::{BatchDate, TableSchema};
use martlet_policy::{CheckedBundle, Decision, Directory, Principal, check, decide};

use crate::bank::{Bank, PASSWORD, TELLER};
use crate::effect::{Effects, effects};

/// The allocator of the binary `martlet`, so that both are measured alike.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DAY: &str = "2026-11-22";

/// Time decisions and changes under a policy of a whole bank
#[derive(Debug, Parser)]
#[command(name = "martlet-decisions", version)]
struct Arguments {
    /// Outlets; there is a city for ten of them and a province for a hundred
    #[arg(long, default_value_t = 3_000)]
    outlets: usize,
    /// Roles, all but twenty of which inherit from one of those
    #[arg(long, default_value_t = 200)]
    roles: usize,
    /// Principals
    #[arg(long, default_value_t = 12_000)]
    principals: usize,
    /// How often each decision is timed
    #[arg(long, default_value_t = 20)]
    runs: usize,
    /// How often rules and people are changed under a running server, three changes a time
    #[arg(long, default_value_t = 20)]
    changes: usize,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(70)
        }
    }
}

/// What was measured.
struct Figures {
    checked_in: Duration,
    read_in: Duration,
    levels: Vec<(&'static Level, Vec<Duration>)>,
    effects: Effects,
}

fn measure(arguments: &Arguments) -> Result<(), String> {
    let bank = Bank::of(arguments)?;
    let (rules, checked_in) = timed(|| check(&bank.rules, &bank.tables));
    let rules = rules.map_err(|findings| format!("the policy does not fit: {}", findings[0]))?;
    let (directory, read_in) = timed(|| Directory::parse(&bank.feed));
    let directory = directory.map_err(|findings| format!("the feed is wrong: {}", findings[0]))?;
    let day: BatchDate = DAY.parse().map_err(|error| format!("{error}"))?;
    let levels = LEVELS
        .iter()
        .map(|level| {
            Ok((level, decisions(level, &directory, &bank.tables, &rules, day, arguments)?))
        })
        .collect::<Result<Vec<_>, String>>()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let effects = runtime.block_on(effects(&bank, arguments.changes))?;
    let figures = Figures { checked_in, read_in, levels, effects };
    report(arguments, &figures).map_err(|error| error.to_string())
}

/// Where somebody sits, and a name of whom this is true.
struct Level {
    what: &'static str,
    name: &'static str,
}

const LEVELS: [Level; 4] = [
    Level { what: "an outlet", name: TELLER },
    Level { what: "a city", name: "user1" },
    Level { what: "a province", name: "user2" },
    Level { what: "head office", name: "user0" },
];

/// The times of deciding about each table, sorted.
fn decisions(
    level: &Level,
    directory: &Directory,
    tables: &[TableSchema],
    bundle: &CheckedBundle,
    day: BatchDate,
    arguments: &Arguments,
) -> Result<Vec<Duration>, String> {
    let principal = signed_in(directory, level.name)?;
    let mut times = Vec::new();
    for _ in 0..arguments.runs.max(1) {
        for table in tables {
            let (decision, time) = timed(|| decide(&principal, table, bundle, day));
            if matches!(decision, Decision::Granted(_)) {
                times.push(time);
            }
        }
    }
    if times.is_empty() {
        return Err(format!("`{}` is granted nothing", level.name));
    }
    times.sort_unstable();
    Ok(times)
}

fn signed_in(directory: &Directory, name: &str) -> Result<Principal, String> {
    let refused = |_| format!("`{name}` is not signed in");
    let signed_in = directory.sign_in(name, PASSWORD).map_err(refused)?;
    directory.principal(&signed_in).ok_or_else(|| format!("there is no `{name}`"))
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}

fn report(arguments: &Arguments, figures: &Figures) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if arguments.json {
        return writeln!(out, "{}", json(arguments, figures));
    }
    let Arguments { outlets, roles, principals, .. } = arguments;
    writeln!(out, "{outlets} outlets, {roles} roles, {principals} principals")?;
    writeln!(out, "reading and checking the rules {:9.1} ms", millis(figures.checked_in))?;
    writeln!(out, "reading the feed of people     {:9.1} ms", millis(figures.read_in))?;
    writeln!(out, "deciding about one table, microseconds:    median       p95")?;
    for (level, times) in &figures.levels {
        let (median, p95) = (micros(at(times, 50)), micros(at(times, 95)));
        writeln!(out, "  somebody of {:<27} {median:9.1} {p95:9.1}", level.what)?;
    }
    if arguments.changes > 0 {
        writeln!(out, "until a running server obeys, milliseconds: median   longest")?;
    }
    for (what, times) in figures.effects.named().iter().filter(|(_, times)| !times.is_empty()) {
        let (median, longest) = (millis(at(times, 50)), millis(at(times, 100)));
        writeln!(out, "  {what:<39} {median:9.0} {longest:9.0}")?;
    }
    Ok(())
}

fn json(arguments: &Arguments, figures: &Figures) -> serde_json::Value {
    let of_level = |(level, times): &(&Level, Vec<Duration>)| {
        serde_json::json!({
            "level": level.what, "decisions": times.len(),
            "median_us": micros(at(times, 50)), "p95_us": micros(at(times, 95)),
        })
    };
    let of_change = |(what, times): &(&str, Vec<Duration>)| {
        serde_json::json!({
            "change": what, "changes": times.len(),
            "median_ms": millis(at(times, 50)), "longest_ms": millis(at(times, 100)),
        })
    };
    let levels: Vec<serde_json::Value> = figures.levels.iter().map(of_level).collect();
    let changes = figures.effects.named();
    let changes = changes.iter().filter(|(_, times)| !times.is_empty());
    let changes: Vec<serde_json::Value> = changes.map(of_change).collect();
    serde_json::json!({
        "outlets": arguments.outlets, "roles": arguments.roles, "principals": arguments.principals,
        "check_ms": millis(figures.checked_in), "feed_ms": millis(figures.read_in),
        "decisions": levels, "changes": changes,
    })
}

/// That of sorted times, of which there is one at least, which so many of a hundred do not exceed.
fn at(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() - 1) * percent / 100]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
