//! Whom the directory has confirmed, with which roles, and when.
//!
//! Owns how long its word counts. Must never let a word count that is older than that, and never
//! let an older one take the place of a newer one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use martlet_policy::{RoleName, SignedIn};

use super::distinguished_name::DistinguishedName;

/// The entry under which somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vouched(pub(super) DistinguishedName);

#[derive(Debug)]
struct Word {
    entry: Vouched,
    roles: BTreeSet<RoleName>,
    asked: Instant,
}

/// The directory's last word about everybody who has signed in by it.
#[derive(Debug)]
pub(super) struct Confirmed {
    words: Mutex<HashMap<String, Word>>,
    /// How long a word counts.
    count_for: Duration,
}

impl Confirmed {
    pub(super) fn new(count_for: Duration) -> Self {
        Self { words: Mutex::default(), count_for }
    }

    /// The directory knows the name by this entry, with these roles: said when it was asked then.
    pub(super) fn confirm(
        &self,
        name: &str,
        entry: Vouched,
        roles: BTreeSet<RoleName>,
        asked: Instant,
    ) {
        let mut words = self.lock();
        if words.get(name).is_none_or(|word| word.asked <= asked) {
            words.insert(name.to_owned(), Word { entry, roles, asked });
        }
    }

    /// The directory does not know the name, or not as one person.
    pub(super) fn deny(&self, name: &str, asked: Instant) {
        let mut words = self.lock();
        if words.get(name).is_some_and(|word| word.asked <= asked) {
            words.remove(name);
        }
    }

    /// Whether the last word is what the sign-in stands on, and not too old.
    pub(super) fn stands(&self, signed_in: &SignedIn, entry: &Vouched, now: Instant) -> bool {
        self.lock().get(signed_in.name()).is_some_and(|word| {
            word.entry == *entry && word.roles == *signed_in.lent() && self.counts(word, now)
        })
    }

    /// Forgets those who have no session any more.
    pub(super) fn forget_all_but(&self, names: &[String], now: Instant) {
        let names: HashSet<&str> = names.iter().map(String::as_str).collect();
        // Whoever is signing in at this moment has no session yet.
        self.lock().retain(|name, word| names.contains(name.as_str()) || self.counts(word, now));
    }

    /// How long one round of questions about everybody may take: half of the time, so that there
    /// is another before the word is too old of whom one has left open.
    pub(super) fn round_max(&self) -> Duration {
        self.count_for / 2
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Word>> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self, word: &Word, now: Instant) -> bool {
        now.saturating_duration_since(word.asked) < self.count_for
    }
}

#[cfg(test)]
mod tests {
    use martlet_policy::{Directory, PasswordAge, Presented, Terms, UsedCodes};

    use super::*;

    const COUNT_FOR: Duration = Duration::from_secs(50);

    fn roles(names: &[&str]) -> BTreeSet<RoleName> {
        names.iter().map(|name| RoleName::new(name).unwrap()).collect()
    }

    fn ann(lent: &[&str]) -> SignedIn {
        let directory = Directory::parse("name,roles,node,password\nann,,,ldap\n").unwrap();
        let used = UsedCodes::default();
        let terms = Terms { seconds: 0, password_age: PasswordAge::Any, used: &used };
        let presented = Presented { name: "ann", password: "x", code: None };
        directory.sign_in_by_ldap(presented, &terms, roles(lent)).unwrap()
    }

    fn entry(dn: &str) -> Vouched {
        Vouched(DistinguishedName::parse(dn).unwrap())
    }

    #[test]
    fn a_session_stands_on_the_last_word_about_its_person() {
        let (confirmed, now) = (Confirmed::new(COUNT_FOR), Instant::now());
        let (of_ann, later) = (entry("uid=ann"), now + Duration::from_secs(1));
        let stands = |lent: &[&str], at| confirmed.stands(&ann(lent), &of_ann, at);
        assert!(!stands(&[], now), "nothing was said");
        confirmed.confirm("ann", of_ann.clone(), roles(&["clerk"]), now);
        assert!(stands(&["clerk"], now));
        assert!(!stands(&[], now) && !stands(&["clerk", "other"], now), "other roles");
        assert!(
            !confirmed.stands(&ann(&["clerk"]), &entry("uid=ann,ou=new"), now),
            "another entry"
        );
        confirmed.confirm("ann", of_ann.clone(), roles(&[]), later);
        assert!(!stands(&["clerk"], later) && stands(&[], later), "a group was taken away");
        confirmed.confirm("ann", of_ann.clone(), roles(&["clerk"]), now);
        assert!(!stands(&["clerk"], later), "an older word comes late");
        confirmed.deny("ann", now);
        assert!(stands(&[], later), "so does an older denial");
        confirmed.deny("ann", later);
        assert!(!stands(&[], later));
    }

    #[test]
    fn a_word_counts_for_its_time() {
        let (confirmed, now) = (Confirmed::new(COUNT_FOR), Instant::now());
        confirmed.confirm("ann", entry("uid=ann"), roles(&[]), now);
        let stands = |at| confirmed.stands(&ann(&[]), &entry("uid=ann"), at);
        assert!(stands(now + COUNT_FOR - Duration::from_millis(1)));
        assert!(!stands(now + COUNT_FOR));
        confirmed.forget_all_but(&["ann".to_owned()], now + COUNT_FOR);
        confirmed.confirm("ann", entry("uid=ann"), roles(&[]), now + COUNT_FOR);
        assert!(stands(now + COUNT_FOR), "it answers again");
        confirmed.forget_all_but(&[], now + COUNT_FOR * 2);
        assert!(confirmed.lock().is_empty());
    }
}
