//! The organization: a tree of head office, provinces, cities and outlets.
//!
//! Answers one question of the row rules: which codes lie below a node. Never knows a
//! principal. A tree that exists is whole: one root, every parent known, no cycle; the check
//! of the bundle makes no other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use martlet_core::Value;

/// How high a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// The root.
    HeadOffice,
    /// A province's branch.
    Province,
    /// A city's branch.
    City,
    /// An outlet, where customers are served.
    Outlet,
}

impl Level {
    /// Every level, from the top.
    pub const ALL: [Self; 4] = [Self::HeadOffice, Self::Province, Self::City, Self::Outlet];

    /// The word for it in `organization.csv`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::HeadOffice => "head_office",
            Self::Province => "province",
            Self::City => "city",
            Self::Outlet => "outlet",
        }
    }

    /// Reads the word; `None` if it is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }
}

/// One unit of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its code, as it stands in the tables' columns.
    pub code: Arc<str>,
    /// The unit above; `None` for the root only.
    pub parent: Option<Arc<str>>,
    /// How high it stands.
    pub level: Level,
    /// Its name, for people.
    pub name: String,
}

/// The whole tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organization {
    nodes: BTreeMap<Arc<str>, Node>,
    children: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// What lies below each node, once somebody was decided about who sits there.
    below: BTreeMap<Arc<str>, Below>,
}

/// The codes of a node and all below it; it does not count in comparing, as it follows from the
/// tree.
#[derive(Debug, Clone, Default)]
struct Below(OnceLock<BTreeSet<Value>>);

impl PartialEq for Below {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Below {}

impl Organization {
    /// Makes the tree of nodes that the check has found to be one.
    pub(crate) fn new(nodes: impl IntoIterator<Item = Node>) -> Self {
        let mut tree = Self::default();
        for node in nodes {
            if let Some(parent) = &node.parent {
                tree.children.entry(parent.clone()).or_default().push(node.code.clone());
            }
            tree.below.insert(node.code.clone(), Below::default());
            tree.nodes.insert(node.code.clone(), node);
        }
        tree
    }

    /// The nodes in the order of their codes.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node of that code.
    #[must_use]
    pub fn node(&self, code: &str) -> Option<&Node> {
        self.nodes.get(code)
    }

    /// The codes of the node and of everything below it, as text values; `None` if there is
    /// no such node, which is not the same as a node with nothing below.
    #[must_use]
    pub fn below(&self, code: &str) -> Option<&BTreeSet<Value>> {
        let (root, _) = self.nodes.get_key_value(code)?;
        Some(self.below.get(code)?.0.get_or_init(|| self.codes_below(root)))
    }

    fn codes_below(&self, root: &Arc<str>) -> BTreeSet<Value> {
        let mut codes = BTreeSet::new();
        let mut open = vec![root];
        while let Some(next) = open.pop() {
            // A code that is already in would be a cycle; a tree has none, and this still ends.
            if codes.insert(Value::Text(next.clone())) {
                open.extend(self.children.get(next).into_iter().flatten());
            }
        }
        codes
    }
}
