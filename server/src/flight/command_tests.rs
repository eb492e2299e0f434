//! Every command of Flight SQL is decoded to its own variant; all other bytes are refused alike.

use arrow_flight::sql::{
    ActionBeginTransactionRequest, CommandGetCatalogs, CommandPreparedStatementQuery,
    CommandStatementIngest, CommandStatementQuery, CommandStatementSubstraitPlan,
    CommandStatementUpdate, TicketStatementQuery,
};
use proptest::prelude::*;
use tonic::Code;

use super::*;

fn packed(message: &impl ProstMessageExt) -> Vec<u8> {
    message.as_any().encode_to_vec()
}

fn statement(query: &str, transaction: Option<&'static [u8]>) -> CommandStatementQuery {
    CommandStatementQuery {
        query: query.into(),
        transaction_id: transaction.map(Bytes::from_static),
    }
}

#[test]
fn a_statement_is_read_and_a_transaction_is_refused() {
    let query = Query::parse(&packed(&statement("select 1", None))).unwrap();
    assert_eq!(query, Query::Statement("select 1".into()));
    assert!(Query::parse(&packed(&statement("select 1", Some(b"")))).is_ok());
    let refused = Query::parse(&packed(&statement("select 1", Some(b"t")))).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[test]
fn a_statement_has_a_length_limit() {
    let fits = "x".repeat(STATEMENT_BYTES_MAX);
    assert!(Query::parse(&packed(&statement(&fits, None))).is_ok());
    let refused = Query::parse(&packed(&statement(&format!("{fits}x"), None))).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[test]
fn a_ticket_is_fetched_and_never_planned() {
    let ticket = TicketStatementQuery { statement_handle: Bytes::from_static(b"sealed") };
    assert_eq!(
        Fetch::parse(&packed(&ticket)).unwrap(),
        Fetch::Ticket(Bytes::from_static(b"sealed"))
    );
    assert_eq!(Query::parse(&packed(&ticket)).unwrap_err().code(), Code::InvalidArgument);
    let statement = packed(&statement("select 1", None));
    assert_eq!(Fetch::parse(&statement).unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn metadata_passes_both_doors_and_uploads_bind_or_write() {
    let catalogs = packed(&CommandGetCatalogs {});
    assert_eq!(Query::parse(&catalogs).unwrap(), Query::Metadata(MetadataQuery::Catalogs));
    assert_eq!(Fetch::parse(&catalogs).unwrap(), Fetch::Metadata(MetadataQuery::Catalogs));
    assert!(Put::parse(&catalogs).is_err());
    let handle = Bytes::from_static(b"h");
    let prepared = CommandPreparedStatementQuery { prepared_statement_handle: handle.clone() };
    assert_eq!(Put::parse(&packed(&prepared)).unwrap(), Put::Bind(handle));
    let update = CommandStatementUpdate { query: "delete".into(), transaction_id: None };
    assert_eq!(Put::parse(&packed(&update)).unwrap(), Put::Write("delete".into()));
    let ingest = Put::parse(&packed(&CommandStatementIngest::default())).unwrap();
    assert!(matches!(ingest, Put::Write(_)));
    let plan = packed(&CommandStatementSubstraitPlan::default());
    assert_eq!(Query::parse(&plan).unwrap_err().code(), Code::Unimplemented);
}

#[test]
fn every_listed_action_is_understood_and_others_are_not() {
    for (name, _) in ACTIONS {
        let body = match name {
            "CreatePreparedStatement" => packed(&ActionCreatePreparedStatementRequest::default()),
            "ClosePreparedStatement" => packed(&ActionClosePreparedStatementRequest::default()),
            "CancelQuery" => packed(&ActionCancelQueryRequest::default()),
            "CancelFlightInfo" => CancelFlightInfoRequest::new(FlightInfo::new()).encode_to_vec(),
            _ => Vec::new(),
        };
        assert!(Deed::parse(&Action::new(name, body)).is_ok(), "{name}");
    }
    let begin = Action::new("BeginTransaction", packed(&ActionBeginTransactionRequest {}));
    assert_eq!(Deed::parse(&begin).unwrap_err().code(), Code::Unimplemented);
    let unknown = Action::new("Shutdown", Bytes::new());
    assert_eq!(Deed::parse(&unknown).unwrap_err().code(), Code::Unimplemented);
}

proptest! {
    #[test]
    fn any_bytes_are_survived_and_never_repeated(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Query::parse(&bytes);
        let _ = Put::parse(&bytes);
        if let Err(status) = Fetch::parse(&bytes) {
            let only = malformed();
            prop_assert_eq!(status.message(), only.message());
        }
        for (name, _) in ACTIONS {
            let _ = Deed::parse(&Action::new(name, bytes.clone()));
        }
    }

    #[test]
    fn any_body_under_a_known_name_is_survived(body in prop::collection::vec(any::<u8>(), 0..100), which in 0..4_usize) {
        let type_url = [
            CommandStatementQuery::type_url(),
            CommandGetTables::type_url(),
            TicketStatementQuery::type_url(),
            CommandGetSqlInfo::type_url(),
        ][which];
        let any = Any { type_url: type_url.into(), value: body.into() }.encode_to_vec();
        let _ = (Query::parse(&any), Fetch::parse(&any), Put::parse(&any));
    }
}
