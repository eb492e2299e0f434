//! Passwords that an LDAP directory knows, and the roles of its groups, against a directory that
//! behaves in every way that one can.

mod directory;

use std::path::PathBuf;
use std::time::Duration;

use futures::StreamExt as _;
use martlet_policy::{PasswordCost, hash_password};
use martlet_server::authenticate::{
    LdapGroups, LdapPeople, LdapRoles, LdapRules, LdapService, LdapTls,
};
use rcgen::{ExtendedKeyUsagePurpose, SanType};

use self::directory::{Directory, Mood, SERVICE, SERVICE_PASSWORD, Transport};
use super::super::sessions::journal_text;
use super::certificates::Authority;
use super::codes::{SECRET, code, step};
use super::{COUNT, IN_A, IN_B, ONE_TEXT, mart, rules, sign_ins};
use crate::support::mart::{PASSWORD, Server};
use crate::support::{Client, TestMart};

const ANN: &str = "uid=ann,ou=people,dc=bank";

fn people() -> String {
    let hash = hash_password(PASSWORD, [7; 16], PasswordCost::Test);
    format!(
        "name,roles,node,password,totp\nann,,a,ldap,\nbob,clerk,b,ldap,\ncat,clerk,a,\"{hash}\",\n\
         dan,clerk,a,ldap,\neve,auditor,root,\"{hash}\",\nfay,,a,ldap,{SECRET}\ngus,clerk,a,,\n\
         \"*)(uid=ann\",clerk,a,ldap,\n\"eli,ou=people\",clerk,a,ldap,\n"
    )
}

/// How the directory is asked, in the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The entry is searched for, and the groups are in it.
    Searching,
    /// The entry's name is made, and the groups have entries of their own.
    Naming,
    /// The same without an account, and so without groups.
    Alone,
}

struct Scene {
    mart: TestMart,
    directory: Directory,
    rules: LdapRules,
    server: Server,
}

impl Scene {
    async fn new(asked: Asked) -> Self {
        Self::with(Transport::Tls, asked, |_| ()).await
    }

