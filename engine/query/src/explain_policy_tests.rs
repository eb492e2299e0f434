//! Which texts are a question about rules.

use super::*;

fn is(sql: &str, principal: &str, table: Option<&str>) {
    let question = Question { principal: principal.into(), table: table.map(str::to_owned) };
    assert_eq!(asked(sql).unwrap(), Some(question), "{sql}");
}

#[test]
fn a_name_and_a_table_may_be_quoted() {
    is("EXPLAIN POLICY FOR kim", "kim", None);
    is("explain policy for 'kim.lee@bank' on customer;", "kim.lee@bank", Some("customer"));
    is("Explain Policy For \"Kim\" On mart.Customer", "Kim", Some("mart.customer"));
    is("explain policy for kim on system.audit_record", "kim", Some("system.audit_record"));
}

#[test]
fn other_statements_are_others() {
    for sql in
        ["explain select 1", "select policy from t", "explain", "explain verbose select 1", "'"]
    {
        assert_eq!(asked(sql).unwrap(), None, "{sql}");
    }
}

#[test]
fn what_only_begins_so_is_refused() {
    for sql in [
        "explain policy",
        "explain policy for",
        "explain policy on customer",
        "explain policy for kim on",
        "explain policy for kim, lee",
        "explain policy for kim; select 1",
    ] {
        assert!(matches!(asked(sql), Err(QueryError::Syntax { .. })), "{sql}");
    }
}
