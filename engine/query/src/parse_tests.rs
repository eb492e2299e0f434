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
fn rules_are_told_where_they_are_changed() {
    for sql in [
        "grant select on customer to teller",
        "revoke select on customer from teller",
        "create role teller",
        "drop role teller",
        "create policy p on customer to teller using (true)",
        "drop policy p on customer",
        "explain create role teller",
    ] {
        assert!(matches!(parse(sql), Err(QueryError::RulesElsewhere)), "{sql}: {:?}", parse(sql));
    }
}

#[test]
fn what_the_planner_would_pass_over_is_refused() {
    for sql in [
        "select count(*) from t tablesample system (10)",
        "select 1 from (select a from t tablesample bernoulli (1)) as s",
        "explain select count(*) from t tablesample system (10)",
    ] {
        assert!(refused(sql).contains("tablesample is not supported"), "{sql}");
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
