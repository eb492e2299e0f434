//! The mask of mobile numbers: the first three and the last four digits are left.
//!
//! Speaks of the eleven digits of a Chinese mobile number, with or without the country's
//! code; any other number is hidden wholly.

use super::{HIDDEN, Profile, is_digits};

pub(super) fn mask(value: &str, profile: Profile) -> String {
    let Some(number) = national_number(value) else { return HIDDEN.to_owned() };
    match profile {
        Profile::Doc => format!("{}****{}", &number[..3], &number[7..]),
        Profile::Strict => format!("*********{}", &number[9..]),
    }
}

/// The eleven digits, the first of them 1; `None` if the value is not such a number.
fn national_number(value: &str) -> Option<String> {
    let kept: String = value.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let national = ["+86", "0086", "86"].iter().find_map(|code| kept.strip_prefix(code));
    let number = national.unwrap_or(&kept);
    (number.len() == 11 && number.starts_with('1') && is_digits(number)).then(|| number.to_owned())
}
