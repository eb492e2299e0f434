//! Times a load of the synthetic bank's transactions, from text files to a published snapshot.
//!
//! Owns the measurement only: rows per second by the clock and by processor time, how long each
//! stage was busy, and how many bytes the mart takes of the text's. Never a test: it asserts no
//! time. `cargo run --release -p martlet-ingest --example load_speed -- ROWS FOLDER [LOADS]`;
//! the text is made in FOLDER where it is not there yet, and stays for the next run.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use martlet_bank::BankPlan;
use martlet_core::BatchDate;
use martlet_ingest::{LoadOutcome, LoadPlan, LoadRequest, Progress, ReplaceMode, Stage, load};
use martlet_store::{Snapshot, Store};

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

const DATE: &str = "2026-10-31";

/// Notes when each stage was heard of first and last.
#[derive(Debug, Default)]
struct Stopwatch {
    stages: Mutex<BTreeMap<&'static str, (Instant, Instant)>>,
}

impl Progress for Stopwatch {
    fn stage(&self, _table: &str, stage: Stage, _done: u64, _total: u64) {
        let now = Instant::now();
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        stages.entry(stage.word()).or_insert((now, now)).1 = now;
    }
}

impl Stopwatch {
    fn print(&self, started: Instant) {
        let stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let mut spans: Vec<_> =
            stages.iter().map(|(word, (from, to))| (*from, *to, word)).collect();
        spans.sort();
        for (from, to, word) in spans {
            let at = |time: Instant| time.duration_since(started).as_secs_f64();
            println!("  {word:<8} from {:>7.2} s to {:>7.2} s", at(from), at(to));
        }
    }
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "arguments: ROWS FOLDER [LOADS]";
    let rows: u64 = arguments.next().ok_or(usage)?.replace('_', "").parse()?;
    let folder = PathBuf::from(arguments.next().ok_or(usage)?);
    let loads: u32 = arguments.next().map_or(Ok(1), |loads| loads.parse())?;
    let load_file = prepared(rows, &folder)?;
    let runtime = tokio::runtime::Runtime::new()?;
    for _ in 0..loads {
        runtime.block_on(timed_load(&load_file, &folder))?;
    }
    Ok(())
}

/// The bank's files, and a load file that names its transactions alone.
fn prepared(rows: u64, folder: &Path) -> Outcome<PathBuf> {
    let path = folder.join(format!("transactions_{rows}.toml"));
    if !path.exists() {
        std::fs::create_dir_all(folder)?;
        let plan = BankPlan::of_customers(rows.div_ceil(BankPlan::TRANSACTIONS_PER_CUSTOMER));
        let plan = BankPlan { transactions: rows, branch_users: 0, ..plan };
        let made = martlet_bank::generate(&plan, folder, &|_, _, _| ())?;
        let text = std::fs::read_to_string(&made.load_file)?;
        std::fs::write(&path, only_table(&text, "transaction"))?;
    }
    Ok(path)
}

fn only_table(load_file: &str, table: &str) -> String {
    let mut parts = load_file.split("\n[[table]]\n");
    let head = parts.next().unwrap_or_default();
    let name = format!("name = \"{table}\"");
    let wanted = parts.find(|part| part.lines().next() == Some(&name)).unwrap_or_default();
    format!("{head}\n[[table]]\n{wanted}")
}

async fn timed_load(load_file: &Path, folder: &Path) -> Outcome<()> {
    let mart = tempfile::tempdir_in(folder)?;
    let store = Store::open(&mart.path().to_string_lossy())?;
    let watch = Arc::new(Stopwatch::default());
    let date: BatchDate = DATE.parse()?;
    let request = LoadRequest {
        plan: LoadPlan::read(load_file, None)?,
        date,
        replace: ReplaceMode::Refuse,
        rejects_dir: folder.join("rejects"),
        progress: Arc::clone(&watch) as Arc<dyn Progress>,
    };
    let (started, busy_before) = (Instant::now(), processor_time());
    let outcome = load(&store, request).await?;
    let LoadOutcome::Published { snapshot, report } = outcome else {
        return Err("the folder of the mart was not empty".into());
    };
    let busy = processor_time().saturating_sub(busy_before);
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (rows, bytes) = (report.rows_loaded as f64, report.bytes_read as f64);
    println!(
        "{} rows, {:.2} GB of text: {:.2} s, {:.0} rows/s; processors busy {:.2} s, {:.0} rows/s and core; peak {} MiB",
        report.rows_loaded,
        bytes / 1e9,
        report.seconds,
        report.rows_per_second,
        busy.as_secs_f64(),
        rows / busy.as_secs_f64(),
        peak_memory_mib(),
    );
    watch.print(started);
    print_sizes(&snapshot, bytes);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn print_sizes(snapshot: &Snapshot, text_bytes: f64) {
    for table in snapshot.tables().values() {
        let segments: u64 = table.segments().iter().map(|one| one.object().size_bytes()).sum();
        let attached = table.segments().iter().flat_map(|one| one.attachments());
        let indexes: u64 = attached.map(|one| one.object().size_bytes()).sum();
        println!(
            "  {} segments: {:.1} MB ({:.4} of the text), indexes {:.1} MB ({:.4})",
            table.segments().len(),
            segments as f64 / 1e6,
            segments as f64 / text_bytes,
            indexes as f64 / 1e6,
            indexes as f64 / text_bytes,
        );
    }
}

/// User and system time of this process, from Linux's `/proc`; zero elsewhere.
fn processor_time() -> Duration {
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 =
        behind_name.split(' ').skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}

/// The most memory that this process has held.
fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
