//! `martlet index advise`: which indexes to add and which to drop, each with the gain that was
//! measured by asking the recorded questions with and without it.
//!
//! Owns the options, the choice and the report. Works on a copy of links beside the mart
//! (`overlay`), reads the audit journal (`workload`), proposes (`candidates`) and measures
//! (`measure`). Changes nothing; shows a question without its constants.

mod candidates;
mod measure;
mod overlay;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use martlet_core::{BatchDate, ErrorKind};
use martlet_index::{Descriptor, IndexKind, inventory};
use martlet_ingest::reindex::{IndexChange, IndexDeed, Unsuitable, change_indexes};
use martlet_query::Mart;
use martlet_server::audit::workload::executed;
use martlet_store::{Snapshot, Store};
use serde_json::{Value, json};

use crate::command::exit::Failure;
use crate::command::grid::Grid;
use crate::command::mart::{self, Expected};
use crate::command::progress::progress;
use crate::command::size::{Bytes, Count, Elapsed};
use crate::command::snapshot::print_json;
use crate::command::terminal::{Reader, note, say};
use candidates::{Place, candidates};
use measure::{Bench, Compared};
use overlay::Overlay;
use workload::{Question, costliest};

/// A proposal has to bring so much of the time of the questions that it touches, in percent; and
/// an index that is worth less may go.
const WORTH_PERCENT: f64 = 5.0;

/// The options of `martlet index advise`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The mart, in a local folder
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// The folder of the audit journal; default: beside the mart, with `-audit` at the end
    #[arg(long, value_name = "DIR")]
    audit: Option<PathBuf>,
    /// Only statements of this day and later
    #[arg(long, value_name = "DATE")]
    since: Option<BatchDate>,
    /// Questions to look at, the costliest first; statements that differ in constants are one
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// How often each question is asked with and without each index
    #[arg(long, value_name = "N", default_value_t = 5)]
    runs: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One piece of advice.
#[derive(Debug)]
struct Advice {
    deed: IndexDeed,
    place: Place,
    column: String,
    bytes: u64,
    /// Questions that were asked with and without it.
    questions: usize,
    /// `one` without the index, `other` with it.
    times: Compared,
}

impl Advice {
    /// What the index brings of the time that the questions take without it, in percent.
    fn gain(&self) -> f64 {
        gain(self.times)
    }
}

fn gain(times: Compared) -> f64 {
    let without = times.one.as_secs_f64();
    if without == 0.0 { 0.0 } else { (without - times.other.as_secs_f64()) / without * 100.0 }
}

/// Looks at the workload, tries indexes and advises.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    mart::open(&arguments.mart, Expected::Existing)?;
    let audit = arguments.audit.unwrap_or_else(|| mart::beside(&arguments.mart, "audit"));
    let since = arguments.since.map_or(i64::MIN, |date| i64::from(date.days()) * 86_400_000_000);
    let (asked, more) = costliest(executed(&audit, since)?, arguments.limit);
    if asked.is_empty() {
        return Err(Failure::new(
            ErrorKind::NotFound,
            format!("the journal in `{}` has no statement to learn from", audit.display()),
        )
        .advise("check --audit and --since; a server records what it answers"));
    }
    let overlay = Overlay::over(&arguments.mart)?;
    let names: BTreeSet<&str> = asked.iter().map(|one| one.principal.as_str()).collect();
    overlay.admit(&names).await?;
    let engine = overlay.engine().await?;
    let asked_count = asked.len();
    let mut questions = Vec::new();
    for one in asked {
        questions.extend(Question::of(&overlay, &engine, one).await);
    }
    note!(
        "{} questions, {} of them cannot be asked today, {} more were cheaper.",
        asked_count,
        asked_count - questions.len(),
        Count(more as u64)
    );
    let advice = advise(&overlay, &questions, arguments.runs.max(1)).await?;
    if arguments.json {
        print_json(&as_json(&questions, &advice));
    } else {
        print(&questions, &advice);
    }
    Ok(())
}

async fn advise(
    overlay: &Overlay,
    questions: &[Question],
    runs: usize,
) -> Result<Vec<Advice>, Failure> {
    let before = overlay.store.latest().await?;
    let wanted: BTreeSet<Place> = questions
        .iter()
        .flat_map(|question| question.uses.iter().flat_map(|one| candidates(&before, one)))
        .collect();
    build(&overlay.store, &before, &wanted).await?;
    let full = overlay.store.latest().await?;
    let built = bytes_of(&full)?;
    let existing: BTreeSet<Place> = bytes_of(&before)?.into_keys().collect();
    let new: BTreeSet<Place> = built.keys().filter(|at| !existing.contains(at)).cloned().collect();
    let engine = overlay.engine().await?;
    let bench = Bench::new(overlay.store.clone(), engine, full.clone(), runs);
    let trial = Trial { bench, full, built, questions };
    let mut advice = trial.additions(&new).await?;
    advice.extend(trial.removals(&existing, &new).await?);
    Ok(advice)
}

