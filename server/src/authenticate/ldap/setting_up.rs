//! From the operator's words to a directory that can be asked.
//!
//! Owns what is refused at start: whatever would send passwords readable, take everybody for one
//! person, or leave open what is meant. Must never ask the directory anything: a server starts
//! while it is away, and refuses those whose password it knows.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use martlet_core::{ErrorKind, Kinded};
use martlet_policy::CheckedBundle;
use tokio::sync::Semaphore;
use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Url};

use super::confirmed::Confirmed;
use super::conversation::{Place, Safety};
use super::distinguished_name::{DistinguishedName, PersonName};
use super::file::{self, NotFor};
use super::filter::Filter;
use super::roles::RolesOfGroups;
use super::{CONVERSATIONS_MAX, Groups, Ldap, People, Service, reads_as_empty};
use crate::authenticate::{LdapGroups, LdapPeople, LdapRules, LdapTls};
use crate::trust;

const PORT: u16 = 389;
const TLS_PORT: u16 = 636;

const URL_OPTION: &str = "--ldap";
const CA_OPTION: &str = "--ldap-ca";
const SERVICE_OPTION: &str = "--ldap-bind-dn";
const PASSWORD_OPTION: &str = "--ldap-bind-password-file";
pub(super) const ROLES_OPTION: &str = "--ldap-roles";

