//! How far a load is: bars on a terminal, plain lines otherwise.
//!
//! Receives: stages and bytes from the load. Hands on: lines to standard error, so that
//! standard output holds only the report. Must never slow a load down.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use martlet_ingest::{Progress, Stage};

use super::size::Bytes;
use crate::command::terminal::note;

const BAR: &str = "{prefix:<18} {msg:<8} {bar:28} {bytes:>10} of {total_bytes:<10} {elapsed:>4}";

/// Makes the progress that fits standard error.
pub(crate) fn progress() -> std::sync::Arc<dyn Progress> {
    if Term::stderr().is_term() {
        std::sync::Arc::new(Bars::default())
    } else {
        std::sync::Arc::new(Lines::default())
    }
}

/// One bar per table.
#[derive(Default)]
struct Bars {
    all: MultiProgress,
    tables: Mutex<HashMap<String, (ProgressBar, Stage)>>,
}

impl fmt::Debug for Bars {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Bars")
    }
}

impl Progress for Bars {
    fn stage(&self, table: &str, stage: Stage, done: u64, total: u64) {
        let mut tables = self.tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (bar, current) = tables
            .entry(table.to_owned())
            .or_insert_with(|| (self.all.add(new_bar(table, stage)), stage));
        if *current != stage {
            *current = stage;
            bar.set_message(stage.word());
        }
        bar.set_length(total.max(done));
        bar.set_position(done);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        // Terminals without cursor control keep the bars; that is no failure.
        let _ = self.all.clear();
    }
}

fn new_bar(table: &str, stage: Stage) -> ProgressBar {
    let style = ProgressStyle::with_template(BAR)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ");
    let bar = ProgressBar::new(0).with_style(style).with_prefix(named(table).to_owned());
    bar.set_message(stage.word());
    bar
}

/// One line when a table enters a stage.
#[derive(Debug, Default)]
struct Lines {
    tables: Mutex<HashMap<String, Stage>>,
}

impl Progress for Lines {
    fn stage(&self, table: &str, stage: Stage, _done: u64, total: u64) {
        let mut tables = self.tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if tables.insert(table.to_owned(), stage) == Some(stage) {
            return;
        }
        match total {
            0 => note!("{}: {}", named(table), stage.word()),
            bytes => note!("{}: {} {}", named(table), stage.word(), Bytes(bytes)),
        }
    }
}

/// The last stage is of all tables together and names none.
const fn named(table: &str) -> &str {
    if table.is_empty() { "all tables" } else { table }
}
