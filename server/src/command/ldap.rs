//! The LDAP directory, as options of `martlet serve`.
//!
//! Owns the names of the options and which of them belong together; what they mean, and what is
//! refused of it, is the library's.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use martlet_server::authenticate::{
    LDAP_ASKED_EVERY, LdapGroups, LdapPeople, LdapRoles, LdapRules, LdapService, LdapTls,
};

/// Beyond this, somebody who lost a group could go on for more than a minute.
const SECONDS_MAX: u64 = 25;

/// The options about the LDAP directory.
#[derive(Debug, Args)]
pub(crate) struct LdapArguments {
    /// Ask this directory for the passwords of those whose password in the feed is `ldap`
    #[arg(long, value_name = "URL", requires = "ldap_people")]
    ldap: Option<String>,
    /// Begin TLS on demand (StartTLS), before anything else; for ldap://
    #[arg(long, requires = "ldap")]
    ldap_starttls: bool,
    /// The certificates (PEM) by which the directory is proven
    #[arg(long, value_name = "FILE", requires = "ldap")]
    ldap_ca: Option<PathBuf>,
    /// The distinguished name of a person, with {name} in it
    #[arg(long, value_name = "DN", group = "ldap_people", requires = "ldap")]
    ldap_user_dn: Option<String>,
    /// Search for a person's entry below this one
    #[arg(
        long,
        value_name = "DN",
        group = "ldap_people",
        requires = "ldap_filter",
        requires = "ldap_bind_dn"
    )]
    ldap_base: Option<String>,
    /// By this filter, with {name} in it; it has to find one entry
    #[arg(long, value_name = "FILTER", requires = "ldap_base")]
    ldap_filter: Option<String>,
    /// The account that searches, and asks again about who is signed in
    #[arg(long, value_name = "DN", requires = "ldap", requires = "ldap_bind_password_file")]
    ldap_bind_dn: Option<String>,
    /// The file with its password
    #[arg(long, value_name = "FILE", requires = "ldap_bind_dn")]
    ldap_bind_password_file: Option<PathBuf>,
    /// Which groups give which roles (TOML); read at start
    #[arg(long, value_name = "FILE", requires = "ldap_bind_dn")]
    ldap_roles: Option<PathBuf>,
    /// Search for a person's groups below this entry; default: `memberOf` of the person's own
    #[arg(long, value_name = "DN", requires = "ldap_roles")]
    ldap_groups: Option<String>,
    /// By this filter, with {dn} or {name} in it
    #[arg(long, value_name = "FILTER", requires = "ldap_groups", default_value = "(member={dn})")]
    ldap_group_filter: String,
    /// Seconds after which everybody who is signed in is asked about again
    #[arg(long, value_name = "N", requires = "ldap_bind_dn", default_value_t = LDAP_ASKED_EVERY.as_secs(), value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    ldap_check_seconds: u64,
}

impl LdapArguments {
    /// The rules that the options say, if there is a directory.
    pub(crate) fn rules(&self) -> Option<LdapRules> {
        let tls = if self.ldap_starttls { LdapTls::StartTls } else { LdapTls::ByUrl };
        Some(LdapRules {
            tls,
            authorities: self.ldap_ca.clone(),
            service: self.service(),
            roles: self.roles(),
            asked_every: Duration::from_secs(self.ldap_check_seconds),
            ..LdapRules::new(self.ldap.clone()?, self.people()?)
        })
    }

    fn people(&self) -> Option<LdapPeople> {
        match (&self.ldap_user_dn, &self.ldap_base, &self.ldap_filter) {
            (Some(dn), ..) => Some(LdapPeople::Named { dn: dn.clone() }),
            (None, Some(base), Some(filter)) => {
                Some(LdapPeople::Searched { base: base.clone(), filter: filter.clone() })
            }
            // Refused by the words' own rules.
            (None, ..) => None,
        }
    }

    fn service(&self) -> Option<LdapService> {
        let (dn, password) = (self.ldap_bind_dn.clone()?, self.ldap_bind_password_file.clone()?);
        Some(LdapService { dn, password })
    }

    fn roles(&self) -> Option<LdapRoles> {
        let file = self.ldap_roles.clone()?;
        let groups = match &self.ldap_groups {
            Some(base) => {
                let filter = self.ldap_group_filter.clone();
                LdapGroups::Searched { base: base.clone(), filter }
            }
            None => LdapGroups::OfEntry,
        };
        Some(LdapRoles { file, groups })
    }
}

#[cfg(test)]
#[path = "ldap_tests.rs"]
mod tests;
