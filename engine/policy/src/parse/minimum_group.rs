//! The words of a `[[role]]` about minimum group sizes.

use super::Word;
use super::toml::Keys;
use crate::finding::{Finding, Located};

/// `minimum_group` and `minimum_group_by`.
#[derive(Debug, Default)]
pub(crate) struct RawGroups {
    pub(crate) size: Option<Located<i64>>,
    pub(crate) by: Option<Word>,
}

pub(super) fn parse(keys: &mut Keys<'_>, findings: &mut Vec<Finding>) -> RawGroups {
    RawGroups {
        size: keys.integer("minimum_group", findings),
        by: keys.text("minimum_group_by", findings),
    }
}
