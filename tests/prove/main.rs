//! `prove`: the proof as a command. Ends with one line of JSON, and with code 1 if anything was
//! found; planted faults are found by running this same command on a copy of the source.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use martlet_tests::mutants::results::Results;
use martlet_tests::mutants::{self, copy, patch};
use martlet_tests::report::{Finding, Report};
use martlet_tests::run::{Ends, Plan, Watcher, run};

/// Planning is most of the work, and most of planning is taking and giving back small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Asks random statements of two worlds that one reader must not be able to tell apart.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many statements to ask.
    #[arg(long, default_value_t = 20_000)]
    statements: u64,
    /// What everything is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of the first statement, to ask a finding again.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Visible rows of the largest table.
    #[arg(long, default_value_t = 2_000)]
    rows: usize,
    /// Statements that are asked at the same time; 0 for as many as there are processors.
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// Stops at the first finding and tells it as it is, not made small.
    #[arg(long)]
    until_found: bool,
    /// Plants each fault of tests/mutants in a copy of the source, and proves that it is found.
    #[arg(long)]
    mutants: bool,
    /// Only the planted faults whose names hold this.
    #[arg(long, default_value = "")]
    only: String,
    /// Only so many of them; 0 for all.
    #[arg(long, default_value_t = 0)]
    some: usize,
    /// Which of them: others with each number.
    #[arg(long, default_value_t = 0)]
    turn: u64,
    /// Keeps what came of each planted fault in this file, and does not ask again what the file has
    /// of the same source, patch, statements and seed.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Also tells why statements were refused that were meant to be answered.
    #[arg(long)]
    refusals: bool,
    /// The source.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    source: PathBuf,
}

struct Progress(ProgressBar);

impl Watcher for Progress {
    fn judged(&self) {
        self.0.inc(1);
    }

    fn found(&self, finding: &Finding) {
        self.0.suspend(|| eprintln!("{finding}\n"));
    }
}

fn bar(length: u64) -> ProgressBar {
    let style = "{elapsed_precise} {bar:40} {pos}/{len} {per_sec} {msg} eta {eta}";
    let bar = ProgressBar::new(length);
    bar.with_style(
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let Ok(runtime) = runtime else {
        eprintln!("no threads can be had");
        return ExitCode::from(2);
    };
    let mut report = runtime.block_on(asked(&arguments));
    if arguments.mutants
        && let Err(error) = planted(&arguments, &mut report)
    {
        eprintln!("the planted faults cannot be read: {error}");
        return ExitCode::from(2);
    }
    if arguments.refusals {
        for (words, (many, one)) in &report.refusals {
            eprintln!("{many:6} {words}\n       {one}");
        }
    }
    println!("{}", report.json());
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn plan(arguments: &Arguments) -> Plan {
    Plan {
        seed: arguments.seed,
        first: arguments.first,
        statements: arguments.statements,
        scale: arguments.rows,
        workers: match arguments.workers {
            // All of them sign in as one person, who may run eight statements at once and has ten
            // seconds' patience for more.
            0 => std::thread::available_parallelism().map_or(2, |all| all.get().min(8)),
            workers => workers,
        },
        ends: if arguments.until_found { Ends::AtTheFirstFinding } else { Ends::Never },
    }
}

async fn asked(arguments: &Arguments) -> Report {
    let plan = plan(arguments);
    let bar = bar(plan.statements);
    let report = run(plan, Arc::new(Progress(bar.clone()))).await;
    bar.finish();
    report
}

fn planted(arguments: &Arguments, report: &mut Report) -> std::io::Result<()> {
    let plan = plan(arguments);
    let source = arguments.source.canonicalize()?;
    let mut patches = patch::planted(&source.join("tests/mutants"), &arguments.only)?;
    if arguments.some > 0 {
        patches = mutants::some(patches, arguments.some, arguments.turn);
    }
    let mut results = match &arguments.results {
        Some(file) => {
            let statements = plan.statements.min(mutants::STATEMENTS);
            let asked = format!("{statements} statements, seed {}, {} rows", plan.seed, plan.scale);
            Results::of_state(file, &format!("{}, {asked}", copy::state(&source)?))
        }
        None => Results::forgotten(),
    };
    let bar = bar(patches.len() as u64);
    let caught = mutants::caught(&source, &patches, plan, &mut results, &|told| {
        bar.suspend(|| eprintln!("{told}"));
        bar.inc(1);
    });
    bar.finish();
    report.mutants = Some((caught, patches.len()));
    Ok(())
}
