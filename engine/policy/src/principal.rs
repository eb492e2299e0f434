//! Who asks: a person or program whose name and attributes the directory vouches for.
//!
//! Neither type here can be made outside this crate: a [`SignedIn`] is the proof of a sign-in
//! and a [`Principal`] the directory's word about it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::emergency::counting::Emergency;
use crate::names::{AttributeName, RoleName};

/// The proof that someone signed in under this name. It says nothing about what they may see:
/// ask the directory for the principal anew for every statement, so that a change of roles
/// counts at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub(crate) name: Arc<str>,
    /// Roles that came with the sign-in and end with it, beside those of the feed.
    pub(crate) lent: Arc<BTreeSet<RoleName>>,
}

impl SignedIn {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The roles that came with the sign-in, beside those of the feed.
    #[must_use]
    pub fn lent(&self) -> &BTreeSet<RoleName> {
        &self.lent
    }
}

/// Someone who asks, with the roles and attributes that the directory gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub(crate) name: Arc<str>,
    pub(crate) roles: BTreeSet<RoleName>,
    pub(crate) attributes: BTreeMap<AttributeName, Arc<str>>,
    /// Under which they come at this moment: then its role alone decides.
    pub(crate) emergency: Option<Arc<Emergency>>,
}

impl Principal {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The roles that the directory gives, in the order of their names.
    pub fn roles(&self) -> impl Iterator<Item = &RoleName> {
        self.roles.iter()
    }

    /// The emergency under which they come at this moment. It holds for this one decision: ask
    /// [`crate::Emergencies`] anew for every statement.
    #[must_use]
    pub fn emergency(&self) -> Option<&Arc<Emergency>> {
        self.emergency.as_ref()
    }

    /// An attribute, such as `node`; `name` is the principal's own name. `None` if the
    /// directory does not give it.
    #[must_use]
    pub fn attribute(&self, attribute: &str) -> Option<&str> {
        if attribute == AttributeName::NAME {
            return Some(&self.name);
        }
        self.attributes.get(attribute).map(AsRef::as_ref)
    }
}
