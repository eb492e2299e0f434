//! Keeps the watch of a running server: hears every record, and does what an alarm says.
//!
//! Owns the order in which an alarm takes effect: whoever is to be held is held first, then it
//! goes on the audit record, then into the alarms' file. What the disk does not take is tried
//! again each second. Must never hold up a statement: records are handed over, not waited for.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::Days;
use martlet_query::{Engine, Mart};
use tokio::sync::mpsc;

use super::clock::MINUTE;
use super::curbs::{Curb, Curbed, Curbs};
use super::lifts::{Laid, Slips};
use super::outbox::{Outbox, Receiver};
use super::people::People;
use super::rules::{Curbing, Notify, Rules};
use super::watch::Watch;
use super::{Alarm, AlarmError, AlarmOptions, has_held, syslog, webhook};
use crate::audit::{
    AuditError, Decision, Ending, Entry, Journal, Line, Outcome, RecordId, Tapped, days_since,
    now_micros, replay_day,
};
use crate::random;

/// Days of the journal that are read back: thirty of history, and today's in any time zone.
const DAYS_BACK: u64 = 32;
/// More days than any journal has.
const ALL_DAYS: u64 = 1_000_000;
/// An alarm of this last time that is not on record is raised at start: the server ended before
/// it could.
const MISSED_WITHIN: i64 = 15 * MINUTE;
/// How often slips, people and what was not written are looked at.
const BEAT: Duration = Duration::from_secs(1);
/// What alarms are recorded as coming from.
const CLIENT: &str = "martlet alarms";

/// Ends everything that a principal has open.
pub(crate) type CutOff = Arc<dyn Fn(&str) + Send + Sync>;

/// What a server needs to keep watch.
pub(crate) struct Keeper {
    engine: Engine,
    journal: Arc<Journal>,
    watch: Watch,
    curbs: Arc<Curbs>,
    cut_off: CutOff,
    outbox: Outbox,
    slips: Slips,
    heard: mpsc::UnboundedReceiver<Tapped>,
    /// The state of the mart whose people are known.
    met: Weak<Mart>,
    /// Alarms that are not written everywhere yet.
    pending: VecDeque<Pending>,
}

struct Pending {
    id: RecordId,
    alarm: Alarm,
    recorded: bool,
    kept: bool,
}

/// Where alarms are sent to; both run until they are dropped.
pub(crate) struct Told {
    outbox: Outbox,
    receivers: Vec<Receiver>,
}

impl Keeper {
    /// Reads the journal's last thirty days back and listens from here on.
    ///
    /// # Errors
    /// [`AlarmError`] if the journal cannot be read or a receiver cannot be used.
    pub(crate) async fn open(
        options: &AlarmOptions,
        engine: Engine,
        journal: Arc<Journal>,
        curbs: Arc<Curbs>,
        cut_off: CutOff,
    ) -> Result<(Self, Told), AlarmError> {
        let heard = journal.tap();
        let outbox = Outbox::open(&options.folder);
        let receivers = receivers(&options.rules.notify)?;
        let mart = engine.mart();
        let key = random::draw().map_err(|_| AlarmError::Journal(AuditError::NoRandomBytes))?;
        let watch = Watch::new(options.rules.clone(), People::in_mart(&mart), key);
        let days = journal.folder().to_path_buf();
        let read = tokio::task::spawn_blocking(move || read_back(watch, &days)).await;
        // A task ends without an answer only when the runtime ends.
        let (watch, missed) = read.map_err(|_| AlarmError::Journal(AuditError::NotWritten))??;
        let met = Arc::downgrade(&mart);
        let slips = Slips::of(&options.folder);
        let told = Told { outbox: outbox.clone(), receivers };
        let pending = VecDeque::new();
        let mut keeper =
            Self { engine, journal, watch, curbs, cut_off, outbox, slips, heard, met, pending };
        keeper.raise_all(missed);
        Ok((keeper, told))
    }

