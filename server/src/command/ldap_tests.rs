//! Which options of the directory belong together, and what nothing said means.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    ldap: LdapArguments,
}

fn parsed(words: &[&str]) -> Result<Option<LdapRules>, clap::Error> {
    Line::try_parse_from([&["serve"], words].concat()).map(|line| line.ldap.rules())
}

const DIRECT: &[&str] = &["--ldap", "ldaps://dir", "--ldap-user-dn", "uid={name},dc=bank"];
const ACCOUNT: &[&str] = &["--ldap-bind-dn", "cn=m,dc=bank", "--ldap-bind-password-file", "p"];

#[test]
fn a_directory_is_asked_as_the_options_say() {
    assert_eq!(parsed(&[]).unwrap(), None);
    let direct = parsed(DIRECT).unwrap().unwrap();
    let people = LdapPeople::Named { dn: "uid={name},dc=bank".into() };
    assert_eq!(direct, LdapRules::new("ldaps://dir".into(), people));
    let searched = ["--ldap", "ldap://dir", "--ldap-starttls", "--ldap-base", "dc=bank"];
    let filter = ["--ldap-filter", "(uid={name})", "--ldap-ca", "ca.pem"];
    let roles = ["--ldap-roles", "r.toml", "--ldap-groups", "ou=g", "--ldap-check-seconds", "5"];
    let whole = [&searched[..], &filter, ACCOUNT, &roles].concat();
    let rules = parsed(&whole).unwrap().unwrap();
    assert_eq!((rules.tls, rules.asked_every), (LdapTls::StartTls, Duration::from_secs(5)));
    let (base, filter) = ("ou=g".to_owned(), "(member={dn})".to_owned());
    let groups = LdapGroups::Searched { base, filter };
    assert_eq!(rules.roles.unwrap(), LdapRoles { file: "r.toml".into(), groups });
    let own = [DIRECT, ACCOUNT, &["--ldap-roles", "r.toml"]].concat();
    assert_eq!(parsed(&own).unwrap().unwrap().roles.unwrap().groups, LdapGroups::OfEntry);
}

#[test]
fn a_part_of_it_is_refused() {
    for part in [
        &["--ldap", "ldaps://dir"][..],
        &DIRECT[2..],
        &[DIRECT, &["--ldap-base", "dc=bank", "--ldap-filter", "(uid={name})"]].concat(),
        &["--ldap", "ldaps://dir", "--ldap-base", "dc=bank", "--ldap-filter", "(uid={name})"],
        &[DIRECT, &ACCOUNT[..2]].concat(),
        &[DIRECT, &ACCOUNT[2..]].concat(),
        &[DIRECT, &["--ldap-roles", "r.toml"]].concat(),
        &[DIRECT, ACCOUNT, &["--ldap-groups", "ou=g"]].concat(),
        &[DIRECT, ACCOUNT, &["--ldap-check-seconds", "26"]].concat(),
        &[DIRECT, ACCOUNT, &["--ldap-check-seconds", "0"]].concat(),
        &["--ldap-starttls"],
    ] {
        assert!(parsed(part).is_err(), "{part:?}");
    }
}
