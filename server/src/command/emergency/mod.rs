//! `martlet emergency`: somebody is let see more for a few hours, because officers say so.
//!
//! Four steps by as many people: a request is written, officers approve it, it is put into the mart,
//! and whoever has it works; it ends by itself, or somebody closes it. Owns what the steps have in
//! common: what is in force, and what came of the proof. Every command that publishes goes through
//! `publish`; servers prove it all again, whoever published it.

mod approve;
mod ask;
mod list;
mod publish;

use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::Subcommand;
use martlet_core::ErrorKind;
use martlet_policy::{
    Emergencies, EmergencyLedger, EmergencyRefused, EmergencyRequest, EmergencyRule,
    JudgedEmergency, Opening,
};

use super::exit::Failure;
use super::policy::{InForce, read_small};
use super::terminal::harmless;

const EXAMPLES: &str = "\
Examples:
  martlet emergency request --mart ./mart --principal kim --access 'core outage' \\
      --reason 'the core is down, tellers read balances by hand' --hours 2
  martlet emergency approve kim-5f0c1a2b3c4d.request --mart ./mart --as ann --key ann.key
  martlet emergency approve kim-5f0c1a2b3c4d.request --mart ./mart --as bob --key bob.key
  martlet emergency open kim-5f0c1a2b3c4d.request --mart ./mart \\
      --approval ann-5f0c1a2b3c4d.approval --approval bob-5f0c1a2b3c4d.approval
  martlet emergency list --mart ./mart
  martlet emergency close 5f0c1a2b3c4d --mart ./mart --by 'Li Na' --reason 'the core is up again'

Which emergencies there are, for whom, for how long and by how many officers, the rules in force say
([[emergency]] in roles.toml; docs/security.md has a section about it). The time runs from the beginning
that the request names, not from when it is opened.";

/// The commands of `martlet emergency`.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Arguments {
    /// Write a request: who, which emergency, why, and for how long
    #[command(after_help = EXAMPLES)]
    Request(ask::Arguments),
    /// Approve a request as an officer of the rules in force
    #[command(after_help = EXAMPLES)]
    Approve(approve::Arguments),
    /// Put an approved request into the mart; servers take it over within a second
    #[command(after_help = EXAMPLES)]
    Open(publish::OpenArguments),
    /// End an emergency before its time; needs nobody's approval
    #[command(after_help = EXAMPLES)]
    Close(publish::CloseArguments),
    /// Show the emergencies that a mart keeps, open and past
    #[command(after_help = EXAMPLES)]
    List(list::Arguments),
}

/// Answers an `emergency` command.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::Request(arguments) => ask::request(&arguments).await,
        Arguments::Approve(arguments) => approve::approve(&arguments).await,
        Arguments::Open(arguments) => publish::open(&arguments).await,
        Arguments::Close(arguments) => publish::close(&arguments).await,
        Arguments::List(arguments) => list::list(&arguments).await,
    }
}

fn now() -> i64 {
    Utc::now().timestamp()
}

fn read_request(file: &Path) -> Result<EmergencyRequest, Failure> {
    let text = read_small(file, "request")?;
    EmergencyRequest::parse(&text)
        .map_err(|error| Failure::from(error).during(format!("reading `{}`", file.display())))
}

/// The emergency of that name in the rules in force.
fn rule<'a>(in_force: &'a InForce, access: &str) -> Result<&'a EmergencyRule, Failure> {
    in_force.bundle.emergency(access).ok_or_else(|| {
        let names: Vec<&str> =
            in_force.bundle.emergencies().iter().map(|rule| rule.name.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Failure::new(ErrorKind::Denied, EmergencyRefused::UnknownAccess.to_string())
            .during(format!("asking for `{}`", harmless(access)))
            .advise(format!("the emergencies of the rules in force are: {}", harmless(&names)))
    })
}

/// What the rules and people in force say of an opening, beside all that the mart keeps.
fn judged(in_force: &InForce, opening: &Opening) -> Option<JudgedEmergency> {
    let mut ledger: EmergencyLedger = in_force.emergencies.ledger().clone();
    ledger.open(opening.clone());
    let InForce { edition, bundle, directory, .. } = in_force;
    let judged = Emergencies::judge(ledger, *edition, bundle, directory);
    judged.iter().find(|one| one.is_of(opening)).cloned()
}

/// Refuses a request that no approval could help.
fn refuse_hopeless(in_force: &InForce, request: &EmergencyRequest) -> Result<(), Failure> {
    let opening = Opening { request: request.clone(), approvals: Vec::new() };
    let judged = judged(in_force, &opening);
    match judged.as_ref().map(JudgedEmergency::proof) {
        Some(Ok(_) | Err(EmergencyRefused::TooFew { .. })) => {}
        Some(Err(why)) => return Err(Failure::new(ErrorKind::Denied, why.to_string())),
        None => return Err(Failure::new(ErrorKind::Bug, "what was written down is found again")),
    }
    if judged.is_some_and(|judged| judged.closing().is_some()) {
        return Err(Failure::new(ErrorKind::Denied, "this emergency was closed")
            .advise("write a new request"));
    }
    if request.span().until <= now() {
        return Err(Failure::new(ErrorKind::Denied, "its time is over")
            .advise("write a new request; the time runs from the beginning that it names"));
    }
    Ok(())
}

/// `kim-5f0c1a2b3c4d.request`, in the working folder.
fn default_file(who: &str, request: &EmergencyRequest, what: &str) -> PathBuf {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let name: String = who.chars().map(plain).collect();
    let id = request.id().to_string();
    PathBuf::from(format!("{name}-{}.{what}", id.get(..12).unwrap_or(&id)))
}

#[cfg(test)]
mod tests;
