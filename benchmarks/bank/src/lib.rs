//! The synthetic bank: one night's feed files of three source systems, the load file that
//! describes them, a policy bundle and a principals feed.
//!
//! Owns what the bank looks like (entities, columns, classes, skew, rhythm) and how it is
//! written. Depends on no other Martlet crate, so that what it writes is an input like any
//! other, and [`recount`] is a second opinion that shares no code with the engine.
//! Must never keep a table of customers, accounts or transactions in memory: everything about
//! customer `i` is drawn from (seed, `i`) alone, so three hundred million rows need no more
//! memory than three hundred.
//!
//! ```text
//! <dir>/night.toml                      load file of all tables
//! <dir>/feed/core_banking/*.csv         `|`, bare, LF, UTF-8
//! <dir>/feed/cards/*.csv                `;`, quoted, CRLF, decimal comma, dates as YYYYMMDD
//! <dir>/feed/crm/*.csv                  `,`, quoted, CRLF, GB18030, NULL written out
//! <dir>/policy/*                        bundle, organization tree, classes, roles, rules
//! <dir>/principals.csv                  five named users, then the branch users
//! ```

mod bundle;
mod calendar;
mod card;
mod census;
mod contact;
mod draw;
mod entity;
mod error;
mod feed;
mod generate;
mod generated;
mod household;
mod load_file;
mod loan;
mod organization;
mod person;
mod places;
mod plan;
mod principals;
mod recount;
mod reference;
mod transaction;
mod words;

pub use error::BankError;
pub use generate::generate;
pub use generated::{FeedFile, Generated, TableFiles};
pub use plan::{BankPlan, NAMED_PRINCIPALS, Piece};
pub use recount::{OutletTransactions, Recount, customers_of, recount};

#[cfg(test)]
mod tests;
