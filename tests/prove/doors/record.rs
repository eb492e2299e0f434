//! Whether each attempt at the server's door is in its audit record.
//!
//! Statements at the wire carry a number in a comment, by which their records are found; the
//! record is read through its own door, as an auditor.

use std::collections::HashMap;
use std::net::SocketAddr;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use super::{Answer, Door, wire};
use crate::support::Client;
use crate::worlds::policy::AUDITOR;

/// Attempts that are counted together: looking into the record costs the same for any number.
const TOGETHER: usize = 400;

/// What one server's record has to hold.
#[derive(Debug, Default)]
pub struct Expected {
    made: u64,
    /// By the statement's number: how many records at least, and the statement.
    attempts: HashMap<u64, (i64, String)>,
    /// Tickets that somebody else brought.
    foreign: i64,
}

/// The comment before a statement: always of one length, so that places in the text stay.
fn mark(number: u64) -> String {
    format!("/* proof:{number:09} */")
}

impl Expected {
    /// The statement with a number of its own.
    pub fn marked(&mut self, sql: &str) -> (u64, String) {
        self.made += 1;
        (self.made, format!("{} {sql}", mark(self.made)))
    }

    /// Notes what was tried and what came of it.
    pub fn note(&mut self, number: u64, door: Door, answer: &Answer, sql: &str) {
        // Each request of its own is an attempt; what came after a refusal was not tried.
        let if_told = match door {
            Door::Statement => 2,
            Door::Prepared | Door::OldTicket | Door::Described => 3,
            Door::ForeignTicket => 1,
            Door::Catalog(_) | Door::InProcess(_) => return,
        };
        if matches!(door, Door::ForeignTicket)
            && answer.beside.iter().any(|said| said.starts_with(wire::TICKET_GIVEN))
        {
            self.foreign += 1;
        }
        let least = if answer.is_told() { if_told } else { 1 };
        self.attempts.insert(number, (least, sql.to_owned()));
    }

    /// Whether it is time to look.
    #[must_use]
    pub fn is_worth_looking(&self) -> bool {
        self.attempts.len() >= TOGETHER
    }

    /// What is expected so far, to be looked for; what comes later is another matter.
    #[must_use]
    pub fn handed_over(&mut self) -> Self {
        Self { made: 0, attempts: std::mem::take(&mut self.attempts), foreign: self.foreign }
    }

    /// Looks, and tells the statements whose records are missing.
    pub async fn missing(&mut self, server: SocketAddr) -> Vec<String> {
        if self.attempts.is_empty() {
            return Vec::new();
        }
        let mut auditor = Client::sign_in(server, AUDITOR).await;
        let found = records(&mut auditor).await;
        let mut missing: Vec<String> = Vec::new();
        for (number, (least, sql)) in self.attempts.drain() {
            let recorded = found.get(&number).copied().unwrap_or(0);
            if recorded < least {
                missing.push(format!("{recorded} of {least} records: {sql}"));
            }
        }
        let refusals = auditor
            .number("SELECT count(*) FROM system.audit_record WHERE statement = 'a ticket that is not the caller''s own' AND decision = 'denied'")
            .await;
        if refusals < self.foreign {
            missing.push(format!("{refusals} of {} foreign tickets are on record", self.foreign));
        }
        missing
    }
}

/// How many records each numbered statement has.
async fn records(auditor: &mut Client) -> HashMap<u64, i64> {
    let sql = "SELECT split_part(split_part(statement, ':', 2), ' ', 1) AS n, count(*) AS c
        FROM system.audit_record WHERE statement LIKE '/* proof:%' GROUP BY n";
    let batches = auditor.query(sql).await.expect("an auditor may read the record");
    let mut found = HashMap::new();
    for batch in batches {
        let (numbers, counts) =
            (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<Int64Type>());
        for (number, count) in numbers.iter().zip(counts.values()) {
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                found.insert(number, *count);
            }
        }
    }
    found
}
