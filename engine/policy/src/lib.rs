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
//! Beside it: [`classification`] (which class of a loaded column counts), [`stored`] and [`approval`] (who changed the rules), [`duty`] (what nobody may hold
//! together), [`coherence`] (what masks give away together), [`emergency`] (who sees more for a
//! short while, by whose word).
//!
//! Three rules hold everywhere here. Silence denies. Of several answers the strictest wins.
//! Whatever cannot be decided is denied.

pub mod access;
pub mod approval;
pub mod bundle;
pub mod check;
pub mod checked;
pub mod classification;
pub mod coherence;
pub mod decide;
pub mod diff;
pub mod directory;
pub mod duty;
pub mod emergency;
pub mod error;
pub mod explain;
pub mod finding;
pub mod grant;
pub mod key;
pub mod mask;
pub mod minimum_group;
pub mod names;
pub mod officers;
pub mod organization;
pub(crate) mod parse;
pub mod password;
pub mod principal;
pub mod review;
pub mod rule;
pub mod sql;
pub mod stored;
pub mod totp;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod testing;

pub use access::{Access, Sight};
pub use approval::{Approval, Step, Verdict, judge};
pub use bundle::{BundleText, PolicyVersion};
pub use check::{Occasion, check, check_on};
pub use checked::{Capability, CheckedBundle, Class, Pfi, Role, UtcOffset};
pub use classification::{Cause, Classification, HiddenColumn};
pub use coherence::{AcceptedRisk, Kind};
pub use decide::{Decision, decide, may};
pub use diff::diff;
pub use directory::{Directory, PasswordAge, Presented, Terms};
pub use duty::{Breach, Conflict, Duty};
pub use emergency::approval::{EmergencyApproval, EmergencyVerdict, judge_emergency};
pub use emergency::counting::{
    Emergencies, Emergency, EmergencyRefused, EmergencyState, JudgedEmergency,
};
pub use emergency::ledger::{Closing, EmergencyLedger, Opening};
pub use emergency::{EmergencyId, EmergencyRequest, EmergencyRule, Span};
pub use error::{PolicyError, RefusalReason, SignInRefused};
pub use explain::{Moment, explain, explain_named};
pub use finding::Finding;
pub use grant::{Grant, GrantedColumn, LookupRight, RowsDigest};
pub use key::{OfficerKey, OfficerSecret};
pub use mask::{Mask, Profile, TokenKeys};
pub use minimum_group::{GroupRule, MinimumGroup};
pub use names::{AttributeName, Purpose, RoleName, RuleName};
pub use officers::{Officer, Officers};
pub use organization::{Level, Node, Organization};
pub use password::{PasswordCost, hash_password};
pub use principal::{Principal, SignedIn};
pub use review::{DutyConflict, Reviewed, ReviewedColumn, duty_conflicts, review};
pub use rule::{Condition, Effect, Effective, RowRule, Rule};
pub use sql::{SqlRefused, change_by_sql};
pub use stored::{Edition, StoredBundle, Unapproved};
pub use totp::{UsedCodes, totp_secret, totp_url};
