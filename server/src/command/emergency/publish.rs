//! `martlet emergency open` and `close`: what the mart keeps of emergencies becomes more.
//!
//! Owns the publishing. Nothing is opened that a server would refuse; a server proves it again all
//! the same. Must never forget what an earlier snapshot kept.

use std::path::PathBuf;

use clap::Args;
use martlet_core::ErrorKind;
use martlet_policy::{
    Closing, EmergencyApproval, EmergencyId, EmergencyLedger, EmergencyState, Opening,
    judge_emergency,
};
use martlet_query::emergencies::known;
use martlet_store::{CommitOutcome, Snapshot, Store};

use super::{EXAMPLES, judged, now, read_request, refuse_hopeless};
use crate::command::exit::Failure;
use crate::command::mart::{self, Expected};
use crate::command::policy::{InForce, read_small, rules_of};
use crate::command::terminal::{harmless, note, say};

/// How often a publish is tried again on a snapshot that someone else has just published.
const ATTEMPTS_MAX: usize = 5;
/// What ended longer ago is left to the audit record.
const KEPT_SECONDS: i64 = 400 * 24 * 60 * 60;
/// Digits that name an emergency at least.
const ID_DIGITS_MIN: usize = 6;

/// The options of `martlet emergency open`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct OpenArguments {
    /// The request's file
    request: PathBuf,
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// An officer's approval, as `martlet emergency approve` writes it; repeatable
    #[arg(long, value_name = "FILE", required = true)]
    approval: Vec<PathBuf>,
}

/// The options of `martlet emergency close`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CloseArguments {
    /// The emergency's id, or its first digits
    id: String,
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// Who you are: for the record
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why: for the record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) async fn open(arguments: &OpenArguments) -> Result<(), Failure> {
    let request = read_request(&arguments.request)?;
    let read = |file: &PathBuf| -> Result<EmergencyApproval, Failure> {
        let text = read_small(file, "approval")?;
        EmergencyApproval::parse(&text)
            .map_err(|error| Failure::from(error).during(format!("reading `{}`", file.display())))
    };
    let approvals = arguments.approval.iter().map(read).collect::<Result<_, _>>()?;
    let opening = Opening { request, approvals };
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    for _ in 0..ATTEMPTS_MAX {
        let base = mart::latest(&store).await?;
        let in_force = rules_of(&store, &base, None).await?;
        refuse_unproven(&in_force, &opening)?;
        note_others(&in_force, &opening);
        let mut ledger = in_force.emergencies.ledger().clone();
        ledger.open(opening.clone());
        if let Some(snapshot) = publish(&store, &base, ledger).await? {
            let request = &opening.request;
            let (access, principal) = (harmless(request.access()), harmless(request.principal()));
            say!("`{access}` is open for `{principal}`, {}.", request.span());
            say!("Its id is {}.", request.id());
            say!("Snapshot {} is published; servers take it over at once.", snapshot.number());
            return Ok(());
        }
    }
    Err(kept_publishing())
}

/// What no server would take over is not published.
fn refuse_unproven(in_force: &InForce, opening: &Opening) -> Result<(), Failure> {
    refuse_hopeless(in_force, &opening.request)?;
    let judged = judged(in_force, opening)
        .ok_or_else(|| Failure::new(ErrorKind::Bug, "what was written down is found again"))?;
    let EmergencyState::Refused(why) = judged.state(now()) else { return Ok(()) };
    let officers = in_force.bundle.officers();
    let verdicts = judge_emergency(&opening.approvals, officers, &opening.request);
    for (approval, verdict) in opening.approvals.iter().zip(verdicts) {
        note!("approval of `{}`: {verdict}", harmless(approval.officer()));
    }
    Err(Failure::new(ErrorKind::Denied, why.to_string()).advise(
        "let officers of the rules in force approve this request with `martlet emergency approve`, and \
         give each file with --approval; nothing changed",
    ))
}

/// Of two that are open at once the first decides, which its reader should know.
fn note_others(in_force: &InForce, opening: &Opening) {
    let (now, request) = (now(), &opening.request);
    let others = in_force.emergencies.of(request.principal()).filter(|other| {
        other.request().id() != request.id() && other.state(now) == EmergencyState::Open
    });
    for other in others {
        note!(
            "Another one is open for the same person until it ends or is closed, and decides first: {}.",
            other.request().id()
        );
    }
}

pub(super) async fn close(arguments: &CloseArguments) -> Result<(), Failure> {
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    for _ in 0..ATTEMPTS_MAX {
        let base = mart::latest(&store).await?;
        // Needs no rules: an emergency can be closed whatever state they are in.
        let mut ledger = known(&store, &base).await?;
        let id = named(&ledger, &arguments.id)?;
        if let Some(closing) = ledger.closing(id) {
            say!("{id} was closed already, by {}.", harmless(closing.by()));
            return Ok(());
        }
        ledger.close(Closing::new(id, &arguments.by, &arguments.reason, now())?);
        if let Some(snapshot) = publish(&store, &base, ledger).await? {
            say!("{id} is closed.");
            say!("Snapshot {} is published; servers take it over at once.", snapshot.number());
            return Ok(());
        }
    }
    Err(kept_publishing())
}

/// The one emergency whose id begins so.
fn named(ledger: &EmergencyLedger, digits: &str) -> Result<EmergencyId, Failure> {
    let ids = ledger.openings().map(|opening| opening.request.id());
    let mut found: Vec<EmergencyId> = ids.filter(|id| id.to_string().starts_with(digits)).collect();
    found.dedup();
    match found.as_slice() {
        _ if digits.len() < ID_DIGITS_MIN => {
            Err(Failure::invalid(format!("an id has {ID_DIGITS_MIN} digits at least")))
        }
        [id] => Ok(*id),
        [] => Err(Failure::invalid(format!("the mart keeps no emergency `{}`", harmless(digits)))
            .advise("`martlet emergency list` shows them")),
        _ => Err(Failure::invalid("several begin so").advise("give more digits of the id")),
    }
}

/// Publishes what the mart keeps; nothing if someone published in between.
async fn publish(
    store: &Store,
    base: &Snapshot,
    mut ledger: EmergencyLedger,
) -> Result<Option<Snapshot>, Failure> {
    ledger.leave_out_before(now().saturating_sub(KEPT_SECONDS));
    let mut commit = store.begin(base);
    commit.set_emergencies(ledger.to_bytes().into());
    Ok(match commit.publish().await? {
        CommitOutcome::Committed(snapshot) => Some(snapshot),
        CommitOutcome::Conflicted(_) => None,
    })
}

fn kept_publishing() -> Failure {
    Failure::new(ErrorKind::Retry, "others kept publishing snapshots at the same time")
}