/// Builds what may help, as far as it suits the values.
async fn build(store: &Store, before: &Snapshot, wanted: &BTreeSet<Place>) -> Result<(), Failure> {
    let change = |place: &Place| {
        let table = before.table(place.table.as_str())?;
        Some(IndexChange {
            table: place.table.clone(),
            column: table.schema().columns().get(place.column)?.name.clone(),
            deed: IndexDeed::Add,
            kinds: vec![place.kind],
        })
    };
    let changes: Vec<IndexChange> = wanted.iter().filter_map(change).collect();
    if changes.is_empty() {
        return Ok(());
    }
    note!("Building {} indexes to try.", changes.len());
    let progress = progress();
    change_indexes(store, &changes, Unsuitable::LeaveOut, progress.as_ref()).await?;
    Ok(())
}

/// Every index of a snapshot with its bytes.
fn bytes_of(snapshot: &Snapshot) -> Result<BTreeMap<Place, u64>, Failure> {
    let mut bytes = BTreeMap::new();
    for table in snapshot.tables().values() {
        let attachments = table.segments().iter().flat_map(|segment| segment.attachments());
        let descriptors = attachments
            .map(|attachment| Descriptor::decode(attachment.descriptor()))
            .collect::<Result<Vec<_>, _>>()?;
        for figures in inventory(&descriptors) {
            let table = table.schema().name().clone();
            let (column, kind) = (figures.column, figures.kind);
            bytes.insert(Place { table, column, kind }, figures.bytes);
        }
    }
    Ok(bytes)
}

/// Everything that is needed to try an index.
struct Trial<'a> {
    bench: Bench,
    full: Snapshot,
    built: BTreeMap<Place, u64>,
    questions: &'a [Question],
}

impl Trial<'_> {
    /// New indexes that bring something: the best first, each measured again on top of those
    /// that were taken before it, so that two that do the same are not both advised.
    async fn additions(&self, new: &BTreeSet<Place>) -> Result<Vec<Advice>, Failure> {
        let bare = self.bench.without(new).await?;
        let mut alone = Vec::new();
        for place in new {
            if let Some(advice) = self.tried(place, new, &bare).await? {
                alone.push(advice);
            }
        }
        let saved = |advice: &Advice| advice.times.one.saturating_sub(advice.times.other);
        alone.sort_by_key(|advice| std::cmp::Reverse(saved(advice)));
        let mut hidden = new.clone();
        let mut base = bare;
        let mut taken: Vec<Advice> = Vec::new();
        for candidate in alone {
            let advice = if taken.is_empty() {
                Some(candidate)
            } else {
                self.tried(&candidate.place, &hidden, &base).await?
            };
            if let Some(advice) = advice {
                hidden.remove(&advice.place);
                base = self.bench.without(&hidden).await?;
                taken.push(advice);
            }
        }
        Ok(taken)
    }

    /// What a hidden index brings when it is shown; `None` if that is too little.
    async fn tried(
        &self,
        place: &Place,
        hidden: &BTreeSet<Place>,
        base: &Arc<Mart>,
    ) -> Result<Option<Advice>, Failure> {
        let touching = self.touching(place);
        let mut shown = hidden.clone();
        shown.remove(place);
        let with = self.bench.without(&shown).await?;
        let times = self.bench.compare(&touching, base, &with).await?;
        let advice = self.advice(IndexDeed::Add, place, touching.len(), times);
        Ok(advice.filter(|advice| advice.gain() >= WORTH_PERCENT))
    }

    /// Existing indexes that are not worth their bytes, the largest first, each measured without
    /// those that were given up before it.
    async fn removals(
        &self,
        existing: &BTreeSet<Place>,
        new: &BTreeSet<Place>,
    ) -> Result<Vec<Advice>, Failure> {
        let mut order: Vec<&Place> = existing.iter().filter(|at| !self.is_needed(at)).collect();
        order.sort_by_key(|at| std::cmp::Reverse(self.built.get(at).copied().unwrap_or(0)));
        let mut hidden = new.clone();
        let mut base = self.bench.without(&hidden).await?;
        let mut given_up = Vec::new();
        for place in order {
            let touching = self.touching(place);
            let mut fewer = hidden.clone();
            fewer.insert(place.clone());
            let (without, times) = if touching.is_empty() {
                (None, Compared::default())
            } else {
                let without = self.bench.without(&fewer).await?;
                let times = self.bench.compare(&touching, &without, &base).await?;
                (Some(without), times)
            };
            if gain(times) < WORTH_PERCENT {
                given_up.extend(self.advice(IndexDeed::Drop, place, touching.len(), times));
                hidden = fewer;
                base = without.unwrap_or(base);
            }
        }
        Ok(given_up)
    }

    /// A look-up over a primary key is kept whatever was asked lately: people ask by it.
    fn is_needed(&self, place: &Place) -> bool {
        let table = self.full.table(place.table.as_str());
        table.is_some_and(|table| table.schema().primary_key().contains(&place.column))
            && IndexKind::parse("lookup") == Some(place.kind)
    }

    /// The questions that read the column.
    fn touching(&self, place: &Place) -> Vec<&Question> {
        let Some(column) = self.column(place) else { return Vec::new() };
        let touches = |question: &&Question| question.touches(place.table.table_part(), &column);
        self.questions.iter().filter(touches).collect()
    }

    fn column(&self, place: &Place) -> Option<String> {
        let table = self.full.table(place.table.as_str())?;
        Some(table.schema().columns().get(place.column)?.name.to_string())
    }

    fn advice(
        &self,
        deed: IndexDeed,
        place: &Place,
        questions: usize,
        times: Compared,
    ) -> Option<Advice> {
        let bytes = self.built.get(place).copied().unwrap_or(0);
        Some(Advice {
            deed,
            place: place.clone(),
            column: self.column(place)?,
            bytes,
            questions,
            times,
        })
    }
}

