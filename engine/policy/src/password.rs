//! Passwords, as Argon2id hashes in the PHC string form.
//!
//! A password or a hash is never printed: not by `Debug`, not in a finding. A hash is read
//! when the directory is read, so verifying can no longer fail for its form.

use std::fmt;

use argon2::password_hash::{PasswordHashString, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};

/// How much work a password's hash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCost {
    /// 19 MiB of memory and two passes: about 20 ms, for people's passwords.
    Normal,
    /// As little as the method allows, for tests.
    Test,
}

/// A hash may ask for at most this much memory (1 GiB in KiB), or a line of the feed could
/// take down the server at the next sign-in.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;

/// A hash may ask for at most this many passes, for the same reason.
const PASSES_MAX: u32 = 64;

impl PasswordCost {
    /// Falls back on the library's defaults, which are `Normal`; its own check of these
    /// constant figures cannot fail.
    fn params(self) -> Params {
        match self {
            Self::Normal => Params::default(),
            Self::Test => Params::new(8, 1, 1, None).unwrap_or_default(),
        }
    }
}

fn hasher(params: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes a password with a salt that the caller drew at random: the PHC string for the
/// directory's `password` column.
#[must_use]
pub fn hash_password(password: &str, salt: [u8; 16], cost: PasswordCost) -> String {
    hash(password, salt, cost.params()).unwrap_or_default()
}

/// `None` only for a password longer than 4 GiB, which Argon2 cannot take; the empty string
/// that [`hash_password`] makes of it is "cannot sign in with a password".
fn hash(password: &str, salt: [u8; 16], params: Params) -> Option<String> {
    let salt = SaltString::encode_b64(&salt).ok()?;
    let hash = hasher(params).hash_password(password.as_bytes(), &salt).ok()?;
    Some(hash.to_string())
}

/// A stored hash that is known to be verifiable.
#[derive(Clone)]
pub(crate) struct StoredPassword(PasswordHashString);

impl fmt::Debug for StoredPassword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StoredPassword(..)")
    }
}

impl StoredPassword {
    /// Reads a PHC string; the error says what is wrong without repeating it.
    pub(crate) fn parse(phc: &str) -> Result<Self, &'static str> {
        let stored = PasswordHashString::new(phc)
            .map_err(|_| "the password is not a PHC string; leave it empty or hash it anew")?;
        let hash = stored.password_hash();
        if hash.algorithm != Algorithm::Argon2id.ident() || hash.version != Some(19) {
            return Err("the password's hash is not Argon2id, version 19");
        }
        let params = Params::try_from(&hash)
            .map_err(|_| "the parameters of the password's hash are not Argon2's")?;
        if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX {
            return Err("the password's hash asks for more memory or passes than are allowed");
        }
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err("the password's hash has no salt or no output");
        }
        Ok(Self(stored))
    }

    /// A hash that no password is known to have, as costly as the costliest of these: what an
    /// unknown name is verified against, so that it takes as long as a known one.
    pub(crate) fn decoy<'a>(beside: impl Iterator<Item = &'a Self>) -> Option<Self> {
        let params = beside.filter_map(Self::params).max_by_key(work).unwrap_or_default();
        Self::parse(&hash("", *b"martlet's decoy.", params)?).ok()
    }

    fn params(&self) -> Option<Params> {
        Params::try_from(&self.0.password_hash()).ok()
    }

    /// Method, version and parameters as the PHC string begins with them.
    #[cfg(test)]
    pub(crate) fn parameters(&self) -> Vec<String> {
        self.0.as_str().split('$').take(4).map(str::to_owned).collect()
    }

    /// Whether this is the password. Compares in constant time.
    pub(crate) fn verify(&self, password: &str) -> bool {
        // The hash's own parameters are used, not these defaults.
        hasher(Params::default())
            .verify_password(password.as_bytes(), &self.0.password_hash())
            .is_ok()
    }
}

/// Memory times passes: how long a verification takes, roughly.
fn work(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
}
