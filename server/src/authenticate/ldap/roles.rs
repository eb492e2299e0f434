//! Which groups of the directory give which roles: the operator's file.
//!
//! Owns reading it, once, at start. Must never give a role that the file does not name for a
//! group, and never begin with one that the rules in force do not have.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use martlet_policy::{CheckedBundle, RoleName};
use serde::Deserialize;

use super::distinguished_name::DistinguishedName;
use super::file::{self, NotFor};
use super::{LdapUnusable, ROLES_OPTION as OPTION};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    group: Vec<WrittenGroup>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGroup {
    dn: String,
    roles: Vec<String>,
}

/// The roles of each group.
#[derive(Debug, Default)]
pub(super) struct RolesOfGroups(HashMap<DistinguishedName, BTreeSet<RoleName>>);

impl RolesOfGroups {
    /// Reads the file and holds it against the rules in force.
    pub(super) fn open(path: &Path, bundle: Option<&CheckedBundle>) -> Result<Self, LdapUnusable> {
        let text = file::read(OPTION, path, NotFor::EverybodyToWrite)?;
        let wrong =
            |what: String| LdapUnusable::option(OPTION, format!("{}: {what}", path.display()));
        let roles = Self::parse(&text).map_err(wrong)?;
        let is_known =
            |role: &RoleName| bundle.is_some_and(|bundle| bundle.role(role.as_str()).is_some());
        match roles.0.values().flatten().find(|role| !is_known(role)) {
            Some(role) => Err(wrong(format!("the rules in force have no role `{role}`"))),
            None => Ok(roles),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let mut groups = HashMap::new();
        for WrittenGroup { dn, roles } in written.group {
            let group = DistinguishedName::parse(&dn)
                .ok_or_else(|| format!("`{dn}` is no distinguished name"))?;
            let named = |role: &String| RoleName::new(role).map_err(|what| what.to_string());
            let roles = roles.iter().map(named).collect::<Result<BTreeSet<_>, _>>()?;
            if roles.is_empty() {
                return Err(format!("the group `{dn}` gives no role"));
            }
            if groups.insert(group, roles).is_some() {
                return Err(format!("the group `{dn}` stands there twice"));
            }
        }
        if groups.is_empty() {
            return Err("it has no `[[group]]` with `dn` and `roles`".to_owned());
        }
        Ok(Self(groups))
    }

    /// The roles of somebody in these groups; `None` if one of them is no distinguished name, so
    /// that it is not known which it is.
    pub(super) fn of<'a>(
        &self,
        groups: impl Iterator<Item = &'a str>,
    ) -> Option<BTreeSet<RoleName>> {
        let mut roles = BTreeSet::new();
        for group in groups {
            let of_group = self.0.get(&DistinguishedName::parse(group)?);
            roles.extend(of_group.into_iter().flatten().cloned());
        }
        Some(roles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &str = "[[group]]\ndn = \"cn=analysts,ou=groups,dc=bank\"\nroles = [\"analyst\", \"clerk\"]\n\
         [[group]]\ndn = \"cn=Night Shift,ou=groups,dc=bank\"\nroles = [\"clerk\"]\n";

    fn roles(groups: &[&str]) -> Option<Vec<String>> {
        let of = RolesOfGroups::parse(GROUPS).unwrap().of(groups.iter().copied())?;
        Some(of.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn groups_give_the_roles_that_the_file_names_and_no_others() {
        assert_eq!(roles(&[]).unwrap(), [""; 0]);
        assert_eq!(roles(&["CN=night  shift, OU=groups, DC=bank"]).unwrap(), ["clerk"]);
        assert_eq!(roles(&["cn=analysts,ou=groups,dc=bank"]).unwrap(), ["analyst", "clerk"]);
        for other in [
            "cn=analyst,ou=groups,dc=bank",
            "cn=analysts,ou=others,dc=bank",
            r"cn=analysts\,ou=groups,dc=bank",
            "cn=analysts,ou=groups,dc=bank,dc=evil",
            "cn=x+cn=analysts,ou=groups,dc=bank",
        ] {
            assert_eq!(roles(&[other]).unwrap(), [""; 0], "{other}");
        }
        assert_eq!(roles(&["cn=analysts,ou=groups,dc=bank", "analysts"]), None);
    }

    #[test]
    fn a_file_that_is_unclear_is_refused() {
        for wrong in [
            "",
            "[[group]]\ndn = \"cn=a\"\n",
            "[[group]]\ndn = \"cn=a\"\nroles = []\n",
            "[[group]]\ndn = \"a\"\nroles = [\"clerk\"]\n",
            "[[group]]\ndn = \"cn=a\"\nroles = [\"Bad Role\"]\n",
            "[[group]]\ndn = \"cn=a\"\nroles = [\"clerk\"]\nrole = \"x\"\n",
            "[[group]]\ndn = \"cn=a\"\nroles = [\"clerk\"]\n[[group]]\ndn = \"CN=A\"\nroles = [\"analyst\"]\n",
        ] {
            assert!(RolesOfGroups::parse(wrong).is_err(), "{wrong}");
        }
    }
}
