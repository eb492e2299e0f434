//! What the review finds about the rules themselves: duties that somebody breaks, risks that the
//! rules accept, and emergencies, open and past.
//!
//! Owns the lines of `findings.csv`. Must never leave one out because it was found before.

use martlet_policy::{CheckedBundle, Directory, Emergencies, duty_conflicts};

use super::sheet::harmless;
use crate::command::exit::Failure;

const HEADER: [&str; 4] = ["finding", "who", "roles", "what"];

/// What sort of finding it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FindingKind {
    /// Somebody holds what nobody may hold together.
    DutyConflict,
    /// The rules let something stand that gives hidden values away.
    AcceptedRisk,
    /// Somebody was let see more for a while, or was to be.
    Emergency,
}

impl FindingKind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::DutyConflict => "duty conflict",
            Self::AcceptedRisk => "accepted risk",
            Self::Emergency => "emergency",
        }
    }
}

/// One finding.
#[derive(Debug)]
pub(super) struct ReviewFinding {
    pub(super) kind: FindingKind,
    /// The principal, or the risk's name.
    pub(super) who: String,
    pub(super) roles: Vec<String>,
    pub(super) what: String,
}

/// Everything that there is to find at a moment.
pub(super) fn of(
    bundle: &CheckedBundle,
    directory: &Directory,
    emergencies: &Emergencies,
    seconds: i64,
) -> Vec<ReviewFinding> {
    let conflicts = duty_conflicts(directory, bundle).map(|conflict| ReviewFinding {
        kind: FindingKind::DutyConflict,
        who: conflict.principal,
        roles: conflict.roles,
        what: conflict.what,
    });
    let risks = bundle.accepted_risks().iter().map(|risk| ReviewFinding {
        kind: FindingKind::AcceptedRisk,
        who: risk.name.clone(),
        roles: risk.roles.iter().map(ToString::to_string).collect(),
        what: risk.to_string(),
    });
    let emergencies = emergencies.iter().map(|emergency| ReviewFinding {
        kind: FindingKind::Emergency,
        who: emergency.request().principal().to_owned(),
        roles: emergency.proof().map(|it| it.role().to_string()).into_iter().collect(),
        what: emergency.in_words(seconds),
    });
    conflicts.chain(risks).chain(emergencies).collect()
}

/// The bytes of the file.
///
/// # Errors
/// None that a text in memory could give.
pub(super) fn csv(findings: &[ReviewFinding]) -> Result<Vec<u8>, Failure> {
    let failed = |error: csv::Error| Failure::invalid(format!("writing the review: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER).map_err(failed)?;
    for ReviewFinding { kind, who, roles, what } in findings {
        let fields = [kind.word().to_owned(), harmless(who), roles.join("; "), harmless(what)];
        writer.write_record(fields).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Failure::invalid(format!("writing the review: {error}")))
}
