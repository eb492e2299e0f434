//! From rows to a published mart: segments, indexes of every kind, delete vectors.
//!
//! Where segments end, how they are sorted and what indexes they have is each world's own.

use std::sync::Arc;

use arrow::array::RecordBatch;
use martlet_core::{
    BatchDate, ColumnName, ColumnSchema, ColumnType, Selection, TableName, TableSchema,
};
use martlet_index::{IndexChoice, IndexKind, build};
use martlet_store::{BatchLabel, Commit, CommitOutcome, StagedSegment, Store};

use super::cell::{Cell, array};
use super::rows::{Fate, Row};
use super::tables::Table;
use crate::random::Random;

/// How many segments a table is cut into.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    /// As chance has it, with indexes as chance has them.
    Anyhow,
    /// One segment with the indexes that are chosen by themselves.
    Whole,
}

/// One table on its way into a mart.
pub(crate) struct Content {
    pub(crate) schema: TableSchema,
    pub(crate) rows: Vec<Row>,
    pub(crate) cut: Cut,
}

fn name(text: &str) -> ColumnName {
    ColumnName::new(text).expect("a name")
}

/// The schema of a world's table, sorted by a column of the world's choice.
pub(crate) fn stored_schema(table: &Table, cluster: Option<&str>) -> TableSchema {
    let columns = table.columns.iter().map(|column| ColumnSchema {
        name: name(column.name),
        column_type: column.raw_type(),
        nullable: true,
        class: column.class.map(name),
    });
    schema(table, columns.collect(), cluster)
}

/// The schema of the reference's table: what is shown, as it is shown, what stands in conditions, and
/// nothing else.
pub(crate) fn copied_schema(table: &Table) -> TableSchema {
    let columns = table.columns.iter().filter_map(|column| {
        let column_type = column.copied_type()?;
        Some(ColumnSchema {
            name: name(column.name),
            column_type,
            nullable: true,
            class: Some(name("open")),
        })
    });
    schema(table, columns.collect(), None)
}

fn schema(table: &Table, columns: Vec<ColumnSchema>, cluster: Option<&str>) -> TableSchema {
    let key: Vec<ColumnName> =
        match table.columns.iter().find(|column| column.name.ends_with("_id")) {
            Some(key) if table.name != "outlet" => vec![name(key.name)],
            _ => Vec::new(),
        };
    let cluster: Vec<ColumnName> = cluster.into_iter().map(name).collect();
    let table = TableName::new(table.name).expect("a name");
    TableSchema::new(table, columns, &key, &cluster).expect("a schema")
}

/// Loads all tables, then deletes what is to be deleted.
pub(crate) async fn publish(store: &Store, contents: Vec<Content>, random: &mut Random) {
    let mut commit = store.begin(&store.latest().await.expect("the latest snapshot"));
    let mut deletions = Vec::new();
    for content in contents {
        let parts = parts(content.rows, content.cut, &content.schema, random);
        let mut staged = Vec::new();
        for part in &parts {
            staged.push(stage(&commit, &content.schema, content.cut, part, random).await);
        }
        deletions.push((content.schema.name().clone(), parts));
        commit.replace_table(&content.schema, staged).expect("segments of this table");
    }
    published(commit).await;
    delete(store, &deletions).await;
}

async fn published(commit: Commit) {
    let outcome = commit.publish().await.expect("a commit");
    assert!(matches!(outcome, CommitOutcome::Committed(_)), "nobody else commits here");
}

fn label(name: &str) -> BatchLabel {
    let date: BatchDate = "2026-11-20".parse().expect("a date");
    BatchLabel::new(name, date).expect("a label")
}

/// The rows segment by segment, each sorted as the schema wants it.
fn parts(rows: Vec<Row>, cut: Cut, schema: &TableSchema, random: &mut Random) -> Vec<Vec<Row>> {
    let mut rows = rows;
    let cluster = schema.cluster_key().first().copied();
    let sort = |rows: &mut Vec<Row>, by: usize| rows.sort_by_key(|row| row.cells[by].sort_key());
    // A night's rows are sorted as a whole, so that segments are ranges of the key.
    if let Some(by) = cluster
        && random.chance(60)
    {
        sort(&mut rows, by);
    }
    let count = match cut {
        Cut::Whole => 1,
        Cut::Anyhow => (1 + random.below(5)).min(rows.len()),
    };
    let mut ends: Vec<usize> = (1..count).map(|_| random.below(rows.len())).collect();
    ends.sort_unstable();
    let mut parts = Vec::new();
    for end in ends.into_iter().rev() {
        parts.push(rows.split_off(end));
    }
    parts.push(rows);
    parts.retain(|part| !part.is_empty());
    if let Some(by) = cluster {
        parts.iter_mut().for_each(|part| sort(part, by));
    }
    parts
}

async fn stage(
    commit: &Commit,
    schema: &TableSchema,
    cut: Cut,
    rows: &[Row],
    random: &mut Random,
) -> StagedSegment {
    let batch = batch(schema, rows);
    let mut segment = commit
        .stage_segment(schema, &label("night"), std::slice::from_ref(&batch))
        .await
        .expect("rows that fit");
    let bare = matches!(cut, Cut::Anyhow) && random.chance(10);
    if !bare {
        let choices: Vec<IndexChoice> =
            schema.columns().iter().map(|_| choice(cut, random)).collect();
        let built = build(schema, &batch, &choices).expect("indexes of the rows");
        let descriptor = built.descriptor.encode();
        commit.attach(&mut segment, built.bytes, descriptor).await.expect("an attachment");
    }
    segment
}

fn choice(cut: Cut, random: &mut Random) -> IndexChoice {
    match (cut, random.below(6)) {
        (Cut::Whole, _) | (Cut::Anyhow, 0 | 1) => IndexChoice::Auto,
        (Cut::Anyhow, 2) => IndexChoice::None,
        (Cut::Anyhow, 3) => {
            let kinds = IndexKind::ALL.into_iter().filter(|_| random.chance(40));
            IndexChoice::Kinds(kinds.collect())
        }
        (Cut::Anyhow, _) => IndexChoice::Kinds(IndexKind::ALL.to_vec()),
    }
}

fn batch(schema: &TableSchema, rows: &[Row]) -> RecordBatch {
    let cells: Vec<Vec<Cell>> = rows.iter().map(|row| row.cells.clone()).collect();
    let types: Vec<ColumnType> = schema.columns().iter().map(|column| column.column_type).collect();
    let columns = types.iter().enumerate().map(|(at, of)| array(&cells, at, *of));
    RecordBatch::try_new(Arc::clone(&schema.arrow()), columns.collect())
        .expect("cells of their types")
}

async fn delete(store: &Store, tables: &[(TableName, Vec<Vec<Row>>)]) {
    let mut commit = store.begin(&store.latest().await.expect("the latest snapshot"));
    let base = commit.base().clone();
    let mut any = false;
    for (table, parts) in tables {
        let Some(version) = base.table(table.as_str()) else { continue };
        for (segment, rows) in version.segments().iter().zip(parts) {
            let gone = |row: &Row| row.fate == Fate::Deleted;
            if rows.iter().any(gone) {
                let selection = Selection::from_flags(rows.iter().map(gone));
                commit
                    .delete_rows(table, segment.id(), &selection, &label("correction"))
                    .expect("a segment of the base");
                any = true;
            }
        }
    }
    if any {
        published(commit).await;
    }
}
