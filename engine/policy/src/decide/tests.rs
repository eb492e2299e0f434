use std::cmp::Ordering;
use std::collections::BTreeSet;

use martlet_core::{Predicate, Value};
use proptest::prelude::*;

use super::*;
use crate::check;
use crate::directory::Directory;
use crate::mask::Mask;
use crate::password::{PasswordCost, hash_password};
use crate::reference::{Asker, ConditionSpec, Policy, RoleSpec, Row, RuleSpec, tables};
use crate::rule::read_value;
use crate::testing::{PASSWORD, customer, example, granted, principal, today};

#[test]
fn silence_denies() {
    let denied = |roles| {
        matches!(
            decide(&principal(roles, "00", "7"), &customer(), &example(), today()),
            Decision::Denied
        )
    };
    assert!(denied(""), "no role");
    assert!(denied("ghost"), "a role that the policy does not know");
    assert!(denied("analyst;ghost"), "which might have held a restriction");
}

#[test]
fn a_rule_that_cannot_be_decided_denies() {
    let denied = |node, desk| {
        matches!(
            decide(&principal("teller", node, desk), &customer(), &example(), today()),
            Decision::Denied
        )
    };
    assert!(denied("99", "7"), "no such node");
    assert!(denied("", "7"), "no node");
    assert!(denied("4403", ""), "no desk");
    assert!(denied("4403", "seven"), "a desk that is no number");
    assert!(!denied("4403", "7"));
}

#[test]
fn a_schema_that_the_policy_was_not_checked_against_widens_nothing() {
    let teller = principal("teller", "4403", "7");
    let column = |name, column_type, class| (name, column_type, class);
    let text = martlet_core::ColumnType::Text;
    let without_rule_column = crate::testing::table("customer", &[column("name", text, "name")]);
    assert!(matches!(decide(&teller, &without_rule_column, &example(), today()), Decision::Denied));
    let mistyped = crate::testing::table(
        "customer",
        &[
            ("outlet", text, "open"),
            ("desk", martlet_core::ColumnType::Int32, "open"),
            ("segment", text, "open"),
            ("born", text, "birth_date"),
        ],
    );
    assert!(matches!(decide(&teller, &mistyped, &example(), today()), Decision::Denied));
}

#[test]
fn several_roles_give_the_strictest_view() {
    let access = |roles: &str| {
        let grant = granted(&principal(roles, "4403", "7"));
        let shown = grant.columns().iter().map(|c| format!("{} {}", c.name, c.access));
        shown.collect::<BTreeSet<String>>()
    };
    let both = access("teller;analyst");
    assert!(both.contains("balance mask:balance_band"), "band beats clear: {both:?}");
    assert!(both.contains("name mask:redact"), "a part and a token give neither: {both:?}");
    assert!(both.contains("customer_id token:analysis"), "token beats clear: {both:?}");
    assert!(both.iter().all(|line| !line.starts_with("note")), "deny wins: {both:?}");
}

#[test]
fn explaining_needs_every_role_that_grants_the_table() {
    assert!(granted(&principal("analyst", "00", "7")).may_explain());
    assert!(!granted(&principal("analyst;teller", "00", "7")).may_explain());
}

