//! Writes the rows of one entity into its feed files, in its system's dialect, part by part.
//!
//! Receives: typed fields, in the entity's column order. Hands on: the list of files.
//! Must never hold more than one row and the writer's buffer.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{Datelike, NaiveDate};
use encoding_rs::GB18030;

use crate::entity::{Dialect, Encoding, Entity, Quoting};
use crate::error::BankError;
use crate::generated::{FeedFile, TableFiles};

const BUFFER_BYTES: usize = 256 * 1024;

/// Writes one table.
#[derive(Debug)]
pub(crate) struct TableWriter {
    entity: &'static Entity,
    dialect: Dialect,
    folder: PathBuf,
    /// The business date as `YYYYMMDD`, part of every file's name.
    stamp: String,
    row: Vec<u8>,
    fields: usize,
    rows: u64,
    part: Option<Part>,
    files: Vec<FeedFile>,
}

#[derive(Debug)]
struct Part {
    out: BufWriter<File>,
    written: FeedFile,
}

impl TableWriter {
    /// Makes the system's folder and removes what an earlier run left there for this table
    /// and date: a part too many would be loaded with the others.
    pub(crate) fn create(
        feed: &Path,
        entity: &'static Entity,
        date: NaiveDate,
    ) -> Result<Self, BankError> {
        let folder = feed.join(entity.system.name());
        let stamp = date.format("%Y%m%d").to_string();
        fs::create_dir_all(&folder).map_err(BankError::at(&folder))?;
        remove_parts(&folder, &format!("{}_{stamp}_", entity.table))?;
        Ok(Self {
            entity,
            dialect: entity.system.dialect(),
            folder,
            stamp,
            row: Vec::with_capacity(512),
            fields: 0,
            rows: 0,
            part: None,
            files: Vec::new(),
        })
    }