    /// Keeps watch for ever.
    pub(crate) async fn keep(mut self) {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                heard = self.heard.recv() => match heard {
                    Some(heard) => self.hear(heard).await,
                    None => return,
                },
                _ = beat.tick() => self.beat().await,
            }
        }
    }

    async fn hear(&mut self, heard: Tapped) {
        let alarms = match &heard {
            Tapped::Line(line) => self.watch.hear(line),
            Tapped::Sent { record_id, at, rows } => self.watch.sent(record_id, *at, *rows),
        };
        if !alarms.is_empty() {
            self.raise_all(alarms);
            self.write().await;
        }
    }

    async fn beat(&mut self) {
        let mart = self.engine.mart();
        if !Weak::ptr_eq(&self.met, &Arc::downgrade(&mart)) {
            self.watch.meet(People::in_mart(&mart));
            self.met = Arc::downgrade(&mart);
        }
        for laid in self.slips.laid() {
            self.lift(&laid).await;
        }
        self.write().await;
    }

    /// Holds whoever is to be held, at once.
    fn raise_all(&mut self, alarms: Vec<Alarm>) {
        for alarm in alarms {
            // Without an id nothing can be recorded; that a random number is missing is no
            // reason to let somebody go on.
            let id = RecordId::draw().unwrap_or_else(|_| alarm.record.clone());
            tracing::warn!(rule = alarm.rule, principal = alarm.principal, "an alarm");
            self.hold(&id, &alarm);
            self.pending.push_back(Pending { id, alarm, recorded: false, kept: false });
        }
    }

    fn hold(&self, id: &RecordId, alarm: &Alarm) {
        let Some(curbing) = alarm.actions.curbing else { return };
        let how = match curbing {
            Curbing::Throttle { pause } => {
                Curbed::Throttled { pause: u64::try_from(pause / 1_000).unwrap_or(0) }
            }
            Curbing::Cut => Curbed::Cut,
        };
        let since = now_micros();
        let until = alarm.actions.lasts.map(|lasts| since.saturating_add(lasts));
        let (rule, alarm_id) = (alarm.rule.clone(), id.clone());
        self.curbs.hold(&alarm.principal, Curb { how, rule, alarm_id, since, until });
        if how == Curbed::Cut {
            (self.cut_off)(&alarm.principal);
        }
    }

    /// Writes what is not written yet, in order.
    async fn write(&mut self) {
        if let Err(error) = self.curbs.keep() {
            // On record it would count as dealt with, and a restart would let go whom it holds.
            tracing::error!(%error, "who is held cannot be written; it counts, and is tried again");
            return;
        }
        while let Some(mut pending) = self.pending.pop_front() {
            if !pending.recorded {
                let text = pending.alarm.text();
                let entry = self.entry(&pending.id, pending.alarm.principal.clone(), &text);
                let ending = Ending::without_rows(Outcome::Completed);
                pending.recorded = match self.journal.whole(entry, ending).await {
                    Ok(()) => true,
                    Err(error) => {
                        tracing::error!(%error, "an alarm cannot be recorded; it is tried again");
                        false
                    }
                };
            }
            if !pending.kept {
                pending.kept = match self.outbox.append(&pending.alarm.to_json(&pending.id)) {
                    Ok(()) => true,
                    Err(error) => {
                        tracing::error!(%error, "an alarm cannot be written; it is tried again");
                        false
                    }
                };
            }
            if !(pending.recorded && pending.kept) {
                self.pending.push_front(pending);
                return;
            }
        }
    }

    /// Lets somebody go as a slip says, once that is on record.
    async fn lift(&mut self, laid: &Laid) {
        let Some(slip) = &laid.slip else {
            tracing::error!(path = %laid.path.display(), "a slip cannot be understood");
            self.slips.take_away(laid);
            return;
        };
        let text = format!("lifted by {} (account {}): {}", slip.by, laid.owner, slip.reason);
        let Ok(id) = RecordId::draw() else { return };
        let entry = self.entry(&id, slip.principal.clone(), &text);
        let ending = Ending::without_rows(Outcome::Completed);
        if let Err(error) = self.journal.whole(entry, ending).await {
            tracing::error!(%error, "nobody is let go: it cannot be recorded");
            return;
        }
        let was_held = self.curbs.lift(&slip.principal);
        tracing::warn!(principal = slip.principal, was_held, "a curb was lifted");
        self.slips.take_away(laid);
    }

    fn entry(&self, id: &RecordId, principal: String, text: &str) -> Entry {
        Entry::notice(id.clone(), principal, CLIENT, text, &self.engine.mart())
    }
}

