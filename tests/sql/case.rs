//! One case of a file: read, written, and an answer brought into its form.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;

/// Whether the rows' order is part of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Any,
    Given,
}

/// A statement and its answers.
#[derive(Debug)]
pub(super) struct Case {
    /// Where it stands in its file.
    pub(super) line: usize,
    comments: Vec<String>,
    pub(super) order: Order,
    pub(super) sql: String,
    /// By principal, or `both`.
    pub(super) answers: BTreeMap<String, Vec<String>>,
}

impl Case {
    pub(super) fn answer_of(&self, user: &str) -> Option<&Vec<String>> {
        self.answers.get(user).or_else(|| self.answers.get("both"))
    }
}

/// The files of cases in a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    files.sort();
    files
}

pub(super) fn read(file: &Path) -> Vec<Case> {
    parse(&fs::read_to_string(file).unwrap())
}

pub(super) fn parse(text: &str) -> Vec<Case> {
    let lines: Vec<&str> = text.lines().collect();
    let starts: Vec<usize> =
        (0..lines.len()).filter(|at| lines[*at].starts_with("query")).collect();
    let mut comments_from = 0;
    let mut cases = Vec::new();
    for (at, start) in starts.iter().enumerate() {
        let next = starts.get(at + 1).copied().unwrap_or(lines.len());
        let end = (*start..next).find(|at| lines[*at].is_empty()).unwrap_or(next);
        let comments = lines[comments_from..*start].iter().filter(|line| !line.is_empty());
        cases.push(case(&lines[*start..end], *start + 1, comments.map(|c| (*c).into()).collect()));
        comments_from = end;
    }
    cases
}

fn case(lines: &[&str], line: usize, comments: Vec<String>) -> Case {
    let order = if lines[0] == "query ordered" { Order::Given } else { Order::Any };
    let mut sections = lines[1..].split(|line| line.starts_with("---- "));
    let sql = sections.next().unwrap().join("\n");
    let names = lines.iter().filter_map(|line| line.strip_prefix("---- ")).map(str::to_owned);
    let answers = sections.map(|rows| rows.iter().map(|row| (*row).to_owned()).collect());
    Case { line, comments, order, sql, answers: names.zip(answers).collect() }
}

/// The file of the cases; principals with the same answer share it.
pub(super) fn write(cases: &[Case], users: [&str; 2]) -> String {
    let section = |name: &str, rows: &[String]| {
        let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
        format!("---- {name}\n{rows}")
    };
    let of_case = |case: &Case| {
        let comments: String = case.comments.iter().map(|line| format!("{line}\n")).collect();
        let head = if case.order == Order::Given { "query ordered" } else { "query" };
        let [first, second] = users.map(|user| case.answer_of(user).cloned().unwrap_or_default());
        let answers = if first == second {
            section("both", &first)
        } else {
            section(users[0], &first) + &section(users[1], &second)
        };
        format!("{comments}{head}\n{}\n{answers}", case.sql)
    };
    cases.iter().map(of_case).collect::<Vec<_>>().join("\n")
}

/// The rows as texts, sorted where their order says nothing.
pub(super) fn rows_of(batches: &[RecordBatch], order: Order) -> Vec<String> {
    let mut rows: Vec<String> = batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(|row| row_of(batch, row)).collect::<Vec<_>>())
        .collect();
    if order == Order::Any {
        rows.sort();
    }
    rows
}

fn row_of(batch: &RecordBatch, row: usize) -> String {
    let cells = batch.columns().iter().map(|column| {
        if column.is_null(row) {
            return "NULL".to_owned();
        }
        match arrow::util::display::array_value_to_string(column, row).unwrap() {
            text if text.is_empty() => "(empty)".to_owned(),
            text => text.replace('\n', "\\n"),
        }
    });
    cells.collect::<Vec<_>>().join("|")
}
