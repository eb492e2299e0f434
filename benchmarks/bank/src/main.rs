//! `bank-generate`: the synthetic bank into a folder, without the demo around it.
//!
//! Owns the options; what is written is the library's business. Says on standard output what
//! lies where, as one JSON object, so that another program can go on from there.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::Parser;
use martlet_bank::{BankError, BankPlan, Generated, Piece, generate};

/// Make the feed files, the load file, the policy bundle and the principals of a synthetic bank
#[derive(Debug, Parser)]
#[command(name = "bank-generate", version)]
struct Arguments {
    /// The folder, made if it is missing
    #[arg(long)]
    dir: PathBuf,
    /// How many customers
    #[arg(long, default_value_t = 100_000)]
    customers: u64,
    /// How many transactions; default: 20 for each customer
    #[arg(long)]
    transactions: Option<u64>,
    /// How many outlets keep the customers
    #[arg(long, default_value_t = 3_000)]
    outlets: u32,
    /// How many branch users there are
    #[arg(long, default_value_t = 12_000)]
    branch_users: u32,
    /// Days of transactions, the last of them being the night's date
    #[arg(long, default_value_t = 365)]
    history_days: u32,
    /// The same seed makes the same bank
    #[arg(long, default_value_t = 1994)]
    seed: u64,
    /// Write only this piece of the bank, counted from 0
    #[arg(long, default_value_t = 0)]
    piece: u32,
    /// Into how many pieces the bank is cut, by outlets
    #[arg(long, default_value_t = 1)]
    pieces: u32,
    /// The night's business date, YYYY-MM-DD
    #[arg(long)]
    date: Option<NaiveDate>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(summary) => {
            let written = writeln!(std::io::stdout(), "{summary}");
            if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(70) }
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(65)
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, BankError> {
    let proportions = BankPlan::of_customers(arguments.customers);
    let plan = BankPlan {
        transactions: arguments.transactions.unwrap_or(proportions.transactions),
        branch_users: arguments.branch_users,
        outlets: arguments.outlets,
        history_days: arguments.history_days,
        seed: arguments.seed,
        piece: Piece { index: arguments.piece, of: arguments.pieces },
        date: arguments.date.unwrap_or(proportions.date),
        ..proportions
    };
    let generated = generate(&plan, &arguments.dir, &|table, done, total| {
        if done == total {
            let _ = writeln!(std::io::stderr(), "{table}: {total} rows");
        }
    })?;
    Ok(summary(&generated))
}

/// Names of tables and codes of outlets need no escaping.
fn summary(generated: &Generated) -> String {
    let tables: Vec<String> = generated
        .tables
        .iter()
        .map(|table| {
            format!(
                "\"{}\": {{\"rows\": {}, \"bytes\": {}, \"files\": {}}}",
                table.table,
                table.rows(),
                table.bytes(),
                table.files.len()
            )
        })
        .collect();
    format!(
        "{{\"date\": \"{}\", \"manager_node\": \"{}\", \"teller_outlet\": \"{}\", \"tables\": {{{}}}}}",
        generated.date,
        generated.manager_node,
        generated.teller_outlet,
        tables.join(", ")
    )
}
