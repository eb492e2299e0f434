//! A header is read as RFC 7617 has it, and any bytes at all are survived.

use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use proptest::prelude::*;

use super::*;

fn basic(name: &str, password: &str) -> Option<Credentials> {
    Some(Credentials::Basic { name: name.into(), password: Password(password.into()) })
}

#[test]
fn the_first_colon_splits_name_and_password() {
    let header = format!("Basic {}", STANDARD.encode("teller:a:b:"));
    assert_eq!(Credentials::parse(header.as_bytes()), basic("teller", "a:b:"));
}

#[test]
fn a_scheme_is_read_in_any_case_and_unknown_ones_are_refused() {
    assert_eq!(Credentials::parse(b"bEARER abc"), Some(Credentials::Bearer("abc".into())));
    for refused in [&b"Digest abc"[..], b"Bearer", b"Bearer ", b"", b"Basic !!!", b"Basic Og=="] {
        assert_eq!(Credentials::parse(refused), None, "{}", String::from_utf8_lossy(refused));
    }
}

#[test]
fn a_code_may_stand_in_a_header_of_its_own() {
    let of = |value: &'static [u8]| {
        let mut headers = MetadataMap::new();
        headers.insert(CODE_HEADER, tonic::metadata::MetadataValue::try_from(value).unwrap());
        Password::code_of(&headers).map(|code| code.text().to_owned())
    };
    assert_eq!(of(b" 287082 ").as_deref(), Some("287082"));
    assert_eq!(
        (of(b"  "), of(b"\xff\xfe"), Password::code_of(&MetadataMap::new())),
        (None, None, None)
    );
}

#[test]
fn neither_form_prints_its_secret() {
    let header = format!("Basic {}", STANDARD.encode("teller:hunter2"));
    let parsed = Credentials::parse(header.as_bytes()).unwrap();
    assert!(!format!("{parsed:?}").contains("hunter2"));
    assert_eq!(format!("{:?}", Credentials::Bearer("secret".into())), "Bearer(..)");
}

#[test]
fn an_oversized_header_is_refused() {
    let header = format!("Bearer {}", "a".repeat(HEADER_BYTES_MAX));
    assert_eq!(Credentials::parse(header.as_bytes()), None);
    let header = format!("Basic {}", STANDARD.encode(format!("a:{}", "b".repeat(BASIC_BYTES_MAX))));
    assert_eq!(Credentials::parse(header.as_bytes()), None);
}

proptest! {
    #[test]
    fn padding_makes_no_difference(name in "[^:\\x00-\\x1f]{1,20}", password in "\\PC{0,40}") {
        let text = format!("{name}:{password}");
        let padded = format!("Basic {}", STANDARD.encode(&text));
        let bare = format!("Basic {}", STANDARD_NO_PAD.encode(&text));
        prop_assert_eq!(Credentials::parse(padded.as_bytes()), basic(&name, &password));
        prop_assert_eq!(Credentials::parse(bare.as_bytes()), basic(&name, &password));
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), scheme in 0..3_usize) {
        let mut header = [&b"Basic "[..], b"Bearer ", b""][scheme].to_vec();
        header.extend(bytes);
        let _ = Credentials::parse(&header);
    }
}
