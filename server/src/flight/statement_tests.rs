//! Statements over a real engine: what is recorded of them, and how many run at once.

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};
use arrow_ipc::writer::StreamWriter;
use futures::StreamExt;
use martlet_core::SnapshotNumber;
use martlet_query::SystemRecords;
use tonic::Code;
use tonic::metadata::MetadataMap;

use super::super::testing::engine_with_ann;
use super::*;
use crate::audit::Journal;
use crate::authenticate::{Connection, Credentials, Entered, Origin, SignInRules};

struct Scene {
    _folder: tempfile::TempDir,
    journal: Arc<Journal>,
    gate: Arc<Gate>,
    statements: Statements,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(Journal::open(folder.path()).unwrap());
        let engine = engine_with_ann(&journal).await;
        let recorder = Recorder::new(Arc::clone(&journal));
        let times = Times { max: Duration::from_secs(60), checked_every: Duration::from_secs(5) };
        let gate =
            Arc::new(Gate::new(engine.clone(), &SignInRules::default(), Arc::default()).unwrap());
        let desk = Arc::new(EmergencyDesk::new(engine.clone(), Arc::clone(&journal)));
        let curbs = Arc::default();
        let statements =
            Statements::new(engine, Arc::clone(&gate), desk, recorder, times, curbs).unwrap();
        Self { _folder: folder, journal, gate, statements }
    }

    /// Ann in a session of its own.
    async fn caller(&self) -> Caller {
        let credentials = Credentials::parse(b"Basic YW5uOnNlY3JldA==");
        let connection = Connection::default();
        let entered = self.gate.enter(credentials, None, &connection).await;
        let Ok(Entered::New { token, .. }) = entered else { panic!("ann cannot sign in") };
        let mut headers = MetadataMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        let origin = Origin { peer: "10.0.0.1:5".into(), client: "test".into(), purpose: None };
        self.gate.admit(&headers, &connection, origin).unwrap().caller
    }

    async fn described(&self, caller: &Caller, sql: &str) -> (FlightInfo, Vec<u8>) {
        let info = self.statements.info(caller, sql, FlightDescriptor::default()).await.unwrap();
        let ticket = info.endpoint[0].ticket.clone().unwrap();
        let any = Any::decode(ticket.ticket).unwrap();
        let query: TicketStatementQuery = any.unpack().unwrap().unwrap();
        (info, query.statement_handle.to_vec())
    }

    /// A ticket that nothing was described for.
    fn sealed(&self, caller: &Caller, sql: &str, snapshot: SnapshotNumber) -> Bytes {
        let (statement_id, sql) = (StatementId::draw().unwrap(), sql.into());
        let ticket = Ticket { statement_id, snapshot, sql, parameters: Bytes::new() };
        self.statements.sealer.seal(&ticket, Holder::from(caller), Instant::now()).unwrap()
    }

    /// `column` of the newest records, newest first.
    fn recorded(&self, column: &str, count: usize) -> Vec<Option<String>> {
        let batch = self.journal.audit_records(count).unwrap();
        let texts = batch.column_by_name(column).unwrap().as_string::<i32>().clone();
        texts.iter().map(|text| text.map(Into::into)).collect()
    }

    fn assert_denied(&self, text: &str) {
        let newest = |column: &str| self.recorded(column, 1)[0].clone().unwrap();
        assert_eq!(newest("statement"), text);
        assert_eq!(newest("decision"), "denied");
        assert_eq!((newest("principal"), newest("peer")), ("ann".into(), "10.0.0.1:5".into()));
    }
}

fn code<T>(result: Result<T, Status>) -> Option<Code> {
    result.err().map(|status| status.code())
}

#[tokio::test]
async fn foreign_and_forged_tickets_are_recorded_as_denied() {
    let scene = Scene::new().await;
    let (own, foreign) = (scene.caller().await, scene.caller().await);
    let (info, sealed) = scene.described(&own, "SELECT 1").await;
    for (at, ticket) in [(1, &sealed[..]), (2, b"forged")] {
        assert_eq!(code(scene.statements.fetch(&foreign, ticket).await), Some(Code::NotFound));
        scene.assert_denied(REFUSED_TICKET);
        assert_eq!(scene.journal.audit_records(usize::MAX).unwrap().num_rows(), 1 + at);
    }
    let cancelled = scene.statements.cancel(&foreign, &info).await.unwrap();
    assert_eq!(cancelled, Cancelled::Unknown);
    assert_eq!(scene.journal.audit_records(usize::MAX).unwrap().num_rows(), 4);
    assert!(scene.statements.fetch(&own, &sealed).await.is_ok());
}

