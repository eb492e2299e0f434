//! The server: Arrow Flight SQL over the query engine, with sign-in and an audit journal.
//!
//! Owns the wire: who is calling ([`mod@authenticate`]), what is asked (`flight`), what left
//! and to whom ([`audit`]), what is unusual about it ([`alarm`]), and the process around them
//! ([`mod@serve`]). Never decides who may
//! see what and never touches the store: it asks `martlet-query` as one principal and sends on
//! what it is given.
//!
//! ```text
//! request -> authenticate -> command -> statement -> audit -> stream
//! ```
//!
//! Read in this order: [`mod@serve`], `flight::service`, `flight::command`, `flight::statement`,
//! `flight::deliver`, [`audit`], [`alarm`].

mod admission;
pub mod alarm;
pub mod audit;
pub mod authenticate;
mod flight;
mod guards;
mod lookup_quota;
mod random;
pub mod serve;
mod trust;

pub use alarm::AlarmOptions;
pub use audit::{AuditError, Journal};
pub use authenticate::SignInRules;
pub use serve::{
    ClientAuthority, ClientCertificates, ServeConfig, ServeError, Serving, Transport, serve,
};
