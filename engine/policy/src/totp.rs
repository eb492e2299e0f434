//! One-time codes by the clock (RFC 6238), as authenticator apps make them: HMAC-SHA-1, thirty
//! seconds, six digits.
//!
//! Owns the secret, the comparison of a code, and the memory of the codes that were taken. Must
//! never print a secret, and never take one code twice: a code is good for the step it is of and
//! one step either way, and for nobody once that step, or a later one, was used.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha1::{Digest, Sha1};

/// For how long a code is shown.
const STEP_SECONDS: i64 = 30;
/// Digits of a code.
pub(crate) const CODE_DIGITS: usize = 6;
const CODES: u32 = 1_000_000;
/// The least that RFC 4226 asks of a secret: 128 bits.
const SECRET_BYTES_MIN: usize = 16;
const SECRET_BYTES_MAX: usize = 128;
/// SHA-1's block: longer keys are digested first (RFC 2104).
const BLOCK_BYTES: usize = 64;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The secret that an app and the feed share.
#[derive(Clone)]
pub(crate) struct TotpSecret(Hmac<Sha1>);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TotpSecret(..)")
    }
}

impl TotpSecret {
    /// Reads a secret in base32; the error says what is wrong without repeating it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let bytes = from_base32(text).ok_or("the totp secret is not base32 (A to Z, 2 to 7)")?;
        if !(SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&bytes.len()) {
            return Err(
                "a totp secret has 26 letters of base32 (128 bits) or more, and 205 at most",
            );
        }
        Ok(Self::of(&bytes))
    }

    /// What the code of a name without a secret is tried against: the same work.
    pub(crate) fn decoy() -> Self {
        Self::of(b"martlet's decoy code.")
    }

    fn of(secret: &[u8]) -> Self {
        let mut block = hmac::digest::Key::<Hmac<Sha1>>::default();
        if secret.len() > BLOCK_BYTES {
            block.iter_mut().zip(Sha1::digest(secret)).for_each(|(place, byte)| *place = byte);
        } else {
            block.iter_mut().zip(secret).for_each(|(place, byte)| *place = *byte);
        }
        Self(<Hmac<Sha1> as KeyInit>::new(&block))
    }

    /// The step whose code this is, of the one that the clock shows and its neighbours. The work
    /// is the same for whatever is given.
    pub(crate) fn step_of(&self, code: &str, seconds: i64) -> Option<u64> {
        let given = number(code);
        let now = seconds.div_euclid(STEP_SECONDS);
        // No short cut: the time must not tell which of the three it was.
        [now - 1, now, now + 1].into_iter().fold(None, |found, step| {
            let step = u64::try_from(step).ok();
            let is_it = step.map(|step| self.truncated(step) % CODES) == given && given.is_some();
            if is_it { step } else { found }
        })
    }

    /// RFC 4226, 5.3: thirty-one bits of the MAC, at the place that its last four bits name.
    fn truncated(&self, step: u64) -> u32 {
        let mac = self.0.clone().chain_update(step.to_be_bytes()).finalize().into_bytes();
        let at = usize::from(mac.last().copied().unwrap_or(0) & 15);
        let four = mac.iter().skip(at).take(4);
        four.fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte)) & 0x7fff_ffff
    }
}

fn number(code: &str) -> Option<u32> {
    let is_code = code.len() == CODE_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| code.parse().ok()).flatten()
}

/// Letters in any case, blanks between them and `=` at the end are taken as apps print them.
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let letters = text.trim_end_matches('=').bytes().filter(|byte| *byte != b' ');
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in letters {
        let letter = letter.to_ascii_uppercase();
        let five = BASE32.iter().position(|of| *of == letter)?;
        held = (held << 5) | u32::try_from(five).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    // What is left over is no byte; anything but zeros there would be lost unseen.
    (held == 0 && bits < 5).then_some(bytes)
}

/// A secret for the feed's column `totp`, of bytes that the caller drew at random: base32.
#[must_use]
pub fn totp_secret(random: &[u8; 20]) -> String {
    // Twenty bytes are four times five, and five bytes are eight letters: nothing is left over.
    let groups = random
        .chunks_exact(5)
        .map(|five| five.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte)));
    groups
        .flat_map(|group| (0..8).rev().map(move |place| ((group >> (5 * place)) & 31) as usize))
        .filter_map(|five| BASE32.get(five).map(|letter| char::from(*letter)))
        .collect()
}

/// The URL that authenticator apps read, mostly from a QR code.
#[must_use]
pub fn totp_url(issuer: &str, name: &str, secret: &str) -> String {
    let (issuer, name) = (percent_encoded(issuer), percent_encoded(name));
    format!(
        "otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={CODE_DIGITS}&period={STEP_SECONDS}"
    )
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The last step of each name whose code was taken. It lives as long as the process.
#[derive(Debug, Default)]
pub struct UsedCodes(Mutex<HashMap<Arc<str>, u64>>);

impl UsedCodes {
    /// Takes the code of a step; false if it, or a later one, was taken before.
    pub(crate) fn take(&self, name: &Arc<str>, step: u64) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = last.get(name).is_none_or(|last| step > *last);
        if is_new {
            last.insert(Arc::clone(name), step);
        }
        is_new
    }
}

#[cfg(test)]
#[path = "totp_tests.rs"]
mod tests;