/// Why the directory cannot be asked as the options say.
#[derive(Debug, thiserror::Error)]
pub enum LdapUnusable {
    /// An option says something that cannot be meant, or must not be.
    #[error("{option}: {what}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// A file cannot be read.
    #[error("{option}: {} cannot be read", path.display())]
    File {
        /// The option.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}

impl LdapUnusable {
    pub(super) fn option(option: &'static str, what: impl Into<String>) -> Self {
        Self::Option { option, what: what.into() }
    }
}

impl Kinded for LdapUnusable {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

impl Ldap {
    /// The directory that the rules describe; `bundle` has the roles in force.
    pub(crate) fn set_up(
        rules: &LdapRules,
        bundle: Option<&CheckedBundle>,
    ) -> Result<Self, LdapUnusable> {
        let service = service(rules)?;
        Ok(Self {
            place: place(rules)?,
            people: people(rules, service.is_some())?,
            groups: groups(rules, service.is_some(), bundle)?,
            service,
            asked_every: rules.asked_every,
            confirmed: Confirmed::new(rules.word_counts_for),
            turns: Semaphore::new(CONVERSATIONS_MAX),
            said: Mutex::default(),
        })
    }
}

fn place(rules: &LdapRules) -> Result<Place, LdapUnusable> {
    let wrong = |what: &str| LdapUnusable::option(URL_OPTION, what);
    let url = Url::parse(&rules.url).map_err(|_| wrong("it is no URL: ldaps://host:636"))?;
    if !matches!(url.scheme(), "ldaps" | "ldap") {
        return Err(wrong("it begins neither with ldaps:// nor with ldap://"));
    }
    let has_more = !matches!(url.path(), "" | "/")
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some();
    if has_more {
        return Err(wrong("it holds more than a host and a port"));
    }
    // Not a special scheme of URLs, so a host may be a name that is an address.
    let host = match url.host() {
        Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
        Some(Host::Ipv4(ip)) => ip.to_string(),
        Some(Host::Ipv6(ip)) => ip.to_string(),
        Some(Host::Domain(_)) | None => return Err(wrong("it names no host")),
    };
    let (safety, port) = match (url.scheme(), rules.tls) {
        ("ldaps", LdapTls::ByUrl) => (tls(rules, &host, Safety::Tls)?, TLS_PORT),
        ("ldaps", LdapTls::StartTls) => {
            return Err(wrong("ldaps:// is TLS from the first byte: leave --ldap-starttls out"));
        }
        (_, LdapTls::StartTls) => (tls(rules, &host, Safety::StartTls)?, PORT),
        (_, LdapTls::ByUrl) if is_loopback(&host) => (Safety::Loopback, PORT),
        (_, LdapTls::ByUrl) => {
            return Err(wrong(
                "ldap:// sends passwords readable: take ldaps://, or give --ldap-starttls",
            ));
        }
    };
    Ok(Place {
        host,
        port: url.port().unwrap_or(port),
        safety,
        connect_time_max: rules.connect_time_max,
        answer_time_max: rules.answer_time_max,
    })
}

/// A name is resolved anew each time, by whoever may say what it means: it is no loopback.
fn is_loopback(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn tls(
    rules: &LdapRules,
    host: &str,
    safety: fn(tokio_rustls::TlsConnector, ServerName<'static>) -> Safety,
) -> Result<Safety, LdapUnusable> {
    let wrong = |what: String| LdapUnusable::option(CA_OPTION, what);
    let Some(file) = &rules.authorities else {
        return Err(wrong(
            "TLS needs the certificates (PEM) by which the directory is proven".into(),
        ));
    };
    let connector = trust::connector(file).map_err(|error| match error {
        trust::NoTrust::Unreadable { path, source } => {
            LdapUnusable::File { option: CA_OPTION, path, source }
        }
        wrong_file @ trust::NoTrust::Wrong { .. } => wrong(wrong_file.to_string()),
    })?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| LdapUnusable::option(URL_OPTION, "the host's name is none"))?;
    Ok(safety(connector, name))
}

fn people(rules: &LdapRules, has_service: bool) -> Result<People, LdapUnusable> {
    match &rules.people {
        LdapPeople::Named { dn } => PersonName::parse(dn)
            .map(People::Named)
            .map_err(|what| LdapUnusable::option("--ldap-user-dn", what)),
        LdapPeople::Searched { .. } if !has_service => Err(LdapUnusable::option(
            "--ldap-base",
            "a search needs an account: give --ldap-bind-dn and --ldap-bind-password-file",
        )),
        LdapPeople::Searched { base, filter } => {
            let wrong = |what| LdapUnusable::option("--ldap-filter", what);
            let filter = Filter::parse(filter, &["name"]).map_err(wrong)?;
            if !filter.speaks_of_a_person() {
                return Err(wrong("has no `{name}` that counts, so everybody would be one person"));
            }
            Ok(People::Searched { base: distinguished("--ldap-base", base)?, filter })
        }
    }
}

fn distinguished(option: &'static str, dn: &str) -> Result<String, LdapUnusable> {
    match DistinguishedName::parse(dn) {
        Some(_) => Ok(dn.to_owned()),
        None => Err(LdapUnusable::option(option, "it is no distinguished name")),
    }
}

fn service(rules: &LdapRules) -> Result<Option<Service>, LdapUnusable> {
    let Some(account) = &rules.service else { return Ok(None) };
    let dn = distinguished(SERVICE_OPTION, &account.dn)?;
    let password = read_password(&account.password)?;
    Ok(Some(Service { dn, password }))
}

/// The one line of the file.
fn read_password(path: &Path) -> Result<String, LdapUnusable> {
    let text = file::read(PASSWORD_OPTION, path, NotFor::EverybodyToRead)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if reads_as_empty(line) || line.contains(['\n', '\r']) {
        let what = format!("{}: it is not one line with a password", path.display());
        return Err(LdapUnusable::option(PASSWORD_OPTION, what));
    }
    Ok(line.to_owned())
}

fn groups(
    rules: &LdapRules,
    has_service: bool,
    bundle: Option<&CheckedBundle>,
) -> Result<Option<(Groups, RolesOfGroups)>, LdapUnusable> {
    let Some(wanted) = &rules.roles else { return Ok(None) };
    if !has_service {
        return Err(LdapUnusable::option(
            ROLES_OPTION,
            "groups can be taken away, which somebody has to ask about: give --ldap-bind-dn and \
             --ldap-bind-password-file",
        ));
    }
    let roles = RolesOfGroups::open(&wanted.file, bundle)?;
    let groups = match &wanted.groups {
        LdapGroups::OfEntry => Groups::OfEntry,
        LdapGroups::Searched { base, filter } => {
            let wrong = |what| LdapUnusable::option("--ldap-group-filter", what);
            let filter = Filter::parse(filter, &["name", "dn"]).map_err(wrong)?;
            if !filter.speaks_of_a_person() {
                return Err(wrong(
                    "has no `{dn}` or `{name}` that counts: all would be in all groups",
                ));
            }
            Groups::Searched { base: distinguished("--ldap-groups", base)?, filter }
        }
    };
    Ok(Some((groups, roles)))
}
