//! The mask of ID numbers: the last six characters are hidden.
//!
//! Only the two forms of a Chinese resident's number are shown in part (18 characters, or 15
//! digits before 1999); every other document's number is hidden wholly, because what its
//! leading characters tell is not known.

use super::{HIDDEN, Profile, compact, is_digits};

/// Stars in the place of the last six characters.
const LAST_SIX: &str = "******";

pub(super) fn mask(value: &str, profile: Profile) -> String {
    let Some(number) = compact(value).filter(|number| is_resident_number(number)) else {
        return HIDDEN.to_owned();
    };
    match profile {
        Profile::Doc => format!("{}{LAST_SIX}", &number[..number.len() - LAST_SIX.len()]),
        Profile::Strict => {
            format!("{}****************{}", &number[..1], &number[number.len() - 1..])
        }
    }
}

/// Eighteen characters, the last a digit or X; or fifteen digits.
fn is_resident_number(number: &str) -> bool {
    match number.len() {
        15 => is_digits(number),
        18 => is_digits(number.strip_suffix(['x', 'X']).unwrap_or(number)),
        _ => false,
    }
}
