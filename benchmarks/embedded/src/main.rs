//! `martlet-bench`: the engine inside the benchmark's process group, without a server.
//!
//! Owns the way from a JSON line with a statement to a JSON line with times and rows. Principals
//! sign in with their passwords like everyone else: there is no way around the guard here.
//! Must never measure more than a user waits for: preparing, executing, fetching every row.
//!
//! ```text
//! {"sql": "SELECT …", "principal": "teller", "runs": 5, "rows_max": 20000}
//! {"ok": true, "times_ms": [1.2, …], "rows_out": 8, "types": ["Utf8", …], "rows": [["a", …], …]}
//! ```
//!
//! The first execution is not timed: it gives the rows, and warms what will be warm. A line
//! `{"reopen": true}` opens the mart anew, with empty caches.

mod answer;
mod desk;

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use martlet_query::AccessPath;

use crate::answer::Answer;
use crate::desk::{Desk, Setup};

/// The allocator of the binary `martlet`, so that both are measured alike.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Where the password of the benchmark's principals stands: not on the command line.
const PASSWORD_VARIABLE: &str = "MARTLET_BENCH_PASSWORD";

/// Answer statements over a mart from JSON lines on standard input
#[derive(Debug, Parser)]
#[command(name = "martlet-bench", version)]
struct Arguments {
    /// The mart's folder
    #[arg(long)]
    mart: PathBuf,
    /// Threads of one query
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Gibibytes that running queries may hold
    #[arg(long, default_value_t = 8)]
    memory_gib: usize,
    /// The way that every statement takes
    #[arg(long, value_enum, default_value_t = Path::Cost)]
    path: Path,
    /// Print the plan of every statement as text, and no JSON
    #[arg(long)]
    explain: bool,
}

/// The engine's paths by their names on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Path {
    /// What the engine expects to cost least
    Cost,
    /// From indexes, whatever they can tell
    Totals,
    /// Indexes select rows and give columns; plain operators do the rest
    Gather,
    /// From the stored rows alone
    Scan,
}

impl From<Path> for AccessPath {
    fn from(path: Path) -> Self {
        match path {
            Path::Cost => Self::ByCost,
            Path::Totals => Self::Totals,
            Path::Gather => Self::Gather,
            Path::Scan => Self::Scan,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match serve(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(70)
        }
    }
}

/// Answers line by line until standard input ends.
fn serve(arguments: &Arguments) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads.max(1))
        .enable_all()
        .build()
        .map_err(|error| format!("starting the threads: {error}"))?;
    let password = std::env::var(PASSWORD_VARIABLE)
        .map_err(|_| format!("{PASSWORD_VARIABLE} holds no password of the principals"))?;
    let setup = Setup {
        mart: arguments.mart.clone(),
        password,
        threads: arguments.threads.max(1),
        memory_bytes: arguments.memory_gib << 30,
        path: arguments.path.into(),
    };
    let mut desk = runtime.block_on(Desk::open(setup))?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| format!("reading a statement: {error}"))?;
        let said = if arguments.explain {
            runtime.block_on(desk.explain(&line))
        } else {
            // A task of its own, so that the work runs on the pool's threads from its start.
            let (returned, answer) = runtime
                .block_on(runtime.spawn(async move {
                    let answer = desk.answer(&line).await;
                    (desk, answer)
                }))
                .map_err(|error| format!("the statement broke off: {error}"))?;
            desk = returned;
            to_line(&answer)
        };
        writeln!(std::io::stdout(), "{said}").map_err(|error| format!("answering: {error}"))?;
    }
    Ok(())
}

fn to_line(answer: &Answer) -> String {
    serde_json::to_string(answer)
        .unwrap_or_else(|error| format!(r#"{{"ok": false, "error": "no JSON: {error}"}}"#))
}
