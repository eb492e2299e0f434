//! Checks the classes, and that the classes of the tables' columns are defined and their masks
//! fit.

use std::collections::{BTreeMap, BTreeSet};

use martlet_core::{ClassName, ColumnSchema, TableSchema};

use super::{Made, Tables, check_duplicates, named};
use crate::access::{Access, Sight};
use crate::bundle::CLASSES_FILE;
use crate::checked::{Class, Pfi};
use crate::classification::Objection;
use crate::coherence::Kind;
use crate::finding::{Finding, Place};
use crate::mask::{Mask, Profile};
use crate::names::Purpose;
use crate::parse::RawClass;

/// Makes the classes, by name.
pub(super) fn check(
    raw: &[RawClass],
    profile: Profile,
    findings: &mut Vec<Finding>,
) -> BTreeMap<ClassName, Class> {
    check_duplicates("class", raw.iter().map(|class| &class.name), findings);
    raw.iter()
        .filter_map(|class| {
            let class = check_class(class, profile, findings)?;
            Some((class.name.clone(), class))
        })
        .collect()
}

fn check_class(raw: &RawClass, profile: Profile, findings: &mut Vec<Finding>) -> Option<Class> {
    let name = named(&raw.name, ClassName::new, findings)?;
    let pfi = raw.pfi.as_ref().and_then(|word| {
        let pfi = Pfi::parse(&word.value);
        if pfi.is_none() {
            findings.push(word.place.finding("`pfi` is \"C1\", \"C2\" or \"C3\""));
        }
        pfi
    });
    let level = raw.level.as_ref().and_then(|number| {
        let level = u8::try_from(number.value).ok().filter(|level| (1..=5).contains(level));
        if level.is_none() {
            findings.push(number.place.finding("`level` is a number from 1 to 5"));
        }
        level
    });
    let mask = check_mask(raw, profile, findings);
    let about = check_about(raw, mask.as_ref(), findings);
    Some(Class { name, pfi, level, mask, about })
}

/// What the columns hold: as the class says, or else what its mask is made for.
fn check_about(raw: &RawClass, mask: Option<&Mask>, findings: &mut Vec<Finding>) -> Option<Kind> {
    let of_mask = mask.and_then(Kind::of_mask);
    let Some(word) = &raw.about else { return of_mask };
    let kind = Kind::parse(&word.value);
    if kind.is_none() {
        let words: Vec<&str> = Kind::ALL.into_iter().map(Kind::word).collect();
        let message = format!("`about` is one of {}", words.join(", "));
        findings.push(word.place.finding(message));
    }
    if of_mask.is_some() && of_mask != kind {
        let message = "the mask says already what this class is about; remove `about`";
        findings.push(word.place.finding(message));
    }
    kind.or(of_mask)
}

fn check_mask(raw: &RawClass, profile: Profile, findings: &mut Vec<Finding>) -> Option<Mask> {
    let purpose = raw.purpose.as_ref().and_then(|word| named(word, Purpose::new, findings));
    let word = raw.mask.as_ref();
    let is_token = word.is_some_and(|word| word.value == "token");
    if let Some(purpose) = raw.purpose.as_ref().filter(|_| !is_token) {
        let message = "only the mask \"token\" has a purpose; remove it";
        findings.push(purpose.place.finding(message));
    }
    let word = word?;
    let mask = Mask::parse(&word.value, profile, purpose.as_ref());
    if mask.is_none() {
        let message = if is_token {
            "the mask \"token\" needs a `purpose`, a name that says what the tokens are for".into()
        } else {
            format!("`{}` is not a mask; these are {}", word.value, Mask::WORDS.join(", "))
        };
        findings.push(word.place.finding(message));
    }
    mask
}

/// Checks every column's class: that it is defined, and that each mask by which any role sees
/// it applies to the column's type.
pub(super) fn check_tables(made: &Made<'_>, tables: &Tables<'_>, objections: &mut Vec<Objection>) {
    for table in tables.values() {
        // Martlet's own tables are there whether or not a bundle speaks of them.
        let is_granted = made.roles.values().any(|role| role.tables.contains(table.name()));
        if table.name().is_system() && !is_granted {
            continue;
        }
        for column in table.columns() {
            check_column(made, table, column, objections);
        }
    }
}

fn check_column(
    made: &Made<'_>,
    table: &TableSchema,
    column: &ColumnSchema,
    objections: &mut Vec<Objection>,
) {
    let Made { raw, classes, roles, .. } = *made;
    let Some(class_name) = &column.class else { return };
    let mut object = |finding: Finding| {
        let columns = BTreeSet::from([(table.name().clone(), column.name.clone())]);
        objections.push(Objection { finding, columns });
    };
    let Some(class) = classes.get(class_name) else {
        let (table, column) = (table.name(), &column.name);
        let message = format!("the class `{class_name}` of `{table}.{column}` is not defined");
        return object(Place::start(CLASSES_FILE).finding(message));
    };
    let unfit = |mask: &&Mask| !mask.applies_to(column.column_type);
    let explain = |mask: &Mask| {
        format!(
            "the mask `{}` cannot hide `{}.{}`, which is {}",
            mask.word(),
            table.name(),
            column.name,
            column.column_type.name()
        )
    };
    if let Some(mask) = class.mask.as_ref().filter(unfit) {
        let written = raw.classes.iter().find(|raw| raw.name.value == class_name.as_str());
        let place = written.and_then(|raw| raw.mask.as_ref()).map(|word| word.place);
        let place = place.unwrap_or(Place::start(CLASSES_FILE));
        object(place.finding(explain(mask)));
    }
    for role in &raw.roles {
        let Some(sights) = roles.get(role.name.value.as_str()).map(|role| &role.sights) else {
            continue;
        };
        let own_word = role.classes.iter().find(|(class, _)| class.value == class_name.as_str());
        let Some((_, word)) = own_word else { continue };
        if let Some(Sight::Shown(Access::Masked(mask))) = sights.get(class_name)
            && class.mask.as_ref() != Some(mask)
            && unfit(&mask)
        {
            object(word.place.finding(explain(mask)));
        }
    }
}
