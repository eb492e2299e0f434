//! Passwords that an LDAP directory knows, and the roles that its groups give.
//!
//! Owns the whole question to the directory: whose entry it is, whether the password is right,
//! which roles the groups give, and for how long its word counts. The feed says whose password is
//! the directory's; nobody comes in who is not in it. Must never take silence, a referral, several
//! entries or an answer that it does not understand for a yes, and never send a password before
//! the other end has proven to be the directory, nor one that may be read as empty at all.
//!
//! LDAP is spoken here and not by a crate: `ldap3` and the parsers under it descend into whatever
//! they are sent as deep as it goes, keep messages of any length, panic on answers of another form
//! than they expect, and follow features of shared crates that everything else would have to be
//! built anew for. What is needed is four requests and flat elements, which `der` has read already.
//!
//! Read in this order: `distinguished_name` and `filter` (who is asked for), `wire` and `message`
//! (how), `conversation` (over what, for how long), `roles` (what groups give), `confirmed` (until
//! when that counts), `asked_again` (who has a session is asked about again).

mod asked_again;
mod confirmed;
mod conversation;
mod denied;
mod distinguished_name;
mod file;
mod filter;
mod message;
mod roles;
mod setting_up;
mod template;
mod wire;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use martlet_policy::{RoleName, SignedIn};
use tokio::sync::{Semaphore, SemaphorePermit};

use confirmed::Confirmed;
pub(crate) use confirmed::Vouched;
use conversation::{Conversation, Place};
use denied::Unavailable;
pub(crate) use denied::{CountsFor, Denied};
use distinguished_name::{DistinguishedName, PersonName};
use filter::{Filter, Person};
use message::{Entry, Scope, Search};
use roles::RolesOfGroups;
pub use setting_up::LdapUnusable;
use setting_up::ROLES_OPTION;

/// Sign-ins that ask the directory at the same time.
const CONVERSATIONS_MAX: usize = 16;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// Groups of one person that are looked at; whoever has more is not let in.
const GROUPS_MAX: u32 = 5_000;
/// Kinds of unanswered questions that are said in the log: results are numbers, and a directory
/// can think of many.
const KINDS_SAID_MAX: usize = 16;
/// The attribute in which entries say their groups.
const MEMBER_OF: &str = "memberOf";

/// How a person's entry is found.
enum People {
    /// Its distinguished name is made of the name.
    Named(PersonName),
    /// It is searched for.
    Searched { base: String, filter: Filter },
}

/// Where a person's groups stand.
enum Groups {
    /// In the person's entry.
    OfEntry,
    /// In entries of their own.
    Searched { base: String, filter: Filter },
}

/// The account that searches. `Debug` is not derived: it holds a password.
struct Service {
    dn: String,
    password: String,
}

/// The directory.
pub(crate) struct Ldap {
    place: Place,
    people: People,
    service: Option<Service>,
    groups: Option<(Groups, RolesOfGroups)>,
    asked_every: Duration,
    confirmed: Confirmed,
    turns: Semaphore,
    said: Mutex<Said>,
}

/// What was said in the log, so that it is said once.
#[derive(Debug, Default)]
struct Said {
    outage: Option<Unavailable>,
    of_questions: Vec<Unavailable>,
    /// That everybody is not asked about again in time.
    is_late: bool,
}

impl fmt::Debug for Ldap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ldap({:?})", self.place)
    }
}

/// Somebody whose password the directory has found right.
#[derive(Debug)]
pub(crate) struct Proven {
    /// The roles that the groups give.
    pub(crate) roles: BTreeSet<RoleName>,
    /// The entry, where the directory is asked about it again; `None` where nobody can ask.
    pub(crate) vouched: Option<Vouched>,
}

/// What the directory has of a person.
struct Found {
    /// As the directory writes it.
    dn: String,
    entry: Vouched,
    roles: BTreeSet<RoleName>,
}

impl Ldap {
    /// Whether the password is that of the name, and which roles the groups give.
    pub(crate) async fn prove(&self, name: &str, password: &str) -> Result<Proven, Denied> {
        if reads_as_empty(password) {
            return Err(Denied::EmptyPassword);
        }
        let proven = match self.turn().await {
            Ok(_turn) => self.try_prove(name, password).await,
            Err(queue) => Err(queue.into()),
        };
        self.say(proven.as_ref().err());
        proven
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, Unavailable> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        turn.ok().and_then(Result::ok).ok_or(Unavailable::Queue)
    }

    async fn try_prove(&self, name: &str, password: &str) -> Result<Proven, Denied> {
        let mut talk = self.place.connect().await?;
        let proven = match &self.service {
            Some(service) => {
                talk.bind_service(&service.dn, &service.password).await?;
                let asked = Instant::now();
                let found = self.find(&mut talk, name).await?;
                talk.bind_person(&found.dn, password).await?;
                let Found { entry, roles, .. } = found;
                self.confirmed.confirm(name, entry.clone(), roles.clone(), asked);
                Proven { roles, vouched: Some(entry) }
            }
            None => {
                let People::Named(person) = &self.people else {
                    // Refused at start.
                    return Err(Denied::NotFound);
                };
                talk.bind_person(&person.of(name), password).await?;
                Proven { roles: BTreeSet::new(), vouched: None }
            }
        };
        talk.end().await;
        Ok(proven)
    }

