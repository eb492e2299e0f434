//! What a record tells the rules: digests of the customers asked for, branches, shape, place.
//!
//! Reads a statement's text and bound values as they stand in the record and keeps digests of
//! them under a key that lives as long as the process. Must never hand a constant on.

use std::net::SocketAddr;

use martlet_query::asked::{Asked, How, asked};

use super::people::Person;
use super::rules::{Kind, Rules};
use crate::audit::{Entry, RecordId, behind_comments};

/// Constants of one statement that are looked at: more than fit in a statement that can run.
const CONSTANTS_MAX: usize = 1_000_000;
/// Customers of one statement that are told apart.
const KEYS_MAX: usize = 2_500;
/// First words of statements that would remove or change something.
const CHANGES: [&str; 11] = [
    "alter", "delete", "drop", "erase", "insert", "merge", "purge", "replace", "truncate",
    "update", "vacuum",
];

/// A customer that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) digest: u64,
    /// The number at its end, to tell whether several follow each other.
    pub(crate) number: Option<u64>,
    pub(crate) how: How,
}

/// A branch that was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) digest: u64,
    pub(crate) own: bool,
}

/// A statement as the rules see it.
#[derive(Debug, Clone)]
pub(crate) struct Sighting {
    pub(crate) record: RecordId,
    pub(crate) keys: Vec<Key>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) lookups: u64,
    /// Equal for statements that differ in constants alone.
    pub(crate) shape: u64,
    /// The rules whose watched customers it names, a bit each.
    pub(crate) watched: u64,
    /// Whether it would remove or change something.
    pub(crate) changes: bool,
    /// Rows of it that are counted already.
    pub(crate) counted: u64,
}

impl Sighting {
    /// The customer, if exactly one was asked for.
    pub(crate) fn the_one(&self) -> Option<Key> {
        match self.keys.as_slice() {
            [key] if key.how != How::Unequal => Some(*key),
            _ => None,
        }
    }
}

/// Turns records into sightings.
pub(crate) struct Eye {
    key: [u8; 32],
    keys: Vec<Column>,
    nodes: Vec<Column>,
}

/// A column by its name and, where one is given, its table's.
struct Column {
    table: Option<String>,
    name: String,
}

impl Column {
    fn of(text: &str) -> Self {
        match text.rsplit_once('.') {
            Some((table, name)) => Self { table: Some(table.to_owned()), name: name.to_owned() },
            None => Self { table: None, name: text.to_owned() },
        }
    }

    /// Statements that were refused name no tables: there the column's name decides.
    fn is(&self, column: &str, tables: &[String]) -> bool {
        let of_table = |table: &String| tables.is_empty() || tables.contains(table);
        self.name == column && self.table.as_ref().is_none_or(of_table)
    }
}

impl Eye {
    pub(crate) fn new(rules: &Rules, key: [u8; 32]) -> Self {
        let columns = |texts: &[String]| texts.iter().map(|text| Column::of(text)).collect();
        Self { key, keys: columns(&rules.keys), nodes: columns(&rules.nodes) }
    }

    /// What a record tells.
    pub(crate) fn see(&self, entry: &Entry, person: Option<&Person>, rules: &Rules) -> Sighting {
        let mut sighting = Sighting {
            record: entry.record_id.clone(),
            keys: Vec::new(),
            branches: Vec::new(),
            lookups: entry.lookups,
            shape: self.shape(entry),
            watched: 0,
            changes: changes(&entry.statement),
            counted: 0,
        };
        for asked in asked(&entry.statement, entry.parameters.as_deref(), CONSTANTS_MAX) {
            let is = |columns: &[Column]| {
                columns.iter().any(|column| column.is(&asked.column, &entry.tables))
            };
            if asked.how == How::LookedUp || is(&self.keys) {
                self.see_key(&asked, rules, &mut sighting);
            }
            if is(&self.nodes) {
                let nodes = person.and_then(|person| person.nodes.as_ref());
                let own = nodes.is_none_or(|nodes| nodes.contains(&asked.constant));
                let digest = self.digest("", &asked.constant);
                sighting.branches.push(Branch { digest, own });
            }
        }
        sighting
    }

    fn see_key(&self, asked: &Asked, rules: &Rules, sighting: &mut Sighting) {
        // Nobody hides a watched customer behind a long list of others.
        for (at, rule) in rules.rules.iter().enumerate() {
            if let Kind::Watched { values, .. } = &rule.kind
                && values.contains(&asked.constant)
            {
                sighting.watched |= 1 << at;
            }
        }
        if sighting.keys.len() >= KEYS_MAX {
            return;
        }
        let digest = self.digest(&asked.column, &asked.constant);
        if sighting.keys.iter().any(|key| key.digest == digest && key.how == asked.how) {
            return;
        }
        sighting.keys.push(Key { digest, number: number(&asked.constant), how: asked.how });
    }