impl Told {
    /// Tells every receiver, for ever.
    pub(crate) async fn tell(self) {
        let outbox = self.outbox;
        let all = self.receivers.into_iter().map(|receiver| outbox.clone().tell(receiver));
        futures::future::join_all(all).await;
        // There may be nobody to tell.
        std::future::pending().await
    }
}

fn receivers(notify: &Notify) -> Result<Vec<Receiver>, AlarmError> {
    let mut receivers = Vec::new();
    if let Some(url) = &notify.webhook {
        let target = webhook::Target::parse(url)
            .map_err(|what| AlarmError::Rules(format!("`webhook` {what}")))?;
        let certificates = notify.webhook_ca.as_deref();
        receivers.push(Receiver::Webhook(webhook::Webhook::new(target, certificates)?));
    }
    if let Some(place) = &notify.syslog {
        let target = syslog::Target::parse(place)
            .map_err(|what| AlarmError::Rules(format!("`syslog` {what}")))?;
        receivers.push(Receiver::Syslog(target));
    }
    Ok(receivers)
}

/// Tells which alarms rules would have raised over a journal's last thirty days; gives how many
/// records were read. Nobody is held or told.
///
/// # Errors
/// [`AlarmError`] if the journal cannot be read.
pub fn replay(
    rules: Rules,
    people: People,
    folder: &Path,
    tell: &mut dyn FnMut(&Alarm),
) -> Result<u64, AlarmError> {
    let key = random::draw().map_err(|_| AlarmError::Journal(AuditError::NoRandomBytes))?;
    let mut watch = Watch::new(rules, people, key);
    let mut records = 0;
    for day in days_since(folder, Days::new(DAYS_BACK)).map_err(AlarmError::Journal)? {
        replay_day(&day, &mut |line| {
            records += u64::from(!matches!(line, Line::End { .. }));
            watch.hear(&line).iter().for_each(&mut *tell);
        })
        .map_err(AlarmError::Journal)?;
    }
    Ok(records)
}

/// Whether the journal has an alarm that held somebody, however long ago.
///
/// # Errors
/// [`AlarmError`] if it cannot be read.
pub(crate) fn ever_held(folder: &Path) -> Result<bool, AlarmError> {
    let mut found = false;
    for day in days_since(folder, Days::new(ALL_DAYS)).map_err(AlarmError::Journal)?.iter().rev() {
        replay_day(day, &mut |line| {
            if let Line::Begin { entry } | Line::Whole { entry, .. } = &line {
                found |= entry.decision == Decision::Alarm && has_held(&entry.statement);
            }
        })
        .map_err(AlarmError::Journal)?;
        if found {
            break;
        }
    }
    Ok(found)
}

/// Lets the watch hear the last thirty days; gives the alarms of the last moments that the
/// journal does not have.
fn read_back(mut watch: Watch, folder: &Path) -> Result<(Watch, Vec<Alarm>), AlarmError> {
    let mut derived: VecDeque<Alarm> = VecDeque::new();
    let mut recorded: HashMap<(String, String), i64> = HashMap::new();
    let mut last = i64::MIN;
    for day in days_since(folder, Days::new(DAYS_BACK)).map_err(AlarmError::Journal)? {
        replay_day(&day, &mut |line| {
            if let Line::Begin { entry } | Line::Whole { entry, .. } = &line {
                last = last.max(entry.at);
                if entry.decision == Decision::Alarm {
                    let rule = entry.statement.split(' ').nth(1).unwrap_or_default();
                    recorded.insert((entry.principal.clone(), rule.to_owned()), entry.at);
                }
            }
            derived.extend(watch.hear(&line));
            while derived.front().is_some_and(|alarm| alarm.at < last - MISSED_WITHIN) {
                derived.pop_front();
            }
        })
        .map_err(AlarmError::Journal)?;
    }
    watch.abandon_running();
    let is_missed = |alarm: &Alarm| {
        let last = recorded.get(&(alarm.principal.clone(), alarm.rule.clone()));
        last.is_none_or(|last| *last < alarm.at - MINUTE)
    };
    Ok((watch, derived.into_iter().filter(is_missed).collect()))
}
