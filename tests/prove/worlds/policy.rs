//! The rules of the worlds, and those of the reference, in which there is nothing to hide.

use std::fmt::Write as _;

use super::tables::{NAMED_OTHERWISE, READER, STATISTICIAN, TABLES, To, UNNAMED};
use crate::support::Bundle;

/// Whoever may read the audit record.
pub const AUDITOR: &str = "adam";
/// Somebody else, who may see other rows.
pub const OTHER: &str = "otto";
/// Somebody to whom the same columns are shown under other masks: see [`LEDGER_CLASSES`].
pub const LEDGER: &str = "lena";

const ORGANIZATION: &str = "node,parent,level,name\nroot,,head_office,Root\n\
    c1,root,city,One\no11,c1,outlet,Eleven\no12,c1,outlet,Twelve\no13,c1,outlet,Thirteen\n\
    c2,root,city,Two\no21,c2,outlet,Twenty One\no22,c2,outlet,Twenty Two\n";

/// Classes with their masks; a token has a purpose.
const CLASSES: [(&str, &str, Option<&str>); 20] = [
    // No role says anything about it.
    ("hush", "redact", None),
    ("open", "redact", None),
    ("audit", "redact", None),
    ("storage", "redact", None),
    ("name", "name", None),
    ("id_number", "id_number", None),
    ("mobile", "mobile", None),
    ("card", "card", None),
    ("account", "account_number", None),
    ("address", "address", None),
    ("email", "email", None),
    ("birth_date", "birth_date", None),
    ("balance", "balance_band", None),
    ("memo", "free_text", None),
    ("remark", "redact", None),
    ("unshown", "redact", None),
    ("passport", "id_number", None),
    ("serial", "redact", None),
    ("tax", "token", Some("tax")),
    ("reference", "token", Some("reference")),
];

/// Classes of which the reader's two roles say different things.
const DISPUTED: &str = "[[class]]\nname = \"both\"\nmask = \"mobile\"\n\
    [[class]]\nname = \"rivals\"\nmask = \"mobile\"\n[[class]]\nname = \"dark\"\nmask = \"redact\"\n";

/// Classes that a ledger shows as tokens, and their purpose: another one than the reader's where
/// the reader sees tokens as well.
pub const LEDGER_CLASSES: [(&str, &str); 11] = [
    ("name", "tax"),
    ("id_number", "tax"),
    ("mobile", "tax"),
    ("card", "tax"),
    ("account", "tax"),
    ("address", "tax"),
    ("email", "tax"),
    ("remark", "tax"),
    ("tax", "reference"),
    ("reference", "tax"),
    ("memo", "tax"),
];

const ROLES: &str = r#"
[[role]]
name = "seller"
tables = ["customer", "entry", "outlet", "vault", "limbo"]
[role.classes]
open = "clear"
name = "mask"
id_number = "mask"
mobile = "mask"
card = "mask"
account = "mask"
address = "mask"
email = "mask"
birth_date = "mask"
balance = "mask"
memo = "mask"
remark = "mask"
tax = "mask"
reference = "mask"
both = "clear"
rivals = "mask"
dark = "clear"
[[role]]
name = "planner"
tables = ["product", "system.table_index"]
may = ["explain"]
[role.classes]
open = "clear"
storage = "clear"
both = "mask"
rivals = "token:tax"
dark = "deny"
[[role]]
name = "lender"
tables = ["loan", "guarantee"]
lookup = ["passport", "serial"]
[role.classes]
open = "clear"
unshown = "filter"
passport = "mask"
serial = "mask"
[[role]]
name = "statistician"
tables = ["survey"]
minimum_group = MINIMUM
minimum_group_by = "person"
[role.classes]
open = "clear"
[[role]]
name = "auditor"
tables = ["system.audit_record"]
[role.classes]
audit = "clear"
[[accepted_risk]]
name = "month of birth"
roles = ["seller"]
hidden = "birth_date"
beside = ["id_number"]
reason = "every mask stands in one table here, and all columns are drawn by themselves"
[[accepted_risk]]
name = "a fax is no mobile phone"
roles = ["seller"]
hidden = "mobile"
beside = ["both"]
reason = "numbers of other devices"
[[accepted_risk]]
name = "a pager is neither"
roles = ["seller"]
hidden = "rivals"
beside = ["both", "mobile"]
reason = "numbers of other devices"
[[accepted_risk]]
name = "nobody writes to a fax"
roles = ["seller"]
hidden = "email"
beside = ["both"]
reason = "addresses here are not made of numbers"
"#;

