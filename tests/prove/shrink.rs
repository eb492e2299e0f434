//! From a statement that an oracle objects to, to a small one that it still objects to.

use crate::doors::Door;
use crate::grammar::Statement;
use crate::lab::{Lab, Sessions};
use crate::oracles::Oracle;

/// Statements that are tried for one finding.
const TRIED_MAX: usize = 400;

/// A smaller statement with the same fault, and what the oracle says of it.
pub async fn shrunk(
    lab: &Lab,
    sessions: &mut Sessions,
    statement: Statement,
    door: Door,
    oracle: Oracle,
) -> (Statement, Option<String>) {
    let mut smallest = statement;
    let mut said = None;
    let mut tried = 0;
    'again: loop {
        for candidate in smallest.smaller() {
            tried += 1;
            if tried > TRIED_MAX {
                break 'again;
            }
            let verdicts = lab.judge(sessions, &candidate, door).await;
            if let Some(verdict) = verdicts.into_iter().find(|verdict| verdict.oracle == oracle) {
                said = Some(verdict.what);
                smallest = candidate;
                continue 'again;
            }
        }
        break;
    }
    (smallest, said)
}
