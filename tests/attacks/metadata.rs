//! Names, plans, statistics and counts: what is known about rows without reading them.

use super::Comes::{Answered, Refused, ToNames, ToNoPlan, ToUnknown};
use super::{ask_as_somebody_else, attack};

/// PostgreSQL CVE-2017-7484 and its two successors, ClickHouse #98669: catalogs list what is not
/// granted, and views tell how rules are written.
#[test]
fn catalogs_list_what_is_granted() {
    attack(
        ToNames,
        &[
            "SELECT table_schema, table_name, table_type FROM information_schema.tables",
            "SELECT table_name, column_name, data_type FROM information_schema.columns",
            "DESCRIBE customer",
            "SHOW TABLES",
        ],
    );
    attack(
        Refused,
        &[
            "SELECT * FROM information_schema.df_settings",
            "SELECT * FROM pg_catalog.pg_stats",
            "SELECT * FROM information_schema.routines",
            "SHOW ALL",
            "SHOW datafusion.execution.batch_size",
            "SHOW FUNCTIONS",
        ],
    );
}

/// ClickHouse #108464: an error tells a table that is forbidden from one that there is not.
#[test]
fn what_is_forbidden_looks_like_what_there_is_not() {
    attack(
        ToUnknown { forbidden: "payroll", missing: "pbyroll" },
        &[
            "SELECT * FROM payroll",
            "DESCRIBE payroll",
            "SHOW COLUMNS FROM payroll",
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM mart.payroll)",
            "SELECT count(*) FROM customer c LEFT JOIN payroll p ON p.salary = c.customer_id",
            "EXPLAIN SELECT * FROM payroll",
            "DROP TABLE payroll",
        ],
    );
    attack(
        ToUnknown { forbidden: "shade", missing: "shbde" },
        &["SELECT shade FROM customer", "SELECT customer.shade FROM customer ORDER BY 1"],
    );
    attack(
        ToUnknown { forbidden: "system.audit_record", missing: "system.audit_recorx" },
        &["SELECT count(*) FROM system.audit_record"],
    );
}

/// BigQuery's warning about plan stages, Databend #18623: a plan tells how many rows there are.
#[test]
fn plans_tell_of_hidden_rows() {
    attack(
        ToNoPlan,
        &[
            "EXPLAIN SELECT * FROM customer WHERE outlet = 'o21'",
            "EXPLAIN ANALYZE SELECT count(*) FROM customer WHERE outlet = 'o21'",
            "EXPLAIN VERBOSE SELECT max(big) FROM customer",
            "EXPLAIN SELECT 1 FROM product p JOIN entry e ON e.product_id = p.product_id",
        ],
    );
}

/// ClickHouse #37454, #39660: counts and extremes are taken from metadata of all rows. DuckDB
/// #24842: `stats(column)` tells the hidden maximum.
#[test]
fn counts_and_extremes_come_from_statistics() {
    attack(
        Answered,
        &[
            "SELECT count(*) FROM customer",
            "SELECT count(*), count(txt), min(big), max(big), min(opened), max(since) FROM customer",
            "SELECT min(entry_id), max(entry_id), max(booked_at), min(amount) FROM entry",
            "SELECT max(balance), min(birth_date), max(id_number) FROM customer",
            "SELECT count(DISTINCT outlet), approx_distinct(kind) FROM entry",
            "SELECT outlet, count(*) AS n FROM entry GROUP BY outlet ORDER BY n DESC, outlet LIMIT 2",
        ],
    );
    attack(
        Refused,
        &[
            "SELECT stats(big) FROM customer",
            "SELECT * FROM parquet_metadata('customer')",
            "SELECT * FROM mergeTreeIndex('mart', 'customer')",
        ],
    );
}

/// ClickHouse #102921: LIMIT takes its rows before the policy has looked at them.
#[test]
fn a_limit_takes_rows_before_the_rules() {
    attack(
        Answered,
        &[
            "SELECT count(*) FROM (SELECT 1 AS one FROM customer LIMIT 1000000) AS l",
            "SELECT customer_id FROM customer ORDER BY customer_id LIMIT 1",
            "SELECT entry_id FROM entry ORDER BY entry_id LIMIT 2 OFFSET 3",
            "SELECT count(*) FROM (SELECT entry_id FROM entry LIMIT 3) AS l",
        ],
    );
    attack(Refused, &["SELECT count(*) FROM customer TABLESAMPLE SYSTEM (100)"]);
}

/// ClickHouse CVE-2024-22412 (a result cache shared across roles), #120178 (a predicate cache
/// poisoned by another's policy), Elasticsearch CVE-2020-7019, PostgreSQL CVE-2024-10976: what
/// somebody else asked is answered to the reader.
#[test]
fn the_same_words_were_asked_by_somebody_else() {
    let statements = [
        "SELECT count(*), max(big) FROM customer",
        "SELECT customer_id FROM customer WHERE outlet = 'o21'",
        "SELECT outlet, count(*) AS n FROM entry GROUP BY outlet",
        "SELECT name FROM customer ORDER BY customer_id LIMIT 3",
    ];
    ask_as_somebody_else(&statements);
    attack(Answered, &[statements[0], statements[2], statements[3]]);
    ask_as_somebody_else(&statements);
    attack(super::Comes::ToNothing, &[statements[1]]);
}
