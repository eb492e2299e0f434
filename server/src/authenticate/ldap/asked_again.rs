//! Who has a session by the directory is asked about again.
//!
//! Owns the rounds: over how many conversations one goes, in which order, and when it is broken
//! off. Must never let questions about some people keep others from being asked about, and never
//! take what is left of one answer for the next.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::conversation::Conversation;
use super::denied::Denied;
use super::{Found, Ldap};

/// Conversations of a round; those of sign-ins are counted for themselves.
const LANES_MAX: usize = 16;
/// People for each of these, until there are so many: a second and a half for each is in time.
const PEOPLE_OF_LANE: usize = 16;
/// Outages, one after the other, after which a conversation is given up until the next round.
const OUTAGES_MAX: usize = 3;

impl Ldap {
    /// Asks about everybody who has a session again and again, for ever. The names come in the same
    /// order each time, so that a word is as old as one round at most, and not as two.
    pub(crate) async fn keep_asking(&self, who: impl Fn() -> Vec<String>) {
        let mut first = 0;
        loop {
            let (begun, mut names) = (Instant::now(), who());
            first %= names.len().max(1);
            names.rotate_left(first);
            let asked = self.ask_again(&names).await;
            let took = begun.elapsed();
            // A round that was broken off is gone on with behind those who were asked about:
            // people whose questions never end must not come first each time.
            if asked < names.len() {
                first += asked;
            }
            self.say_whether_in_time(names.len(), took);
            tokio::time::sleep(self.asked_every.saturating_sub(took)).await;
        }
    }

    /// Asks about these people; gives how many it came to before the directory was given up.
    async fn ask_again(&self, names: &[String]) -> usize {
        self.confirmed.forget_all_but(names, Instant::now());
        let next = AtomicUsize::new(0);
        let lanes = (0..lanes_for(names.len())).map(|_| self.ask_about_the_next(names, &next));
        futures::future::join_all(lanes).await;
        next.into_inner().min(names.len())
    }

    /// Asks about whoever is next, until there is nobody, or the directory cannot be asked.
    async fn ask_about_the_next(&self, names: &[String], next: &AtomicUsize) {
        let (mut open, mut outages) = (None, 0);
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            let asked = Instant::now();
            let answer = self.found_in(&mut open, name).await;
            self.say(answer.as_ref().err());
            match answer {
                Ok(found) => {
                    outages = 0;
                    self.confirmed.confirm(name, found.entry, found.roles, asked);
                }
                // Nothing was said about them, so the last word counts until it is too old; and
                // what comes next on this connection may belong to this question.
                Err(Denied::Unavailable(why)) => {
                    open = None;
                    outages += usize::from(!why.is_of_one_question());
                    if outages >= OUTAGES_MAX {
                        return;
                    }
                }
                Err(denied) => {
                    outages = 0;
                    // Of several entries the rest may still be on its way.
                    if denied == Denied::Ambiguous {
                        open = None;
                    }
                    self.confirmed.deny(name, asked);
                }
            }
        }
        if let Some(talk) = open {
            talk.end().await;
        }
    }

    async fn found_in(&self, open: &mut Option<Conversation>, name: &str) -> Result<Found, Denied> {
        // Without the account nobody is asked about again.
        let service = self.service.as_ref().ok_or(Denied::NotFound)?;
        let talk = match open {
            Some(talk) => talk,
            None => {
                let mut talk = self.place.connect().await?;
                talk.bind_service(&service.dn, &service.password).await?;
                open.insert(talk)
            }
        };
        self.find(talk, name).await
    }

    /// Says in the log that a round took too long: once, until one is in time again.
    fn say_whether_in_time(&self, people: usize, took: Duration) {
        let round_max = self.confirmed.round_max();
        let is_late = took > round_max;
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if is_late && !said.is_late {
            let (host, port) = (self.place.host.as_str(), self.place.port);
            let (seconds, seconds_max) = (took.as_secs(), round_max.as_secs());
            tracing::warn!(
                host,
                port,
                people,
                seconds,
                seconds_max,
                "the LDAP directory takes too long to be asked about everybody again: sessions may \
                 be refused until it has answered"
            );
        }
        said.is_late = is_late;
    }
}

/// As many conversations as these people need.
fn lanes_for(people: usize) -> usize {
    people.div_ceil(PEOPLE_OF_LANE).min(LANES_MAX)
}

#[cfg(test)]
#[path = "asked_again_tests.rs"]
mod tests;
