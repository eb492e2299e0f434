//! `insiders`: the replay simulator as a command. Ends with one line of JSON, and with code 1
//! if fewer than 95 in 100 insiders are found in time, or honest people are troubled too often.

use std::process::ExitCode;

use clap::Parser;
use martlet_server::alarm::Rules;
use martlet_tests::insiders::run::{Plan, rules, run};

/// Replays some weeks of a made-up bank with insiders through the alarms of the product.
#[derive(Debug, Parser)]
struct Arguments {
    /// What everything is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many principals the bank has.
    #[arg(long, default_value_t = 1_000)]
    users: usize,
    /// How many days it works.
    #[arg(long, default_value_t = 40)]
    days: i32,
    /// Insiders of each of the thirteen families.
    #[arg(long, default_value_t = 5)]
    per_family: usize,
    /// Other rules than the built-in ones.
    #[arg(long, value_name = "FILE")]
    alarms: Option<std::path::PathBuf>,
    /// Also tells who was missed and who was mistaken, for so many of each.
    #[arg(long, default_value_t = 0)]
    details: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Arguments { seed, users, days, per_family, .. } = arguments;
    let rules = match arguments.alarms.as_deref().map(Rules::read) {
        None => rules(),
        Some(Ok(rules)) => rules,
        Some(Err(error)) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let tell = |day: i32| eprint!("\rday {} of {days} ", day + 1);
    let report = run(Plan { seed, users, days, per_family }, rules, &tell);
    eprintln!("\n{report}");
    report.missed.iter().take(arguments.details).for_each(|one| eprintln!("missed: {one}"));
    report.mistaken.iter().take(arguments.details).for_each(|one| eprintln!("mistaken: {one}"));
    println!("{}", report.json());
    let is_enough = report.within_a_minute * 100 >= report.insiders * 95;
    if is_enough && report.false_rate() <= 1.0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
