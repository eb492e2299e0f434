//! Arrow Flight SQL: from a request's bytes to a stream of record batches and back.
//!
//! Owns the protocol and nothing below it. Every request is authenticated first, decoded once
//! into a closed enum, answered through one principal's session, recorded, and only then
//! sent. Must never read a row by another way than `Session::prepare` and `Statement::execute`.
//!
//! Read in this order: `service`, `entrance`, `command`, `statement`, `emergencies`, `ticket`,
//! `deliver`, `metadata`.

mod answer;
mod command;
mod deliver;
mod description;
mod emergencies;
mod entrance;
mod metadata;
mod options;
mod parameters;
mod prepared;
mod record;
mod running;
mod service;
mod standing;
mod statement;
mod status;
#[cfg(test)]
mod testing;
mod ticket;

pub(crate) use service::FlightDoor;
