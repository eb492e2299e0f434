//! `martlet emergency request`: who asks for which emergency, why, and for how long.
//!
//! Writes a text and nothing else. What it asks for was held against the rules in force, so that
//! nobody is woken for what cannot be.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use martlet_core::ErrorKind;
use martlet_policy::{EmergencyId, EmergencyRequest, EmergencyRule, Span};

use super::{EXAMPLES, default_file, now, refuse_hopeless, rule};
use crate::command::exit::Failure;
use crate::command::policy::{InForce, rules_in_force, write_new};
use crate::command::serve::draw_key;
use crate::command::terminal::{harmless, say};

const SECONDS_PER_HOUR: i64 = 60 * 60;

/// The options of `martlet emergency request`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The mart whose rules and people are in force
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// For whom
    #[arg(long, value_name = "NAME")]
    principal: String,
    /// Which emergency of the rules in force
    #[arg(long, value_name = "NAME")]
    access: String,
    /// Why: officers, auditors and every record of its use show it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// For how many hours; default: as many as the rules allow
    #[arg(long, value_name = "N")]
    hours: Option<u32>,
    /// When it begins, such as 2026-11-23T01:00:00Z; default: now
    #[arg(long, value_name = "TIME")]
    from: Option<DateTime<Utc>>,
    /// Where the request goes; default: the principal's name and the request's id
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn request(arguments: &Arguments) -> Result<(), Failure> {
    let in_force = rules_in_force(&arguments.mart, None).await?;
    let rule = rule(&in_force, &arguments.access)?;
    let span = span(arguments, rule)?;
    let Arguments { principal, access, reason, .. } = arguments;
    let request =
        EmergencyRequest::new(draw_id()?, principal, access, reason, span, in_force.edition)?;
    refuse_hopeless(&in_force, &request)?;
    let file = arguments.out.clone();
    let file = file.unwrap_or_else(|| default_file(principal, &request, "request"));
    write_new(&file, &request.to_string(), 0o644)
        .map_err(|error| Failure::file("writing the request", &file, &error))?;
    say!("Written to {}: `{}` for {}.", file.display(), harmless(access), span);
    say!("It takes {} approvals of officers: {}.", rule.approvers, officers(&in_force, principal));
    Ok(())
}

fn span(arguments: &Arguments, rule: &EmergencyRule) -> Result<Span, Failure> {
    let hours = arguments.hours.unwrap_or(rule.hours);
    if hours == 0 || hours > rule.hours {
        let what = format!("`{}` lasts from 1 to {} hours", harmless(&rule.name), rule.hours);
        return Err(Failure::new(ErrorKind::Denied, what).advise("ask for fewer --hours"));
    }
    let from = arguments.from.map_or_else(now, |from| from.timestamp());
    let until = from.checked_add(i64::from(hours) * SECONDS_PER_HOUR);
    let until = until.ok_or_else(|| Failure::invalid("--from is in no calendar"))?;
    Ok(Span { from, until })
}

/// Who could approve: nobody their own request.
fn officers(in_force: &InForce, principal: &str) -> String {
    let officers = in_force.bundle.officers().iter().map(|officer| officer.name.as_str());
    let names: Vec<&str> = officers.filter(|name| *name != principal).collect();
    harmless(&names.join(", ")).into_owned()
}

fn draw_id() -> Result<EmergencyId, Failure> {
    let [id, _] = *draw_key()?.as_chunks::<16>().0 else {
        return Err(Failure::new(ErrorKind::Bug, "a key has thirty-two bytes"));
    };
    Ok(EmergencyId::from_bytes(id))
}
