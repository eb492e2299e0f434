//! The RFC's vectors, one step of skew, each code once, and no bytes that do harm.

use proptest::prelude::*;

use super::*;

/// RFC 6238, appendix B: the ASCII secret `12345678901234567890` in base32.
const RFC_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn rfc() -> TotpSecret {
    TotpSecret::parse(RFC_SECRET).unwrap()
}

fn code(secret: &TotpSecret, seconds: i64) -> String {
    let step = u64::try_from(seconds / STEP_SECONDS).unwrap();
    format!("{:06}", secret.truncated(step) % CODES)
}

#[test]
fn codes_are_those_of_rfc_6238() {
    let secret = rfc();
    for (seconds, eight_digits) in [
        (59, 94_287_082),
        (1_111_111_109, 7_081_804),
        (1_111_111_111, 14_050_471),
        (1_234_567_890, 89_005_924),
        (2_000_000_000, 69_279_037),
        (20_000_000_000, 65_353_130),
    ] {
        let step = u64::try_from(seconds / STEP_SECONDS).unwrap();
        assert_eq!(secret.truncated(step) % 100_000_000, eight_digits, "at {seconds}");
        let six = format!("{:06}", eight_digits % CODES);
        assert_eq!(secret.step_of(&six, seconds), Some(step));
    }
}

#[test]
fn counters_are_those_of_rfc_4226() {
    let secret = rfc();
    let expected = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583];
    for (step, code) in (0..).zip(expected) {
        assert_eq!(secret.truncated(step) % CODES, code, "counter {step}");
    }
}

#[test]
fn one_step_of_skew_is_taken_and_two_are_not() {
    let (secret, now) = (rfc(), 1_234_567_890);
    let step = u64::try_from(now / STEP_SECONDS).unwrap();
    for (skew, expected) in [(-60, None), (-30, Some(step - 1)), (30, Some(step + 1)), (60, None)] {
        assert_eq!(secret.step_of(&code(&secret, now + skew), now), expected, "{skew} seconds");
    }
}

#[test]
fn a_code_is_taken_once_and_none_before_it() {
    let used = UsedCodes::default();
    let (kim, lee) = (Arc::from("kim"), Arc::from("lee"));
    assert!(used.take(&kim, 7));
    assert!(!used.take(&kim, 7), "again");
    assert!(!used.take(&kim, 6), "an earlier one that was not used");
    assert!(used.take(&lee, 7), "another's");
    assert!(used.take(&kim, 8));
}

#[test]
fn only_six_digits_are_a_code() {
    let (secret, now) = (rfc(), 59);
    for text in ["", "28708", "+28708", "2870820", " 287082", "２８７０８２", "28708２", "-28708"]
    {
        assert_eq!(secret.step_of(text, now), None, "`{text}`");
    }
    assert_eq!(secret.step_of("287082", now), Some(1));
    assert_eq!(secret.step_of("287082", -1_000_000), None, "a clock before 1970");
}

#[test]
fn secrets_are_read_as_apps_print_them() {
    let spaced = "gezd gnbv gy3t qojq gezd gnbv gy3t qojq";
    assert_eq!(TotpSecret::parse(spaced).unwrap().step_of("287082", 59), Some(1));
    for text in [
        "",
        "GEZDGNBVGY3TQOJQ",
        "1EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQB",
    ] {
        let refusal = TotpSecret::parse(text).unwrap_err();
        assert!(text.is_empty() || !refusal.contains(text), "{refusal}");
    }
    assert_eq!(format!("{:?}", rfc()), "TotpSecret(..)");
}

#[test]
fn a_key_longer_than_a_block_is_digested_first() {
    let long = TotpSecret::of(&[7; 65]);
    let digested = TotpSecret::of(&Sha1::digest([7_u8; 65]));
    assert_eq!(long.truncated(5), digested.truncated(5));
}

#[test]
fn the_url_names_what_an_app_needs_and_escapes_the_rest() {
    let url = totp_url("Martlet Bank", "kim&digits=8", "ABC");
    assert_eq!(
        url,
        "otpauth://totp/Martlet%20Bank:kim%26digits%3D8?secret=ABC&issuer=Martlet%20Bank&algorithm=SHA1&digits=6&period=30"
    );
}

proptest! {
    #[test]
    fn a_made_secret_is_read_back(random in prop::array::uniform20(any::<u8>())) {
        let text = totp_secret(&random);
        prop_assert_eq!(from_base32(&text), Some(random.to_vec()));
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,40}", code in "\\PC{0,8}", seconds in any::<i32>()) {
        let _ = TotpSecret::parse(&text);
        let _ = rfc().step_of(&code, i64::from(seconds));
    }
}
