//! The demo's bank on disk: made once, recognised when it is there again.
//!
//! Owns the note `demo.json` that says which plan the folder holds and whether it is whole.
//! Must never write over a folder that it does not know.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use martlet_bank::{BankError, BankPlan, FeedFile, Generated, TableFiles, generate};
use martlet_core::ErrorKind;
use serde::{Deserialize, Serialize};

use super::Voice;
use super::bars::Bars;
use super::brake::brake;
use super::tour::Nodes;
use crate::command::exit::Failure;
use crate::command::size::{Bytes, Count};

const NOTE: &str = "demo.json";

/// How large a bank is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) customers: u64,
    pub(crate) transactions: Option<u64>,
    pub(crate) seed: u64,
}

/// What the folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The generator's files differ between versions of Martlet.
    version: String,
    customers: u64,
    transactions: u64,
    seed: u64,
    /// The night's business date, YYYY-MM-DD.
    date: String,
    /// Whether every file was written.
    whole: bool,
}

/// The bank's files in a folder.
#[derive(Debug)]
pub(crate) struct Bank {
    dir: PathBuf,
    date: NaiveDate,
}

impl Bank {
    /// Makes the bank, unless the folder holds this very one.
    pub(crate) async fn obtain(dir: &Path, size: Size, voice: Voice) -> Result<Self, Failure> {
        let plan = plan(size);
        let bank = Self { dir: dir.to_owned(), date: plan.date };
        let wanted = Note::of(&plan);
        match found(dir)? {
            Found::Bank(note) if note == wanted => {
                voice.say(|| {
                    format!("`{}` holds this bank already; it is used again.", dir.display())
                });
                return Ok(bank);
            }
            Found::Bank(note) if (Note { whole: true, ..note.clone() }) == wanted => {}
            Found::Bank(note) => return Err(other_plan(dir, &note)),
            Found::Strange => return Err(strange(dir)),
            Found::Nothing => {}
        }
        keep(dir, &Note { whole: false, ..wanted.clone() })?;
        make(plan, dir, voice).await?;
        keep(dir, &wanted)?;
        Ok(bank)
    }

    /// The folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The night's business date.
    pub(crate) const fn date(&self) -> NaiveDate {
        self.date
    }

    /// The load file.
    pub(crate) fn load_file(&self) -> PathBuf {
        self.dir.join("night.toml")
    }

    /// The policy bundle.
    pub(crate) fn policy_dir(&self) -> PathBuf {
        self.dir.join("policy")
    }

    /// The text of the feed of principals.
    pub(crate) fn principals(&self) -> Result<String, Failure> {
        let file = self.dir.join("principals.csv");
        std::fs::read_to_string(&file).map_err(|error| Failure::file("reading", &file, &error))
    }

    /// The feed's files as a recount wants them: also of a bank that an earlier run made.
    pub(crate) fn files(&self) -> Result<Generated, Failure> {
        let nodes = self.nodes()?;
        let tables = ["organization", "customer", "transaction"].map(|table| self.table(table));
        Ok(Generated {
            dir: self.dir.clone(),
            date: self.date,
            load_file: self.load_file(),
            policy_dir: self.policy_dir(),
            principals_file: self.dir.join("principals.csv"),
            principals: 0,
            tables: tables.into_iter().collect::<Result<_, _>>()?,
            head_office: String::new(),
            manager_node: nodes.manager,
            teller_outlet: nodes.teller,
            teller_customers: 0,
        })
    }

    /// The parts of a table of the core banking system, in the order of their names.
    fn table(&self, table: &'static str) -> Result<TableFiles, Failure> {
        let system = "core_banking";
        let folder = self.dir.join("feed").join(system);
        let unreadable =
            |error: std::io::Error| Failure::file("reading the folder", &folder, &error);
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(&format!("{table}_")) {
                paths.push(path);
            }
        }
        paths.sort();
        let files = paths.into_iter().map(|path| FeedFile { path, rows: 0, bytes: 0 }).collect();
        Ok(TableFiles { table, system, files })
    }

    /// Where teller and manager stand, as the feed of principals says.
    pub(crate) fn nodes(&self) -> Result<Nodes, Failure> {
        let feed = self.principals()?;
        Ok(Nodes { teller: node_of(&feed, "teller")?, manager: node_of(&feed, "manager")? })
    }
}

fn plan(size: Size) -> BankPlan {
    let proportions = BankPlan::of_customers(size.customers);
    BankPlan {
        transactions: size.transactions.unwrap_or(proportions.transactions),
        seed: size.seed,
        ..proportions
    }
}

