//! Makes a batch visible, whole, once.
//!
//! Receives: the staged segments of all tables from `write`. Hands on: a published snapshot.
//! Owns the questions that decide whether a batch may be loaded at all; they are asked before
//! the work begins and again whenever somebody else has published in between.

use martlet_core::{BatchDate, TableSchema};
use martlet_store::{
    BatchLabel, BatchRecord, Commit, CommitOutcome, Snapshot, StagedSegment, Store,
};

use crate::config::plan::{LoadMode, LoadPlan, TablePlan};
use crate::error::IngestError;
use crate::load::ReplaceMode;

/// How often a batch is put on top of a mart that changed meanwhile.
pub(crate) const ATTEMPTS: u32 = 5;

/// Whether a batch has work to do on a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It is not there yet, or is to be put in the place of what is.
    Yes,
    /// It is there with exactly this content.
    AlreadyThere,
}

/// A batch's identity and content, as the mart records it.
#[derive(Debug, Clone)]
pub(crate) struct Batch<'a> {
    pub(crate) plan: &'a LoadPlan,
    pub(crate) label: BatchLabel,
    /// `None` until the files were read; known beforehand where the mart has the batch.
    pub(crate) digest: Option<[u8; 32]>,
    pub(crate) replace: ReplaceMode,
}

/// What a commit came to.
#[derive(Debug)]
pub(crate) enum Published {
    Now(Snapshot),
    /// Somebody else loaded the same content first.
    ByAnother(Snapshot),
    /// Not at all: a table changed in which the batch had looked for rows to supersede.
    Overtaken,
}

impl Batch<'_> {
    /// Whether the batch may be loaded on top of a snapshot, and still has to be.
    pub(crate) fn wanted_on(&self, base: &Snapshot) -> Result<Wanted, IngestError> {
        match base.batch(&self.label) {
            Some(loaded) if Some(*loaded.digest()) == self.digest => {
                return Ok(Wanted::AlreadyThere);
            }
            Some(_) if self.replace == ReplaceMode::Refuse => {
                return Err(IngestError::OtherContent {
                    name: self.label.name().to_string(),
                    date: self.label.date(),
                });
            }
            Some(_) | None => {}
        }
        for table in &self.plan.tables {
            self.refuse_settled(base, table)?;
            match table.mode {
                LoadMode::Replace => self.refuse_going_back(base, table)?,
                LoadMode::Append => self.refuse_other_schema(base, table)?,
                LoadMode::Upsert => {
                    self.refuse_going_back(base, table)?;
                    self.refuse_other_schema(base, table)?;
                }
                LoadMode::Delete => {
                    self.refuse_going_back(base, table)?;
                    refuse_other_key(base, table)?;
                }
            }
        }
        Ok(Wanted::Yes)
    }

    /// What the batch did before cannot be undone once it was compacted with others' work; a
    /// table that is replaced does not need it to be.
    fn refuse_settled(&self, base: &Snapshot, table: &TablePlan) -> Result<(), IngestError> {
        let name = table.schema.name();
        let settled = base.table(name.as_str()).map(|before| before.settled());
        let is_settled = settled.is_some_and(|settled| settled.contains(&self.label));
        if table.mode == LoadMode::Replace || !is_settled {
            return Ok(());
        }
        Err(IngestError::Settled {
            table: name.clone(),
            name: self.label.name().to_string(),
            date: self.label.date(),
        })
    }

    /// A table of which rows are replaced never goes back to an earlier day. Its segments, and
    /// what was deleted of them, tell its day; where it has none, the batches of the same name do.
    fn refuse_going_back(&self, base: &Snapshot, table: &TablePlan) -> Result<(), IngestError> {
        let name = table.schema.name();
        let Some(before) = base.table(name.as_str()) else { return Ok(()) };
        let of_segments = before.segments().iter().flat_map(|segment| {
            let deleting = segment.deletions().iter().map(|deletion| deletion.batch().date());
            deleting.chain([segment.batch().date()])
        });
        let of_batches = base
            .batches()
            .iter()
            .filter(|batch| batch.name() == self.label.name())
            .map(BatchRecord::date);
        let newest: Option<BatchDate> = of_segments.chain(of_batches).max();
        match newest {
            Some(loaded) if loaded > self.label.date() => Err(IngestError::OlderThanLoaded {
                table: name.clone(),
                date: self.label.date(),
                loaded,
            }),
            _ => Ok(()),
        }
    }

    fn refuse_other_schema(&self, base: &Snapshot, table: &TablePlan) -> Result<(), IngestError> {
        let name = table.schema.name();
        let Some(before) = base.table(name.as_str()) else { return Ok(()) };
        match difference(before.schema(), &table.schema) {
            Some(difference) => Err(IngestError::SchemaChanged { table: name.clone(), difference }),
            None => Ok(()),
        }
    }

    /// Puts a table's segments into the commit.
    pub(crate) fn change(
        &self,
        commit: &mut Commit,
        table: &TablePlan,
        segments: Vec<StagedSegment>,
    ) -> Result<(), IngestError> {
        match table.mode {
            LoadMode::Replace => commit.replace_table(&table.schema, segments)?,
            LoadMode::Append | LoadMode::Upsert => {
                commit.append_table(&table.schema, segments, Some(&self.label))?;
            }
            LoadMode::Delete => {
                if let Some(before) = commit.base().table(table.schema.name().as_str()) {
                    let schema = before.schema().clone();
                    commit.append_table(&schema, Vec::new(), Some(&self.label))?;
                }
            }
        }
        Ok(())
    }

    /// Whether a table whose rows the batch takes the place of is another than the one that was
    /// searched for them.
    fn is_overtaken(&self, searched: &Snapshot, latest: &Snapshot) -> bool {
        let part = |snapshot: &Snapshot, table: &TablePlan| {
            let table = snapshot.table(table.schema.name().as_str());
            table.map(|table| table.part().clone())
        };
        let mut searched_tables = self.plan.tables.iter().filter(|table| table.mode.supersedes());
        searched_tables.any(|table| part(searched, table) != part(latest, table))
    }

    /// Publishes all tables together, on top of whatever the mart has become meanwhile.
    pub(crate) async fn publish(
        &self,
        store: &Store,
        mut commit: Commit,
        rows: u64,
    ) -> Result<Published, IngestError> {
        // Whoever publishes has read all files.
        let digest = self.digest.ok_or(IngestError::Worker)?;
        commit.record_batch(BatchRecord::new(self.label.clone(), digest, rows));
        for _ in 0..ATTEMPTS {
            let conflicted = match commit.publish().await? {
                CommitOutcome::Committed(snapshot) => return Ok(Published::Now(snapshot)),
                CommitOutcome::Conflicted(conflicted) => conflicted,
            };
            let latest = store.latest().await?;
            if self.wanted_on(&latest)? == Wanted::AlreadyThere {
                return Ok(Published::ByAnother(latest));
            }
            if self.is_overtaken(conflicted.base(), &latest) {
                return Ok(Published::Overtaken);
            }
            commit = conflicted.rebase(&latest);
        }
        Err(IngestError::Conflict { attempts: ATTEMPTS })
    }
}

