//! Side doors: files, functions, other times, writes, settings that say who asks.

use super::Comes::{Answered, Refused, ToNothing};
use super::attack;

/// DataFusion opens files that a statement names, unless it is told not to.
#[test]
fn a_statement_names_a_file() {
    attack(
        Refused,
        &[
            "SELECT * FROM '/etc/passwd'",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM \"/etc/passwd\"",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            "COPY (SELECT * FROM customer) TO '/tmp/out.csv'",
            "COPY customer TO '/tmp/out.parquet'",
        ],
    );
}

/// PostgreSQL CVE-2019-10208: code of a user's own runs where more is seen. Views of a definer:
/// ClickHouse #113518.
#[test]
fn code_of_ones_own_runs_over_the_guard() {
    attack(
        Refused,
        &[
            "CREATE FUNCTION f(text) RETURNS text RETURN $1",
            "CREATE VIEW v AS SELECT * FROM customer",
            "CREATE MATERIALIZED VIEW v AS SELECT secret FROM customer",
            "CREATE TABLE t AS SELECT * FROM customer",
            "PREPARE p AS SELECT * FROM customer",
            "EXECUTE p",
            "DO $$ BEGIN END $$",
        ],
    );
}

/// Yesterday's rows under yesterday's rules.
#[test]
fn a_statement_asks_for_another_time() {
    attack(
        Refused,
        &[
            "SELECT * FROM customer FOR VERSION AS OF 1",
            "SELECT * FROM customer FOR SYSTEM_TIME AS OF '2026-01-01'",
            "SELECT * FROM \"customer@1\"",
            "SELECT * FROM mart.customer.history",
        ],
    );
}

/// ClickHouse #103587, #40956: rows that were replaced or deleted come back, or lend their values.
#[test]
fn deleted_rows_come_back() {
    attack(
        Answered,
        &[
            "SELECT count(*), sum(big), max(customer_id) FROM customer",
            "SELECT count(*), sum(points), count(DISTINCT entry_id) FROM entry",
            "SELECT kind, count(*) AS n FROM entry GROUP BY kind",
        ],
    );
    attack(
        ToNothing,
        &[
            "SELECT customer_id FROM customer GROUP BY customer_id HAVING count(*) > 1",
            "SELECT * FROM vault WHERE owner <> 'ulla'",
            "SELECT * FROM limbo",
        ],
    );
}

/// Superset CVE-2026-23984: whether a statement only reads was judged by its words.
#[test]
fn a_write_hides_in_a_statement() {
    attack(
        Refused,
        &[
            "SELECT 1; DROP TABLE customer",
            "WITH d AS (DELETE FROM customer RETURNING *) SELECT * FROM d",
            "/* a query */ DELETE FROM customer",
            "SELECT * INTO t FROM customer",
            "INSERT INTO outlet VALUES ('o11', 1, 'x')",
            "INSERT INTO outlet SELECT code, seats, phone FROM outlet RETURNING phone",
            "UPDATE customer SET outlet = 'o11' WHERE secret LIKE 'a%'",
            "MERGE INTO outlet o USING outlet p ON o.code = p.code WHEN MATCHED THEN DELETE",
            "TRUNCATE customer",
            "EXPLAIN ANALYZE DELETE FROM customer",
        ],
    );
    attack(Answered, &["/*+ no_policy */ SELECT count(*) FROM customer -- ; DROP TABLE customer"]);
}

/// PostgreSQL CVE-2024-10978, tenants told by a setting: who asks is said by the one who asks.
#[test]
fn a_setting_says_who_asks() {
    attack(
        Refused,
        &[
            "SET ROLE auditor",
            "SET SESSION AUTHORIZATION 'otto'",
            "SET martlet.node = 'root'",
            "SET search_path = system",
            "SET TIME ZONE 'Asia/Shanghai'",
            "GRANT SELECT ON payroll TO ulla",
            "ALTER USER ulla SET node = 'root'",
            "SELECT set_config('martlet.node', 'root', false)",
        ],
    );
}
