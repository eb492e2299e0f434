//! The mask of account numbers: the last four characters are left, of eight at least, so that
//! never more than half of a number is shown. Shorter ones are hidden wholly.

use super::{HIDDEN, Profile, compact};

/// The fewest characters of which the last four may be shown.
const LENGTH_MIN: usize = 8;

pub(super) fn mask(value: &str, profile: Profile) -> String {
    match compact(value).filter(|number| number.len() >= LENGTH_MIN) {
        Some(number) if profile == Profile::Doc => format!("****{}", &number[number.len() - 4..]),
        _ => HIDDEN.to_owned(),
    }
}
