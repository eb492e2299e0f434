//! `martlet audit verify`: proves a journal and says what is wrong with it, and where.
//!
//! Owns the report. Must never print a line of the journal: it holds customers' values.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use martlet_core::ErrorKind;
use martlet_server::audit::public_keys;
use martlet_server::audit::verify::{Check, Finding, Report, verify};
use serde_json::{Value, json};

use crate::command::exit::Failure;
use crate::command::size::{Bytes, Count, Elapsed};
use crate::command::snapshot::print_json;
use crate::command::terminal::{harmless, say};

const BAR: &str = "verifying {bar:40} {bytes:>10} of {total_bytes:<10} {elapsed:>4}";
/// Findings that are printed for a person; JSON has more.
const FINDINGS_SHOWN: usize = 50;

/// The options of `martlet audit verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of the journal
    #[arg(long, value_name = "DIR", default_value = "mart-audit")]
    journal: PathBuf,
    /// The second place of its checkpoints; shows also what was cut off at the end or pruned too early
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// The public keys that checkpoints may be signed with, one a line
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Proves the journal; a finding ends the command as damaged data do.
pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let keys = match &arguments.public_key {
        Some(file) => public_keys(file)?,
        None => Vec::new(),
    };
    let now = SystemTime::now();
    let check = Check { folder: arguments.journal, anchor: arguments.anchor, keys, now };
    let began = Instant::now();
    let report = prove(&check)?;
    if arguments.json {
        print_json(&as_json(&report, began.elapsed()));
    } else {
        print(&report, began.elapsed());
    }
    if report.is_whole() {
        return Ok(());
    }
    Err(Failure::new(
        ErrorKind::Damaged,
        format!("the journal in `{}` is not as it was written", check.folder.display()),
    )
    .advise("keep the folder and the anchor as they are, and call the auditors"))
}

/// Proves the journal, with a bar where a person waits.
pub(super) fn prove(check: &Check) -> Result<Report, Failure> {
    let bar = if Term::stderr().is_term() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("━╸ "));
    let report = verify(check, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    Ok(report?)
}

fn print(report: &Report, took: Duration) {
    say!(
        "{} records in {} lines of {} files ({}), {} checkpoints, proven in {}",
        Count(report.records),
        Count(report.lines),
        report.files,
        Bytes(report.bytes),
        Count(report.checkpoints),
        Elapsed(took)
    );
    if let Some((first, last)) = report.range {
        say!("the chain goes from line {first} to line {last}");
    }
    for remark in &report.remarks {
        say!("note: {}", harmless(&remark.to_string()));
    }
    for finding in report.findings.iter().take(FINDINGS_SHOWN) {
        say!("WRONG: {}", harmless(&words(finding)));
    }
    let more = report.found.saturating_sub(report.findings.len().min(FINDINGS_SHOWN) as u64);
    if more > 0 {
        say!("WRONG: and {} more", Count(more));
    }
    if report.is_whole() {
        say!("the journal is whole");
    }
}

/// `file:line (line 7 of the chain): what is wrong`.
fn words(finding: &Finding) -> String {
    let place = match (finding.file.as_str(), finding.line) {
        ("", _) => "the journal".to_owned(),
        (file, 0) => file.to_owned(),
        (file, line) => format!("{file}:{line}"),
    };
    match finding.sequence {
        Some(sequence) => format!("{place} (line {sequence} of the chain): {}", finding.problem),
        None => format!("{place}: {}", finding.problem),
    }
}

fn as_json(report: &Report, took: Duration) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "file": finding.file,
            "line": finding.line,
            "sequence": finding.sequence,
            "problem": finding.problem.word(),
            "words": finding.problem.to_string(),
        })
    };
    json!({
        "whole": report.is_whole(),
        "files": report.files,
        "bytes": report.bytes,
        "lines": report.lines,
        "records": report.records,
        "checkpoints": report.checkpoints,
        "first": report.range.map(|(first, _)| first),
        "last": report.range.map(|(_, last)| last),
        "seconds": took.as_secs_f64(),
        "found": report.found,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "remarks": report.remarks.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use martlet_server::audit::verify::Problem;

    use super::*;

    #[test]
    fn a_finding_says_where_and_what() {
        let finding = Finding {
            file: "audit-2026-11-22.jsonl".into(),
            line: 12,
            sequence: Some(1_204),
            problem: Problem::Changed,
        };
        let text = words(&finding);
        assert!(text.starts_with("audit-2026-11-22.jsonl:12 (line 1204 of the chain): "), "{text}");
        assert!(words(&Finding { line: 0, sequence: None, ..finding.clone() }).contains("jsonl: "));
        let nowhere = Finding { file: String::new(), line: 0, sequence: None, ..finding };
        assert!(words(&nowhere).starts_with("the journal: "));
    }
}