const fn word(deed: IndexDeed) -> &'static str {
    match deed {
        IndexDeed::Add => "add",
        IndexDeed::Drop => "drop",
    }
}

fn print(questions: &[Question], advice: &[Advice]) {
    let mut asked = Grid::with_headings(&[">times", "principal", "question"]);
    for question in questions {
        let of = &question.asked;
        asked.texts([Count(of.times).to_string(), of.principal.clone(), of.form.clone()]);
    }
    say!("Questions\n{}", asked.render(Reader::of_stdout()));
    if advice.is_empty() {
        say!("\nThe indexes fit these questions: nothing to add, nothing to drop.");
        return;
    }
    let mut grid = Grid::with_headings(&[
        "advice",
        "table",
        "column",
        "kind",
        ">bytes",
        ">questions",
        ">without",
        ">with",
        ">gain",
    ]);
    for one in advice {
        grid.texts([
            word(one.deed).to_owned(),
            one.place.table.to_string(),
            one.column.clone(),
            one.place.kind.name().to_owned(),
            Bytes(one.bytes).to_string(),
            one.questions.to_string(),
            shown(one, one.times.one),
            shown(one, one.times.other),
            if one.questions == 0 { "unused".to_owned() } else { format!("{:.1} %", one.gain()) },
        ]);
    }
    say!("\nAdvice\n{}", grid.render(Reader::of_stdout()));
    say!(
        "`without` and `with` are medians of all runs, times how often the questions were asked. \
         Nothing was changed: martlet index add and drop do it."
    );
}

/// A measured time; nothing was measured where no question reads the column.
fn shown(advice: &Advice, time: Duration) -> String {
    if advice.questions == 0 { "-".to_owned() } else { Elapsed(time).to_string() }
}

fn as_json(questions: &[Question], advice: &[Advice]) -> Value {
    let question = |question: &Question| {
        let of = &question.asked;
        json!({ "principal": of.principal, "times": of.times, "question": of.form })
    };
    let one = |one: &Advice| {
        let measured = one.questions > 0;
        let millis = |time: Duration| measured.then_some(time.as_secs_f64() * 1e3);
        json!({
            "advice": word(one.deed),
            "table": one.place.table.to_string(),
            "column": one.column,
            "kind": one.place.kind.name(),
            "bytes": one.bytes,
            "questions": one.questions,
            "without_ms": millis(one.times.one),
            "with_ms": millis(one.times.other),
            "gain_percent": measured.then(|| one.gain()),
        })
    };
    json!({
        "questions": questions.iter().map(question).collect::<Vec<_>>(),
        "advice": advice.iter().map(one).collect::<Vec<_>>(),
    })
}