    async fn with(transport: Transport, asked: Asked, change: impl FnOnce(&mut LdapRules)) -> Self {
        let mart = mart(rules().feed(&people())).await;
        let authority = Authority::new("directory");
        let identity = authority.certify("directory", |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
        });
        let directory = Directory::start(transport, &identity).await;
        let file = |name: &str, text: &str| -> PathBuf {
            mart.write(name, text);
            let path = mart.folder.path().join(name);
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, mode).unwrap();
            path
        };
        let scheme = if transport == Transport::Tls { "ldaps" } else { "ldap" };
        let url = format!("{scheme}://{}", directory.address);
        let mut rules = LdapRules::new(url, found(asked));
        rules.tls = match transport {
            Transport::Plain | Transport::Tls => LdapTls::ByUrl,
            _ => LdapTls::StartTls,
        };
        rules.authorities = Some(file("ca.pem", &authority.pem));
        if asked != Asked::Alone {
            let password = file("service", SERVICE_PASSWORD);
            rules.service = Some(LdapService { dn: SERVICE.into(), password });
            let groups = "[[group]]\ndn = \"CN=clerks, OU=Groups, DC=bank\"\nroles = [\"clerk\"]\n";
            rules.roles =
                Some(LdapRoles { file: file("groups.toml", groups), groups: grouped(asked) });
        }
        rules.asked_every = Duration::from_millis(100);
        rules.refusals_take = Duration::from_millis(1);
        change(&mut rules);
        let server = serve(&mart, &rules).await;
        Self { mart, directory, rules, server }
    }

    async fn sign_in(&self, name: &str, password: &str) -> Result<Client, String> {
        sign_in(&self.server, name, password).await
    }

    /// Refused in the words of a wrong password, and on record for this reason.
    async fn refuses(&self, name: &str, password: &str, because: &str) {
        let count = |text: &str| text.matches(&format!(r#""refused_because":"{because}""#)).count();
        let before = count(&journal_text(&self.mart));
        let refused = self.sign_in(name, password).await.err();
        let refused = refused.unwrap_or_else(|| panic!("{name} came in: {because}"));
        assert!(refused.contains(ONE_TEXT), "{name}: {refused}");
        assert_eq!(count(&journal_text(&self.mart)), before + 1, "{name}: {because}");
    }
}

fn found(asked: Asked) -> LdapPeople {
    match asked {
        Asked::Searching => LdapPeople::Searched {
            base: "ou=people,dc=bank".into(),
            filter: "(&(objectClass=person)(uid={name}))".into(),
        },
        Asked::Naming | Asked::Alone => {
            LdapPeople::Named { dn: "uid={name},ou=people,dc=bank".into() }
        }
    }
}

fn grouped(asked: Asked) -> LdapGroups {
    match asked {
        Asked::Searching | Asked::Alone => LdapGroups::OfEntry,
        Asked::Naming => LdapGroups::Searched {
            base: "ou=groups,dc=bank".into(),
            filter: "(&(objectClass=groupOfNames)(member={dn}))".into(),
        },
    }
}

async fn serve(mart: &TestMart, rules: &LdapRules) -> Server {
    let rules = rules.clone();
    mart.serve_with(|config| {
        config.sign_in.ldap = Some(rules);
        config.sign_in.streams_checked_every = Duration::from_millis(50);
    })
    .await
}

async fn sign_in(server: &Server, name: &str, password: &str) -> Result<Client, String> {
    let mut client = Client::anonymous(server.address).await;
    match client.inner.handshake(name, password).await {
        Ok(_) => Ok(client),
        Err(refused) => Err(refused.to_string()),
    }
}

/// Waits until something holds, for as long as a slow machine may take.
async fn comes(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} does not come");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_judges_its_passwords_and_lends_the_roles_of_its_groups() {
    for asked in [Asked::Searching, Asked::Naming] {
        let scene = Scene::new(asked).await;
        let mut ann = scene.sign_in("ann", "ann's secret").await.unwrap();
        assert_eq!(ann.number(COUNT).await, IN_A, "the role is the group's, the node the feed's");
        let mut bob = scene.sign_in("bob", "bob's secret").await.unwrap();
        assert_eq!(bob.number(COUNT).await, IN_B, "the role is the feed's");
        let mut eve = Client::sign_in(scene.server.address, "eve").await;
        let of_ann = "principal = 'ann' AND method = 'ldap' AND decision = 'allowed'";
        let lent = format!("{of_ann} AND parameters = 'lent: clerk'");
        assert_eq!(sign_ins(&mut eve, &lent).await, 1, "what was lent is on record");
        let of_bob = "principal = 'bob' AND method = 'ldap' AND parameters IS NULL";
        assert_eq!(sign_ins(&mut eve, of_bob).await, 1);
        let journal = journal_text(&scene.mart);
        assert!(!journal.contains("secret"), "the record holds what signs in");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_right_is_refused_in_one_voice_and_recorded() {
    for asked in [Asked::Searching, Asked::Naming, Asked::Alone] {
        let scene = Scene::new(asked).await;
        scene.refuses("ann", "wrong", "password").await;
        scene.refuses("ann", "bob's secret", "password").await;
        scene.refuses("ann", "ldap", "password").await;
        let nobody = if asked == Asked::Alone { "password" } else { "not in the directory" };
        scene.refuses("dan", "dan's secret", nobody).await;
        scene.directory.binds();
        for (name, why) in [
            ("cat", "her password is here, though the directory has one for her, too"),
            ("gus", "nobody's password"),
            ("ANN", "the feed has another name"),
            ("ann ", "the feed has another name"),
            ("nobody", "not in the feed"),
            ("*", "not in the feed"),
        ] {
            scene.refuses(name, &format!("{name}'s secret"), "password").await;
            assert_eq!(scene.directory.binds(), [], "{why}");
        }
        assert!(scene.sign_in("cat", PASSWORD).await.is_ok());
        assert_eq!(scene.directory.binds(), [], "nobody else hears of cat's password");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_password_is_never_sent() {
    for asked in [Asked::Searching, Asked::Naming, Asked::Alone] {
        let scene = Scene::new(asked).await;
        scene.refuses("ann", "", "empty password").await;
        // A code is no password, and what is left of this one is nothing.
        scene.refuses("fay", &code(step()), "empty password").await;
        assert_eq!(scene.directory.binds(), [], "{asked:?}");
        scene.directory.feels(Mood::Nameless);
        if asked != Asked::Alone {
            scene.refuses("ann", "ann's secret", "directory unavailable").await;
        }
        let nobody = |(dn, has_password): &(String, bool)| dn.is_empty() || !has_password;
        assert!(!scene.directory.binds().iter().any(nobody), "a bind of nobody");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_a_value_and_never_a_part_of_the_question() {
    for asked in [Asked::Searching, Asked::Naming, Asked::Alone] {
        let scene = Scene::new(asked).await;
        for name in ["*)(uid=ann", "eli,ou=people"] {
            let nobody = if asked == Asked::Alone { "password" } else { "not in the directory" };
            scene.refuses(name, "ann's secret", nobody).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_asked_for_behind_the_directorys_password() {
    let scene = Scene::new(Asked::Searching).await;
    let now = step();
    scene.refuses("fay", "fay's secret", "password").await;
    let wrong = format!("fay's secret{}", code(now + 9));
    scene.refuses("fay", &wrong, "code").await;
    let right = format!("fay's secret{}", code(now));
    let mut fay = scene.sign_in("fay", &right).await.unwrap();
    assert_eq!(fay.number(COUNT).await, IN_A);
    scene.refuses("fay", &right, "code used before").await;
    scene.refuses("fay", &format!("wrong{}", code(now + 1)), "password").await;
    let next = format!("fay's secret{}", code(now + 1));
    assert!(scene.sign_in("fay", &next).await.is_ok(), "a wrong password used no code up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_wrong_passwords_lock_here_and_are_not_tried_there_any_more() {
    let scene = Scene::new(Asked::Searching).await;
    for _ in 0..10 {
        scene.refuses("ann", "wrong", "password").await;
    }
    scene.directory.binds();
    scene.refuses("ann", "ann's secret", "locked").await;
    assert_eq!(scene.directory.binds(), []);
    assert!(scene.sign_in("bob", "bob's secret").await.is_ok(), "the name is locked, not all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_directory_does_that_is_no_yes_is_a_no() {
    let scene = Scene::with(Transport::Tls, Asked::Searching, |rules| {
        rules.answer_time_max = Duration::from_millis(700);
    })
    .await;
    for (mood, because) in [
        (Mood::Silent, "directory unavailable"),
        (Mood::Closes, "directory unavailable"),
        (Mood::AnotherId, "directory unavailable"),
        (Mood::Unasked, "directory unavailable"),
        (Mood::Refers, "directory unavailable"),
        (Mood::RefersForAPart, "directory unavailable"),
        (Mood::Huge, "directory unavailable"),
        (Mood::Endless, "several in the directory"),
        (Mood::Garbage, "directory unavailable"),
        (Mood::Deep, "directory unavailable"),
        (Mood::AnotherKind, "directory unavailable"),
        (Mood::Busy, "directory unavailable"),
        (Mood::NoService, "directory unavailable"),
        (Mood::Twice, "several in the directory"),
        (Mood::Expired, "password expired"),
        (Mood::ToBeChanged, "password expired"),
        (Mood::Unwilling, "directory refused"),
    ] {
        scene.directory.feels(mood);
        scene.refuses("ann", "ann's secret", because).await;
        assert!(scene.sign_in("cat", PASSWORD).await.is_ok(), "{mood:?}: cat's is here");
    }
    scene.directory.feels(Mood::Good);
    // What nobody looked at locks nobody: of the refusals above, five were somebody's word.
    assert!(scene.sign_in("ann", "ann's secret").await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_proves_nothing_hears_no_password() {
    for (transport, asked) in
        [(Transport::Tls, Asked::Searching), (Transport::StartTls, Asked::Alone)]
    {
        let stranger = Authority::new("another");
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other.pem");
        std::fs::write(&other, &stranger.pem).unwrap();
        let scene = Scene::with(transport, asked, |rules| rules.authorities = Some(other)).await;
        scene.refuses("ann", "ann's secret", "directory unavailable").await;
        assert_eq!(scene.directory.binds(), []);
    }
    // The right authority, and another host's certificate.
    let scene = Scene::with(Transport::Tls, Asked::Alone, |rules| {
        rules.url = rules.url.replace("127.0.0.1", "127.0.0.2");
    })
    .await;
    scene.refuses("ann", "ann's secret", "directory unavailable").await;
    assert_eq!(scene.directory.state.lock().unwrap().connections, 1, "it was there");
    assert_eq!(scene.directory.binds(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_begins_before_anything_is_said_or_nothing_is() {
    let scene = Scene::with(Transport::StartTls, Asked::Searching, |_| ()).await;
    let mut ann = scene.sign_in("ann", "ann's secret").await.unwrap();
    assert_eq!(ann.number(COUNT).await, IN_A);
    assert!(!scene.directory.state.lock().unwrap().in_the_clear);
    for transport in [Transport::NoStartTls, Transport::StartTlsInjected] {
        let scene = Scene::with(transport, Asked::Searching, |_| ()).await;
        scene.refuses("ann", "ann's secret", "directory unavailable").await;
        assert_eq!(scene.directory.binds(), [], "{transport:?}");
        assert!(!scene.directory.state.lock().unwrap().in_the_clear, "{transport:?}");
    }
    let scene = Scene::with(Transport::Plain, Asked::Alone, |_| ()).await;
    assert!(scene.sign_in("bob", "bob's secret").await.is_ok(), "on this machine alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_is_taken_away_ends_what_it_gave() {
    for asked in [Asked::Searching, Asked::Naming] {
        let scene = Scene::new(asked).await;
        let mut ann = scene.sign_in("ann", "ann's secret").await.unwrap();
        let mut bob = scene.sign_in("bob", "bob's secret").await.unwrap();
        let many = "SELECT repeat(a.outlet, 600) AS t FROM customer a, customer b, customer c, \
                    customer d, customer e, customer f, customer g, customer h, customer i, customer j";
        let info = ann.inner.execute(many.into(), None).await.unwrap();
        let ticket = info.endpoint[0].ticket.clone().unwrap();
        let mut stream = ann.inner.do_get(ticket).await.unwrap();
        assert!(stream.next().await.unwrap().is_ok(), "it has begun, and nobody reads on");
        scene.directory.leaves_the_groups(ANN);
        let asks = async || ann.query(COUNT).await.is_err();
        comes("the end of ann's session", asks).await;
        let mut ended = None;
        while let Some(batch) = stream.next().await {
            ended = batch.err();
        }
        assert!(ended.is_some(), "the open stream was cut");
        assert_eq!(bob.number(COUNT).await, IN_B, "nothing was taken from bob");
        let mut ann = scene.sign_in("ann", "ann's secret").await.unwrap();
        assert!(ann.query(COUNT).await.is_err(), "without the role there is nothing to see");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_the_directory_is_out() {
    let scene = Scene::new(Asked::Naming).await;
    let mut bob = scene.sign_in("bob", "bob's secret").await.unwrap();
    assert_eq!(bob.number(COUNT).await, IN_B);
    scene.directory.state.lock().unwrap().people.remove("uid=bob,ou=people,dc=bank");
    comes("the end of bob's session", async || bob.query(COUNT).await.is_err()).await;
    scene.refuses("bob", "bob's secret", "not in the directory").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_wait_for_a_directory_that_is_silent_and_go_on_when_it_answers() {
    let scene = Scene::with(Transport::Tls, Asked::Searching, |rules| {
        rules.word_counts_for = Duration::from_millis(1_500);
        rules.answer_time_max = Duration::from_millis(300);
    })
    .await;
    let mut ann = scene.sign_in("ann", "ann's secret").await.unwrap();
    assert_eq!(ann.number(COUNT).await, IN_A);
    scene.directory.feels(Mood::Silent);
    comes("the refusal", async || ann.query(COUNT).await.is_err()).await;
    let mut cat = Client::sign_in(scene.server.address, "cat").await;
    assert_eq!(cat.number(COUNT).await, IN_A, "who does not depend on it goes on");
    scene.directory.feels(Mood::Good);
    comes("the end of the outage", async || ann.query(COUNT).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_starts_without_its_directory_and_not_without_its_roles() {
    let scene = Scene::new(Asked::Searching).await;
    let mut rules = scene.rules.clone();
    // Nobody listens there.
    rules.url = "ldaps://127.0.0.1:1".into();
    let another = mart(super::rules().feed(&people())).await;
    let server = serve(&another, &rules).await;
    let refused = sign_in(&server, "ann", "ann's secret").await.err().expect("refused");
    assert!(refused.contains(ONE_TEXT), "{refused}");
    assert!(sign_in(&server, "cat", PASSWORD).await.is_ok());
    assert!(journal_text(&another).contains(r#""refused_because":"directory unavailable""#));
    let file = scene.mart.folder.path().join("groups.toml");
    let ghost = "[[group]]\ndn = \"cn=a,dc=bank\"\nroles = [\"ghost\"]\n";
    std::fs::write(file, ghost).unwrap();
    let another = mart(super::rules().feed(&people())).await;
    let (engine, journal) = another.engine(martlet_query::EngineOptions::default()).await;
    let mut config = martlet_server::ServeConfig::new("127.0.0.1:0".parse().unwrap(), journal);
    config.sign_in.ldap = Some(scene.rules.clone());
    let refused = martlet_server::serve(engine, config, std::future::pending()).await.unwrap_err();
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert!(why.contains("the rules in force have no role `ghost`"), "{why}");
}
