//! Client certificates: whom they name, and that a session is worth nothing over another one.

use arrow_flight::HandshakeRequest;
use arrow_flight::sql::client::FlightSqlServiceClient;
use martlet_server::authenticate::CertificateName;
use martlet_server::{ClientAuthority, ClientCertificates, Transport as ServedBy};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType, date_time_ymd,
};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::{COUNT, IN_A, IN_B, ONE_TEXT, mart, rules, sign_ins};
use crate::support::mart::{PASSWORD, Server};
use crate::support::{Client, TestMart};

/// An authority for tests.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate and its key, both PEM.
    pub(super) fn certify(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (String, String) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn client(&self, name: &str) -> (String, String) {
        self.certify(name, |_| ())
    }
}

struct Scene {
    _mart: TestMart,
    server: Server,
    authority: Authority,
}

impl Scene {
    async fn new(asks: fn(ClientAuthority) -> ClientCertificates, name: CertificateName) -> Self {
        let people = rules()
            .principal("ann", "clerk", "a")
            .principal("bob", "clerk", "b")
            .principal("eve", "auditor", "root");
        let mart = mart(people).await;
        let authority = Authority::new("clients");
        let servers = authority.certify("server", |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            params.subject_alt_names.push(SanType::DnsName("localhost".try_into().unwrap()));
        });
        mart.write("server.pem", &servers.0)
            .write("server.key", &servers.1)
            .write("ca.pem", &authority.pem);
        let file = |name: &str| mart.folder.path().join(name);
        let clients = asks(ClientAuthority { certificates: file("ca.pem"), name });
        let transport =
            ServedBy::Tls { certificate: file("server.pem"), key: file("server.key"), clients };
        let server = mart.serve_with(|config| config.transport = transport).await;
        Self { _mart: mart, server, authority }
    }

    /// A connection with this certificate, or none.
    async fn connect(&self, identity: Option<&(String, String)>) -> Result<Client, String> {
        let mut tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&self.authority.pem))
            .domain_name("localhost");
        if let Some((certificate, key)) = identity {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        let address = format!("https://{}", self.server.address);
        let endpoint = Endpoint::from_shared(address).unwrap().tls_config(tls).unwrap();
        let channel = endpoint.connect().await.map_err(|error| error.to_string())?;
        Ok(Client { inner: FlightSqlServiceClient::new(channel) })
    }

    async fn with(&self, identity: &(String, String)) -> Client {
        self.connect(Some(identity)).await.unwrap()
    }

    async fn eve(&self) -> Client {
        let mut eve = self.connect(None).await.unwrap();
        eve.inner.handshake("eve", PASSWORD).await.unwrap();
        eve
    }
}

