//! What the options of signing in mean, and which of them do not stand alone.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    /// Stands for the option of `martlet serve`.
    #[arg(long)]
    tls_cert: Option<PathBuf>,
    #[command(flatten)]
    sign_in: SignInArguments,
}

fn parsed(words: &[&str]) -> Result<SignInArguments, clap::Error> {
    Line::try_parse_from([&["serve"], words].concat()).map(|line| line.sign_in)
}

#[test]
fn nothing_said_is_the_rules_of_the_library() {
    let nothing = parsed(&[]).unwrap();
    assert_eq!(nothing.rules(), SignInRules::default());
    assert_eq!(nothing.certificates(), ClientCertificates::NotAsked);
}

#[test]
fn an_issuer_is_taken_whole_or_not_at_all() {
    let whole = ["--oidc-issuer", "https://id", "--oidc-audience", "mart", "--oidc-jwks", "keys"];
    let issuer = parsed(&whole).unwrap().rules().issuer.unwrap();
    assert_eq!((issuer.issuer.as_str(), issuer.audience.as_str()), ("https://id", "mart"));
    assert_eq!(issuer.principal, PrincipalClaim::Subject);
    assert_eq!(issuer.lifetime_max, martlet_server::authenticate::ISSUER_LIFETIME_MAX);
    for part in [&whole[..2], &whole[..4], &whole[2..], &whole[4..]] {
        assert!(parsed(part).is_err(), "{part:?}");
    }
}

#[test]
fn client_certificates_need_the_servers_own() {
    assert!(parsed(&["--tls-client-ca", "ca.pem"]).is_err());
    assert!(parsed(&["--tls-cert", "s.pem", "--tls-client-required"]).is_err());
    let words = ["--tls-cert", "s.pem", "--tls-client-ca", "ca.pem", "--tls-client-name", "uri"];
    let name = CertificateName::Uri;
    let authority = ClientAuthority { certificates: "ca.pem".into(), name };
    let asked = parsed(&words).unwrap().certificates();
    assert_eq!(asked, ClientCertificates::Optional(authority.clone()));
    let required = parsed(&[&words[..], &["--tls-client-required"]].concat()).unwrap();
    assert_eq!(required.certificates(), ClientCertificates::Required(authority));
}

#[test]
fn there_is_always_room_for_a_session() {
    assert!(parsed(&["--sessions", "0"]).is_err());
    let one = parsed(&["--sessions", "1", "--strict-token-rotation"]).unwrap().rules();
    assert_eq!((one.sessions_max, one.rotation.old), (1, OldToken::OverlapOnly));
}
