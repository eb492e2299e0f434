//! CSV files with a header, read into rows whose fields know their place.
//!
//! Finds what is wrong with the form (a missing column, a line too short or too long); never
//! knows what the fields mean.

use std::sync::Arc;

use ::csv::{ReaderBuilder, StringRecord, Trim};

use crate::finding::{Finding, Place};

/// One line, by the names of its columns.
#[derive(Debug)]
pub(crate) struct Row {
    headers: Arc<StringRecord>,
    fields: StringRecord,
    file: &'static str,
    line: u32,
}

impl Row {
    /// The field of that column, without the spaces around it; empty where there is none.
    pub(crate) fn get(&self, header: &str) -> &str {
        self.index(header).and_then(|index| self.fields.get(index)).unwrap_or_default()
    }

    /// Whether there is such a column.
    pub(crate) fn has(&self, header: &str) -> bool {
        self.index(header).is_some()
    }

    /// Every field with its column's name.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().zip(&self.fields)
    }

    /// Where the field of that column begins; exact where no field before it is quoted.
    pub(crate) fn place(&self, header: &str) -> Place {
        let index = self.index(header).unwrap_or(0);
        let before: usize = self.fields.iter().take(index).map(|f| f.chars().count() + 1).sum();
        let column = u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1);
        Place { file: self.file, line: self.line, column }
    }

    fn index(&self, header: &str) -> Option<usize> {
        self.headers.iter().position(|name| name == header)
    }
}

/// Reads the rows that have as many fields as the header; everything else is a finding.
pub(crate) fn read_rows(
    file: &'static str,
    text: &str,
    required: &[&str],
    findings: &mut Vec<Finding>,
) -> Vec<Row> {
    let mut reader =
        ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(text.as_bytes());
    let headers = match reader.headers() {
        Ok(headers) => Arc::new(headers.clone()),
        Err(_) => return Vec::new(), // reading from memory a text that is UTF-8 does not fail
    };
    check_headers(file, &headers, required, findings);
    let mut rows = Vec::new();
    for fields in reader.records().flatten() {
        let line = fields.position().map_or(0, ::csv::Position::line);
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let (given, expected) = (fields.len(), headers.len());
        if given == expected {
            rows.push(Row { headers: Arc::clone(&headers), fields, file, line });
        } else {
            let message = format!("this line has {given} fields; the header has {expected}");
            findings.push(Place { file, line, column: 1 }.finding(message));
        }
    }
    rows
}

fn check_headers(
    file: &'static str,
    headers: &StringRecord,
    required: &[&str],
    findings: &mut Vec<Finding>,
) {
    for wanted in required.iter().filter(|wanted| headers.iter().all(|name| name != **wanted)) {
        findings.push(Place::start(file).finding(format!("the header has no column `{wanted}`")));
    }
    for (index, name) in headers.iter().enumerate() {
        if headers.iter().take(index).any(|before| before == name) {
            let message = format!("the header has the column `{name}` twice");
            findings.push(Place::start(file).finding(message));
        }
    }
}
