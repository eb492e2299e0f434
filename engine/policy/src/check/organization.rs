//! Checks that the organization is one tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use martlet_core::limits::NAME_BYTES_MAX;

use super::check_duplicates;
use crate::bundle::ORGANIZATION_FILE;
use crate::finding::{Finding, Place};
use crate::organization::{Level, Node, Organization};
use crate::parse::RawNode;

/// Makes the tree; without findings it is whole.
pub(super) fn check(raw: &[RawNode], findings: &mut Vec<Finding>) -> Organization {
    check_duplicates("node", raw.iter().map(|node| &node.code), findings);
    let by_code: BTreeMap<&str, &RawNode> =
        raw.iter().map(|node| (node.code.value.as_str(), node)).collect();
    let nodes: Vec<Node> = raw.iter().filter_map(|node| check_node(node, findings)).collect();
    for node in raw {
        check_parent(node, &by_code, findings);
    }
    check_root(raw, findings);
    Organization::new(nodes)
}

fn check_node(raw: &RawNode, findings: &mut Vec<Finding>) -> Option<Node> {
    let code = raw.code.value.as_str();
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    if code.is_empty() || code.len() > NAME_BYTES_MAX || code.contains(is_odd) {
        let message = format!(
            "a node's code has from 1 to {NAME_BYTES_MAX} bytes and no space or control character"
        );
        findings.push(raw.code.place.finding(message));
    }
    let level = Level::parse(&raw.level.value);
    if level.is_none() {
        let words = Level::ALL.map(Level::word).join(", ");
        findings.push(raw.level.place.finding(format!("a node's level is one of {words}")));
    }
    let parent = Some(raw.parent.value.as_str()).filter(|parent| !parent.is_empty());
    Some(Node {
        code: Arc::from(code),
        parent: parent.map(Arc::from),
        level: level?,
        name: raw.name.value.clone(),
    })
}

/// The parent exists, stands no lower, and the way up from it ends.
fn check_parent(node: &RawNode, by_code: &BTreeMap<&str, &RawNode>, findings: &mut Vec<Finding>) {
    if node.parent.value.is_empty() {
        return;
    }
    let Some(parent) = by_code.get(node.parent.value.as_str()) else {
        let message = format!("there is no node `{}` to be the parent", node.parent.value);
        return findings.push(node.parent.place.finding(message));
    };
    let levels = (Level::parse(&node.level.value), Level::parse(&parent.level.value));
    if let (Some(own), Some(above)) = levels
        && own < above
    {
        let message = format!("a {} cannot stand below a {}", own.word(), above.word());
        findings.push(node.level.place.finding(message));
    }
    if is_its_own_ancestor(node, by_code) {
        let message = format!("`{}` is its own ancestor: the tree has a cycle", node.code.value);
        findings.push(node.parent.place.finding(message));
    }
}

/// Walks up at most as many steps as there are nodes.
fn is_its_own_ancestor(node: &RawNode, by_code: &BTreeMap<&str, &RawNode>) -> bool {
    let up = |node: &&RawNode| by_code.get(node.parent.value.as_str()).copied();
    std::iter::successors(up(&node), up)
        .take(by_code.len())
        .any(|ancestor| ancestor.code.value == node.code.value)
}

fn check_root(raw: &[RawNode], findings: &mut Vec<Finding>) {
    let mut roots = raw.iter().filter(|node| node.parent.value.is_empty());
    match (roots.next(), roots.next()) {
        (Some(_), None) => {}
        (Some(first), Some(second)) => {
            let message = format!("a second root; `{}` is one already", first.code.value);
            findings.push(second.code.place.finding(message));
        }
        (None, _) => {
            let message = "there is no root: one node must have an empty parent";
            findings.push(Place::start(ORGANIZATION_FILE).finding(message));
        }
    }
}
