use super::*;

fn refused(sql: &str) -> String {
    parse(sql).expect_err("must be refused").to_string()
}

#[test]
fn one_query_is_accepted() {
    for sql in [
        "select 1",
        "with a as (select 1) select * from a",
        "values (1)",
        "show tables",
        "select 1;",
    ] {
        assert_eq!(parse(sql).unwrap().verb, Verb::Query, "{sql}");
    }
    assert_eq!(parse("explain select 1").unwrap().verb, Verb::Explain);
    assert_eq!(parse("explain analyze select 1").unwrap().verb, Verb::Explain);
}

#[test]
fn everything_that_writes_or_sets_is_refused() {
    for sql in [
        "insert into t values (1)",
        "update t set a = 1",
        "delete from t",
        "create table t (a int)",
        "create view v as select 1",
        "create external table t stored as csv location '/etc/passwd'",
        "copy (select 1) to '/tmp/x'",
        "drop table t",
        "set datafusion.execution.batch_size = 1",
        "reset datafusion.execution.batch_size",
        "create function f() returns int return 1",
        "begin",
        "prepare p as select 1",
        "explain insert into t values (1)",
        "show all",
        "truncate table t",
    ] {
        assert!(
            matches!(parse(sql), Err(QueryError::NotAQuery { .. } | QueryError::Syntax { .. })),
            "{sql} was accepted"
        );
    }
}

#[test]
fn more_than_one_statement_is_refused() {
    assert!(refused("select 1; select 2").contains("2 statements"));
    assert!(refused("  ").contains("empty"));
    assert!(refused("select 1; drop table t").contains("2 statements"));
}

#[test]
fn question_marks_are_numbered_in_the_order_of_the_text() {
    let parsed = parse("select ? + 1 where '?' = ? and a = ?").unwrap();
    assert_eq!(parsed.statement.to_string(), "SELECT $1 + 1 WHERE '?' = $2 AND a = $3");
}

#[test]
fn mixed_parameter_spellings_are_refused() {
    assert!(refused("select ?, $2").contains("mixes"));
}
