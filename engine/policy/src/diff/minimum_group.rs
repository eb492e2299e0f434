//! What changed in what a role says of minimum group sizes.

use super::{Weight, value};
use crate::parse::{RawGroups, RawRole};

/// A larger number shows less; a lower one, none, and another column may show more.
pub(super) fn diff(name: &str, before: &RawRole, after: &RawRole) -> Option<String> {
    let (old, new) = (describe(&before.groups), describe(&after.groups));
    if old == new {
        return None;
    }
    let size = |groups: &RawGroups| groups.size.as_ref().map(|size| size.value);
    let by = |groups: &RawGroups| value(groups.by.as_ref()).to_owned();
    let weight = match (size(&before.groups), size(&after.groups)) {
        (None, Some(_)) => Weight::Narrows,
        (Some(old), Some(new)) if new >= old && by(&before.groups) == by(&after.groups) => {
            Weight::Narrows
        }
        _ => Weight::Widens,
    };
    Some(weight.line(format!("role `{name}`: minimum group {old} -> {new}")))
}

fn describe(groups: &RawGroups) -> String {
    let size =
        groups.size.as_ref().map_or_else(|| "(none)".to_owned(), |size| size.value.to_string());
    match &groups.by {
        Some(by) => format!("{size} by `{}`", by.value),
        None => size,
    }
}
