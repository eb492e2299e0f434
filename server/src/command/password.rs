//! Passwords of the feed of principals: asked for, and hashed.
//!
//! Owns the salt and the cost of a hash. Must never print, log or keep a password.

use martlet_policy::{PasswordCost, hash_password};

use super::exit::Failure;
use super::serve::draw_key;
use super::sql::ask_password;
use super::terminal::say;

/// Prints the hash of a password that is given in the environment or typed.
///
/// # Errors
/// If there is neither, it is empty, or the system has no random bytes.
pub(crate) fn print_hash() -> Result<(), Failure> {
    let password = match std::env::var("MARTLET_PASSWORD") {
        Ok(password) => password,
        Err(_) => ask_password("the principal")?,
    };
    if password.is_empty() {
        return Err(Failure::invalid("an empty password is none").advise("choose one"));
    }
    // In quotes: the hash has commas, and the feed is CSV.
    say!("\"{}\"", hash(&password)?);
    Ok(())
}

/// The Argon2id hash of a password, with a salt of its own.
pub(crate) fn hash(password: &str) -> Result<String, Failure> {
    let [salt @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = draw_key()?;
    Ok(hash_password(password, salt, PasswordCost::Normal))
}
