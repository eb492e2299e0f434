//! `martlet emergency list`: the emergencies that a mart keeps, as they stand now.
//!
//! Says what is proven and what is only written there. That one of the past counted stands in the
//! audit record.

use clap::Args;
use martlet_policy::{EmergencyState, JudgedEmergency};
use serde_json::{Value, json};

use super::{EXAMPLES, now};
use crate::command::exit::Failure;
use crate::command::grid::Grid;
use crate::command::policy::rules_in_force;
use crate::command::snapshot::time;
use crate::command::terminal::{Reader, note, say};

const MICROS: i64 = 1_000_000;

/// The options of `martlet emergency list`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The mart
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// Print one JSON object an emergency
    #[arg(long)]
    json: bool,
}

pub(super) async fn list(arguments: &Arguments) -> Result<(), Failure> {
    let in_force = rules_in_force(&arguments.mart, None).await?;
    let now = now();
    if arguments.json {
        in_force.emergencies.iter().for_each(|judged| say!("{}", object(judged, now)));
        return Ok(());
    }
    let headings = ["state", "id", "principal", "access", "from", "until", "approved by", "reason"];
    let mut grid = Grid::with_headings(&headings);
    for judged in in_force.emergencies.iter() {
        let request = judged.request();
        grid.texts([
            state(judged, now),
            request.id().to_string(),
            request.principal().to_owned(),
            request.access().to_owned(),
            time(request.span().from.saturating_mul(MICROS)),
            time(request.span().until.saturating_mul(MICROS)),
            judged.said_to_approve().collect::<Vec<_>>().join(", "),
            request.reason().to_owned(),
        ]);
    }
    if grid.len() == 0 {
        note!("The mart keeps no emergency.");
        return Ok(());
    }
    say!("{}", grid.render(Reader::of_stdout()));
    Ok(())
}

/// The word, and why.
fn state(judged: &JudgedEmergency, now: i64) -> String {
    match (judged.state(now), judged.closing()) {
        (EmergencyState::Refused(why), _) => format!("refused: {why}"),
        (EmergencyState::Closed, Some(closing)) => {
            format!("closed by {}: {}", closing.by(), closing.reason())
        }
        (state, _) => state.word().to_owned(),
    }
}

fn object(judged: &JudgedEmergency, now: i64) -> Value {
    let (request, state) = (judged.request(), judged.state(now));
    let refused = match &state {
        EmergencyState::Refused(why) => Some(why.to_string()),
        _ => None,
    };
    let closing = judged.closing().map(|closing| {
        json!({ "by": closing.by(), "reason": closing.reason(), "at": time(closing.at().saturating_mul(MICROS)) })
    });
    json!({
        "id": request.id().to_string(),
        "state": state.word(),
        "refused_because": refused,
        "principal": request.principal(),
        "access": request.access(),
        "role": judged.proof().ok().map(|emergency| emergency.role().as_str()),
        "from": time(request.span().from.saturating_mul(MICROS)),
        "until": time(request.span().until.saturating_mul(MICROS)),
        "said_to_approve": judged.said_to_approve().collect::<Vec<_>>(),
        "approved_by": judged.proof().ok().map(|emergency| emergency.approved_by()),
        "reason": request.reason(),
        "closed": closing,
        "rules": request.rules().to_string(),
    })
}
