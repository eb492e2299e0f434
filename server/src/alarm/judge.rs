//! What each kind of rule finds at one moment of one principal.
//!
//! Owns the arithmetic of the kinds. Looks at digests, counts and times of records only; gives
//! figures, never what they were counted from.

use martlet_query::asked::How;

use super::clock::{Clock, MINUTE};
use super::ledger::{Ledger, Note, Recent};
use super::rules::{Counted, Figure, Kind};
use super::sighting::Sighting;

/// Customers of one statement from which on it is a list and about no single one.
const ABOUT_ONE_MAX: usize = 3;
/// Notes of a rule that counts pairs or sums.
const NOTES_MAX: usize = 512;

/// Figures of an alarm by their names.
pub(crate) type Figures = Vec<(&'static str, u64)>;

/// What just happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A statement is about to be answered.
    Begun,
    /// Some of its rows have left; there may be more.
    Told,
    /// It has ended.
    Ended,
    /// One was refused.
    Refused,
    /// A sign-in was refused.
    SignInRefused,
}

/// One moment of one principal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) at: i64,
    pub(crate) stage: Stage,
    pub(crate) sighting: &'a Sighting,
    /// Rows that were not counted before.
    pub(crate) rows: u64,
    /// Rows of the whole statement, once it has ended well.
    pub(crate) total: Option<u64>,
    /// When it was last seen elsewhere, if it comes from a place that is new.
    pub(crate) elsewhere: Option<i64>,
}

/// Judges the kinds that look at one principal and its own window alone.
pub(crate) fn judge(
    kind: &Kind,
    rule: usize,
    clock: &Clock,
    ledger: &mut Ledger,
    moment: &Moment<'_>,
) -> Option<Figures> {
    let recent = ledger.recent.get_mut(rule)?;
    match *kind {
        Kind::OffHours { from, until, free_days, rows, keys } => {
            let hours = Hours { from, until, free_days };
            off_hours(hours, rows, keys, clock, recent, moment)
        }
        Kind::Many { counted, count, share, rows, window } => {
            recent.expire(moment.at - window);
            let least = Least { count, share, rows };
            many(counted, least, recent, moment)
        }
        Kind::Sequence { count, step, window } => {
            recent.expire(moment.at - window);
            sequence(count, step, recent, moment)
        }
        Kind::OwnNode { count, share, window } => {
            recent.expire(moment.at - window);
            own_node(count, share, recent, moment)
        }
        Kind::Narrow { shapes, rows, window } => {
            recent.expire(moment.at - window);
            narrow(shapes, rows, recent, moment)
        }
        Kind::ExportThenDelete { rows, window } => {
            recent.expire(moment.at - window);
            export_then_delete(rows, recent, moment)
        }
        Kind::TwoPlaces { window } => {
            let apart = moment.at - moment.elsewhere?;
            (apart <= window).then(|| vec![("minutes_apart", whole(apart / MINUTE))])
        }
        Kind::Watched { statements, window, .. } => {
            recent.expire(moment.at - window);
            watched(rule, statements, recent, moment)
        }
        Kind::Usual(_) | Kind::Crowd { .. } => None,
    }
}

/// The stage at which a figure of the day can have grown.
pub(crate) fn grows(figure: Figure, stage: Stage) -> bool {
    match figure {
        Figure::Rows | Figure::Largest => matches!(stage, Stage::Told | Stage::Ended),
        Figure::Keys | Figure::Lookups | Figure::Statements => stage == Stage::Begun,
    }
}

/// When nobody should be working.
#[derive(Debug, Clone, Copy)]
struct Hours {
    from: u32,
    until: u32,
    free_days: bool,
}

impl Hours {
    /// The period of a moment; `None` while people work.
    fn period(self, clock: &Clock, at: i64) -> Option<i64> {
        let (day, minute) = (clock.day(at), clock.minute(at));
        let is_late = if self.from <= self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        };
        let is_free = self.free_days && (Clock::is_weekend(day) || clock.is_holiday(day));
        // A night belongs to the day on which it begins.
        (is_late || is_free).then(|| i64::from(clock.day(at - i64::from(self.until) * MINUTE)))
    }
}

fn off_hours(
    hours: Hours,
    rows: u64,
    keys: u64,
    clock: &Clock,
    recent: &mut Recent,
    moment: &Moment<'_>,
) -> Option<Figures> {
    let period = hours.period(clock, moment.at)?;
    if recent.period != period {
        *recent = Recent::of(period);
    }
    if moment.stage == Stage::Begun {
        asked_for(moment).for_each(|note| recent.note_once(note, bound(keys)));
    }
    recent.sum = recent.sum.saturating_add(moment.rows);
    let is_unusual = recent.sum > rows || recent.len() > keys;
    is_unusual.then(|| vec![("rows", recent.sum), ("customers", recent.len())])
}

/// The customers that a statement asks for, as notes.
fn asked_for(moment: &Moment<'_>) -> impl Iterator<Item = Note> {
    let at = moment.at;
    let keys = moment.sighting.keys.iter().filter(|key| key.how != How::Unequal);
    keys.map(move |key| Note { at, what: key.digest, other: 0 })
}

/// From when on so many are too many.
#[derive(Debug, Clone, Copy)]
struct Least {
    count: u64,
    share: f64,
    rows: u64,
}