#[tokio::test]
async fn a_cancel_is_of_few_tickets_and_takes_a_place() {
    let scene = Scene::new().await;
    let caller = scene.caller().await;
    let (mut info, _) = scene.described(&caller, "SELECT 1").await;
    let endpoint = info.endpoint[0].clone();
    info.endpoint = vec![endpoint.clone(); CANCELLED_AT_ONCE_MAX];
    assert_eq!(scene.statements.cancel(&caller, &info).await.unwrap(), Cancelled::Yes);
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.push(scene.statements.place_aside(&caller).await.unwrap());
    }
    let short = Duration::from_millis(200);
    let fifth = tokio::time::timeout(short, scene.statements.cancel(&caller, &info)).await;
    assert!(fifth.is_err(), "it waits");
    info.endpoint.push(endpoint);
    let refused = scene.statements.cancel(&caller, &info).await;
    assert_eq!(code(refused), Some(Code::InvalidArgument));
}

#[tokio::test]
async fn foreign_handles_are_recorded_as_denied() {
    let scene = Scene::new().await;
    let (own, foreign) = (scene.caller().await, scene.caller().await);
    let handle =
        scene.statements.prepare(&own, "SELECT 1").await.unwrap().prepared_statement_handle;
    assert_eq!(
        code(scene.statements.fetch_prepared(&foreign, &handle).await),
        Some(Code::NotFound)
    );
    scene.assert_denied(UNKNOWN_HANDLE);
    let bound = scene.statements.bind(&foreign, &handle, Bytes::new()).await;
    assert_eq!(code(bound), Some(Code::NotFound));
    let decisions = scene.recorded("decision", usize::MAX);
    assert_eq!(decisions.iter().filter(|word| word.as_deref() == Some("denied")).count(), 2);
}

#[tokio::test]
async fn an_execution_is_recorded_with_its_parameters() {
    let scene = Scene::new().await;
    let caller = scene.caller().await;
    let sql = "SELECT 1 AS one WHERE 'x' = ?";
    let prepared = scene.statements.prepare(&caller, sql).await.unwrap();
    let schema = Arc::new(Schema::new(vec![Field::new("1", DataType::Utf8, true)]));
    let column: ArrayRef = Arc::new(StringArray::from(vec!["C000000001"]));
    let row = RecordBatch::try_new(Arc::clone(&schema), vec![column]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &schema).unwrap();
    writer.write(&row).unwrap();
    let bytes = Bytes::from(writer.into_inner().unwrap());
    let handle = prepared.prepared_statement_handle;
    scene.statements.bind(&caller, &handle, bytes).await.unwrap();
    let _rows = scene.statements.fetch_prepared(&caller, &handle).await.unwrap();
    assert_eq!(scene.recorded("statement", 2), [Some(sql.into()), Some(sql.into())]);
    assert_eq!(scene.recorded("parameters", 2), [Some("('C000000001')".into()), None]);
}

#[tokio::test]
async fn open_streams_hold_the_places_of_their_principal() {
    let scene = Scene::new().await;
    let caller = scene.caller().await;
    let (_, sealed) = scene.described(&caller, "SELECT 1").await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(scene.statements.fetch(&caller, &sealed).await.unwrap());
    }
    let short = Duration::from_millis(200);
    let ninth = tokio::time::timeout(short, scene.statements.fetch(&caller, &sealed)).await;
    assert!(ninth.is_err(), "it waits");
    let described = tokio::time::timeout(short, scene.statements.schema(&caller, "SELECT 1")).await;
    assert!(described.is_err(), "planning needs a place too");
    open.pop();
    assert!(scene.statements.fetch(&caller, &sealed).await.is_ok());
}

