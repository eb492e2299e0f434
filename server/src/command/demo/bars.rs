//! How far the making of the bank is: a bar per table on a terminal, silence otherwise.
//!
//! Receives: rows done from the generator. Hands on: bars to standard error.

use std::collections::HashMap;
use std::sync::Mutex;

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Voice;

const BAR: &str = "{prefix:<18} {bar:36} {human_pos:>11} of {human_len:<11} rows {elapsed:>4}";

/// The bars of a bank that is being made; they vanish when it is.
pub(crate) struct Bars {
    all: Option<MultiProgress>,
    tables: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    /// Bars where someone watches.
    pub(crate) fn new(voice: Voice) -> Self {
        let watched = voice == Voice::Full && Term::stderr().is_term();
        Self { all: watched.then(MultiProgress::new), tables: Mutex::default() }
    }

    /// `done` of `total` rows of a table are written.
    pub(crate) fn tell(&self, table: &str, done: u64, total: u64) {
        let Some(all) = &self.all else { return };
        let mut tables = self.tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let bar = tables.entry(table.to_owned()).or_insert_with(|| all.add(bar(table, total)));
        bar.set_position(done);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        if let Some(all) = &self.all {
            // Terminals without cursor control keep the bars; that is no failure.
            let _ = all.clear();
        }
    }
}

fn bar(table: &str, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(BAR)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ");
    ProgressBar::new(total).with_style(style).with_prefix(table.to_owned())
}
