//! Who may see what: `(principal, table, rules) -> grant`, and the masks that a grant names.
//!
//! Owns the policy bundle (its text, its check, its meaning), the directory of principals, the
//! decision and the masks. Pure functions: it never knows a file format of the store, a query
//! engine, a clock or a network.
//!
//! Receives: the bundle's text and the directory's text from the snapshot, table schemas from
//! the store. Hands on: [`Grant`]s to the query engine, which cannot read a row without one.
//!
//! The way of a decision, and the order to read in: [`bundle`] (text) -> parse (words with
//! their places) -> [`check`](mod@check) (meaning, or findings) -> [`directory`] (who asks) ->
//! [`decide`](mod@decide) (what they get) -> [`grant`] (the proof of it) -> [`mask`] (how a
//! value is hidden).
//!
//! Three rules hold everywhere here. Silence denies. Of several answers the strictest wins.
//! Whatever cannot be decided is denied.

pub mod access;
pub mod bundle;
pub mod check;
pub mod checked;
pub mod decide;
pub mod diff;
pub mod directory;
pub mod error;
pub mod explain;
pub mod finding;
pub mod grant;
pub mod mask;
pub mod names;
pub mod organization;
pub(crate) mod parse;
pub mod password;
pub mod principal;
pub mod review;
pub mod rule;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod testing;

pub use access::{Access, Sight};
pub use bundle::{BundleText, PolicyVersion};
pub use check::check;
pub use checked::{Capability, CheckedBundle, Class, Pfi, Role, UtcOffset};
pub use decide::{Decision, decide};
pub use diff::diff;
pub use directory::Directory;
pub use error::{PolicyError, SignInRefused};
pub use explain::{explain, explain_named};
pub use finding::Finding;
pub use grant::{Grant, GrantedColumn, LookupRight};
pub use mask::{Mask, Profile, TokenKeys};
pub use names::{AttributeName, Purpose, RoleName, RuleName};
pub use organization::{Level, Node, Organization};
pub use password::{PasswordCost, hash_password};
pub use principal::{Principal, SignedIn};
pub use review::{Reviewed, ReviewedColumn, review};
pub use rule::{Condition, Effect, Effective, RowRule, Rule};
