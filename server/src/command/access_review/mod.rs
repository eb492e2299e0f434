//! `martlet access-review`: who may see what, who does, as a table for machines and a page to read.
//!
//! Owns the command. Every line is a decision of the policy in force about somebody of the feed in
//! force; the journal says when it was last used. Must never write a value of a row, nor a
//! statement: it is about people and grants.

mod findings;
mod page;
mod sheet;

use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;
use findings::ReviewFinding;
use martlet_core::BatchDate;
use martlet_policy::{Reviewed, review};
use martlet_server::audit::uses::{LastUses, last_uses};

use super::exit::Failure;
use super::mart;
use super::policy::{InForce, rules_in_force};
use super::size::Count;
use super::terminal::{note, say};

const DAY_MICROS: i64 = 86_400_000_000;

const EXAMPLES: &str = "\
Examples:
  martlet access-review --mart ./mart
  martlet access-review --mart ./mart --audit /var/log/martlet --out review-2026-q4
  martlet access-review --mart ./mart --unused-days 180

It writes three files: access.csv has a line for every principal and table, findings.csv who holds
what nobody may hold together, which risks the rules accept and which emergencies there were,
access.html is for reading.";

/// The options of `martlet access-review`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The mart whose rules and people are in force
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// The folder of the audit journal; default: beside the mart, with `-audit` at the end
    #[arg(long, value_name = "DIR")]
    audit: Option<PathBuf>,
    /// Where the files go; made if it is not there
    #[arg(long, value_name = "DIR", default_value = "access-review")]
    out: PathBuf,
    /// A grant that was not used for so many days is proposed for removal
    #[arg(long, value_name = "N", default_value_t = 90)]
    unused_days: u32,
    /// The day that it is decided for; today without it
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<BatchDate>,
}

/// One grant and its use.
#[derive(Debug)]
struct Line {
    grant: Reviewed,
    /// Microseconds since 1970; `None` if the journal does not know of any.
    last_used: Option<i64>,
    /// Whether it was not used for as long as the options say.
    is_unused: bool,
}

/// What the files are made of.
#[derive(Debug)]
struct Review {
    policy_version: String,
    day: BatchDate,
    unused_days: u32,
    principals: usize,
    /// Whether there was a journal to look into.
    knows_uses: bool,
    lines: Vec<Line>,
    findings: Vec<ReviewFinding>,
}

impl Review {
    fn unused(&self) -> usize {
        self.lines.iter().filter(|line| line.is_unused).count()
    }
}

/// Writes the review.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let in_force = rules_in_force(&arguments.mart, arguments.day).await?;
    let journal = arguments.audit.unwrap_or_else(|| mart::beside(&arguments.mart, "audit"));
    let uses = uses_of(&journal)?;
    let review = reviewed(&in_force, uses.as_ref(), arguments.unused_days);
    fs::create_dir_all(&arguments.out)
        .map_err(|error| Failure::file("making the folder", &arguments.out, &error))?;
    write(&arguments.out.join("access.csv"), &sheet::csv(&review)?)?;
    write(&arguments.out.join("findings.csv"), &findings::csv(&review.findings)?)?;
    write(&arguments.out.join("access.html"), page::html(&review).as_bytes())?;
    say!(
        "{} people, {} grants; {} not used for {} days.",
        Count(review.principals as u64),
        Count(review.lines.len() as u64),
        Count(review.unused() as u64),
        review.unused_days,
    );
    say!(
        "{} findings about duties, accepted risks and emergencies.",
        Count(review.findings.len() as u64)
    );
    say!("Written to {}: access.csv, findings.csv and access.html.", arguments.out.display());
    Ok(())
}

/// The uses that a journal knows of; a mart that was never served has none.
fn uses_of(journal: &Path) -> Result<Option<LastUses>, Failure> {
    if !journal.is_dir() {
        note!("there is no audit journal in {}: nothing is known of use", journal.display());
        return Ok(None);
    }
    Ok(Some(last_uses(journal)?))
}

fn reviewed(in_force: &InForce, uses: Option<&LastUses>, unused_days: u32) -> Review {
    let InForce { bundle, directory, tables, day, emergencies, .. } = in_force;
    let oldest =
        i64::from(day.days()).saturating_sub(unused_days.into()).saturating_mul(DAY_MICROS);
    let line = |grant: Reviewed| {
        let last_used = uses.and_then(|uses| uses.of(&grant.principal, &grant.table));
        let is_unused = uses.is_some() && last_used.is_none_or(|at| at < oldest);
        Line { grant, last_used, is_unused }
    };
    Review {
        policy_version: bundle.version().to_string(),
        day: *day,
        unused_days,
        principals: directory.len(),
        knows_uses: uses.is_some(),
        lines: review(directory, tables, bundle, *day).map(line).collect(),
        findings: findings::of(bundle, directory, emergencies, Utc::now().timestamp()),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| Failure::file("writing the review", path, &error))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
