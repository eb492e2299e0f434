//! `martlet alarms`: the rules over the audit record, the alarms, and whom they hold.
//!
//! An officer's commands on files; they need no server, and one that runs takes a slip within a
//! second. A replay reads a journal and the mart's people, and holds nobody. Owns the options and the print. Who may write in the alarms' folder may lift.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use martlet_query::Mart;
use martlet_server::alarm::lifts::{Slip, lay_down};
use martlet_server::alarm::{Curbed, People, Rules, held, newest};
use serde_json::Value;

use super::exit::Failure;
use super::grid::Grid;
use super::mart::{self, Expected};
use super::snapshot::time;
use crate::command::terminal::{Reader, note, say};

const EXAMPLES: &str = "\
Examples:
  martlet alarms example > alarms.toml
  martlet alarms check alarms.toml
  martlet alarms replay alarms.toml --mart ./mart --journal ./mart-audit
  martlet alarms list --dir ./mart-alarms
  martlet alarms lift kim --dir ./mart-alarms --by 'Li Na, security' --reason 'a campaign, no. 4711'";

/// The commands of `martlet alarms`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// Print the built-in rules as a file, with every field explained
    Example,
    /// Say what is wrong with a file of rules
    Check(CheckArguments),
    /// Tell which alarms rules would have raised over the last 32 days of a journal
    #[command(after_help = EXAMPLES)]
    Replay(ReplayArguments),
    /// Show the newest alarms and whom they hold
    List(ListArguments),
    /// Let somebody go whom an alarm slowed down or cut off
    #[command(after_help = EXAMPLES)]
    Lift(LiftArguments),
}

/// The options of `martlet alarms check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The file
    file: PathBuf,
}

/// The options of `martlet alarms replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// The file of rules; default: the built-in ones
    file: Option<PathBuf>,
    /// The mart, whose people have roles and nodes: a folder or a URL
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// The folder of the journal
    #[arg(long, value_name = "DIR", default_value = "mart-audit")]
    journal: PathBuf,
}

/// The options of `martlet alarms list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// The folder of the alarms
    #[arg(long, value_name = "DIR", default_value = "mart-alarms")]
    dir: PathBuf,
    /// How many at most, of the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print one JSON object an alarm
    #[arg(long)]
    json: bool,
}

/// The options of `martlet alarms lift`.
#[derive(Debug, Args)]
pub(crate) struct LiftArguments {
    /// Who is held
    name: String,
    /// The folder of the alarms
    #[arg(long, value_name = "DIR", default_value = "mart-alarms")]
    dir: PathBuf,
    /// Who you are: for the audit record
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why: for the audit record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Answers an `alarms` command.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::Example => say!("{}", Rules::EXAMPLE.trim_end()),
        Arguments::Check(arguments) => check(&arguments)?,
        Arguments::Replay(arguments) => replay(&arguments).await?,
        Arguments::List(arguments) => list(&arguments)?,
        Arguments::Lift(arguments) => lift(arguments)?,
    }
    Ok(())
}

fn check(arguments: &CheckArguments) -> Result<(), Failure> {
    let rules = Rules::read(&arguments.file)?;
    for (name, severity) in rules.names() {
        say!("{name} ({})", severity.as_str());
    }
    note!("{} rules; nothing is wrong with them.", rules.names().count());
    Ok(())
}

async fn replay(arguments: &ReplayArguments) -> Result<(), Failure> {
    let rules = match &arguments.file {
        Some(file) => Rules::read(file)?,
        None => Rules::builtin()?,
    };
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let people = People::in_mart(&Mart::latest(&store).await?);
    let mut count = 0_u64;
    let records = martlet_server::alarm::replay(rules, people, &arguments.journal, &mut |alarm| {
        count += 1;
        say!("{} {}: {}", time(alarm.at), alarm.principal, alarm.text());
    })?;
    note!("{count} alarms over {records} records.");
    Ok(())
}

fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let alarms = newest(&arguments.dir, arguments.limit)
        .map_err(|error| Failure::file("reading the alarms in", &arguments.dir, &error))?;
    if arguments.json {
        alarms.iter().for_each(|alarm| say!("{alarm}"));
        return Ok(());
    }
    let reader = Reader::of_stdout();
    if alarms.is_empty() {
        note!("No alarm is in `{}`.", arguments.dir.display());
    }
    let mut grid =
        Grid::with_headings(&["at", "rule", "severity", "principal", "figures", "actions"]);
    for alarm in alarms.iter().filter_map(|alarm| serde_json::from_str::<Value>(alarm).ok()) {
        let text = |field: &str| alarm[field].as_str().unwrap_or("-").to_owned();
        grid.texts([
            text("at"),
            text("rule"),
            text("severity"),
            text("principal"),
            figures(&alarm["figures"]),
            actions(&alarm["actions"]),
        ]);
    }
    let holding = holding(arguments)?;
    for grid in [grid, holding].iter().filter(|grid| grid.len() > 0) {
        say!("{}", grid.render(reader));
    }
    Ok(())
}

fn figures(figures: &Value) -> String {
    let named = figures.as_object().into_iter().flatten();
    named.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn actions(actions: &Value) -> String {
    let words = actions.as_array().into_iter().flatten().filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(", ")
}

fn holding(arguments: &ListArguments) -> Result<Grid, Failure> {
    let mut grid = Grid::with_headings(&["held", "how", "rule", "since", "until"]);
    let held = held(&arguments.dir)?;
    let each = held.iter().flat_map(|(name, curbs)| curbs.iter().map(move |curb| (name, curb)));
    for (name, curb) in each {
        let how = match curb.how {
            Curbed::Cut => "cut off".to_owned(),
            Curbed::Throttled { pause } => format!("one at once, after {pause} ms"),
        };
        let until = curb.until.map_or_else(|| "lifted".to_owned(), time);
        grid.texts([name.clone(), how, curb.rule.clone(), time(curb.since), until]);
    }
    Ok(grid)
}

fn lift(arguments: LiftArguments) -> Result<(), Failure> {
    if !held(&arguments.dir)?.contains_key(&arguments.name) {
        return Err(Failure::invalid(format!("nobody of the name `{}` is held", arguments.name))
            .advise("`martlet alarms list` shows who is; --dir names the server's folder"));
    }
    let LiftArguments { name, dir, by, reason } = arguments;
    lay_down(&dir, &Slip { principal: name, by, reason })?;
    note!(
        "A server that runs takes it within a second and records it; another one when it starts."
    );
    Ok(())
}