const RULES: &str = r#"
[[row_rule]]
name = "outlets-below-my-node"
effect = "permit"
roles = ["seller"]
tables = ["customer", "entry"]
column = "outlet"
within = "node"
[[row_rule]]
name = "what-i-booked"
effect = "permit"
roles = ["seller"]
tables = ["entry"]
column = "clerk"
equals = "name"
[[row_rule]]
name = "no-private-banking"
effect = "restrict"
roles = ["seller"]
tables = ["customer"]
column = "segment"
in = ["mass", "affluent"]
[[row_rule]]
name = "plain-kinds"
effect = "restrict"
roles = ["seller"]
tables = ["entry"]
column = "kind"
in = ["card", "cash", "transfer"]
[[row_rule]]
name = "low-levels"
effect = "restrict"
roles = ["seller"]
tables = ["entry"]
column = "level"
in = [1, 2, 3]
[[row_rule]]
name = "my-own"
effect = "permit"
roles = ["seller"]
tables = ["vault"]
column = "owner"
equals = "name"
[[row_rule]]
name = "lent-below-my-node"
effect = "permit"
roles = ["lender"]
tables = ["loan", "guarantee"]
column = "outlet"
within = "node"
[[row_rule]]
name = "asked-below-my-node"
effect = "permit"
roles = ["statistician"]
tables = ["survey"]
column = "outlet"
within = "node"
[[row_rule]]
name = "everything-there-is"
effect = "permit"
roles = ["seller"]
tables = ["outlet"]
all = true
[[row_rule]]
name = "all-of-the-ledger"
effect = "permit"
roles = ["ledger"]
tables = ["customer", "entry", "outlet"]
all = true
[[row_rule]]
name = "all-products"
effect = "permit"
roles = ["planner"]
tables = ["product", "system.table_index"]
all = true
[[row_rule]]
name = "records"
effect = "permit"
roles = ["auditor"]
tables = ["system.audit_record"]
all = true
"#;

/// How many persons there have to be in a group that a statistician is told of. More than three: fewer
/// are absent already because one of them dominates.
pub const MINIMUM_GROUP: i64 = 5;

/// How many statisticians there are: as many as there are statements of one round, so that none has
/// been told anything before.
pub const STATISTICIANS: u64 = crate::run::IN_ONE_ROUND;

/// The statistician who asks the statement of that number.
#[must_use]
pub fn statistician(number: u64) -> String {
    format!("{STATISTICIAN}{}", number % STATISTICIANS)
}

fn statisticians() -> impl Iterator<Item = String> {
    (0..STATISTICIANS).map(statistician)
}

/// The rules and principals of both worlds.
pub(crate) fn of_worlds() -> Bundle {
    let mut classes = String::new();
    for (name, mask, purpose) in CLASSES {
        write!(classes, "[[class]]\nname = \"{name}\"\nmask = \"{mask}\"\n").expect("a text grows");
        if let Some(purpose) = purpose {
            writeln!(classes, "purpose = \"{purpose}\"").expect("a text grows");
        }
    }
    let mut roles = String::from(
        "[[role]]\nname = \"ledger\"\ntables = [\"customer\", \"entry\", \"outlet\"]\n\
         [role.classes]\nopen = \"clear\"\n",
    );
    for (class, purpose) in LEDGER_CLASSES {
        writeln!(roles, "{class} = \"token:{purpose}\"").expect("a text grows");
    }
    Bundle::default()
        .file(
            "bundle.toml",
            "name = \"proof\"\nversion = \"1\"\nprofile = \"doc\"\nlookups_per_hour = 3600\n",
        )
        .file("organization.csv", ORGANIZATION)
        .file("classes.toml", &(classes + DISPUTED))
        .file("roles.toml", &(roles + &ROLES.replace("MINIMUM", &MINIMUM_GROUP.to_string())))
        .file("rules.toml", RULES)
        .file("columns.toml", &columns())
        .principal(READER, "seller;planner;lender", "c1")
        .principal(OTHER, "seller;planner;lender", "c2")
        .principal(LEDGER, "ledger", "root")
        .principal(AUDITOR, "auditor", "root")
        .principals(statisticians(), "statistician", "c1")
}

/// What each column is, as the officers see it: two of them otherwise than they were loaded.
fn columns() -> String {
    let mut text = String::new();
    for table in TABLES {
        writeln!(text, "[[table]]\nname = \"{}\"\n[table.columns]", table.name)
            .expect("a text grows");
        for column in table.columns {
            let class = match column.name {
                UNNAMED => None,
                NAMED_OTHERWISE => Some("dark"),
                _ => column.class,
            };
            let Some(class) = class else { continue };
            writeln!(text, "{} = \"{class}\"", column.name).expect("a text grows");
        }
    }
    text
}

/// The rules of the reference: its reader sees all that is there, and its statisticians are told groups
/// of all that is there.
pub(crate) fn of_reference() -> Bundle {
    let tables: Vec<String> = TABLES
        .iter()
        .filter(|table| table.granted == To::Reader)
        .map(|table| format!("\"{}\"", table.name))
        .collect();
    let tables = tables.join(", ");
    Bundle::default()
        .file("bundle.toml", "name = \"reference\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", ORGANIZATION)
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n")
        .file(
            "roles.toml",
            &format!(
                "[[role]]\nname = \"whole\"\ntables = [{tables}]\nmay = [\"explain\"]\n\
                 [role.classes]\nopen = \"clear\"\n\
                 [[role]]\nname = \"statistician\"\ntables = [\"survey\"]\nminimum_group = {MINIMUM_GROUP}\n\
                 minimum_group_by = \"person\"\n[role.classes]\nopen = \"clear\"\n"
            ),
        )
        .file(
            "rules.toml",
            &format!(
                "[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"whole\", \"statistician\"]\n\
                 tables = [{tables}, \"survey\"]\nall = true\n"
            ),
        )
        .principal(READER, "whole", "root")
        .principals(statisticians(), "statistician", "root")
}
