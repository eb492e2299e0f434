//! Names of the policy's own things: each is a type of its own, so that a role is never taken
//! for a rule. A name is checked where it is made and never again.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use martlet_core::limits::NAME_BYTES_MAX;

/// Why a text is not a name; the text says what one looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name has lower-case letters, digits, `_` and `-`, begins with a letter and has at most {NAME_BYTES_MAX} bytes"
)]
pub struct NotAName;

fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
        })
}

macro_rules! policy_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and makes the name.
            ///
            /// # Errors
            /// [`NotAName`] if the text is not one.
            pub fn new(text: &str) -> Result<Self, NotAName> {
                if is_name(text) { Ok(Self(Arc::from(text))) } else { Err(NotAName) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

policy_name!(
    /// The name of a role, such as `teller`.
    RoleName
);
policy_name!(
    /// The name of a row rule, such as `outlets-below-my-node`.
    RuleName
);
policy_name!(
    /// The name of a principal's attribute, such as `node`.
    AttributeName
);
policy_name!(
    /// What a token is for. Tokens of two purposes never join.
    Purpose
);

impl AttributeName {
    /// The attribute that says where in the organization a principal works.
    pub const NODE: &'static str = "node";
    /// The principal's own name, which rules may speak of too.
    pub const NAME: &'static str = "name";
}