    /// Rows written so far.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    fn begin_field(&mut self) {
        if self.fields > 0 {
            self.row.push(self.dialect.delimiter);
        }
        self.fields += 1;
    }

    fn quote(&mut self) {
        if self.dialect.quoting == Quoting::Text {
            self.row.push(b'"');
        }
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.begin_field();
        self.quote();
        match self.dialect.quoting {
            Quoting::Bare => self.row.extend_from_slice(value.as_bytes()),
            Quoting::Text => value.bytes().for_each(|byte| {
                if byte == b'"' {
                    self.row.push(b'"');
                }
                self.row.push(byte);
            }),
        }
        self.quote();
        self
    }

    pub(crate) fn null(&mut self) -> &mut Self {
        self.begin_field();
        self.row.extend_from_slice(self.dialect.null.as_bytes());
        self
    }

    pub(crate) fn optional_text(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(value),
            None => self.null(),
        }
    }

    /// A number of an account or the like: text made of digits.
    pub(crate) fn digits(&mut self, number: u64) -> &mut Self {
        self.begin_field();
        self.quote();
        push_number(&mut self.row, number);
        self.quote();
        self
    }

    pub(crate) fn customer_id(&mut self, customer: u64) -> &mut Self {
        self.begin_field();
        self.quote();
        self.row.push(b'C');
        // One more digit in front makes the leading zeros; it is taken out again.
        let lead = self.row.len();
        push_number(&mut self.row, 1_000_000_000 + customer + 1);
        self.row.remove(lead);
        self.quote();
        self
    }

    pub(crate) fn integer(&mut self, number: u64) -> &mut Self {
        self.begin_field();
        push_number(&mut self.row, number);
        self
    }

    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.begin_field();
        self.row.extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    /// Ten-thousandths, written as a decimal fraction.
    pub(crate) fn rate(&mut self, ten_thousandths: u32) -> &mut Self {
        self.begin_field();
        push_number(&mut self.row, u64::from(ten_thousandths / 10_000));
        self.row.push(self.dialect.decimal_point);
        push_two(&mut self.row, ten_thousandths / 100 % 100);
        push_two(&mut self.row, ten_thousandths % 100);
        self
    }

    pub(crate) fn money(&mut self, cents: i64) -> &mut Self {
        self.begin_field();
        if cents < 0 {
            self.row.push(b'-');
        }
        let cents = cents.unsigned_abs();
        push_number(&mut self.row, cents / 100);
        self.row.push(self.dialect.decimal_point);
        push_two(&mut self.row, (cents % 100) as u32);
        self
    }

    pub(crate) fn date(&mut self, date: NaiveDate) -> &mut Self {
        self.begin_field();
        self.quote();
        self.push_date(date);
        self.quote();
        self
    }

    pub(crate) fn optional_date(&mut self, date: Option<NaiveDate>) -> &mut Self {
        match date {
            Some(date) => self.date(date),
            None => self.null(),
        }
    }

    /// A date and the seconds since its midnight.
    pub(crate) fn timestamp(&mut self, date: NaiveDate, seconds: u32) -> &mut Self {
        self.begin_field();
        self.quote();
        self.push_date(date);
        self.row.push(b' ');
        push_two(&mut self.row, seconds / 3600);
        self.row.push(b':');
        push_two(&mut self.row, seconds / 60 % 60);
        self.row.push(b':');
        push_two(&mut self.row, seconds % 60);
        self.quote();
        self
    }

    fn push_date(&mut self, date: NaiveDate) {
        let separator = self.dialect.date_separator;
        push_number(&mut self.row, u64::from(date.year().unsigned_abs()));
        self.row.extend(separator);
        push_two(&mut self.row, date.month());
        self.row.extend(separator);
        push_two(&mut self.row, date.day());
    }

    /// Writes the row's line.
    pub(crate) fn end_row(&mut self) -> Result<(), BankError> {
        debug_assert_eq!(self.fields, self.entity.fields().count(), "{}", self.entity.table);
        self.row.extend_from_slice(self.dialect.line_end);
        if self.part.as_ref().is_some_and(|p| p.written.rows == self.entity.rows_per_file) {
            self.close_part()?;
        }
        if self.part.is_none() {
            self.part = Some(self.open_part()?);
        }
        if let Some(part) = &mut self.part {
            part.write(self.dialect.encoding, &self.row)?;
            part.written.rows += 1;
        }
        self.rows += 1;
        self.row.clear();
        self.fields = 0;
        Ok(())
    }

    fn open_part(&self) -> Result<Part, BankError> {
        let number = self.files.len() + 1;
        let name = format!("{}_{}_{number:04}.csv", self.entity.table, self.stamp);
        let path = self.folder.join(name);
        let file = File::create(&path).map_err(BankError::at(&path))?;
        let written = FeedFile { path, rows: 0, bytes: 0 };
        let mut part = Part { out: BufWriter::with_capacity(BUFFER_BYTES, file), written };
        let separator = char::from(self.dialect.delimiter).to_string();
        let mut header = self.entity.fields().collect::<Vec<_>>().join(&separator).into_bytes();
        header.extend_from_slice(self.dialect.line_end);
        part.write(self.dialect.encoding, &header)?;
        Ok(part)
    }

    fn close_part(&mut self) -> Result<(), BankError> {
        if let Some(mut part) = self.part.take() {
            part.out.flush().map_err(BankError::at(&part.written.path))?;
            self.files.push(part.written);
        }
        Ok(())
    }

    /// Closes the last file. A table without rows has one file with a header.
    pub(crate) fn finish(mut self) -> Result<TableFiles, BankError> {
        if self.part.is_none() && self.files.is_empty() {
            self.part = Some(self.open_part()?);
        }
        self.close_part()?;
        Ok(TableFiles {
            table: self.entity.table,
            system: self.entity.system.name(),
            files: self.files,
        })
    }
}

impl Part {
    fn write(&mut self, encoding: Encoding, line: &[u8]) -> Result<(), BankError> {
        let bytes = match encoding {
            Encoding::Gb18030 if !line.is_ascii() => {
                let text = String::from_utf8_lossy(line);
                let (encoded, _, _) = GB18030.encode(&text);
                self.out.write_all(&encoded).map(|()| encoded.len())
            }
            Encoding::Utf8 | Encoding::Gb18030 => self.out.write_all(line).map(|()| line.len()),
        };
        self.written.bytes += bytes.map_err(BankError::at(&self.written.path))? as u64;
        Ok(())
    }
}

fn remove_parts(folder: &Path, prefix: &str) -> Result<(), BankError> {
    for entry in fs::read_dir(folder).map_err(BankError::at(folder))? {
        let path = entry.map_err(BankError::at(folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(prefix) && name.ends_with(".csv") {
            fs::remove_file(&path).map_err(BankError::at(&path))?;
        }
    }
    Ok(())
}

fn push_two(row: &mut Vec<u8>, below_hundred: u32) {
    let below_hundred = (below_hundred % 100) as u8;
    row.extend_from_slice(&[b'0' + below_hundred / 10, b'0' + below_hundred % 10]);
}

fn push_number(row: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    row.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
