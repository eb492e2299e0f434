//! The engine's own interface, with every access path an operator may force.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use futures::{FutureExt, TryStreamExt, stream};
use martlet_core::{ColumnType, Kinded};
use martlet_policy::TokenKeys;
use martlet_query::{AccessPath, Engine, EngineOptions, QueryError};

use super::{Answer, Outcome, PANICKED, asker_of};
use crate::grammar::Statement;
use crate::support::TestMart;
use crate::support::mart::{NoRecords, PASSWORD};
use crate::worlds::cell::{Cell, array};
use crate::worlds::fill::MASTER;
use crate::worlds::policy::{LEDGER, LEDGER_CLASSES};
use crate::worlds::tables::TABLES;

/// One mart's engines, one for each path.
#[derive(Debug)]
pub struct Engines {
    engines: Vec<(AccessPath, Engine)>,
    reader: String,
}

impl Engines {
    /// Opens them for a reader, if the mart's rules are accepted.
    pub(crate) async fn open(mart: &TestMart, reader: &str) -> Result<Self, QueryError> {
        let mut engines = Vec::new();
        for path in AccessPath::ALL {
            let options = EngineOptions {
                path,
                threads: 2,
                // Statements that run beside it take of the same: too much for any to be refused,
                // or it would seem to be told apart by what its neighbours ask.
                memory_bytes: 8 << 30,
                ..EngineOptions::default()
            };
            let keys = TokenKeys::from_master(&MASTER);
            let engine = Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await;
            engines.push((path, engine?));
        }
        Ok(Self { engines, reader: reader.to_owned() })
    }

    /// Has somebody ask all of them who is shown the same columns under other masks.
    ///
    /// # Errors
    /// If one of them does not show them: rules are judged wrongly.
    pub(crate) async fn serve_another_mask(&self) -> Result<(), QueryError> {
        for (_, engine) in &self.engines {
            serve_another_mask(engine).await?;
        }
        Ok(())
    }

    /// Asks as the statement's asker.
    pub async fn ask(&self, path: AccessPath, statement: &Statement, sql: &str) -> Answer {
        let bound = statement.parameter.as_ref().map(|(value, of)| parameters(value, *of));
        let asker = asker_of(statement, &self.reader);
        let asked = self.rows(path, &asker, sql, bound.as_ref());
        let asked = AssertUnwindSafe(asked).catch_unwind().await;
        let Ok(asked) = asked else {
            return Answer::refused(PANICKED, "the engine panicked");
        };
        match asked {
            Ok(told) => {
                let Outcome::Rows { messages, .. } = &told else { return Answer::default() };
                let left = messages.clone();
                Answer { told, beside: Vec::new(), left }
            }
            Err(error) => {
                let mut answer = Answer::refused(format!("{:?}", error.kind()), error.to_string());
                answer.left.push(format!("{error:?}").into_bytes());
                answer
            }
        }
    }

    async fn rows(
        &self,
        path: AccessPath,
        asker: &str,
        sql: &str,
        bound: Option<&RecordBatch>,
    ) -> Result<Outcome, QueryError> {
        let engine = self
            .engines
            .iter()
            .find(|(of, _)| *of == path)
            .map_or(&self.engines[0].1, |(_, engine)| engine);
        let mart = engine.mart();
        let signed_in = mart.directory().sign_in(asker, PASSWORD).expect("who asks is known");
        let principal = mart.directory().principal(&signed_in).expect("who asks is known");
        let rows = engine.session(&principal, &mart).prepare(sql).await?.execute(bound).await?;
        let schema = rows.schema();
        let batches: Vec<RecordBatch> = rows.try_collect().await?;
        let encoded = FlightDataEncoderBuilder::new()
            .with_schema(Arc::clone(&schema))
            .with_max_flight_data_size(usize::MAX)
            .build(stream::iter(batches.clone().into_iter().map(Ok)));
        let messages: Vec<FlightData> = encoded.try_collect().await.expect("rows of plain types");
        let messages = messages.iter().map(bytes_of).collect();
        Ok(Outcome::Rows { schema, batches, messages })
    }
}

/// Asks for every column that [`LEDGER`] is shown under another mask than the reader, so that an
/// engine has served those before it serves the reader.
///
/// # Errors
/// If it is not shown them: rules are judged wrongly.
pub(crate) async fn serve_another_mask(engine: &Engine) -> Result<(), QueryError> {
    let mart = engine.mart();
    let signed_in = mart.directory().sign_in(LEDGER, PASSWORD).expect("somebody else");
    let principal = mart.directory().principal(&signed_in).expect("somebody else is known");
    let is_shown = |class: &str| LEDGER_CLASSES.iter().any(|(of, _)| *of == class);
    for table in TABLES {
        let columns = table.columns.iter().filter(|column| column.class.is_some_and(is_shown));
        let conditions: Vec<String> =
            columns.map(|column| format!("{} = 'x'", column.name)).collect();
        if conditions.is_empty() {
            continue;
        }
        let sql = format!("SELECT count(*) FROM {} WHERE {}", table.name, conditions.join(" OR "));
        let asked = engine.session(&principal, &mart).prepare(&sql).await?;
        let _count: Vec<RecordBatch> = asked.execute(None).await?.try_collect().await?;
    }
    Ok(())
}

/// Every byte of a message.
pub(super) fn bytes_of(message: &FlightData) -> Vec<u8> {
    [message.data_header.as_ref(), message.data_body.as_ref(), message.app_metadata.as_ref()]
        .concat()
}

/// One row of one parameter.
pub(super) fn parameters(value: &Cell, column_type: ColumnType) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("1", column_type.arrow(), true)]);
    let column = array(&[vec![value.clone()]], 0, column_type);
    RecordBatch::try_new(Arc::new(schema), vec![column]).expect("one row")
}
