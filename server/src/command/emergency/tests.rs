use clap::Parser;
use martlet_core::ErrorKind;
use martlet_policy::{BundleText, EmergencyId, EmergencyState, OfficerSecret, Span, StoredBundle};
use martlet_store::{CommitOutcome, Store};

use super::*;
use crate::command::policy::{rules_in_force, write_new};

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: Arguments,
}

/// A mart with two officers and an emergency, and the officers' keys beside it.
struct Scene {
    folder: tempfile::TempDir,
    mart: String,
}

const ROLES: &str = r#"
[[role]]
name = "clerk"
[[role]]
name = "outage"
tables = ["system.principal"]
[role.classes]
rules = "clear"
[[emergency]]
name = "core outage"
role = "outage"
may_ask = ["clerk"]
hours = 2
approvers = 2
"#;

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mart = folder.path().join("mart").to_str().unwrap().to_owned();
        let mut header =
            "name = \"e\"\nversion = \"1\"\nprofile = \"doc\"\napprovals = 2\n".to_owned();
        for (name, seed) in [("ann", 1), ("bob", 2)] {
            let key = OfficerSecret::from_bytes(&[seed; 32]).public();
            header.push_str(&format!("[[officer]]\nname = \"{name}\"\nkey = \"{key}\"\n"));
            let secret = format!("{seed:02x}").repeat(32);
            write_new(&folder.path().join(format!("{name}.key")), &secret, 0o600).unwrap();
        }
        let files = [
            ("bundle.toml", header.as_str()),
            ("organization.csv", "node,parent,level,name\nroot,,head_office,Root\n"),
            ("classes.toml", "[[class]]\nname = \"rules\"\n"),
            ("roles.toml", ROLES),
            ("rules.toml", ""),
        ];
        let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let text = BundleText { files: files.into_iter().collect() };
        let store = Store::open(&mart).unwrap();
        let mut commit = store.begin(&store.latest().await.unwrap());
        commit.set_policy(StoredBundle::first(text).to_bytes().into());
        let people = "name,roles,node,password\nkim,clerk,root,\nann,clerk,root,\n";
        commit.set_principals(people.as_bytes().to_vec().into());
        assert!(matches!(commit.publish().await.unwrap(), CommitOutcome::Committed(_)));
        Self { folder, mart }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs a command on the mart; a word that ends so is a file of the folder.
    async fn run(&self, words: &[&str]) -> Result<(), Failure> {
        let is_file =
            |word: &str| [".key", ".request", ".approval"].iter().any(|end| word.ends_with(end));
        let word = |word: &&str| {
            if is_file(word) { self.file(word) } else { (*word).to_owned() }
        };
        let given = words.iter().map(word);
        let mart = ["--mart".to_owned(), self.mart.clone()];
        let all = std::iter::once("emergency".to_owned()).chain(given).chain(mart);
        let line = Line::try_parse_from(all).unwrap_or_else(|error| panic!("{error}"));
        run(line.command).await
    }

    async fn request(&self, principal: &str, more: &[&str]) -> Result<(), Failure> {
        let asked = ["request", "--principal", principal, "--access", "core outage"];
        let why = ["--reason", "the core is down"];
        self.run(&[&asked[..], &why, more].concat()).await
    }

    async fn approve(&self, officer: &str, key: &str, out: &str) -> Result<(), Failure> {
        self.run(&["approve", "kim.request", "--as", officer, "--key", key, "--out", out]).await
    }

    async fn states(&self) -> Vec<EmergencyState> {
        let in_force = rules_in_force(&self.mart, None).await.unwrap();
        in_force.emergencies.iter().map(|judged| judged.state(now())).collect()
    }
}

fn denied(outcome: Result<(), Failure>, what: &str) {
    let failure = outcome.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Denied, "{}", failure.text());
    assert!(failure.text().contains(what), "{}", failure.text());
}

