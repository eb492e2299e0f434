//! What is refused at start: whatever would send passwords readable or take all for one person.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::*;
use crate::authenticate::{LdapGroups, LdapPeople, LdapRoles, LdapRules, LdapService, LdapTls};

const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/alarm/test_certificates/ca.pem");

fn direct(url: &str) -> LdapRules {
    LdapRules::new(url.into(), LdapPeople::Named { dn: "uid={name},dc=bank".into() })
}

fn secure() -> LdapRules {
    LdapRules { authorities: Some(CA.into()), ..direct("ldaps://dir.bank:636") }
}

fn refused(rules: &LdapRules) -> String {
    Ldap::set_up(rules, None).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn passwords_do_not_travel_readable() {
    for fine in ["ldaps://dir.bank", "ldaps://10.0.0.5:1636/", "ldaps://[fd00::1]"] {
        assert!(Ldap::set_up(&LdapRules { url: fine.into(), ..secure() }, None).is_ok(), "{fine}");
    }
    for here in ["ldap://127.0.0.1", "ldap://127.0.0.1:1389", "ldap://[::1]:389"] {
        assert!(Ldap::set_up(&direct(here), None).is_ok(), "{here}");
    }
    let start = LdapRules { tls: LdapTls::StartTls, url: "ldap://dir.bank".into(), ..secure() };
    assert_eq!(Ldap::set_up(&start, None).unwrap().place.port, 389);
    for (url, why) in [
        ("ldap://dir.bank", "readable"),
        ("ldap://localhost", "readable"),
        ("ldap://10.0.0.5:636", "readable"),
        ("https://dir.bank", "neither"),
        ("ldaps://", "no host"),
        ("ldaps://cn:secret@dir.bank", "more than a host"),
        ("ldaps://dir.bank/dc=bank??sub", "more than a host"),
        ("dir.bank:636", "neither"),
        ("", "no URL"),
    ] {
        let told = refused(&LdapRules { url: url.into(), ..secure() });
        assert!(told.contains(why), "{url}: {told}");
    }
    assert!(refused(&LdapRules { tls: LdapTls::StartTls, ..secure() }).contains("--ldap-starttls"));
    assert!(refused(&direct("ldaps://dir.bank")).contains("--ldap-ca"));
    let missing = LdapRules { authorities: Some("/none.pem".into()), ..secure() };
    assert!(refused(&missing).contains("cannot be read"));
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn service(&self, text: &str, mode: u32) -> Option<LdapService> {
        let dn = "cn=martlet,dc=bank".into();
        Some(LdapService { dn, password: self.file("password", text, mode) })
    }
}

#[test]
fn an_account_has_one_password_that_not_everybody_reads() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let with = |text, mode| LdapRules { service: folder.service(text, mode), ..secure() };
    let set_up = |text| Ldap::set_up(&with(text, 0o640), None).unwrap().service.unwrap().password;
    assert_eq!(set_up("secret"), "secret");
    assert_eq!(set_up("sec ret\r\n"), "sec ret");
    for (text, mode) in
        [("", 0o600), ("\n", 0o600), ("a\nb\n", 0o600), ("\0secret\n", 0o600), ("secret", 0o644)]
    {
        let told = refused(&with(text, mode));
        assert!(told.contains("--ldap-bind-password-file") && !told.contains("secret"), "{told}");
    }
    let nobody = LdapService { dn: String::new(), password: folder.file("p", "x", 0o600) };
    assert!(refused(&LdapRules { service: Some(nobody), ..secure() }).contains("--ldap-bind-dn"));
}

#[test]
fn a_search_finds_one_person_and_needs_an_account() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let searched = |filter: &str| LdapRules {
        people: LdapPeople::Searched { base: "dc=bank".into(), filter: filter.into() },
        service: folder.service("secret", 0o600),
        ..secure()
    };
    assert!(Ldap::set_up(&searched("(&(objectClass=person)(uid={name}))"), None).is_ok());
    for filter in ["(objectClass=person)", "(|(uid={name})(objectClass=*))", "(uid={name})x"] {
        assert!(refused(&searched(filter)).contains("--ldap-filter"), "{filter}");
    }
    let alone = LdapRules { service: None, ..searched("(uid={name})") };
    assert!(refused(&alone).contains("needs an account"));
}

#[test]
fn roles_need_rules_that_have_them_and_somebody_who_asks_again() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let text = "[[group]]\ndn = \"cn=a,dc=bank\"\nroles = [\"clerk\"]\n";
    let with = |groups, mode| LdapRules {
        service: folder.service("secret", 0o600),
        roles: Some(LdapRoles { file: folder.file("roles.toml", text, mode), groups }),
        ..secure()
    };
    let told = refused(&with(LdapGroups::OfEntry, 0o644));
    assert!(told.contains("the rules in force have no role `clerk`"), "{told}");
    assert!(refused(&with(LdapGroups::OfEntry, 0o666)).contains("everybody may write it"));
    let nobody_asks = LdapRules { service: None, ..with(LdapGroups::OfEntry, 0o644) };
    assert!(refused(&nobody_asks).contains("--ldap-bind-dn"));
}

#[test]
fn a_part_of_the_groups_is_none_of_them() {
    let entry = |description: &str| Entry {
        dn: "uid=ann".into(),
        attributes: vec![
            ("cn".into(), vec!["ann".into()]),
            (description.into(), vec!["cn=a".into(), "cn=b".into()]),
        ],
    };
    assert_eq!(groups_of(&entry("MEMBEROF")).unwrap(), ["cn=a", "cn=b"]);
    assert_eq!(groups_of(&entry("member")).unwrap(), [""; 0]);
    assert_eq!(groups_of(&entry("memberOf;range=0-1499")), Err(Unavailable::Groups));
}

#[tokio::test]
async fn a_password_that_may_arrive_as_an_empty_one_is_not_sent() {
    // Nobody listens there: whatever is tried to be sent is `Unavailable`.
    let ldap = Ldap::set_up(&direct("ldap://127.0.0.1:1"), None).unwrap();
    for password in ["", "\0", "\0secret", "secret\0"] {
        let denied = ldap.prove("ann", password).await.unwrap_err();
        assert_eq!(denied, Denied::EmptyPassword, "{password:?}");
    }
    let denied = ldap.prove("ann", "secret").await.unwrap_err();
    assert_eq!(denied, Denied::Unavailable(Unavailable::Connection));
}

#[test]
fn what_is_left_open_counts_for_who_asked_and_not_for_the_name() {
    for (denied, counts_for) in [
        (Denied::Password, CountsFor::NameAndPeer),
        (Denied::EmptyPassword, CountsFor::NameAndPeer),
        (Unavailable::Groups.into(), CountsFor::Peer),
        (Unavailable::Referral.into(), CountsFor::Peer),
        (Unavailable::Answer.into(), CountsFor::Peer),
        (Unavailable::Search(50).into(), CountsFor::Peer),
        (Unavailable::Queue.into(), CountsFor::Nobody),
        (Unavailable::Slow.into(), CountsFor::Nobody),
        (Unavailable::ServicePassword.into(), CountsFor::Nobody),
    ] {
        assert_eq!(denied.counts_for(), counts_for, "{denied:?}");
    }
}