/// Rows are deleted by the primary key that the mart's table has, and by no other columns.
fn refuse_other_key(base: &Snapshot, table: &TablePlan) -> Result<(), IngestError> {
    let name = table.schema.name();
    let refused = |problem: &str| {
        Err(IngestError::NotDeletable { table: name.clone(), problem: problem.to_string() })
    };
    let Some(before) = base.table(name.as_str()) else {
        return refused("the mart does not have it");
    };
    let key = |schema: &TableSchema| -> Vec<_> {
        let columns = schema.primary_key().iter().map(|at| &schema.columns()[*at]);
        columns.map(|column| (column.name.clone(), column.column_type)).collect()
    };
    if key(before.schema()) == key(&table.schema) {
        Ok(())
    } else {
        refused("its primary key in the mart has other columns, types or another order")
    }
}

/// The first difference between the mart's schema and the load file's, in words.
fn difference(mart: &TableSchema, load: &TableSchema) -> Option<String> {
    for column in load.columns() {
        let name = &column.name;
        let Some(there) = mart.column(name.as_str()) else {
            return Some(format!("column `{name}` is new"));
        };
        let (is, was) = (column.column_type.name(), there.column_type.name());
        if is != was {
            return Some(format!("column `{name}` is {is} here and {was} in the mart"));
        }
        if column.nullable != there.nullable {
            let word = |nullable| if nullable { "may be null" } else { "is never null" };
            let (is, was) = (word(column.nullable), word(there.nullable));
            return Some(format!("column `{name}` {is} here and {was} in the mart"));
        }
        if column.class != there.class {
            let word = |class: &Option<martlet_core::ClassName>| {
                class.as_ref().map_or("no class".to_string(), |class| format!("class `{class}`"))
            };
            let (is, was) = (word(&column.class), word(&there.class));
            return Some(format!("column `{name}` has {is} here and {was} in the mart"));
        }
    }
    let missing = mart.columns().iter().find(|column| load.column(column.name.as_str()).is_none());
    if let Some(column) = missing {
        return Some(format!("column `{}` is missing", column.name));
    }
    if mart.columns() != load.columns() {
        return Some("its columns stand in another order".into());
    }
    if mart.primary_key() != load.primary_key() {
        return Some("its primary key is another".into());
    }
    (mart != load).then(|| "its cluster key is another".into())
}
