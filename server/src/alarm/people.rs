//! What the alarms know of people: roles, their part of the organization, and when they leave.
//!
//! Copied out of the principals' feed and the policy's tree as plain text; nobody can be let in
//! or shown anything by it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use martlet_core::Value;
use martlet_query::Mart;

use super::clock::day_of;

/// The attribute of the feed that has somebody's last day.
const LEAVING: &str = "leaving";

/// One person or program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The names of the roles.
    pub roles: BTreeSet<String>,
    /// The codes of the own node and of all below it; `None` where there is no node.
    pub nodes: Option<Arc<BTreeSet<String>>>,
    /// The last day, counted from 1970-01-01, where the feed names one.
    pub leaving: Option<i32>,
}

/// Everybody in the feed.
#[derive(Debug, Clone, Default)]
pub struct People {
    by_name: HashMap<Arc<str>, Person>,
    /// Who has the same roles, by a number for each such set.
    groups: HashMap<BTreeSet<String>, u32>,
}

impl People {
    /// These people.
    #[must_use]
    pub fn of(people: impl IntoIterator<Item = (String, Person)>) -> Self {
        let mut all = Self::default();
        for (name, person) in people {
            let next = u32::try_from(all.groups.len()).unwrap_or(u32::MAX);
            all.groups.entry(person.roles.clone()).or_insert(next);
            all.by_name.insert(name.into(), person);
        }
        all
    }

    /// Everybody whom a mart's feed names.
    #[must_use]
    pub fn in_mart(mart: &Mart) -> Self {
        let directory = mart.directory();
        let mut below: HashMap<&str, Arc<BTreeSet<String>>> = HashMap::new();
        let mut people = Vec::new();
        for listed in directory.listing() {
            let nodes = listed.node.map(|node| {
                Arc::clone(below.entry(node).or_insert_with(|| Arc::new(codes_below(mart, node))))
            });
            let leaving = directory
                .attribute_of(listed.name, LEAVING)
                .and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok())
                .map(day_of);
            let roles = listed.roles.iter().map(ToString::to_string).collect();
            people.push((listed.name.to_owned(), Person { roles, nodes, leaving }));
        }
        Self::of(people)
    }

    /// Somebody by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Person> {
        self.by_name.get(name)
    }

    /// Whether the feed has somebody of that name.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The number of somebody's set of roles.
    pub(crate) fn group(&self, name: &str) -> Option<u32> {
        self.groups.get(&self.by_name.get(name)?.roles).copied()
    }
}

fn codes_below(mart: &Mart, node: &str) -> BTreeSet<String> {
    let below = mart.bundle().and_then(|bundle| bundle.organization().below(node));
    let text = |value: &Value| match value {
        Value::Text(code) => Some(code.to_string()),
        _ => None,
    };
    below.map(|codes| codes.iter().filter_map(text).collect()).unwrap_or_default()
}