/// SQL's three values; `None` is unknown.
fn truth(predicate: &Predicate, value_of: &dyn Fn(&str) -> Option<Value>) -> Option<bool> {
    match predicate {
        Predicate::Constant(value) => Some(*value),
        Predicate::Compare { column, comparison, value } => {
            let ordering: Ordering = value_of(column.as_str())?.cmp(value);
            Some(comparison.holds(ordering))
        }
        Predicate::In { column, values } => Some(values.contains(&value_of(column.as_str())?)),
        Predicate::IsNull { column } => Some(value_of(column.as_str()).is_none()),
        Predicate::Like { column, pattern } => match value_of(column.as_str())? {
            Value::Text(text) => Some(pattern.matches(&text)),
            _ => None,
        },
        Predicate::Part { column, part, comparison, value } => {
            Some(comparison.holds(part.of(&value_of(column.as_str())?)?.cmp(value)))
        }
        Predicate::And(parts) => {
            let truths: Vec<_> = parts.iter().map(|part| truth(part, value_of)).collect();
            if truths.contains(&Some(false)) {
                Some(false)
            } else if truths.contains(&None) {
                None
            } else {
                Some(true)
            }
        }
        Predicate::Or(parts) => {
            let truths: Vec<_> = parts.iter().map(|part| truth(part, value_of)).collect();
            if truths.contains(&Some(true)) {
                Some(true)
            } else if truths.contains(&None) {
                None
            } else {
                Some(false)
            }
        }
        Predicate::Not(part) => truth(part, value_of).map(|value| !value),
    }
}

fn shows_row(grant: &Grant, table: &TableSchema, row: &Row) -> bool {
    let value_of = |column: &str| read_value(row.get(column)?, table.column(column)?.column_type);
    match grant.rows() {
        RowRule::All => true,
        RowRule::None => false,
        RowRule::Where(predicate) => truth(predicate, &value_of) == Some(true),
    }
}

fn may_look_up(grant: &Grant, column: &str) -> bool {
    let granted = grant.columns().iter().find(|granted| granted.name.as_str() == column);
    granted.is_some_and(|granted| granted.lookup == LookupRight::Given)
}

fn access_of(grant: &Grant, column: &str) -> String {
    let granted = grant.columns().iter().find(|granted| granted.name.as_str() == column);
    granted.map_or_else(|| "hidden".to_owned(), |granted| granted.access.to_string())
}

/// Everyone there could be, signed in at once.
fn real_principal(asker: &Asker) -> Principal {
    let hash = hash_password(PASSWORD, [0; 16], PasswordCost::Test);
    let roles: Vec<String> = asker.roles.iter().map(|role| format!("r{role}")).collect();
    let (roles, node, tier) = (roles.join(";"), asker.node, asker.tier);
    let feed = format!("name,roles,node,password,tier\nkim,{roles},{node},\"{hash}\",{tier}\n");
    let directory = Directory::parse(&feed).unwrap();
    directory.principal(&directory.sign_in("kim", PASSWORD).unwrap()).unwrap()
}

const TABLES: [&str; 2] = ["customer", "account"];
const SEGMENTS: [&str; 3] = ["gold", "silver", "mass"];
const ROLES: usize = 4;

fn words() -> impl Strategy<Value = std::collections::BTreeMap<&'static str, &'static str>> {
    let tokens = &["clear", "filter", "mask", "token:a", "token:b", "deny"];
    let plain = &["clear", "filter", "mask", "deny"];
    let one = |class: &'static str, words: &'static [&'static str]| {
        prop::option::weighted(0.8, prop::sample::select(words))
            .prop_map(move |w| Some((class, w?)))
    };
    (
        one("open", tokens),
        one("person", tokens),
        one("money", plain),
        one("memo", tokens),
        one("score", tokens),
    )
        .prop_map(|(a, b, c, d, e)| [a, b, c, d, e].into_iter().flatten().collect())
}

fn some<T: Clone + Ord + std::fmt::Debug + 'static>(
    of: &'static [T],
    least: usize,
) -> impl Strategy<Value = BTreeSet<T>> {
    prop::sample::subsequence(of, least..=of.len()).prop_map(|chosen| chosen.into_iter().collect())
}

fn role() -> impl Strategy<Value = RoleSpec> {
    let inherits = prop::collection::btree_set(0..ROLES, 0..2);
    let lookup = some(&["open", "person", "money"], 0);
    (inherits, some(&TABLES, 0), any::<bool>(), lookup, words()).prop_map(
        |(inherits, tables, explain, lookup, words)| RoleSpec {
            inherits,
            tables,
            explain,
            lookup,
            words,
        },
    )
}