    /// The one entry of a name, and its roles, as the service account sees them.
    async fn find(&self, talk: &mut Conversation, name: &str) -> Result<Found, Denied> {
        let entry = self.only_entry(talk, name).await?;
        let of = DistinguishedName::parse(&entry.dn).ok_or(Unavailable::Answer)?;
        let roles = match &self.groups {
            None => BTreeSet::new(),
            Some((Groups::OfEntry, roles)) => {
                roles.of(groups_of(&entry)?.into_iter()).ok_or(Unavailable::Groups)?
            }
            Some((Groups::Searched { base, filter }, roles)) => {
                let person = Person { name, dn: &entry.dn };
                let groups = groups_below(talk, base, filter, person).await?;
                let groups = groups.iter().map(|group| group.dn.as_str());
                roles.of(groups).ok_or(Unavailable::Groups)?
            }
        };
        Ok(Found { dn: entry.dn, entry: Vouched(of), roles })
    }

    async fn only_entry(&self, talk: &mut Conversation, name: &str) -> Result<Entry, Denied> {
        let attribute = match self.groups {
            Some((Groups::OfEntry, _)) => Some(MEMBER_OF),
            Some((Groups::Searched { .. }, _)) | None => None,
        };
        let seconds_max = self.place.seconds_max();
        let (base, scope, filter) = match &self.people {
            People::Named(person) => (person.of(name), Scope::Base, Filter::anything()),
            People::Searched { base, filter } => (base.clone(), Scope::Subtree, filter.clone()),
        };
        let filter = filter.to_bytes(Person { name, dn: "" });
        // Two are enough to know that it is not one.
        let (base, filter, entries_max) = (base.as_str(), filter.as_slice(), 2);
        let search = Search { base, scope, filter, attribute, entries_max, seconds_max };
        let mut entries = talk.search(&search).await?;
        match (entries.pop(), entries.is_empty()) {
            (Some(entry), true) => Ok(entry),
            (Some(_), false) => Err(Denied::Ambiguous),
            (None, _) => Err(Denied::NotFound),
        }
    }

    /// Whether the directory still says of somebody what their sign-in stands on.
    pub(crate) fn still_vouches(&self, signed_in: &SignedIn, entry: &Vouched) -> bool {
        self.confirmed.stands(signed_in, entry, Instant::now())
    }

    /// Says in the log that the directory cannot be asked, and that it can again: once each. Of
    /// questions that it does not answer while it does others, each kind is said once.
    fn say(&self, denied: Option<&Denied>) {
        let why = match denied {
            Some(Denied::Unavailable(why)) => Some(*why),
            // Before anything was sent nothing is known of the directory.
            Some(Denied::EmptyPassword) => return,
            Some(_) | None => None,
        };
        let (host, port) = (self.place.host.as_str(), self.place.port);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) if why.is_of_one_question() => {
                let is_new = !said.of_questions.contains(&why);
                if is_new && said.of_questions.len() < KINDS_SAID_MAX {
                    tracing::error!(host, port, %why, "the LDAP directory leaves a question open");
                    said.of_questions.push(why);
                }
            }
            Some(why) if said.outage != Some(why) => {
                tracing::error!(
                    host, port, %why,
                    "the LDAP directory cannot be asked: nobody signs in by it"
                );
                said.outage = Some(why);
            }
            None if said.outage.take().is_some() => {
                tracing::info!(host, port, "the LDAP directory answers again");
            }
            Some(_) | None => {}
        }
    }
}

/// Whether a directory may take this password for an empty one: it is, or it holds a NUL byte, at
/// which one ends that is handed on as a string of C.
fn reads_as_empty(password: &str) -> bool {
    password.is_empty() || password.contains('\0')
}

/// The groups in an entry. A directory that has too many of them gives a part, and says so in the
/// attribute's description; a part may lack the role that takes rows away.
fn groups_of(entry: &Entry) -> Result<Vec<&str>, Unavailable> {
    let mut groups = Vec::new();
    for (description, values) in &entry.attributes {
        let (of, options) = description.split_once(';').unwrap_or((description, ""));
        if !of.eq_ignore_ascii_case(MEMBER_OF) {
            continue;
        }
        if !options.is_empty() {
            return Err(Unavailable::Groups);
        }
        groups.extend(values.iter().map(String::as_str));
    }
    Ok(groups)
}

async fn groups_below(
    talk: &mut Conversation,
    base: &str,
    filter: &Filter,
    person: Person<'_>,
) -> Result<Vec<Entry>, Denied> {
    let filter = filter.to_bytes(person);
    let search = Search {
        base,
        scope: Scope::Subtree,
        filter: &filter,
        attribute: None,
        entries_max: GROUPS_MAX,
        seconds_max: talk.seconds_max(),
    };
    match talk.search(&search).await {
        // It is the groups that are too many, or not there, and not the person.
        Err(Denied::Ambiguous | Denied::NotFound) => Err(Unavailable::Groups.into()),
        other => other,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
