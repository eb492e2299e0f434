//! A JSON Web Key Set (RFC 7517), as far as it verifies.
//!
//! Owns the allow-list: each key verifies with one algorithm, an asymmetric one, whatever a
//! token says. Must never hold a secret: a set with a symmetric or a private key is refused
//! whole, and so is one in which a name stands twice.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Bytes of an RSA modulus: 2,048 to 8,192 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// The algorithms that are accepted at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    /// Reads the word of a header or a key; `None` for `none`, every HMAC and all others.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &RSA_PSS_2048_8192_SHA512,
            Self::Es256 | Self::Es384 | Self::EdDsa => return None,
        })
    }
}

/// The digest of a key and its algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyId([u8; 32]);

enum Material {
    Rsa { parameters: &'static RsaParameters, modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A public key with the one algorithm that it is for.
pub(super) struct Key {
    algorithm: Algorithm,
    material: Material,
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({:?})", self.algorithm)
    }
}

impl Key {
    pub(super) fn id(&self) -> KeyId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[self.algorithm as u8]);
        match &self.material {
            Material::Rsa { modulus, exponent, .. } => {
                hasher.update(&(modulus.len() as u64).to_le_bytes()).update(modulus);
                hasher.update(exponent);
            }
            Material::P256(point) | Material::P384(point) | Material::Ed25519(point) => {
                hasher.update(point);
            }
        }
        KeyId(*hasher.finalize().as_bytes())
    }

    /// Whether this key has signed this message.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified =
            match &self.material {
                Material::Rsa { parameters, modulus, exponent } => {
                    RsaPublicKeyComponents { n: modulus, e: exponent }
                        .verify(parameters, message, signature)
                }
                Material::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signature),
                Material::P384(point) => UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point)
                    .verify(message, signature),
                Material::Ed25519(point) => {
                    UnparsedPublicKey::new(&ED25519, point).verify(message, signature)
                }
            };
        verified.is_ok()
    }
}

/// The keys by their names (`kid`).
#[derive(Debug)]
pub(super) struct KeySet(BTreeMap<String, Key>);

#[derive(Deserialize)]
struct SetText {
    keys: Vec<KeyText>,
}

/// Fields that are not here (certificates, `key_ops`) are not needed to verify.
#[derive(Deserialize)]
struct KeyText {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// A private key's part.
    d: Option<IgnoredAny>,
    /// A symmetric key.
    k: Option<IgnoredAny>,
}

impl KeySet {
    /// Reads a set; the error says what is wrong with it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let text: SetText = serde_json::from_slice(bytes)
            .map_err(|_| "it is no JSON Web Key Set, or a field of a key stands there twice")?;
        let mut keys = BTreeMap::new();
        for key in text.keys {
            if key.d.is_some() || key.k.is_some() || key.kty == "oct" {
                return Err("it holds a private or a symmetric key: only public ones belong there");
            }
            let Some((name, key)) = usable(key)? else { continue };
            if keys.insert(name, key).is_some() {
                return Err("two keys have the same name (kid)");
            }
        }
        if keys.is_empty() {
            return Err("it holds no key that verifies signatures of an accepted algorithm");
        }
        Ok(Self(keys))
    }

    /// The key of that name, if it is for that algorithm.
    pub(super) fn find(&self, name: &str, algorithm: Algorithm) -> Option<&Key> {
        self.0.get(name).filter(|key| key.algorithm == algorithm)
    }

    pub(super) fn has(&self, id: KeyId) -> bool {
        self.0.values().any(|key| key.id() == id)
    }
}

/// A key that verifies, with its name; `None` for keys that are for something else.
fn usable(key: KeyText) -> Result<Option<(String, Key)>, &'static str> {
    if key.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return Ok(None);
    }
    let Some(algorithm) = algorithm_of(&key) else { return Ok(None) };
    let name = key.kid.clone().filter(|name| !name.is_empty());
    let name = name.ok_or("a key that verifies signatures has no name (kid)")?;
    let material = material_of(&key, algorithm)
        .ok_or("a key's parts are missing, malformed, too short, or do not fit its algorithm")?;
    Ok(Some((name, Key { algorithm, material })))
}

/// The algorithm that a key names; where it names none, the usual one of its kind.
fn algorithm_of(key: &KeyText) -> Option<Algorithm> {
    match (&key.alg, key.kty.as_str(), key.crv.as_deref()) {
        (Some(word), _, _) => Algorithm::parse(word),
        (None, "RSA", _) => Some(Algorithm::Rs256),
        (None, "EC", Some("P-256")) => Some(Algorithm::Es256),
        (None, "EC", Some("P-384")) => Some(Algorithm::Es384),
        (None, "OKP", Some("Ed25519")) => Some(Algorithm::EdDsa),
        _ => None,
    }
}

fn material_of(key: &KeyText, algorithm: Algorithm) -> Option<Material> {
    match (algorithm, key.kty.as_str(), key.crv.as_deref()) {
        (Algorithm::Es256, "EC", Some("P-256")) => Some(Material::P256(point(key, 32)?)),
        (Algorithm::Es384, "EC", Some("P-384")) => Some(Material::P384(point(key, 48)?)),
        (Algorithm::EdDsa, "OKP", Some("Ed25519")) => {
            Some(Material::Ed25519(decoded(key.x.as_deref()).filter(|x| x.len() == 32)?))
        }
        (_, "RSA", _) => {
            let (modulus, exponent) = (number(key.n.as_deref())?, number(key.e.as_deref())?);
            let fits = MODULUS_BYTES.contains(&modulus.len()) && (1..=4).contains(&exponent.len());
            let parameters = algorithm.rsa().filter(|_| fits)?;
            Some(Material::Rsa { parameters, modulus, exponent })
        }
        _ => None,
    }
}

/// An uncompressed point of a curve.
fn point(key: &KeyText, coordinate_bytes: usize) -> Option<Vec<u8>> {
    let (x, y) = (decoded(key.x.as_deref())?, decoded(key.y.as_deref())?);
    let fits = x.len() == coordinate_bytes && y.len() == coordinate_bytes;
    fits.then(|| [&[4_u8][..], &x, &y].concat())
}

/// A number without leading zeros.
fn number(text: Option<&str>) -> Option<Vec<u8>> {
    let bytes = decoded(text)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes.into_iter().skip(zeros).collect())
}

fn decoded(text: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}
