//! An open mart and the sessions of those who signed in. Times statements; formats nothing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use futures::TryStreamExt as _;
use martlet_policy::TokenKeys;
use martlet_query::system::audit_record_schema;
use martlet_query::{AccessPath, Engine, EngineOptions, Session, SystemRecords};
use martlet_store::Store;

use crate::answer::{Answer, Question, cells};

/// Which mart to open, and how.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) mart: PathBuf,
    pub(crate) password: String,
    pub(crate) threads: usize,
    pub(crate) memory_bytes: usize,
    pub(crate) path: AccessPath,
}

/// The benchmark keeps no audit journal: nothing is disclosed to anyone but the measuring user.
#[derive(Debug)]
struct NoRecords;

impl SystemRecords for NoRecords {
    fn audit_records(&self, _limit: usize) -> Result<RecordBatch, String> {
        Ok(RecordBatch::new_empty(audit_record_schema()))
    }
}

/// The open mart.
pub(crate) struct Desk {
    setup: Setup,
    engine: Engine,
    sessions: HashMap<String, Arc<Session>>,
}

impl Desk {
    /// Opens the latest snapshot.
    pub(crate) async fn open(setup: Setup) -> Result<Self, String> {
        let engine = open(&setup).await?;
        Ok(Self { setup, engine, sessions: HashMap::new() })
    }

    /// Answers one line.
    pub(crate) async fn answer(&mut self, line: &str) -> Answer {
        match self.try_answer(line).await {
            Ok(answer) => answer,
            Err(error) => Answer::failed(error),
        }
    }

    /// The plan of the statement in the line, as text.
    pub(crate) async fn explain(&mut self, line: &str) -> String {
        match self.try_explain(line).await {
            Ok(text) => text,
            Err(error) => format!("error: {error}"),
        }
    }

    async fn try_answer(&mut self, line: &str) -> Result<Answer, String> {
        let question: Question =
            serde_json::from_str(line).map_err(|error| format!("not a question: {error}"))?;
        if question.reopen {
            self.sessions.clear();
            self.engine = open(&self.setup).await?;
        }
        if question.sql.is_empty() {
            return Ok(Answer { ok: true, ..Answer::default() });
        }
        let session = self.session(&question.principal)?;
        let start = Instant::now();
        let batches = run(&session, &question.sql).await?;
        let first_ms = milliseconds(start);
        let mut times_ms = Vec::with_capacity(question.runs);
        for _ in 0..question.runs {
            let start = Instant::now();
            drop(run(&session, &question.sql).await?);
            times_ms.push(milliseconds(start));
        }
        let rows = cells(&batches, question.rows_max).map_err(|error| error.to_string())?;
        Ok(Answer {
            ok: true,
            error: None,
            first_ms,
            times_ms,
            rows_out: batches.iter().map(RecordBatch::num_rows).sum(),
            types: types(&batches),
            rows,
        })
    }

    async fn try_explain(&mut self, line: &str) -> Result<String, String> {
        let question: Question =
            serde_json::from_str(line).map_err(|error| format!("not a question: {error}"))?;
        let session = self.session(&question.principal)?;
        let batches = run(&session, &format!("EXPLAIN {}", question.sql)).await?;
        let rows = cells(&batches, usize::MAX).map_err(|error| error.to_string())?;
        let cells = rows.into_iter().flatten().flatten().collect::<Vec<_>>();
        Ok(format!("-- {}\n{}\n", question.sql, cells.join("\n")))
    }

    /// The principal's session; who asks for the first time signs in.
    fn session(&mut self, principal: &str) -> Result<Arc<Session>, String> {
        if let Some(session) = self.sessions.get(principal) {
            return Ok(Arc::clone(session));
        }
        let mart = self.engine.mart();
        let directory = mart.directory();
        let signed_in = directory
            .sign_in(principal, &self.setup.password)
            .map_err(|refused| refused.to_string())?;
        let person = directory
            .principal(&signed_in)
            .ok_or_else(|| format!("`{principal}` is not in the directory"))?;
        let session = Arc::new(self.engine.session(&person, &mart));
        self.sessions.insert(principal.to_owned(), Arc::clone(&session));
        Ok(session)
    }
}

async fn open(setup: &Setup) -> Result<Engine, String> {
    let store = Store::open(&setup.mart.to_string_lossy()).map_err(|error| error.to_string())?;
    let options = EngineOptions {
        threads: setup.threads,
        memory_bytes: setup.memory_bytes,
        path: setup.path,
        ..EngineOptions::default()
    };
    let keys = TokenKeys::from_master(&[7; 32]);
    Engine::open(store, options, Arc::new(NoRecords), keys).await.map_err(|error| error.to_string())
}

/// Prepares, executes and fetches every row.
async fn run(session: &Session, sql: &str) -> Result<Vec<RecordBatch>, String> {
    let statement = session.prepare(sql).await.map_err(|error| error.to_string())?;
    let rows = statement.execute(None).await.map_err(|error| error.to_string())?;
    rows.try_collect().await.map_err(|error| error.to_string())
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn types(batches: &[RecordBatch]) -> Vec<String> {
    let fields = batches.first().map(|batch| batch.schema().fields().clone());
    fields.iter().flatten().map(|field| field.data_type().to_string()).collect()
}