fn many(
    counted: Counted,
    least: Least,
    recent: &mut Recent,
    moment: &Moment<'_>,
) -> Option<Figures> {
    let count = least.count;
    let once = |other| Note { at: moment.at, what: 0, other };
    match (counted, moment.stage) {
        (Counted::Keys, Stage::Begun) => {
            asked_for(moment).for_each(|note| recent.note_once(note, bound(count)));
        }
        (Counted::Lookups, Stage::Begun) => {
            (0..moment.sighting.lookups.min(count))
                .for_each(|_| recent.note(once(0), bound(count)));
        }
        (Counted::Misses, Stage::Ended) => return misses(count, least.share, recent, moment),
        (Counted::Large, Stage::Ended) if moment.sighting.counted >= least.rows => {
            recent.note(once(0), bound(count));
        }
        (Counted::Refusals, Stage::Refused) | (Counted::SignIns, Stage::SignInRefused) => {
            recent.note(once(0), bound(count));
        }
        _ => return None,
    }
    (recent.len() >= count).then(|| vec![(name_of(counted), recent.len())])
}

const fn name_of(counted: Counted) -> &'static str {
    match counted {
        Counted::Keys => "customers",
        Counted::Lookups => "lookups",
        Counted::Misses => "misses",
        Counted::Refusals => "refusals",
        Counted::SignIns => "refused_sign_ins",
        Counted::Large => "large_answers",
    }
}

/// Single customers of whom nothing was found, among all single customers.
fn misses(count: u64, share: f64, recent: &mut Recent, moment: &Moment<'_>) -> Option<Figures> {
    let total = moment.total?;
    let key = moment.sighting.the_one()?;
    let note = Note { at: moment.at, what: key.digest, other: u64::from(total == 0) };
    recent.note_once(note, 4 * bound(count));
    let misses = recent.notes().filter(|note| note.other == 1).count() as u64;
    let is_most = misses as f64 >= share * recent.len() as f64;
    (misses >= count && is_most).then(|| vec![("misses", misses), ("customers", recent.len())])
}

/// So many numbers that stand so close to each other, in whatever order they were asked.
fn sequence(count: u64, step: u64, recent: &mut Recent, moment: &Moment<'_>) -> Option<Figures> {
    if moment.stage != Stage::Begun {
        return None;
    }
    let asked = moment.sighting.keys.iter().filter(|key| key.how != How::Unequal);
    for number in asked.filter_map(|key| key.number) {
        recent.note_once(Note { at: moment.at, what: number, other: 0 }, 4 * bound(count));
    }
    if recent.len() < count {
        return None;
    }
    let mut numbers: Vec<u64> = recent.notes().map(|note| note.what).collect();
    numbers.sort_unstable();
    let span = (count - 1).saturating_mul(step);
    let is_close = |run: &[u64]| run[run.len() - 1] - run[0] <= span;
    let close = numbers.windows(usize::try_from(count).ok()?).any(is_close);
    close.then(|| vec![("in_sequence", count)])
}

fn own_node(count: u64, share: f64, recent: &mut Recent, moment: &Moment<'_>) -> Option<Figures> {
    if moment.stage != Stage::Begun {
        return None;
    }
    for branch in &moment.sighting.branches {
        let note = Note { at: moment.at, what: branch.digest, other: u64::from(branch.own) };
        recent.note_once(note, 4 * bound(count));
    }
    let own = recent.notes().filter(|note| note.other == 1).count() as u64;
    let foreign = recent.len() - own;
    let is_rare = own as f64 <= share * recent.len() as f64;
    (foreign >= count && is_rare).then(|| vec![("branches", recent.len()), ("own", own)])
}

/// Statements of many shapes about one customer, each with few rows.
fn narrow(shapes: u64, rows: u64, recent: &mut Recent, moment: &Moment<'_>) -> Option<Figures> {
    let total = moment.total?;
    let keys = &moment.sighting.keys;
    if moment.stage != Stage::Ended || total > rows || keys.len() > ABOUT_ONE_MAX {
        return None;
    }
    let mut most = 0;
    for key in keys {
        let pair = key.digest ^ moment.sighting.shape.rotate_left(17);
        recent.note_once(Note { at: moment.at, what: pair, other: key.digest }, NOTES_MAX);
        let of_key = recent.notes().filter(|note| note.other == key.digest).count() as u64;
        most = most.max(of_key);
    }
    (most >= shapes).then(|| vec![("shapes", most)])
}

fn export_then_delete(rows: u64, recent: &mut Recent, moment: &Moment<'_>) -> Option<Figures> {
    if moment.stage != Stage::Refused {
        // Small answers are no export, and must not push a large one out.
        if moment.rows > rows / 200 {
            recent.note(Note { at: moment.at, what: moment.rows, other: 0 }, NOTES_MAX);
        }
        return None;
    }
    let exported: u64 = recent.notes().map(|note| note.what).sum();
    (moment.sighting.changes && exported >= rows).then(|| vec![("rows", exported)])
}

fn watched(
    rule: usize,
    statements: u64,
    recent: &mut Recent,
    moment: &Moment<'_>,
) -> Option<Figures> {
    if moment.stage != Stage::Begun || moment.sighting.watched & (1 << rule) == 0 {
        return None;
    }
    recent.note(Note { at: moment.at, what: 0, other: 0 }, bound(statements));
    (recent.len() >= statements).then(|| vec![("statements", recent.len())])
}

/// How many notes are kept to tell that a count is reached.
fn bound(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX).saturating_add(1)
}

fn whole(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
