//! Sessions over a real socket: how many, for how long, by which token, and that whatever is open
//! ends with the right to it.

use std::time::Duration;

use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt};
use arrow_flight::{Action, FlightData, FlightDescriptor, Ticket};
use martlet_policy::{PasswordCost, hash_password};
use martlet_server::authenticate::{OldToken, TokenRotation};
use prost::Message;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};

use crate::support::mart::{PASSWORD, Server};
use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "sessions"
[[table]]
name = "account"
mode = "replace"
primary_key = ["account_id"]
  [[table.column]]
  name = "account_id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.column]]
  name = "note"
  type = "text"
  class = "open"
  [[table.source]]
  files = ["account.csv"]
[[table]]
name = "rate"
mode = "replace"
  [[table.column]]
  name = "rate_id"
  type = "int64"
  class = "price"
  [[table.source]]
  files = ["rate.csv"]
"#;

/// Rows that do not fit into what the transport buffers for a reader who does not read.
const ROWS: usize = 60_000;
/// Everything: some thirty megabytes.
const ALL: &str = "SELECT account_id, outlet, repeat(note, 40) AS note FROM account";
const COUNT: &str = "SELECT count(*) FROM account";

const ROLES: &str = "[[role]]\nname = \"clerk\"\ntables = [\"account\"]\n[role.classes]\nopen = \"clear\"\n\
     [[role]]\nname = \"pricing\"\ntables = [\"rate\"]\n[role.classes]\nprice = \"clear\"\n\
     [[role]]\nname = \"auditor\"\ntables = [\"system.audit_record\"]\n[role.classes]\naudit = \"clear\"\n";

const RULES: &str = "[[row_rule]]\nname = \"own\"\neffect = \"permit\"\nroles = [\"clerk\"]\ntables = [\"account\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n\
     [[row_rule]]\nname = \"prices\"\neffect = \"permit\"\nroles = [\"pricing\"]\ntables = [\"rate\"]\nall = true\n\
     [[row_rule]]\nname = \"records\"\neffect = \"permit\"\nroles = [\"auditor\"]\ntables = [\"system.audit_record\"]\nall = true\n";

fn bundle(version: &str, roles: &str) -> Bundle {
    Bundle::default()
        .file("bundle.toml", &format!("name = \"s\"\nversion = \"{version}\"\nprofile = \"doc\"\n"))
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\nb,root,outlet,B\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n[[class]]\nname = \"price\"\nmask = \"redact\"\n[[class]]\nname = \"audit\"\nmask = \"redact\"\n")
        .file("roles.toml", roles)
        .file("rules.toml", RULES)
}

fn everybody(bundle: Bundle) -> Bundle {
    bundle
        .principal("ann", "clerk", "root")
        .principal("bob", "pricing", "root")
        .principal("eve", "auditor", "root")
}

fn without_ann(bundle: Bundle) -> Bundle {
    bundle.principal("bob", "pricing", "root").principal("eve", "auditor", "root")
}

async fn mart() -> TestMart {
    let mart = TestMart::new();
    let mut csv = String::from("account_id,outlet,note\n");
    for row in 0..ROWS {
        let outlet = if row % 2 == 0 { "a" } else { "b" };
        csv.push_str(&format!("{row},{outlet},row {row} \n"));
    }
    mart.write("load.toml", LOAD).write("account.csv", csv).write("rate.csv", "rate_id\n1\n");
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&everybody(bundle("1", ROLES))).await;
    mart
}

/// A server that asks open streams often, so that no test waits for it.
async fn serve(mart: &TestMart) -> Server {
    mart.serve_with(|config| {
        config.sign_in.streams_checked_every = Duration::from_millis(50);
    })
    .await
}

/// The plain client, which shows headers and reads no faster than it is asked to.
struct Raw {
    client: FlightServiceClient<Channel>,
    token: String,
}

