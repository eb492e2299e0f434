//! `martlet emergency approve`: an officer's word for a request.
//!
//! Shows what was signed before it is written. The key is never printed, logged or copied.

use std::path::PathBuf;

use clap::Args;
use martlet_core::ErrorKind;
use martlet_policy::{EmergencyApproval, EmergencyRequest, EmergencyVerdict, judge_emergency};

use super::{EXAMPLES, default_file, now, read_request, refuse_hopeless, rule};
use crate::command::exit::Failure;
use crate::command::policy::{officers_secret, rules_in_force, write_new};
use crate::command::terminal::{harmless, say};

/// The options of `martlet emergency approve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The request's file
    request: PathBuf,
    /// The mart whose rules in force it was asked under
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// The officer's name, as the rules in force have it
    #[arg(long = "as", alias = "officer", value_name = "NAME")]
    officer: String,
    /// The officer's private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the approval goes; default: the officer's name and the request's id
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn approve(arguments: &Arguments) -> Result<(), Failure> {
    let request = read_request(&arguments.request)?;
    let in_force = rules_in_force(&arguments.mart, None).await?;
    refuse_hopeless(&in_force, &request)?;
    let rule = rule(&in_force, request.access())?;
    let officers = in_force.bundle.officers();
    let secret = officers_secret(officers, &arguments.officer, &arguments.key)?;
    let approval = EmergencyApproval::sign(&arguments.officer, &secret, &request, now())?;
    let verdict = judge_emergency(std::slice::from_ref(&approval), officers, &request);
    if let Some(why) = verdict.into_iter().find(|verdict| *verdict != EmergencyVerdict::Counts) {
        return Err(Failure::new(ErrorKind::Denied, why.to_string()));
    }
    let file = arguments.out.clone();
    let file = file.unwrap_or_else(|| default_file(&arguments.officer, &request, "approval"));
    show(&request, rule.role.as_str());
    write_new(&file, &approval.to_string(), 0o644)
        .map_err(|error| Failure::file("writing the approval", &file, &error))?;
    say!("`{}` approves it; written to {}.", harmless(&arguments.officer), file.display());
    say!("It takes {} approvals of different officers.", rule.approvers);
    Ok(())
}

fn show(request: &EmergencyRequest, role: &str) {
    say!("id          {}", request.id());
    say!("principal   {}", harmless(request.principal()));
    say!("access      {}, decided by the role `{role}` alone", harmless(request.access()));
    say!("time        {}", request.span());
    say!("reason      {}", harmless(request.reason()));
}