    fn shape(&self, entry: &Entry) -> u64 {
        match &entry.fingerprint {
            Some(fingerprint) => self.digest("shape", fingerprint),
            None => self.digest("text", &entry.statement),
        }
    }

    /// Eight bytes of a keyed digest.
    fn digest(&self, kind: &str, text: &str) -> u64 {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(kind.as_bytes()).update(&[0]).update(text.as_bytes());
        let mut bytes = [0; 8];
        hasher.finalize_xof().fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// The digits at the end of a constant, at most the last eighteen.
fn number(constant: &str) -> Option<u64> {
    let digits = constant.bytes().rev().take(18).take_while(u8::is_ascii_digit).count();
    constant.get(constant.len() - digits..)?.parse().ok()
}

fn changes(statement: &str) -> bool {
    let first = behind_comments(statement).split(|part: char| !part.is_ascii_alphabetic()).next();
    first.is_some_and(|word| CHANGES.contains(&word.to_ascii_lowercase().as_str()))
}

/// The network of a record's address: 24 bits of IPv4, 64 of IPv6.
pub(crate) fn network(peer: &str) -> Option<u64> {
    let address: SocketAddr = peer.parse().ok()?;
    Some(match address.ip().to_canonical() {
        std::net::IpAddr::V4(ip) => u64::from(u32::from(ip) >> 8),
        std::net::IpAddr::V6(ip) => u64::try_from(u128::from(ip) >> 64).unwrap_or(u64::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests_support::entry;

    fn see(statement: &str) -> Sighting {
        let rules =
            Rules::parse("keys = [\"customer.customer_id\", \"card\"]\nnodes = [\"outlet\"]")
                .unwrap();
        Eye::new(&rules, [1; 32]).see(&entry(statement), None, &rules)
    }

    #[test]
    fn customers_are_told_by_their_key_columns_only() {
        let one = see("SELECT name FROM customer WHERE customer_id = 'C0012' AND age = 5");
        let same = see("SELECT 1 FROM customer c WHERE c.customer_id IN ('C0012')");
        assert_eq!(one.keys, same.keys);
        assert_eq!(one.keys[0].number, Some(12));
        assert!(one.the_one().is_some());
        assert!(see("SELECT 1 FROM customer WHERE customer_id <> 'C0012'").the_one().is_none());
        assert_eq!(see("SELECT 1 FROM customer WHERE customer_id IN (1, 2, 2)").keys.len(), 2);
        assert_eq!(see("SELECT 1 FROM customer WHERE lookup(mobile, '138')").keys.len(), 1);
        assert!(see("SELECT 1 FROM customer WHERE age = 5").keys.is_empty());
    }

    #[test]
    fn a_watched_customer_does_not_hide_in_a_crowd() {
        let text = "keys = [\"k\"]\n[[rule]]\nname = \"a\"\nkind = \"watched\"\n\
                    values = [\"VIP\"]\nstatements = 1\nwindow = \"1h\"\n";
        let rules = Rules::parse(text).unwrap();
        let eye = Eye::new(&rules, [1; 32]);
        let list: Vec<String> = (0..5_000).map(|number| format!("'{number}'")).collect();
        let list = format!("SELECT 1 FROM t WHERE k IN ({}, 'VIP')", list.join(", "));
        let pad = "a = 1 OR ".repeat(5_000);
        for sql in [list, format!("SELECT 1 FROM t WHERE {pad} k = 'VIP'")] {
            let sighting = eye.see(&entry(&sql), None, &rules);
            assert_eq!(sighting.watched, 1);
            assert!(sighting.keys.len() <= KEYS_MAX);
        }
    }

    #[test]
    fn what_changes_something_is_told_by_its_first_word() {
        assert!(see("  DELETE FROM customer").changes && see("drop table x").changes);
        assert!(see("/* SELECT */ -- more\n DELETE FROM customer").changes);
        assert!(!see("SELECT deleted FROM customer").changes && !see("updates").changes);
    }

    #[test]
    fn a_network_is_more_than_an_address() {
        assert_eq!(network("10.1.2.3:500"), network("10.1.2.200:7"));
        assert_ne!(network("10.1.2.3:500"), network("10.1.3.3:500"));
        assert_eq!(network("[2001:db8::1]:5"), network("[2001:db8::2]:5"));
        assert_eq!(network("[::ffff:10.1.2.3]:5"), network("10.1.2.9:5"));
        assert_eq!(network("unknown"), None);
    }
}
