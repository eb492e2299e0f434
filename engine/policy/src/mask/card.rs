//! The mask of payment cards' numbers: issuer (six digits) and the last four are left, the
//! most that PCI DSS allows on a screen.
//!
//! Speaks of 16 to 19 digits; anything else is hidden wholly. The stars do not tell the length.

use super::{HIDDEN, Profile, compact, is_digits};

pub(super) fn mask(value: &str, profile: Profile) -> String {
    let is_card = |number: &String| (16..=19).contains(&number.len()) && is_digits(number);
    let Some(number) = compact(value).filter(is_card) else { return HIDDEN.to_owned() };
    let last_four = &number[number.len() - 4..];
    match profile {
        Profile::Doc => format!("{}******{last_four}", &number[..6]),
        Profile::Strict => format!("******{last_four}"),
    }
}
