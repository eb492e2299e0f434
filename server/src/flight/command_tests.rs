//! Every command of Flight SQL is decoded to its own variant; all other bytes are refused alike.

use arrow_flight::sql::{
    ActionBeginTransactionRequest, CommandGetCatalogs, CommandPreparedStatementQuery,
    CommandPreparedStatementUpdate, CommandStatementIngest, CommandStatementQuery,
    CommandStatementSubstraitPlan, CommandStatementUpdate, TicketStatementQuery,
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

/// What is told and what stands on record of a request that is not taken.
fn not_taken<T: std::fmt::Debug>(parsed: Result<T, NotTaken>) -> (Code, Option<String>) {
    match parsed.unwrap_err() {
        NotTaken::Unread(told) => (told.code(), None),
        NotTaken::Refused { text, told, .. } => (told.code(), Some(text)),
    }
}

#[test]
fn a_statement_is_read_and_a_transaction_is_refused() {
    let query = Query::parse(&packed(&statement("select 1", None))).unwrap();
    assert_eq!(query, Query::Statement("select 1".into()));
    assert!(Query::parse(&packed(&statement("select 1", Some(b"")))).is_ok());
    let refused = not_taken(Query::parse(&packed(&statement("select 1", Some(b"t")))));
    assert_eq!(refused, (Code::InvalidArgument, Some("select 1".into())));
}

#[test]
fn a_statement_has_a_length_limit() {
    let fits = "x".repeat(STATEMENT_BYTES_MAX);
    assert!(Query::parse(&packed(&statement(&fits, None))).is_ok());
    let long = format!("{fits}x");
    let refused = not_taken(Query::parse(&packed(&statement(&long, None))));
    assert_eq!(refused, (Code::InvalidArgument, Some(long)));
}

#[test]
fn a_ticket_is_fetched_and_never_planned() {
    let ticket = TicketStatementQuery { statement_handle: Bytes::from_static(b"sealed") };
    assert_eq!(
        Fetch::parse(&packed(&ticket)).unwrap(),
        Fetch::Ticket(Bytes::from_static(b"sealed"))
    );
    assert_eq!(not_taken(Query::parse(&packed(&ticket))), (Code::InvalidArgument, None));
    let statement = packed(&statement("select 1", None));
    let refused = (Code::InvalidArgument, Some("select 1".into()));
    assert_eq!(not_taken(Fetch::parse(&statement)), refused);
}

#[test]
fn metadata_passes_both_doors_and_uploads_bind() {
    let catalogs = packed(&CommandGetCatalogs {});
    assert_eq!(Query::parse(&catalogs).unwrap(), Query::Metadata(MetadataQuery::Catalogs));
    assert_eq!(Fetch::parse(&catalogs).unwrap(), Fetch::Metadata(MetadataQuery::Catalogs));
    assert!(Put::parse(&catalogs).is_err());
    let handle = Bytes::from_static(b"h");
    let prepared = CommandPreparedStatementQuery { prepared_statement_handle: handle.clone() };
    assert_eq!(Put::parse(&packed(&prepared)).unwrap(), Put { handle });
}

#[test]
fn what_would_write_or_could_do_anything_is_named_for_the_record_at_every_door() {
    let update = CommandStatementUpdate { query: "delete".into(), transaction_id: None };
    let prepared = CommandPreparedStatementUpdate::default();
    for (command, text) in [
        (packed(&update), "delete"),
        (packed(&prepared), "ExecuteUpdate of a prepared statement"),
        (packed(&CommandStatementIngest::default()), "ExecuteIngest"),
        (packed(&CommandStatementSubstraitPlan::default()), SUBSTRAIT_PLAN),
    ] {
        let refused = (Code::Unimplemented, Some(text.to_string()));
        assert_eq!(not_taken(Query::parse(&command)), refused);
        assert_eq!(not_taken(Put::parse(&command)), refused);
        assert_eq!(not_taken(Fetch::parse(&command)), refused);
    }
    let plan = Action::new("CreatePreparedSubstraitPlan", Bytes::new());
    assert_eq!(not_taken(Deed::parse(&plan)), (Code::Unimplemented, Some(SUBSTRAIT_PLAN.into())));
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
    assert_eq!(not_taken(Deed::parse(&begin)), (Code::Unimplemented, None));
    let unknown = Action::new("Shutdown", Bytes::new());
    assert_eq!(not_taken(Deed::parse(&unknown)), (Code::Unimplemented, None));
}

proptest! {
    #[test]
    fn any_bytes_are_survived_and_never_repeated(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Query::parse(&bytes);
        let _ = Put::parse(&bytes);
        if let Err(NotTaken::Unread(status)) = Fetch::parse(&bytes) {
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