/// A handshake that sends nothing but what the connection shows.
async fn bare_handshake(client: &mut Client) -> Result<String, tonic::Status> {
    let request = futures::stream::iter([HandshakeRequest::default()]);
    let response = client.inner.inner_mut().handshake(request).await?;
    let bearer = response.metadata().get("authorization").unwrap().to_str().unwrap();
    Ok(bearer.strip_prefix("Bearer ").unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_signs_in_whom_it_names() {
    let scene = Scene::new(ClientCertificates::Optional, CertificateName::CommonName).await;
    let (ann, bob) = (scene.authority.client("ann"), scene.authority.client("bob"));
    let mut by_ann = scene.with(&ann).await;
    assert_eq!(by_ann.number(COUNT).await, IN_A, "without a handshake");
    assert_eq!(scene.with(&bob).await.number(COUNT).await, IN_B);
    let mut prepared = by_ann.inner.prepare(COUNT.into(), None).await.unwrap();
    assert!(prepared.execute().await.is_ok());
    let info = by_ann.inner.execute(COUNT.into(), None).await.unwrap();
    assert!(scene.with(&bob).await.fetch(info).await.is_err(), "a ticket of another");
    let token = bare_handshake(&mut by_ann).await.unwrap();
    by_ann.inner.set_token(token);
    assert_eq!(by_ann.number(COUNT).await, IN_A, "by the token of a handshake");
    let accepted = "principal = 'ann' AND method = 'certificate' AND decision = 'allowed'";
    assert_eq!(sign_ins(&mut scene.eve().await, accepted).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_bound_to_the_certificate_that_it_was_opened_over() {
    let scene = Scene::new(ClientCertificates::Optional, CertificateName::CommonName).await;
    let (ann, bob) = (scene.authority.client("ann"), scene.authority.client("bob"));
    let mut by_ann = scene.with(&ann).await;
    let token = bare_handshake(&mut by_ann).await.unwrap();
    let mut app = scene.with(&scene.authority.client("some app")).await;
    app.inner.handshake("bob", PASSWORD).await.unwrap();
    assert_eq!(app.number(COUNT).await, IN_B, "a password over an app's certificate");
    let of_app = app.inner.token().unwrap().clone();
    let same_name = scene.authority.client("ann");
    for (stolen, why) in [(&token, "by certificate"), (&of_app, "by password")] {
        for identity in [Some(&bob), Some(&same_name), None] {
            let mut thief = scene.connect(identity).await.unwrap();
            thief.inner.set_token(stolen.clone());
            let refused = thief.query(COUNT).await.unwrap_err().to_string();
            assert!(refused.contains("the session has ended"), "{why}: {refused}");
        }
    }
    by_ann.inner.set_token(token);
    assert_eq!(by_ann.number(COUNT).await, IN_A, "its own still holds");
    assert_eq!(app.number(COUNT).await, IN_B);
    let mut eve = scene.eve().await;
    let denied = "method = 'certificate' AND decision = 'denied'";
    assert_eq!(sign_ins(&mut eve, &format!("principal = 'ann' AND {denied}")).await, 3);
    assert_eq!(sign_ins(&mut eve, &format!("principal = 'bob' AND {denied}")).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_name_nobody_or_come_from_elsewhere_open_nothing() {
    let scene = Scene::new(ClientCertificates::Optional, CertificateName::CommonName).await;
    for name in ["nobody", "ANN", "ann\u{0}", "ann,cn=bob"] {
        let mut client = scene.with(&scene.authority.client(name)).await;
        let refused = client.query(COUNT).await.unwrap_err().to_string();
        assert!(refused.contains(ONE_TEXT), "{name:?}: {refused}");
        assert!(bare_handshake(&mut client).await.is_err());
    }
    let by_dns = scene.authority.certify("nobody", |params| {
        params.subject_alt_names.push(SanType::DnsName("ann".try_into().unwrap()));
    });
    assert!(
        scene.with(&by_dns).await.query(COUNT).await.is_err(),
        "another part than is asked for"
    );
    let over = scene.authority.certify("ann", |params| {
        (params.not_before, params.not_after) =
            (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    });
    let foreign = Authority::new("clients").client("ann");
    let for_servers = scene.authority.certify("ann", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    for (identity, why) in [(over, "over"), (foreign, "foreign"), (for_servers, "a server's")] {
        // TLS may only tell with the first answer that it does not take the certificate.
        if let Ok(mut client) = scene.connect(Some(&identity)).await {
            assert!(client.query(COUNT).await.is_err(), "{why}");
        }
    }
    let mut none = scene.connect(None).await.unwrap();
    let refused = none.query(COUNT).await.unwrap_err().to_string();
    assert!(refused.contains("sign in first"), "{refused}");
    let mut eve = scene.eve().await;
    let denied = "principal = 'nobody' AND method = 'certificate' AND decision = 'denied'";
    assert!(sign_ins(&mut eve, denied).await >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_certificates_are_required_nothing_else_connects() {
    let scene = Scene::new(ClientCertificates::Required, CertificateName::Uri).await;
    let named = scene.authority.certify("bob", |params| {
        params.subject_alt_names.push(SanType::URI("ann".try_into().unwrap()));
    });
    assert_eq!(scene.with(&named).await.number(COUNT).await, IN_A, "the URI counts");
    if let Ok(mut none) = scene.connect(None).await {
        assert!(none.inner.handshake("ann", PASSWORD).await.is_err());
        assert!(none.query(COUNT).await.is_err());
    }
    let mut with_password = scene.with(&scene.authority.client("bob")).await;
    assert!(with_password.query(COUNT).await.is_err(), "it has no URI");
    with_password.inner.handshake("bob", PASSWORD).await.unwrap();
    assert_eq!(with_password.number(COUNT).await, IN_B);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_does_not_stand_for_a_certificate() {
    let scene = Scene::new(ClientCertificates::Optional, CertificateName::CommonName).await;
    let mut client = scene.connect(None).await.unwrap();
    for header in ["x-user", "x-forwarded-client-cert", "x-ssl-client-dn", "x-remote-user"] {
        client.inner.set_header(header, "Subject=\"CN=ann\"");
    }
    assert!(client.query(COUNT).await.is_err(), "A20");
}
