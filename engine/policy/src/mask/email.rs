//! The mask of e-mail addresses: the first character and the domain are left.
//!
//! A local part of one character is hidden wholly, since its first character is all of it; so
//! is everything that is not plainly `local@domain`.

use super::{HIDDEN, Profile};

pub(super) fn mask(value: &str, profile: Profile) -> String {
    let Some((local, domain)) = parts(value.trim()) else { return HIDDEN.to_owned() };
    match profile {
        Profile::Strict => "***@***".to_owned(),
        Profile::Doc => {
            let mut characters = local.chars();
            let first = characters.next().filter(|_| characters.next().is_some());
            format!("{}***@{domain}", first.map(String::from).unwrap_or_default())
        }
    }
}

/// Local part and domain, if there is exactly one `@` and the domain looks like one.
fn parts(address: &str) -> Option<(&str, &str)> {
    let (local, domain) = address.split_once('@')?;
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let labels: Vec<&str> = domain.split('.').collect();
    let is_local = !local.is_empty() && local.chars().all(|c| c.is_ascii_graphic());
    (is_local && labels.len() >= 2 && labels.into_iter().all(is_label)).then_some((local, domain))
}