#[tokio::test]
async fn a_request_is_approved_opened_shown_and_closed() {
    let scene = Scene::new().await;
    scene.request("kim", &["--hours", "1", "--out", "kim.request"]).await.unwrap();
    scene.approve("ann", "ann.key", "ann.approval").await.unwrap();
    scene.approve("bob", "bob.key", "bob.approval").await.unwrap();
    let open = |approvals: &[&'static str]| {
        let mut words = vec!["open", "kim.request"];
        approvals.iter().for_each(|file| words.extend(["--approval", file]));
        words
    };
    denied(scene.run(&open(&["ann.approval"])).await, "2 approvals of different officers");
    let twice = open(&["ann.approval", "ann.approval"]);
    denied(scene.run(&twice).await, "and 1 count");
    assert_eq!(scene.states().await, [], "nothing was published");
    let both = open(&["ann.approval", "bob.approval"]);
    scene.run(&both).await.unwrap();
    assert_eq!(scene.states().await, [EmergencyState::Open]);
    scene.run(&["list"]).await.unwrap();
    scene.run(&["list", "--json"]).await.unwrap();

    let id = read_request(Path::new(&scene.file("kim.request"))).unwrap().id().to_string();
    let close = |id: &str| {
        let words = ["close", id, "--by", "Li Na", "--reason", "up again"].map(str::to_owned);
        words.to_vec()
    };
    for (given, is_it) in [("0", false), ("zzzzzz", false), (&id[..8], true), (id.as_str(), true)] {
        let words = close(given);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(scene.run(&words).await.is_ok(), is_it, "{given}");
    }
    assert_eq!(scene.states().await, [EmergencyState::Closed]);
    denied(scene.run(&both).await, "this emergency was closed");
}

#[tokio::test]
async fn nobody_is_woken_for_what_cannot_be() {
    let scene = Scene::new().await;
    denied(scene.request("kim", &["--hours", "3"]).await, "lasts from 1 to 2 hours");
    denied(scene.request("nobody", &[]).await, "there is no principal");
    let over = ["--hours", "1", "--from", "2020-01-01T00:00:00Z"];
    denied(scene.request("kim", &over).await, "its time is over");
    let other = ["request", "--principal", "kim", "--access", "fire", "--reason", "x"];
    denied(scene.run(&other).await, "provide for no such emergency");
    let two_lines = scene.request("kim\nid 5", &[]).await.unwrap_err();
    assert!(
        two_lines.text().contains("missing, out of place or malformed"),
        "{}",
        two_lines.text()
    );

    scene.request("kim", &["--out", "kim.request"]).await.unwrap();
    denied(scene.approve("bob", "ann.key", "x.approval").await, "is not that of the officer");
    denied(scene.approve("kim", "ann.key", "x.approval").await, "name no officer `kim`");
    let later = ["--from", "2099-01-01T00:00:00Z", "--out", "later.request"];
    scene.request("kim", &later).await.unwrap();
    let early = ["approve", "later.request", "--as", "ann", "--key", "ann.key"];
    denied(scene.run(&early).await, "more than a day before");
    // Ann is an officer, who reads no data; of Martlet's own tables she might have it, and she
    // does not approve it herself.
    scene.request("ann", &["--out", "ann.request"]).await.unwrap();
    let own = ["approve", "ann.request", "--as", "ann", "--key", "ann.key", "--out", "x.approval"];
    denied(scene.run(&own).await, "nobody approves their own request");
    assert!(!Path::new(&scene.file("x.approval")).exists());
}

#[test]
fn a_file_is_named_after_who_and_the_request() {
    let edition = StoredBundle::first(BundleText::default()).edition();
    let span = Span { from: 0, until: 60 };
    let id = EmergencyId::from_bytes([0xab; 16]);
    let request = EmergencyRequest::new(id, "k/im", "fire", "why", span, edition).unwrap();
    let file = default_file("../Kim 王", &request, "request");
    assert_eq!(file, Path::new("___Kim_王-abababababab.request"));
}

#[test]
fn a_request_is_not_taken_for_another_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x");
    std::fs::write(&file, "martlet policy approval 1\n").unwrap();
    assert!(read_request(&file).unwrap_err().text().contains("was expected"));
    std::fs::write(&file, vec![b'x'; 100_000]).unwrap();
    assert!(read_request(&file).unwrap_err().text().contains("too large"));
    assert!(read_request(&dir.path().join("absent")).is_err());
}
