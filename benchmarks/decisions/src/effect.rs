//! How long a change of the rules or of the people takes until a server obeys it.
//!
//! Owns a mart in a folder of its own and a server over it, configured as `martlet serve` is without
//! options. Must never ask the server's insides whether a change is in force: what counts is the
//! first answer over Flight SQL that obeys it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow_flight::error::FlightError;
use arrow_flight::sql::client::FlightSqlServiceClient;
use futures::TryStreamExt;
use martlet_policy::{BundleText, Directory, StoredBundle, TokenKeys, check};
use martlet_query::approved::rules_in_force;
use martlet_query::{Engine, EngineOptions};
use martlet_server::audit::Journal;
use martlet_server::{ServeConfig, Serving, serve};
use martlet_store::{CommitOutcome, Store};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use crate::bank::{Bank, PASSWORD, TELLER};

/// Nothing of what is timed lasts that long, unless it never happens.
const WAITED_AT_MOST: Duration = Duration::from_secs(30);

/// From the beginning of a change's check to the end of the first statement that obeys it.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// A table is taken from a role.
    pub(crate) narrowed: Vec<Duration>,
    /// It is given back.
    pub(crate) widened: Vec<Duration>,
    /// Somebody is missing in the feed of people.
    pub(crate) locked: Vec<Duration>,
}

impl Effects {
    /// The times of each kind, sorted.
    pub(crate) fn named(&self) -> [(&'static str, Vec<Duration>); 3] {
        let sorted = |times: &[Duration]| {
            let mut times = times.to_vec();
            times.sort_unstable();
            times
        };
        [
            ("a table is taken from a role", sorted(&self.narrowed)),
            ("a table is given to a role", sorted(&self.widened)),
            ("somebody is missing in the feed", sorted(&self.locked)),
        ]
    }
}

/// Changes rules and people so often and times each change.
pub(crate) async fn effects(bank: &Bank, rounds: usize) -> Result<Effects, String> {
    let place = Place::open(bank).await?;
    let mut effects = Effects::default();
    let mut asker = place.sign_in().await?;
    for _ in 0..rounds {
        let began = Instant::now();
        place.change_rules(bank, &bank.narrower).await?;
        effects.narrowed.push(asker.until(began, Told::Refused).await?);

        let began = Instant::now();
        place.change_rules(bank, &bank.rules).await?;
        effects.widened.push(asker.until(began, Told::Answered).await?);

        let began = Instant::now();
        place.change_people(&bank.without_teller).await?;
        effects.locked.push(asker.until(began, Told::SignedOut).await?);

        place.change_people(&bank.feed).await?;
        place.engine.refresh().await.map_err(said)?;
        asker = place.sign_in().await?;
    }
    place.end().await?;
    Ok(effects)
}

/// The mart and its server.
struct Place {
    _folder: TempDir,
    store: Store,
    engine: Engine,
    serving: Serving,
    stop: oneshot::Sender<()>,
}

impl Place {
    async fn open(bank: &Bank) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(said)?;
        let store = Store::open(&folder.path().join("mart").to_string_lossy()).map_err(said)?;
        publish_first(&store, bank).await?;
        let journal = Arc::new(Journal::open(&folder.path().join("audit")).map_err(said)?);
        let (options, keys) = (EngineOptions::default(), TokenKeys::from_master(&[9; 32]));
        let records = Arc::clone(&journal) as _;
        let engine = Engine::open(store.clone(), options, records, keys).await.map_err(said)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let config = ServeConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)), journal);
        let shutdown = async move {
            stopped.await.ok();
        };
        let serving = serve(engine.clone(), config, shutdown).await.map_err(said)?;
        Ok(Self { _folder: folder, store, engine, serving, stop })
    }

    /// As `martlet policy apply` does it: checked against the tables, then published.
    async fn change_rules(&self, bank: &Bank, rules: &BundleText) -> Result<(), String> {
        check(rules, &bank.tables).map_err(|findings| findings[0].to_string())?;
        let latest = self.store.latest().await.map_err(said)?;
        let in_force = rules_in_force(&self.store, &latest).await.map_err(said)?;
        let in_force = in_force.ok_or("no rules are in force")?;
        let next = StoredBundle::following(rules.clone(), &in_force, &[]).map_err(said)?;
        let mut commit = self.store.begin(&latest);
        commit.set_policy(next.to_bytes().into());
        published(commit.publish().await)
    }

    async fn change_people(&self, feed: &str) -> Result<(), String> {
        Directory::parse(feed).map_err(|findings| findings[0].to_string())?;
        let mut commit = self.store.begin(&self.store.latest().await.map_err(said)?);
        commit.set_principals(feed.to_owned().into());
        published(commit.publish().await)
    }

    async fn sign_in(&self) -> Result<Asker, String> {
        let address = format!("http://{}", self.serving.local_addr());
        let channel =
            Endpoint::from_shared(address).map_err(said)?.connect().await.map_err(said)?;
        let mut client = FlightSqlServiceClient::new(channel);
        client.handshake(TELLER, PASSWORD).await.map_err(said)?;
        Ok(Asker { client })
    }

    async fn end(self) -> Result<(), String> {
        drop(self.stop);
        self.serving.finished().await.map_err(said)
    }
}

async fn publish_first(store: &Store, bank: &Bank) -> Result<(), String> {
    let mut commit = store.begin(&store.latest().await.map_err(said)?);
    for table in &bank.tables {
        commit.replace_table(table, Vec::new()).map_err(said)?;
    }
    commit.set_policy(StoredBundle::first(bank.rules.clone()).to_bytes().into());
    commit.set_principals(bank.feed.clone().into());
    published(commit.publish().await)
}

fn published(outcome: Result<CommitOutcome, martlet_store::StoreError>) -> Result<(), String> {
    match outcome.map_err(said)? {
        CommitOutcome::Committed(_) => Ok(()),
        CommitOutcome::Conflicted(_) => Err("somebody else writes into the mart".into()),
    }
}

/// How a statement ends.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Answered,
    /// As if there were no such table.
    Refused,
    /// While rules changed.
    Cut,
    SignedOut,
}

/// One client, signed in.
struct Asker {
    client: FlightSqlServiceClient<Channel>,
}

impl Asker {
    /// Asks without a pause until it ends so; how long ago something began then.
    async fn until(&mut self, began: Instant, wanted: Told) -> Result<Duration, String> {
        while began.elapsed() < WAITED_AT_MOST {
            if self.told().await? == wanted {
                return Ok(began.elapsed());
            }
        }
        Err(format!(
            "a change is not in force after {WAITED_AT_MOST:?}: no statement is {wanted:?}"
        ))
    }

    async fn told(&mut self) -> Result<Told, String> {
        match self.ask().await {
            Ok(_) => Ok(Told::Answered),
            Err(FlightError::Tonic(status)) if status.code() == Code::Unauthenticated => {
                Ok(Told::SignedOut)
            }
            Err(FlightError::Tonic(status)) if status.message().contains("table0") => {
                Ok(Told::Refused)
            }
            Err(FlightError::Tonic(status)) if status.code() == Code::PermissionDenied => {
                Ok(Told::Cut)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    async fn ask(&mut self) -> Result<Vec<RecordBatch>, FlightError> {
        let info = self.client.execute("SELECT count(*) FROM table0".into(), None).await?;
        let mut batches = Vec::new();
        for ticket in info.endpoint.into_iter().filter_map(|endpoint| endpoint.ticket) {
            let rows = self.client.do_get(ticket).await?;
            batches.extend(rows.try_collect::<Vec<_>>().await?);
        }
        Ok(batches)
    }
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