#[tokio::test]
async fn the_store_is_read_for_an_old_ticket_in_a_place() {
    let scene = Scene::new().await;
    let caller = scene.caller().await;
    let old = scene.sealed(&caller, "SELECT 1", SnapshotNumber::new(999));
    let absent = scene.statements.fetch(&caller, &old).await;
    assert_eq!(code(absent), Some(Code::NotFound));
    let mut taken = Vec::new();
    for _ in 0..8 {
        taken.push(scene.statements.place(&caller).await.unwrap());
    }
    let short = Duration::from_millis(200);
    let ninth = tokio::time::timeout(short, scene.statements.fetch(&caller, &old)).await;
    assert!(ninth.is_err(), "it waits");
}

#[tokio::test]
async fn with_too_many_answers_open_nothing_is_planned() {
    let scene = Scene::new().await;
    let caller = scene.caller().await;
    let answers: Vec<_> = (0..32).map(|_| scene.statements.open(&caller).unwrap()).collect();
    let newest = scene.statements.engine.mart().snapshot().number();
    for sql in ["SELECT 1", "SELECT 1 FROM nowhere"] {
        let sealed = scene.sealed(&caller, sql, newest);
        let refused = scene.statements.fetch(&caller, &sealed).await;
        assert_eq!(code(refused), Some(Code::ResourceExhausted), "{sql}");
    }
    assert_eq!(scene.journal.audit_records(usize::MAX).unwrap().num_rows(), 0);
    drop(answers);
    let sealed = scene.sealed(&caller, "SELECT 1 FROM nowhere", newest);
    assert!(scene.statements.fetch(&caller, &sealed).await.is_err());
    scene.assert_denied("SELECT 1 FROM nowhere");
}

#[tokio::test]
async fn a_session_that_ends_cuts_its_streams() {
    let scene = Scene::new().await;
    let caller = scene.caller().await;
    let (_, sealed) = scene.described(&caller, "SELECT 1").await;
    scene.gate.close(caller.session);
    // A request that was let in before its session ended is answered with nothing but the cut.
    let (_, messages) = scene.statements.fetch(&caller, &sealed).await.unwrap();
    let told: Vec<_> = messages.collect().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].as_ref().unwrap_err().code(), Code::Unauthenticated);
    for _ in 0..200 {
        if scene.recorded("outcome", 1)[0].as_deref() == Some("cut") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no record says that it was cut");
}

#[tokio::test]
async fn whoever_is_cut_off_with_a_request_under_way_is_told_nothing() {
    let scene = Scene::new().await;
    let caller = scene.caller().await;
    let (_, sealed) = scene.described(&caller, "SELECT 1").await;
    let (how, alarm_id) = (crate::alarm::Curbed::Cut, crate::audit::RecordId::draw().unwrap());
    let curb = crate::alarm::Curb { how, rule: "rule".into(), alarm_id, since: 0, until: None };
    scene.statements.curbs.hold("ann", curb);
    assert_eq!(code(scene.statements.fetch(&caller, &sealed).await), Some(Code::Cancelled));
    scene.statements.curbs.lift("ann");
    assert!(scene.statements.fetch(&caller, &sealed).await.is_ok());
}

#[tokio::test]
async fn a_description_that_is_under_way_at_a_cut_is_not_told() {
    let scene = Scene::new().await;
    let caller = scene.caller().await;
    let (how, alarm_id) = (crate::alarm::Curbed::Cut, crate::audit::RecordId::draw().unwrap());
    let curb = crate::alarm::Curb { how, rule: "rule".into(), alarm_id, since: 0, until: None };
    scene.statements.curbs.hold("ann", curb);
    // They were let in before.
    assert_eq!(code(scene.statements.schema(&caller, "SELECT 1").await), Some(Code::Cancelled));
    scene.assert_denied("SELECT 1");
    assert!(scene.statements.prepare(&caller, "SELECT 1").await.is_err());
    scene.statements.curbs.lift("ann");
    assert!(scene.statements.schema(&caller, "SELECT 1").await.is_ok());
    scene.gate.close(caller.session);
    let told = scene.statements.schema(&caller, "SELECT 2").await;
    assert_eq!(code(told), Some(Code::Unauthenticated));
    scene.assert_denied("SELECT 2");
}