/// Nine rules in ten have no days; the others begin or end around the day of the tests.
fn days() -> impl Strategy<Value = (Option<&'static str>, Option<&'static str>)> {
    let day =
        |days: &'static [&'static str]| prop::option::weighted(0.1, prop::sample::select(days));
    (day(&["2026-11-21", "2026-11-22", "2026-11-23"]), day(&["2026-11-23"])).prop_flat_map(
        move |(from, until)| {
            let earlier = prop::option::weighted(0.05, Just("2026-11-21"));
            (Just(from), Just(until), earlier).prop_map(|(from, until, earlier)| {
                // A rule that would end before it begins is refused by the check.
                match (from, earlier) {
                    (None, Some(earlier)) => (None, Some(earlier)),
                    _ => (from, until),
                }
            })
        },
    )
}

fn rule() -> impl Strategy<Value = RuleSpec> {
    let condition = prop_oneof![
        Just(ConditionSpec::All),
        Just(ConditionSpec::WithinNode),
        Just(ConditionSpec::EqualsTier),
        some(&SEGMENTS, 1).prop_map(ConditionSpec::SegmentIn),
        some(&[1_i64, 2, 3], 1).prop_map(ConditionSpec::ScoreIn),
        prop_oneof![
            (0_i64..5, 1_i64..4).prop_map(|(low, more)| (Some(low), Some(low + more))),
            (0_i64..5).prop_map(|low| (Some(low), None)),
            (0_i64..5).prop_map(|high| (None, Some(high))),
        ]
        .prop_map(|(low, high)| ConditionSpec::ScoreBetween(low, high)),
    ];
    let roles = prop::collection::btree_set(0..ROLES, 1..=ROLES);
    (prop::bool::weighted(0.7), roles, some(&TABLES, 1), condition, days()).prop_map(
        |(permits, roles, tables, condition, days)| RuleSpec {
            // A restriction to all rows is refused by the check.
            permits: permits || matches!(condition, ConditionSpec::All),
            roles,
            tables,
            condition,
            days,
        },
    )
}

/// In half of the policies load files say what columns are. In the others most columns are named,
/// some of them as what they were not loaded as.
fn columns() -> impl Strategy<Value = Option<Vec<[&'static str; 3]>>> {
    let loaded = [
        ("outlet", "open"),
        ("segment", "open"),
        ("score", "score"),
        ("holder", "person"),
        ("balance", "money"),
        ("note", "memo"),
    ];
    let one = |table: &'static str| {
        loaded.map(|(column, class)| {
            prop_oneof![
                6 => Just(Some([table, column, class])),
                1 => Just(Some([table, column, "memo"])),
                1 => Just(None),
            ]
        })
    };
    let [first, second] = TABLES.map(one);
    let named = (Vec::from(first), Vec::from(second))
        .prop_map(|(first, second)| first.into_iter().chain(second).flatten().collect::<Vec<_>>());
    prop::option::of(named)
}

/// Policies that the check accepts: inheritance goes down the numbers, and a word that would
/// have no effect beside an inherited one is left out.
fn policy() -> impl Strategy<Value = Policy> {
    let roles = prop::collection::vec(role(), ROLES);
    let rules = prop::collection::vec(rule(), 0..6);
    (roles, rules, columns()).prop_map(|(mut roles, rules, columns)| {
        for number in 0..roles.len() {
            roles[number].inherits.retain(|parent| *parent < number);
            let mut open: Vec<usize> = roles[number].inherits.iter().copied().collect();
            while let Some(ancestor) = open.pop() {
                let ancestor = roles[ancestor].clone();
                open.extend(&ancestor.inherits);
                roles[number]
                    .words
                    .retain(|class, word| *word == "deny" || !ancestor.words.contains_key(class));
            }
        }
        Policy { roles, rules, columns }
    })
}

