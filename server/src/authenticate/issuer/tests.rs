//! Tokens over real keys: what is accepted, and every way to come in without being whom one says.

mod rsa_key;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use serde_json::{Value, json};

use super::super::PrincipalClaim;
use super::*;

const NOW: i64 = 1_790_000_000;

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

struct Scene {
    folder: tempfile::TempDir,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    rsa: RsaKeyPair,
    issuer: Issuer,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = SystemRandom::new();
        let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing, &random).unwrap();
        let ec = EcdsaKeyPair::from_pkcs8(signing, pkcs8.as_ref(), &random).unwrap();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let ed = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let rsa = RsaKeyPair::from_pkcs8(&STANDARD.decode(rsa_key::PRIVATE).unwrap()).unwrap();
        let file = folder.path().join("keys.json");
        std::fs::write(&file, key_set(&ec, &ed).to_string()).unwrap();
        let issuer = Issuer::new(rules(&file));
        Self { folder, ec, ed, rsa, issuer }
    }

    fn es256(&self, header: &Value, claims: &str) -> String {
        signed(header, claims, |message| {
            self.ec.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
        })
    }

    fn rsa(&self, header: &Value, claims: &str, how: &'static dyn RsaEncoding) -> String {
        signed(header, claims, |message| {
            let mut signature = vec![0; self.rsa.public().modulus_len()];
            self.rsa.sign(how, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        })
    }

    fn judged(&self, token: &str) -> Result<Issued, Unproven> {
        self.issuer.verify(token, NOW, None)
    }

    /// What becomes of well signed claims.
    fn claiming(&self, claims: &Value) -> Result<Issued, Unproven> {
        self.judged(&self.es256(&json!({"alg": "ES256", "kid": "ec"}), &claims.to_string()))
    }
}

fn rules(file: &Path) -> IssuerRules {
    IssuerRules {
        issuer: "https://id.bank".into(),
        audience: "mart".into(),
        keys: file.to_path_buf(),
        principal: PrincipalClaim::Subject,
        lifetime_max: Duration::from_secs(2 * 60 * 60),
    }
}

fn key_set(ec: &EcdsaKeyPair, ed: &Ed25519KeyPair) -> Value {
    let point = ec.public_key().as_ref();
    json!({"keys": [
        {"kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig",
         "x": text(&point[1..33]), "y": text(&point[33..])},
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": text(ed.public_key())},
        {"kty": "RSA", "kid": "rsa", "n": rsa_key::MODULUS, "e": "AQAB"},
        {"kty": "RSA", "kid": "pss", "alg": "PS256", "n": rsa_key::MODULUS, "e": "AQAB"},
        {"kty": "RSA", "kid": "enc", "use": "enc", "n": rsa_key::MODULUS, "e": "AQAB"},
    ]})
}

