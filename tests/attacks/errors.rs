//! Errors, time and memory as a way to ask of hidden rows.

use super::Comes::{Answered, Refused, ToEither};
use super::attack;

/// Materialize #38561: a cast in a condition failed on another tenant's row and said its value.
#[test]
fn a_cast_fails_on_a_hidden_row() {
    attack(
        Answered,
        &[
            "SELECT count(*) FROM customer WHERE CAST(txt AS int) >= 0 OR txt IS NULL",
            "SELECT count(CAST(txt AS int)) FROM entry",
            "SELECT CAST(txt AS int) AS v, count(*) AS n FROM customer GROUP BY v",
            "SELECT count(*) FROM customer WHERE CAST(memo AS int) = 12",
        ],
    );
    attack(
        ToEither,
        &["SELECT CAST(name AS int) FROM customer", "SELECT CAST(card AS bigint) FROM customer"],
    );
}

/// ClickHouse #112847: a function that fails on purpose, set beside a guess.
#[test]
fn a_division_fails_on_a_hidden_row() {
    attack(
        Answered,
        &[
            "SELECT count(*) FROM customer WHERE 100 / z <> 0 OR z IS NULL",
            "SELECT count(1 / z) FROM entry",
            "SELECT sum(CASE WHEN outlet = 'o21' THEN 1 / (z - z) ELSE 0 END) AS s FROM customer",
            "SELECT count(*) FROM customer WHERE regexp_like(txt, '^[0-9]*$') AND CAST(txt AS int) > 3",
        ],
    );
}

/// A condition on a masked column decides whether something fails.
#[test]
fn a_failure_depends_on_a_masked_value() {
    attack(
        ToEither,
        &[
            "SELECT CASE WHEN balance = '>1M' THEN 1 / (z - z) END FROM customer",
            "SELECT count(*) FROM customer WHERE CASE WHEN birth_date < 1980 THEN 1 / (z - z) ELSE 1 END = 1",
            "SELECT 1 / (birth_date - birth_date) FROM customer",
        ],
    );
}

/// The same in a join's key, an order, a frame: places where rows meet before they are shown.
#[test]
fn a_failure_hides_in_a_key_or_an_order() {
    attack(
        Answered,
        &[
            "SELECT count(*) FROM customer a JOIN entry b ON CAST(a.txt AS bigint) = b.customer_id",
            "SELECT customer_id FROM customer WHERE txt IS NOT NULL ORDER BY CAST(txt AS int), customer_id LIMIT 3",
            "SELECT customer_id, sum(100 / z) OVER (ORDER BY customer_id) AS s FROM customer",
            "SELECT max(100 / z) AS m FROM entry GROUP BY outlet HAVING max(100 / z) IS NOT NULL",
        ],
    );
}

/// Memory and patterns that take long, as far as hidden rows would make them so.
#[test]
fn length_and_patterns_are_of_visible_values() {
    attack(
        Answered,
        &[
            "SELECT max(length(repeat('x', abs(z)))) AS l FROM customer",
            "SELECT count(*) FROM customer WHERE txt ~ '^(([0-9])+)+$'",
            "SELECT max(length(memo)) AS l, max(octet_length(address)) AS o FROM customer",
        ],
    );
}

/// Databend #19875, Elasticsearch CVE-2020-7020: a bound found in some rows is pushed below the
/// policy and met by others.
#[test]
fn bounds_of_the_first_rows_go_below_the_guard() {
    attack(
        Answered,
        &[
            "SELECT balance, customer_id FROM customer ORDER BY balance, customer_id LIMIT 1",
            "SELECT big FROM customer ORDER BY big DESC LIMIT 1",
            "SELECT e.entry_id FROM entry e JOIN customer c ON c.customer_id = e.customer_id WHERE c.segment = 'mass' ORDER BY e.entry_id LIMIT 4",
            "SELECT max(amount) AS m FROM entry",
        ],
    );
}

/// Settings that reorder conditions, or switch a rule off, are nobody's to set.
#[test]
fn a_setting_reorders_conditions() {
    attack(
        Refused,
        &[
            "SET datafusion.execution.parquet.reorder_filters = true",
            "SET datafusion.execution.parquet.pushdown_filters = true",
            "SET datafusion.optimizer.max_passes = 0",
            "RESET datafusion.execution.batch_size",
        ],
    );
}

/// DataFusion's own check of a plan says the plan when it fails: which rows a rule leaves, which indexes
/// there are. It fails here, for a constant on one side of a union that is a column on the other.
#[test]
fn a_plan_that_cannot_be_run_is_told() {
    attack(
        ToEither,
        &[
            "SELECT 'a' AS k, outlet AS i, z = 1 AS n FROM customer UNION ALL SELECT segment AS k, segment AS i, true AS n FROM customer ORDER BY 2 NULLS FIRST, 1, 3 DESC",
            "SELECT 1.5 AS c1, score AS c2, z = 1 AS c3 FROM customer UNION ALL SELECT fee AS c1, fee AS c2, true AS c3 FROM entry ORDER BY 2 NULLS FIRST, 1, 3 DESC",
        ],
    );
}