fn asker() -> impl Strategy<Value = Asker> {
    let nodes = vec!["00", "1", "11", "12", "2", "21", "99", ""];
    let mut tiers = SEGMENTS.to_vec();
    tiers.push("");
    let roles = prop::collection::btree_set(0..ROLES, 0..=3);
    (roles, prop::bool::weighted(0.03), prop::sample::select(nodes), prop::sample::select(tiers))
        .prop_map(|(mut roles, unknown, node, tier)| {
            roles.extend(unknown.then_some(ROLES));
            Asker { roles, node, tier }
        })
}

fn row() -> impl Strategy<Value = Row> {
    let cell = |column: &'static str, values: &'static [&'static str]| {
        prop::option::weighted(0.85, prop::sample::select(values))
            .prop_map(move |v| Some((column, v?)))
    };
    (
        cell("outlet", &["11", "12", "21", "1", "77"]),
        cell("segment", &["gold", "silver", "mass"]),
        cell("score", &["1", "2", "3", "4"]),
    )
        .prop_map(|(a, b, c)| [a, b, c].into_iter().flatten().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_decision_is_the_reference_cell_by_cell(
        policy in policy(), asker in asker(), rows in prop::collection::vec(row(), 8)
    ) {
        let schemas = tables();
        let bundle = check(&policy.text(), &schemas).map_err(|f| TestCaseError::fail(format!("{f:?}")))?;
        let principal = real_principal(&asker);
        for table in &schemas {
            let Decision::Granted(grant) = decide(&principal, table, &bundle, today()) else {
                prop_assert!(!policy.knows(&asker, table), "denied {}", table.name());
                continue;
            };
            prop_assert!(policy.knows(&asker, table), "granted {}", table.name());
            prop_assert_eq!(grant.may_explain(), policy.explains(&asker, table));
            for column in table.columns() {
                let name = column.name.as_str();
                prop_assert_eq!(access_of(&grant, name), policy.access(&asker, table, name));
                prop_assert_eq!(may_look_up(&grant, name), policy.looks_up(&asker, table, name));
            }
            for row in &rows {
                prop_assert_eq!(shows_row(&grant, table, row), policy.sees(&asker, table, row));
            }
        }
    }

    /// A cell that several roles show together is shown by one of them alone, at least as much.
    #[test]
    fn roles_never_add_up_to_more_than_one_of_them_gives(
        policy in policy(), asker in asker(), rows in prop::collection::vec(row(), 8)
    ) {
        let schemas = tables();
        let bundle = check(&policy.text(), &schemas).map_err(|f| TestCaseError::fail(format!("{f:?}")))?;
        for table in &schemas {
            let Decision::Granted(together) = decide(&real_principal(&asker), table, &bundle, today()) else { continue };
            let alone: Vec<Grant> = asker
                .roles
                .iter()
                .filter_map(|role| {
                    let single = Asker { roles: BTreeSet::from([*role]), ..asker.clone() };
                    match decide(&real_principal(&single), table, &bundle, today()) {
                        Decision::Granted(grant) => Some(grant),
                        Decision::Denied => None,
                    }
                })
                .collect();
            for row in rows.iter().filter(|row| shows_row(&together, table, row)) {
                for granted in together.columns() {
                    let shows_as_much = |grant: &Grant| {
                        let own = grant.columns().iter().find(|own| own.name == granted.name);
                        shows_row(grant, table, row)
                            && own.is_some_and(|own| {
                                shows_no_less(&own.access, &granted.access)
                                    && (own.lookup == LookupRight::Given
                                        || granted.lookup == LookupRight::Absent)
                            })
                    };
                    prop_assert!(alone.iter().any(shows_as_much), "{} of {row:?}", granted.name);
                }
            }
        }
    }
}

/// Whether the first access shows at least what the second does.
fn shows_no_less(first: &Access, second: &Access) -> bool {
    let both = [first, second].map(|access| Sight::Shown(access.clone()));
    let redact = Access::Masked(Mask::Redact);
    Sight::strictest(both) == Sight::Shown(second.clone()) || *second == redact
}
