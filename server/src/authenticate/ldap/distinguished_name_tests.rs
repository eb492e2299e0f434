//! A name stays one value whatever is in it, and groups are equal as directories have them equal.

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> DistinguishedName {
    DistinguishedName::parse(text).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn names_are_equal_however_they_are_written() {
    let group = parsed("cn=Night Shift,ou=groups,dc=bank");
    for same in [
        "CN=night shift,OU=Groups,DC=BANK",
        " cn = Night   Shift , ou=groups , dc=bank",
        r"cn=Night\20Shift,ou=gr\6fups,dc=bank",
        r"2.5.4.3=night shift,OID.2.5.4.11=groups,0.9.2342.19200300.100.1.25=bank",
    ] {
        assert_eq!(parsed(same), group, "{same}");
    }
    assert_eq!(parsed("cn=a+ou=b,dc=bank"), parsed("ou=B+cn=A,dc=bank"));
    assert_eq!(parsed(r"cn=Ä\2c B,dc=bank"), parsed(r"cn=\c3\a4\, b,dc=bank"));
    for other in [
        "cn=night shift,ou=groups",
        "cn=night,ou=shift,ou=groups,dc=bank",
        r"cn=night shift\,ou=groups,dc=bank",
        "ou=night shift,ou=groups,dc=bank",
        "cn=nightshift,ou=groups,dc=bank",
        "ou=groups,cn=night shift,dc=bank",
    ] {
        assert_ne!(parsed(other), group, "{other}");
    }
    assert_ne!(parsed("cn=#0401aa"), parsed(r"cn=\#0401aa"), "bytes are no text");
}

#[test]
fn what_is_no_name_is_none() {
    for text in [
        "",
        "cn",
        "cn=",
        "=a",
        "cn=a,",
        ",cn=a",
        "cn=a,,dc=b",
        "cn=a+",
        r"cn=a\",
        r"cn=a\q",
        r"cn=a\f",
        "cn=\"a\"",
        "cn=a;dc=b",
        "cn=a<b",
        "cn=#",
        "cn=#0",
        "cn=#xy",
        r"cn=\ff",
        "c n=a",
        "cn=   ",
        "bank\\ann",
        "ann@bank",
    ] {
        assert_eq!(DistinguishedName::parse(text), None, "{text}");
    }
    assert_eq!(DistinguishedName::parse(&"cn=a,".repeat(100)), None);
    assert_eq!(DistinguishedName::parse(&["cn=a"; 100].join(",")), None);
}

#[test]
fn a_template_has_the_name_as_a_value() {
    let person = PersonName::parse("uid={name},ou=people,dc=bank").unwrap();
    assert_eq!(person.of("ann"), "uid=ann,ou=people,dc=bank");
    assert_eq!(person.of("a,b"), r"uid=a\2cb,ou=people,dc=bank");
    assert_eq!(person.of("*)(\\\0#"), r"uid=\2a\29\28\5c\00\23,ou=people,dc=bank");
    assert!(PersonName::parse("cn=employee {name},dc=bank").is_ok());
    for wrong in [
        "uid=ann,dc=bank",
        "{name}",
        "{name}=ann,dc=bank",
        "{name}@bank",
        "uid={name",
        "uid=name},dc=bank",
        "uid={other},dc=bank",
        "uid=\"{name}\",dc=bank",
        "uid=#{name},dc=bank",
        r"uid=\{name},dc=bank",
        "",
    ] {
        assert!(PersonName::parse(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_name_is_never_more_than_a_value(name in "\\PC{1,12}|[,+=\\\\#<>;\"\0 *()a]{1,12}") {
        let person = PersonName::parse("uid={name},ou=people,dc=bank").unwrap();
        let read = parsed_parts(&person.of(&name));
        prop_assert_eq!(read.len(), 3);
        prop_assert_eq!(&read[1..], &parsed_parts("ou=people,dc=bank")[..]);
        let (of, value) = read[0].clone();
        prop_assert_eq!(of, "uid");
        prop_assert_eq!(unescaped(&value).unwrap(), name);
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,40}|[a-c=,+\\\\# 0-9]{0,30}") {
        if let Some(name) = DistinguishedName::parse(&text) {
            prop_assert!(!name.0.is_empty());
        }
    }
}

fn parsed_parts(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| {
        let (of, value) = part.split_once('=').unwrap();
        (of.to_owned(), value.to_owned())
    };
    split(text, ',').unwrap().into_iter().map(pair).collect()
}