async fn make(plan: BankPlan, dir: &Path, voice: Voice) -> Result<(), Failure> {
    voice.say(|| {
        format!(
            "Making a bank of {} customers and {} transactions in `{}` …",
            Count(plan.customers),
            Count(plan.transactions),
            dir.display()
        )
    });
    let folder = dir.to_owned();
    let (held, worker) = brake();
    let made = tokio::task::spawn_blocking(move || {
        let bars = Bars::new(voice);
        generate(&plan, &folder, &|table, done, total| {
            worker.safe_place();
            bars.tell(table, done, total);
        })
    })
    .await;
    drop(held);
    let generated =
        made.map_err(|error| Failure::new(ErrorKind::Bug, error.to_string()))?.map_err(failure)?;
    voice.say(|| {
        format!(
            "{} rows, {} of text, {} principals.",
            Count(generated.rows()),
            Bytes(generated.bytes()),
            Count(generated.principals)
        )
    });
    Ok(())
}

/// The generator knows no kinds of error: its crate depends on none of ours.
pub(crate) fn failure(error: BankError) -> Failure {
    match error {
        BankError::Plan { .. } => Failure::invalid(error.to_string()),
        BankError::File { path, source } => Failure::file("making the bank in", &path, &source),
        BankError::Content { .. } => Failure::invalid(error.to_string())
            .advise("the bank's files were changed: choose another --dir, or remove this one"),
    }
}

enum Found {
    Nothing,
    Bank(Note),
    Strange,
}

impl Note {
    fn of(plan: &BankPlan) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            customers: plan.customers,
            transactions: plan.transactions,
            seed: plan.seed,
            date: plan.date.to_string(),
            whole: true,
        }
    }
}

fn found(dir: &Path) -> Result<Found, Failure> {
    match std::fs::read_to_string(dir.join(NOTE)) {
        Ok(text) => Ok(serde_json::from_str(&text).map_or(Found::Strange, Found::Bank)),
        Err(_) => {
            let mut entries = std::fs::read_dir(dir)
                .map_err(|error| Failure::file("reading the folder", dir, &error))?;
            Ok(if entries.next().is_none() { Found::Nothing } else { Found::Strange })
        }
    }
}

fn keep(dir: &Path, note: &Note) -> Result<(), Failure> {
    let file = dir.join(NOTE);
    let text = serde_json::to_string_pretty(note)
        .map_err(|error| Failure::new(ErrorKind::Bug, error.to_string()))?;
    std::fs::write(&file, text).map_err(|error| Failure::file("writing", &file, &error))
}

fn other_plan(dir: &Path, note: &Note) -> Failure {
    Failure::invalid(format!(
        "`{}` holds another bank: {} customers, {} transactions, seed {}, made by version {}",
        dir.display(),
        Count(note.customers),
        Count(note.transactions),
        note.seed,
        note.version
    ))
    .advise("ask for that one, choose another --dir, or remove this one")
}

fn strange(dir: &Path) -> Failure {
    Failure::invalid(format!("`{}` is not empty and holds no demo's bank", dir.display()))
        .advise("choose a new or an empty folder")
}

fn node_of(feed: &str, name: &str) -> Result<String, Failure> {
    let mut reader = csv::Reader::from_reader(feed.as_bytes());
    let headers = reader.headers().cloned().unwrap_or_default();
    let position = |wanted: &str| headers.iter().position(|header| header == wanted);
    let node = position("name").zip(position("node")).and_then(|(name_at, node_at)| {
        let mut records = reader.records().flatten();
        let record = records.find(|record| record.get(name_at) == Some(name))?;
        record.get(node_at).map(str::to_owned)
    });
    node.filter(|node| !node.is_empty()).ok_or_else(|| {
        Failure::invalid(format!("the demo's feed of principals has no node for `{name}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size { customers: 50, transactions: Some(100), seed: 7 };

    #[test]
    fn a_folder_that_is_not_the_demos_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("thesis.txt"), "work of years").unwrap();
        assert!(matches!(found(dir.path()), Ok(Found::Strange)));
    }

    #[test]
    fn another_plan_in_the_folder_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let note = Note::of(&plan(SMALL));
        keep(dir.path(), &note).unwrap();
        assert!(matches!(found(dir.path()), Ok(Found::Bank(kept)) if kept == note));
        let other = Note::of(&plan(Size { seed: 8, ..SMALL }));
        assert_ne!(note, other);
        assert!(other_plan(dir.path(), &note).text().contains("seed 7"));
    }

    #[test]
    fn nodes_come_from_the_feed() {
        let feed = "name,roles,node,password\nteller,teller,0102,\nmanager,manager,01,\n";
        assert_eq!(node_of(feed, "manager").unwrap(), "01");
        assert!(node_of(feed, "auditor").is_err());
    }
}
