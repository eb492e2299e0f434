//! A filter says what the operator wrote, with a name as one value in it, whatever the name is.

use proptest::prelude::*;

use super::super::super::der::Elements;
use super::*;

const PLACES: &[&str] = &["name", "dn"];

fn filter(text: &str) -> Filter {
    Filter::parse(text, PLACES).unwrap_or_else(|what| panic!("{text} {what}"))
}

const ANN: Person<'_> = Person { name: "ann", dn: "uid=ann,dc=bank" };

#[test]
fn a_filter_has_the_bytes_of_the_protocol() {
    assert_eq!(filter("(uid={name})").to_bytes(ANN), b"\xa3\x0a\x04\x03uid\x04\x03ann");
    assert_eq!(filter("(objectClass=*)").to_bytes(ANN), b"\x87\x0bobjectClass");
    assert_eq!(filter("(!(a=b))").to_bytes(ANN), b"\xa2\x08\xa3\x06\x04\x01a\x04\x01b");
    let both = filter("(&(a=b)(|(c=*)(d=\\2a\\00)))").to_bytes(ANN);
    assert_eq!(
        both,
        b"\xa0\x16\xa3\x06\x04\x01a\x04\x01b\xa1\x0c\x87\x01c\xa3\x07\x04\x01d\x04\x02*\x00"
    );
    let nested = filter("(member:1.2.840.113556.1.4.1941:={dn})").to_bytes(ANN);
    let read = Elements::new(&nested).expect(0xa9).unwrap();
    let read: Vec<_> = Elements::new(read).all().unwrap().iter().map(|part| part.content).collect();
    assert_eq!(read, [&b"1.2.840.113556.1.4.1941"[..], b"member", b"uid=ann,dc=bank"]);
}

#[test]
fn what_is_not_understood_is_refused() {
    for wrong in [
        "",
        "uid=ann",
        "(uid=ann",
        "(uid=ann))",
        "(uid=ann)(b=c)",
        "(&)",
        "(&(a=b)",
        "()",
        "(=b)",
        "(!(a=b)(c=d))",
        "(uid=a*)",
        "(uid=*a)",
        "(uid>=a)",
        "(uid<=a)",
        "(uid~=a)",
        "(a b=c)",
        "(:dn:2.4.6:=a)",
        "(cn:dn:2.4.6:=a)",
        "(cn:=a)",
        "(a=\\2)",
        "(a=\\zz)",
        "(a={who})",
        "(a={name)",
        "(a=b(c)",
        "(&(a=b)x)",
    ] {
        assert!(Filter::parse(wrong, PLACES).is_err(), "{wrong}");
    }
    let deep = format!("{}(a=b){}", "(!".repeat(40), ")".repeat(40));
    assert!(Filter::parse(&deep, PLACES).is_err());
    assert!(Filter::parse("(a={dn})", &["name"]).is_err(), "a place that is not known yet");
}

#[test]
fn a_filter_that_holds_for_everybody_is_told_from_one_that_names_a_person() {
    for of_one in ["(uid={name})", "(&(objectClass=person)(uid={name}))", "(|(a={name})(b={dn}))"] {
        assert!(filter(of_one).speaks_of_a_person(), "{of_one}");
    }
    for of_all in ["(a=b)", "(|(uid={name})(objectClass=*))", "(!(uid={name}))", "(uid=*)"] {
        assert!(!filter(of_all).speaks_of_a_person(), "{of_all}");
    }
}

proptest! {
    #[test]
    fn a_name_is_one_value_whatever_it_is(name in "\\PC{0,20}|[*()\\\\|&!=\0a]{0,20}") {
        let bytes = filter("(&(objectClass=person)(uid={name}))")
            .to_bytes(Person { name: &name, dn: "" });
        let both = Elements::new(Elements::new(&bytes).expect(0xa0).unwrap()).all().unwrap();
        prop_assert_eq!(both.len(), 2);
        let pair = Elements::new(both[1].of(0xa3).unwrap()).all().unwrap();
        prop_assert_eq!((pair[0].content, pair[1].content), (&b"uid"[..], name.as_bytes()));
        prop_assert_eq!(pair.len(), 2);
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,40}|[()&|!a=*:\\\\{}]{0,40}") {
        let _ = Filter::parse(&text, PLACES);
    }
}
