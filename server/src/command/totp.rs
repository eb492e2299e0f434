//! Secrets of one-time codes for the feed of principals.
//!
//! Owns drawing one. Must never keep or log it: it is printed once, for the feed and the person.

use martlet_policy::{totp_secret, totp_url};

use super::exit::Failure;
use super::serve::draw_key;
use super::terminal::say;

/// Prints a new secret for the feed and the URL for the person's app.
///
/// # Errors
/// If the name is empty or the system has no random bytes.
pub(crate) fn print_secret(name: &str, issuer: &str) -> Result<(), Failure> {
    if name.is_empty() || issuer.is_empty() {
        return Err(Failure::invalid("an app shows codes by the bank's and the person's name")
            .advise("give both"));
    }
    let [random @ .., _, _, _, _, _, _, _, _, _, _, _, _] = draw_key()?;
    let secret = totp_secret(&random);
    say!("{secret}");
    say!("{}", totp_url(issuer, name, &secret));
    Ok(())
}