fn signed(header: &Value, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", text(header.to_string()), text(claims));
    let signature = text(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn claims() -> Value {
    json!({"iss": "https://id.bank", "aud": "mart", "sub": "kim", "iat": NOW - 10, "exp": NOW + 600})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[test]
fn a_token_of_each_kind_of_key_is_accepted() {
    let scene = Scene::new();
    let claims = claims().to_string();
    let header = |alg: &str, kid: &str| json!({"alg": alg, "kid": kid, "typ": "JWT"});
    let ed =
        signed(&header("EdDSA", "ed"), &claims, |message| scene.ed.sign(message).as_ref().to_vec());
    for token in [
        scene.es256(&header("ES256", "ec"), &claims),
        scene.rsa(&header("RS256", "rsa"), &claims, &RSA_PKCS1_SHA256),
        scene.rsa(&header("PS256", "pss"), &claims, &RSA_PSS_SHA256),
        ed,
    ] {
        let issued = scene.judged(&token).unwrap();
        assert_eq!(issued.name, "kim");
        assert_eq!(issued.lasts, Duration::from_secs(660), "with the clocks' difference");
        assert!(scene.issuer.pins(issued.key));
    }
}

#[test]
fn a_token_does_not_choose_how_it_is_verified() {
    let scene = Scene::new();
    let claims = claims().to_string();
    for alg in ["none", "None", "NONE", "", "HS256", "HS512", "RS256 ", "rs256", "ES512"] {
        let header = json!({"alg": alg, "kid": "rsa"});
        let bare = signed(&header, &claims, |_| Vec::new());
        assert_eq!(scene.judged(&bare), Err(Unproven::Form), "{alg}");
        let keyed = scene.rsa(&header, &claims, &RSA_PKCS1_SHA256);
        assert_eq!(scene.judged(&keyed), Err(Unproven::Form), "{alg}");
    }
    // The public key as an HMAC's secret, in every form that an attacker has it in.
    let der = scene.rsa.public_key().as_ref().to_vec();
    for secret in [der, rsa_key::MODULUS.as_bytes().to_vec(), Vec::new()] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let sign = |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
        let forged = signed(&json!({"alg": "HS256", "kid": "rsa"}), &claims, sign);
        assert_eq!(scene.judged(&forged), Err(Unproven::Form));
        let dressed = signed(&json!({"alg": "RS256", "kid": "rsa"}), &claims, sign);
        assert_eq!(scene.judged(&dressed), Err(Unproven::Signature));
    }
}

#[test]
fn a_key_is_for_one_algorithm_and_found_by_its_name_alone() {
    let scene = Scene::new();
    let claims = claims().to_string();
    let confused: [(&str, &str, &'static dyn RsaEncoding); 7] = [
        ("PS256", "rsa", &RSA_PSS_SHA256),
        ("RS256", "pss", &RSA_PKCS1_SHA256),
        ("RS256", "enc", &RSA_PKCS1_SHA256),
        ("RS256", "ec", &RSA_PKCS1_SHA256),
        ("RS256", "", &RSA_PKCS1_SHA256),
        ("RS256", "../keys.json", &RSA_PKCS1_SHA256),
        ("RS384", "rsa", &RSA_PKCS1_SHA256),
    ];
    for (alg, kid, how) in confused {
        let token = scene.rsa(&json!({"alg": alg, "kid": kid}), &claims, how);
        assert_eq!(scene.judged(&token), Err(Unproven::UnknownKey), "{alg} with {kid}");
    }
    let by_other = scene.es256(&json!({"alg": "EdDSA", "kid": "ed"}), &claims);
    assert_eq!(scene.judged(&by_other), Err(Unproven::Signature));
    let nameless = scene.es256(&json!({"alg": "ES256"}), &claims);
    assert_eq!(scene.judged(&nameless), Err(Unproven::Form), "even if one key would do");
}

#[test]
fn a_header_brings_no_keys_and_demands_nothing() {
    let scene = Scene::new();
    let claims = claims().to_string();
    for (field, value) in [
        ("jwk", json!({"kty": "oct", "k": "AAAA"})),
        ("jku", json!("https://evil/keys.json")),
        ("x5u", json!("https://evil/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("typ", json!("JWE")),
        ("typ", json!(7)),
    ] {
        let mut header = json!({"alg": "ES256", "kid": "ec"});
        header[field] = value;
        assert_eq!(scene.judged(&scene.es256(&header, &claims)), Err(Unproven::Form), "{header}");
    }
    let twice = r#"{"alg":"ES256","alg":"none","kid":"ec"}"#;
    let token = format!("{}.{}.", text(twice), text(&claims));
    assert_eq!(scene.judged(&token), Err(Unproven::Form), "the algorithm twice");
}

#[test]
fn what_was_changed_after_signing_is_not_signed() {
    let scene = Scene::new();
    let token = scene.es256(&json!({"alg": "ES256", "kid": "ec"}), &claims().to_string());
    assert!(scene.judged(&token).is_ok());
    let parts: Vec<&str> = token.split('.').collect();
    let other = text(with("sub", json!("boss")).to_string());
    let swapped = format!("{}.{other}.{}", parts[0], parts[2]);
    assert_eq!(scene.judged(&swapped), Err(Unproven::Signature));
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    assert_eq!(scene.judged(&unsigned), Err(Unproven::Signature));
    let zeros = format!("{}.{}.{}", parts[0], parts[1], text([0; 64]));
    assert_eq!(scene.judged(&zeros), Err(Unproven::Signature), "r = s = 0 (CVE-2022-21449)");
    for broken in [
        format!("{token}.{}", parts[2]),
        format!("{token}="),
        format!("{} ", parts[..2].join(".")),
        parts[..2].join("."),
        "..".into(),
        ".".into(),
        format!("{}.{}", "a".repeat(TOKEN_BYTES_MAX), token),
    ] {
        let refused = scene.judged(&broken);
        assert_eq!(refused, Err(Unproven::Form), "{}", broken.chars().take(80).collect::<String>());
    }
}

#[test]
fn claims_are_of_their_types_and_all_there() {
    let scene = Scene::new();
    for missing in ["iss", "aud", "sub", "exp", "iat"] {
        assert_eq!(scene.claiming(&without(missing)), Err(Unproven::Claims), "{missing}");
    }
    for (name, value) in [
        ("nbf", json!("999")),
        ("iat", json!((NOW - 10).to_string())),
        ("exp", json!((NOW + 600).to_string())),
        ("exp", json!(1.8e9)),
        ("exp", json!(-1)),
        ("exp", json!(null)),
        ("exp", json!([NOW + 600])),
        ("sub", json!(null)),
        ("sub", json!(7)),
        ("sub", json!(["kim"])),
        ("sub", json!("")),
        ("iss", json!(["https://id.bank"])),
        ("aud", json!({"mart": true})),
        ("cnf", json!("x")),
    ] {
        let refused = scene.claiming(&with(name, value.clone()));
        assert_eq!(refused, Err(Unproven::Claims), "{name}: {value}");
    }
    let header = json!({"alg": "ES256", "kid": "ec"});
    for twice in [r#""sub":"boss","#, r#""exp":9999999999,"#, r#""aud":"other","#] {
        let text = claims().to_string().replacen('{', &format!("{{{twice}"), 1);
        assert_eq!(scene.judged(&scene.es256(&header, &text)), Err(Unproven::Claims), "{text}");
    }
    for no_object in ["", "null", "[]", "\"kim\"", "{", "[[[[[[[[["] {
        assert_eq!(scene.judged(&scene.es256(&header, no_object)), Err(Unproven::Claims));
    }
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(scene.judged(&scene.es256(&header, &deep)), Err(Unproven::Claims));
}

#[test]
fn issuer_and_audience_are_those_that_are_trusted() {
    let scene = Scene::new();
    for iss in ["https://id.bank/", "https://ID.bank", "http://id.bank", "", "https://evil"] {
        assert_eq!(scene.claiming(&with("iss", json!(iss))), Err(Unproven::Issuer), "{iss}");
    }
    for aud in [json!("other"), json!([]), json!(["other", "martlet"]), json!("MART"), json!("")] {
        assert_eq!(scene.claiming(&with("aud", aud.clone())), Err(Unproven::Audience), "{aud}");
    }
    assert!(scene.claiming(&with("aud", json!(["other", "mart"]))).is_ok());
}

#[test]
fn a_token_is_good_in_its_time_and_for_no_longer_than_tokens_may_be() {
    let scene = Scene::new();
    let at = |iat: i64, exp: i64| {
        let mut claims = with("iat", json!(NOW + iat));
        claims["exp"] = json!(NOW + exp);
        scene.claiming(&claims).map(|issued| issued.lasts.as_secs())
    };
    assert_eq!(at(-600, -59), Ok(1), "the clocks may differ by a minute");
    assert_eq!(at(60, 600), Ok(660));
    for (iat, exp) in [(-600, -60), (61, 600), (-10, 7_191), (0, 0), (10, 5), (-10, 1_000_000_000)]
    {
        assert_eq!(at(iat, exp), Err(Unproven::Time), "{iat} to {exp}");
    }
    assert_eq!(at(-10, 7_190), Ok(7_250));
    let early = with("nbf", json!(NOW + 61));
    assert_eq!(scene.claiming(&early), Err(Unproven::Time), "issued, but not good yet");
    let mut by_nbf = without("iat");
    by_nbf["nbf"] = json!(NOW - 10);
    assert!(scene.claiming(&by_nbf).is_ok(), "one of the two says when it began");
    for enormous in [json!(u64::MAX), json!(i64::MAX)] {
        assert_eq!(scene.claiming(&with("exp", enormous.clone())), Err(Unproven::Time));
        assert_eq!(scene.claiming(&with("iat", enormous)), Err(Unproven::Time));
    }
    assert_eq!(scene.claiming(&with("iat", json!(0))), Err(Unproven::Time), "since 1970");
}

#[test]
fn a_token_that_is_bound_to_more_than_itself_needs_it() {
    let scene = Scene::new();
    for cnf in [json!({"x5t#S256": "AAAA"}), json!({"jkt": "x"}), json!({"jwk": {}}), json!({})] {
        let refused = scene.claiming(&with("cnf", cnf.clone()));
        assert_eq!(refused, Err(Unproven::Certificate), "{cnf}");
    }
}

#[test]
fn the_principal_is_the_claim_that_was_chosen() {
    let mut scene = Scene::new();
    let named = with("preferred_username", json!("lee"));
    assert_eq!(scene.claiming(&named).unwrap().name, "kim");
    scene.issuer.rules.principal = PrincipalClaim::PreferredUsername;
    assert_eq!(scene.claiming(&named).unwrap().name, "lee");
    assert_eq!(scene.claiming(&claims()), Err(Unproven::Claims), "not another claim instead");
}

#[test]
fn keys_that_are_not_fit_are_no_keys() {
    let good = || {
        let n = rsa_key::MODULUS;
        json!({"kty": "RSA", "kid": "rsa", "n": n, "e": "AQAB"})
    };
    let set = |keys: Value| key_set::KeySet::parse(json!({ "keys": keys }).to_string().as_bytes());
    assert!(set(json!([good()])).is_ok());
    let changed = |field: &str, value: Value| {
        let mut key = good();
        key[field] = value;
        key
    };
    for (keys, why) in [
        (json!([]), "empty"),
        (json!([good(), good()]), "one name twice"),
        (json!([good(), {"kty": "oct", "kid": "s", "k": "AAAA"}]), "a symmetric key"),
        (json!([changed("d", json!("AAAA"))]), "a private key"),
        (json!([changed("kid", json!(null))]), "no name"),
        (json!([changed("kid", json!(""))]), "no name"),
        (json!([changed("n", json!("AQAB"))]), "17 bits"),
        (json!([changed("n", json!("!"))]), "no base64"),
        (json!([changed("alg", json!("ES256"))]), "an algorithm of another kind"),
        (json!([changed("alg", json!("HS256"))]), "an algorithm that is not accepted"),
        (json!([changed("use", json!("enc"))]), "for encryption alone"),
        (json!([{"kty": "EC", "crv": "P-256", "kid": "ec", "x": "AAAA", "y": "AAAA"}]), "short"),
    ] {
        assert!(set(keys).is_err(), "{why}");
    }
    for text in ["", "{}", "[]", "null", r#"{"keys":[{"kty":"RSA","kty":"oct"}]}"#] {
        assert!(key_set::KeySet::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_file_that_is_missing_damaged_or_open_to_all_is_no_keys() {
    use std::os::unix::fs::PermissionsExt as _;

    let scene = Scene::new();
    let file = scene.folder.path().join("keys.json");
    let keys = KeysFile::new(file.clone());
    let now = Instant::now();
    let looked = || {
        keys.look(now);
        keys.current(now)
    };
    assert!(keys.current(now).is_none(), "nobody has looked");
    assert!(looked().is_some());
    let good = std::fs::read(&file).unwrap();
    std::fs::write(&file, &good[..good.len() / 2]).unwrap();
    assert!(looked().is_none(), "half of it");
    std::fs::write(&file, &good).unwrap();
    assert!(looked().is_some(), "whole again");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(looked().is_none(), "everybody could be anybody");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(looked().is_some());
    std::fs::remove_file(&file).unwrap();
    assert!(looked().is_none(), "gone");
    std::fs::write(&file, " ".repeat(2 * 1024 * 1024)).unwrap();
    assert!(looked().is_none(), "too large");
}

#[test]
fn a_disk_that_does_not_answer_is_no_keys_and_holds_nobody_up() {
    let scene = Scene::new();
    let file = scene.folder.path().join("keys.json");
    let keys = Arc::new(KeysFile::new(file.clone()));
    let now = Instant::now();
    keys.look(now);
    std::fs::remove_file(&file).unwrap();
    // Opening a pipe to read waits for who writes.
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    let looking = std::thread::spawn({
        let keys = Arc::clone(&keys);
        move || keys.look(Instant::now())
    });
    let later = |seconds| now + Duration::from_secs(seconds);
    assert!(keys.current(later(5)).is_some(), "answered at once, by what was read last");
    assert!(keys.current(later(10)).is_none(), "and not for long");
    drop(std::fs::OpenOptions::new().write(true).open(&file).unwrap());
    looking.join().unwrap();
    assert!(keys.current(Instant::now()).is_none(), "a pipe is no file");
}

#[test]
fn a_key_that_was_taken_out_signs_nobody_in() {
    let scene = Scene::new();
    let header = json!({"alg": "ES256", "kid": "ec"});
    let token = scene.es256(&header, &claims().to_string());
    let key = scene.judged(&token).unwrap().key;
    let mut set = key_set(&scene.ec, &scene.ed);
    set["keys"].as_array_mut().unwrap().remove(0);
    let file = scene.folder.path().join("fewer.json");
    std::fs::write(&file, set.to_string()).unwrap();
    let issuer = Issuer::new(rules(&file));
    assert_eq!(issuer.verify(&token, NOW, None), Err(Unproven::UnknownKey));
    assert!(!issuer.pins(key) && scene.issuer.pins(key));
}

proptest::proptest! {
    #[test]
    fn any_text_is_survived(text in "\\PC{0,60}", header in "[ -~]{0,40}", claims in "[ -~]{0,40}") {
        let scene = Scene::new();
        let encoded = format!("{}.{}.{}", self::text(&header), self::text(&claims), self::text(&text));
        proptest::prop_assert!(scene.judged(&text).is_err());
        proptest::prop_assert!(scene.judged(&encoded).is_err());
        let _ = key_set::KeySet::parse(text.as_bytes());
    }
}
