//! A mart made of a few text files by the real load, and a server over it.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use martlet_core::BatchDate;
use martlet_ingest::{LoadOutcome, LoadPlan, LoadRequest, ReplaceMode, Silent, load};
use martlet_policy::{BundleText, PasswordCost, StoredBundle, TokenKeys, hash_password};
use martlet_query::approved::rules_in_force;
use martlet_query::{Engine, EngineOptions, SystemRecords};
use martlet_server::audit::Journal;
use martlet_server::{ServeConfig, Serving, serve};
use martlet_store::{CommitOutcome, Store};
use tempfile::TempDir;

/// Everybody's password in the tests.
pub(crate) const PASSWORD: &str = "correct horse: battery staple";

/// A journal that holds nothing.
#[derive(Debug)]
pub(crate) struct NoRecords;

impl SystemRecords for NoRecords {
    fn audit_records(&self, _limit: usize) -> Result<RecordBatch, String> {
        Ok(RecordBatch::new_empty(martlet_query::system::audit_record_schema()))
    }
}

/// The text files of a policy and the principals under it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bundle {
    files: BTreeMap<String, String>,
    principals: String,
}

impl Bundle {
    pub(crate) fn file(mut self, name: &str, text: &str) -> Self {
        self.files.insert(name.into(), text.into());
        self
    }

    /// The rules alone.
    pub(crate) fn text(&self) -> BundleText {
        BundleText { files: self.files.clone() }
    }

    /// The feed of principals as it is.
    pub(crate) fn feed(mut self, csv: &str) -> Self {
        self.principals = csv.into();
        self
    }

    /// One principal with the tests' password.
    pub(crate) fn principal(self, name: &str, roles: &str, node: &str) -> Self {
        self.principals(std::iter::once(name.to_owned()), roles, node)
    }

    /// Several of them.
    pub(crate) fn principals(
        mut self,
        names: impl Iterator<Item = String>,
        roles: &str,
        node: &str,
    ) -> Self {
        if self.principals.is_empty() {
            self.principals.push_str("name,roles,node,password\n");
        }
        let hash = hash_password(PASSWORD, [7; 16], PasswordCost::Test);
        for name in names {
            self.principals.push_str(&format!("{name},{roles},{node},\"{hash}\"\n"));
        }
        self
    }
}

/// A mart in a folder of its own.
pub(crate) struct TestMart {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
}

impl TestMart {
    /// An empty mart on disk.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("mart").to_str().unwrap()).unwrap();
        Self { folder, store }
    }

    /// Writes a file below the mart's input folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Loads by the load file of that name; panics with the error's text if it is refused.
    pub(crate) async fn load(&self, load_file: &str, date: &str) -> LoadOutcome {
        let request = self.request(load_file, date, ReplaceMode::Refuse);
        load(&self.store, request).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn request(&self, load_file: &str, date: &str, replace: ReplaceMode) -> LoadRequest {
        request(self.folder.path(), load_file, date, replace)
    }

    /// Publishes the rules and principals; those in force must not need an approval.
    pub(crate) async fn apply(&self, bundle: &Bundle) {
        let latest = self.store.latest().await.unwrap();
        let rules = match rules_in_force(&self.store, &latest).await.unwrap() {
            Some(rules) => StoredBundle::following(bundle.text(), &rules, &[]).unwrap(),
            None => StoredBundle::first(bundle.text()),
        };
        let mut commit = self.store.begin(&latest);
        commit.set_policy(Bytes::from(rules.to_bytes()));
        commit.set_principals(Bytes::from(bundle.principals.clone().into_bytes()));
        let outcome = commit.publish().await.unwrap();
        assert!(matches!(outcome, CommitOutcome::Committed(_)), "nobody else commits here");
    }

    /// Publishes the principals alone.
    pub(crate) async fn apply_people(&self, bundle: &Bundle) {
        let mut commit = self.store.begin(&self.store.latest().await.unwrap());
        commit.set_principals(Bytes::from(bundle.principals.clone().into_bytes()));
        let outcome = commit.publish().await.unwrap();
        assert!(matches!(outcome, CommitOutcome::Committed(_)), "nobody else commits here");
    }

    /// The engine over the mart, with audit records of a journal in the mart's folder.
    pub(crate) async fn engine(&self, options: EngineOptions) -> (Engine, Arc<Journal>) {
        let journal = Arc::new(Journal::open(&self.folder.path().join("audit")).unwrap());
        let records: Arc<dyn martlet_query::SystemRecords> = Arc::clone(&journal) as _;
        let keys = TokenKeys::from_master(&[9; 32]);
        (Engine::open(self.store.clone(), options, records, keys).await.unwrap(), journal)
    }

    /// A server on a free loopback port.
    pub(crate) async fn serve(&self) -> Server {
        self.serve_with(|_| ()).await
    }

    /// The same, with its configuration changed.
    pub(crate) async fn serve_with(&self, change: impl FnOnce(&mut ServeConfig)) -> Server {
        let (engine, journal) = self.engine(EngineOptions::default()).await;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let mut config = ServeConfig::new("127.0.0.1:0".parse().unwrap(), journal);
        change(&mut config);
        let serving = serve(engine.clone(), config, async {
            stopped.await.ok();
        })
        .await
        .unwrap();
        Server { address: serving.local_addr(), engine, _serving: serving, _stop: stop }
    }
}

pub(crate) fn request(
    folder: &Path,
    load_file: &str,
    date: &str,
    replace: ReplaceMode,
) -> LoadRequest {
    let plan =
        LoadPlan::read(&folder.join(load_file), None).unwrap_or_else(|error| panic!("{error}"));
    let date: BatchDate = date.parse().unwrap();
    LoadRequest {
        plan,
        date,
        replace,
        rejects_dir: folder.join("rejects"),
        progress: Arc::new(Silent),
    }
}

impl Server {
    /// Ends it and waits until it has.
    pub(crate) async fn end(self) {
        let Self { engine, _serving, _stop, .. } = self;
        drop(_stop);
        _serving.finished().await.unwrap();
        drop(engine);
    }
}

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Engine,
    _serving: Serving,
    _stop: tokio::sync::oneshot::Sender<()>,
}