impl Raw {
    async fn sign_in(server: &Server, name: &str) -> Self {
        let token = Client::sign_in(server.address, name).await.inner.token().unwrap().clone();
        let address = format!("http://{}", server.address);
        let channel = Endpoint::from_shared(address).unwrap().connect().await.unwrap();
        Self { client: FlightServiceClient::new(channel), token }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let bearer = format!("Bearer {}", self.token).parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    async fn ticket(&mut self, sql: &str) -> Result<Ticket, Status> {
        let query = CommandStatementQuery { query: sql.into(), transaction_id: None };
        let request = self.request(FlightDescriptor::new_cmd(query.as_any().encode_to_vec()));
        let info = self.client.get_flight_info(request).await?.into_inner();
        Ok(info.endpoint[0].ticket.clone().unwrap())
    }

    async fn open(&mut self, ticket: Ticket) -> Result<Streaming<FlightData>, Status> {
        let request = self.request(ticket);
        Ok(self.client.do_get(request).await?.into_inner())
    }

    /// Asks for something small; gives the successor of the token, if one comes.
    async fn ask(&mut self) -> Result<Option<String>, Status> {
        let query = CommandStatementQuery { query: COUNT.into(), transaction_id: None };
        let request = self.request(FlightDescriptor::new_cmd(query.as_any().encode_to_vec()));
        let response = self.client.get_flight_info(request).await?;
        let header = response.metadata().get("authorization");
        Ok(header
            .map(|bearer| bearer.to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()))
    }

    /// Opens a stream and reads its beginning alone.
    async fn begin(&mut self, sql: &str) -> Streaming<FlightData> {
        let ticket = self.ticket(sql).await.unwrap();
        let mut stream = self.open(ticket).await.unwrap();
        for _ in 0..2 {
            stream.message().await.unwrap().expect("a beginning");
        }
        stream
    }
}

/// Reads on; gives the rows' messages that still came and how it ended.
async fn rest(mut stream: Streaming<FlightData>) -> (usize, Option<Status>) {
    let mut messages = 0;
    loop {
        match stream.message().await {
            Ok(Some(_)) => messages += 1,
            Ok(None) => return (messages, None),
            Err(status) => return (messages, Some(status)),
        }
    }
}

/// Waits until eve finds so many records.
async fn recorded(eve: &mut Client, condition: &str) -> bool {
    let sql = format!("SELECT count(*) FROM system.audit_record WHERE {condition}");
    for _ in 0..200 {
        if eve.number(&sql).await > 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    false
}

const CUT: &str = "principal = 'ann' AND outcome = 'cut' AND statement LIKE '%repeat(note%'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_who_leaves_the_feed_gets_no_more() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let mut ann = Raw::sign_in(&server, "ann").await;
    let mut eve = Client::sign_in(server.address, "eve").await;
    let slow = ann.begin(ALL).await;
    mart.apply_people(&without_ann(Bundle::default())).await;
    server.engine.refresh().await.unwrap();
    assert!(recorded(&mut eve, CUT).await, "while nothing was read");
    let (messages, end) = rest(slow).await;
    let end = end.expect("no end as of a whole answer");
    assert_eq!(end.code(), Code::Unauthenticated, "{end}");
    assert!(end.message().contains("the answer was cut"), "{end}");
    // What lay in the sockets and in HTTP/2's windows; there are some fifteen in all.
    assert!(messages <= 4, "{messages} messages came behind the cut");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tightened_rule_cuts_what_it_does_not_grant_any_more() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let mut ann = Raw::sign_in(&server, "ann").await;
    let mut eve = Client::sign_in(server.address, "eve").await;
    let slow = ann.begin(ALL).await;
    let moved = Bundle::default()
        .principal("ann", "clerk", "a")
        .principal("bob", "pricing", "root")
        .principal("eve", "auditor", "root");
    mart.apply_people(&moved).await;
    server.engine.refresh().await.unwrap();
    assert!(recorded(&mut eve, CUT).await);
    let end = rest(slow).await.1.expect("cut");
    assert_eq!(end.code(), Code::PermissionDenied, "{end}");
    let mut again = Client::sign_in(server.address, "ann").await;
    assert_eq!(again.number(COUNT).await, ROWS as i64 / 2, "what is granted now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_rules_that_shows_the_same_cuts_nothing() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let mut ann = Raw::sign_in(&server, "ann").await;
    let slow = ann.begin(ALL).await;
    let others = ROLES.replace("price = \"clear\"", "price = \"mask\"");
    assert_ne!(others, ROLES);
    mart.apply(&everybody(bundle("2", &others))).await;
    server.engine.refresh().await.unwrap();
    // Asked many times under the new rules.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (messages, end) = rest(slow).await;
    assert!(end.is_none(), "{end:?}");
    assert!(messages > 8, "all of it came: {messages}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_closed_ends_its_streams() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let mut ann = Raw::sign_in(&server, "ann").await;
    let slow = ann.begin(ALL).await;
    let close = ann.request(Action { r#type: "CloseSession".into(), body: Vec::new().into() });
    ann.client.do_action(close).await.unwrap();
    let end = rest(slow).await.1.expect("not as whole");
    assert!([Code::Cancelled, Code::Unauthenticated].contains(&end.code()), "{end}");
    assert_eq!(ann.ask().await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_crowded_out_ends_its_streams() {
    let mart = mart().await;
    let server = mart
        .serve_with(|config| {
            config.sign_in.sessions_max = 2;
            // Rarely asked, so that its stream does not keep it the one used last.
            config.sign_in.streams_checked_every = Duration::from_secs(4);
        })
        .await;
    let mut first = Raw::sign_in(&server, "ann").await;
    let slow = first.begin(ALL).await;
    let mut second = Raw::sign_in(&server, "ann").await;
    assert!(second.ask().await.is_ok() && first.ask().await.is_ok(), "two are allowed");
    second.ask().await.unwrap();
    let mut third = Raw::sign_in(&server, "ann").await;
    assert!(third.ask().await.is_ok() && second.ask().await.is_ok());
    assert_eq!(first.ask().await.unwrap_err().code(), Code::Unauthenticated);
    let mut eve = Client::sign_in(server.address, "eve").await;
    assert!(recorded(&mut eve, CUT).await);
    let end = rest(slow).await.1.expect("cut");
    assert_eq!(end.code(), Code::Unauthenticated, "{end}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_absent_from_the_feed_is_locked_out_of_everything_that_is_open() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let info = ann.inner.execute(COUNT.into(), None).await.unwrap();
    let mut prepared = ann.inner.prepare(COUNT.into(), None).await.unwrap();
    assert!(prepared.execute().await.is_ok());
    mart.apply_people(&without_ann(Bundle::default())).await;
    server.engine.refresh().await.unwrap();
    let ended = |error: String| assert!(error.contains("the session has ended"), "{error}");
    ended(ann.query(COUNT).await.unwrap_err().to_string());
    ended(ann.fetch(info).await.unwrap_err().to_string());
    ended(prepared.execute().await.unwrap_err().to_string());
    ended(ann.inner.get_catalogs().await.unwrap_err().to_string());
    let mut anew = Client::anonymous(server.address).await;
    let absent = anew.inner.handshake("ann", PASSWORD).await.unwrap_err().to_string();
    let unknown = anew.inner.handshake("nobody", PASSWORD).await.unwrap_err().to_string();
    assert_eq!(absent, unknown);
    let mut eve = Client::sign_in(server.address, "eve").await;
    let denied = "principal = 'ann' AND statement = 'sign in' AND decision = 'denied'";
    assert!(recorded(&mut eve, denied).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_rotate_in_the_headers_of_answers() {
    let mart = mart().await;
    let overlap = Duration::from_millis(400);
    let server = mart
        .serve_with(|config| {
            let old = OldToken::UntilSuccessorIsUsed;
            config.sign_in.rotation = TokenRotation { after: Duration::ZERO, overlap, old };
        })
        .await;
    let mut ann = Raw::sign_in(&server, "ann").await;
    let first = ann.token.clone();
    let ticket = ann.ticket(COUNT).await.unwrap();
    let second = ann.ask().await.unwrap().expect("it is old at once");
    assert_ne!(first, second);
    assert_eq!(ann.ask().await.unwrap().as_ref(), Some(&second), "no other one");
    ann.token = second;
    ann.ask().await.unwrap();
    let stream = ann.open(ticket).await.expect("a ticket is the session's, not the token's");
    assert!(rest(stream).await.1.is_none());
    ann.token.clone_from(&first);
    tokio::time::sleep(overlap * 2).await;
    assert_eq!(ann.ask().await.unwrap_err().code(), Code::Unauthenticated, "the first is over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strict_rotation_ends_what_did_not_follow() {
    let mart = mart().await;
    let overlap = Duration::from_millis(400);
    let server = mart
        .serve_with(|config| {
            let old = OldToken::OverlapOnly;
            config.sign_in.rotation = TokenRotation { after: Duration::ZERO, overlap, old };
        })
        .await;
    let mut ann = Raw::sign_in(&server, "ann").await;
    let second = ann.ask().await.unwrap().unwrap();
    tokio::time::sleep(overlap * 2).await;
    assert_eq!(ann.ask().await.unwrap_err().code(), Code::Unauthenticated);
    ann.token = second;
    assert!(ann.ask().await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_session_ends() {
    let mart = mart().await;
    let server = mart
        .serve_with(|config| config.sign_in.session_idle_max = Duration::from_millis(1_500))
        .await;
    let mut ann = Raw::sign_in(&server, "ann").await;
    assert!(ann.ask().await.is_ok());
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(ann.ask().await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_being_read_keeps_its_session() {
    let mart = mart().await;
    let server = mart
        .serve_with(|config| {
            config.sign_in.session_idle_max = Duration::from_secs(2);
            config.sign_in.streams_checked_every = Duration::from_millis(50);
        })
        .await;
    let mut ann = Raw::sign_in(&server, "ann").await;
    let slow = ann.begin(ALL).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (messages, end) = rest(slow).await;
    assert!(end.is_none() && messages > 8, "{messages} {end:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_password_is_a_wrong_one_and_on_record() {
    let mart = mart().await;
    let hash = hash_password(PASSWORD, [7; 16], PasswordCost::Test);
    let feed = format!(
        "name,roles,node,password,password_changed\nann,clerk,root,\"{hash}\",2020-01-01\n\
         bob,clerk,root,\"{hash}\",\neve,auditor,root,\"{hash}\",{}\n",
        today(),
    );
    mart.apply_people(&Bundle::default().feed(&feed)).await;
    let server = mart.serve().await;
    let mut client = Client::anonymous(server.address).await;
    let mut refused = Vec::new();
    for (name, password) in [("ann", PASSWORD), ("ann", "wrong"), ("bob", PASSWORD), ("no", "x")] {
        refused.push(client.inner.handshake(name, password).await.unwrap_err().to_string());
    }
    assert!(refused.iter().all(|text| *text == refused[0]), "{refused:?}");
    let mut eve = Client::sign_in(server.address, "eve").await;
    let denied = "principal = 'ann' AND method = 'password' AND decision = 'denied'";
    assert!(recorded(&mut eve, denied).await);
    let journal = journal_text(&mart);
    assert!(journal.contains(r#""refused_because":"password expired""#), "{journal}");
    assert!(!journal.contains(PASSWORD));
}

/// The day of this machine.
fn today() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let days = i32::try_from(since.as_secs() / (24 * 60 * 60)).unwrap();
    martlet_core::BatchDate::from_days(days).unwrap().to_string()
}

/// Everything that the journal's files hold.
pub(super) fn journal_text(mart: &TestMart) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(mart.folder.path().join("audit")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|of| of == "jsonl") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    text
}
