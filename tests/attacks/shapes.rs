//! Statements of odd shapes: another scope, another operator, the same question.

use super::Comes::{Answered, ToEither, ToNothing, ToUnknown};
use super::attack;

/// Superset CVE-2023-40610 (a CTE reached tables that its reader might not ask), StarRocks #44445
/// (policies skipped for aliases).
#[test]
fn a_cte_or_an_alias_takes_a_tables_name() {
    attack(
        ToNothing,
        &[
            "WITH customer AS (SELECT * FROM mart.customer) SELECT * FROM customer WHERE outlet = 'o21'",
            "SELECT c.* FROM mart.customer AS c WHERE c.segment = 'private'",
            "WITH a AS (SELECT * FROM customer), b AS (SELECT * FROM a) SELECT name FROM b WHERE outlet IN ('o22', 'o31')",
        ],
    );
    attack(
        Answered,
        &[
            "WITH payroll AS (SELECT customer_id AS salary FROM customer) SELECT max(salary) FROM payroll",
            "SELECT id_number AS name, name AS id_number FROM customer",
        ],
    );
}

/// An output's name is not a way to a stored column of that name.
#[test]
fn an_alias_takes_a_hidden_columns_name() {
    attack(
        ToUnknown { forbidden: "secret", missing: "secrft" },
        &[
            "SELECT txt AS t FROM customer WHERE secret IS NOT NULL",
            "SELECT a.txt FROM customer AS a (secret, customer_id) WHERE a.secret > 'a'",
            "SELECT count(*) FROM customer GROUP BY secret",
        ],
    );
    attack(Answered, &["SELECT count(s.secret) FROM (SELECT txt AS secret FROM customer) AS s"]);
}

/// ClickHouse #112847, Databend #19274: what a subquery asks is not what the query may see.
#[test]
fn subqueries_ask_for_the_rows_of_others() {
    attack(
        ToNothing,
        &[
            "SELECT customer_id FROM customer c WHERE EXISTS (SELECT 1 FROM customer d WHERE d.outlet = 'o21' AND d.customer_id = c.customer_id)",
            "SELECT customer_id FROM customer WHERE customer_id IN (SELECT customer_id FROM customer WHERE segment = 'private')",
            "SELECT entry_id FROM entry WHERE entry_id < (SELECT min(entry_id) FROM entry)",
            "SELECT x.n FROM customer c JOIN (SELECT customer_id AS n FROM customer WHERE outlet = 'c2') AS x ON x.n = c.customer_id",
        ],
    );
    attack(
        Answered,
        &[
            "SELECT (SELECT max(big) FROM customer WHERE outlet = 'o21') IS NULL AS is_hidden",
            "SELECT count(*) FROM customer c WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.customer_id = c.customer_id)",
        ],
    );
}

/// The types of both sides meet in one column: a cast there sees what both sides see.
#[test]
fn set_operations_bring_types_together() {
    attack(
        ToNothing,
        &[
            "SELECT name FROM customer EXCEPT SELECT name FROM customer",
            "SELECT outlet FROM customer INTERSECT SELECT 'o21'",
            "SELECT code FROM outlet WHERE code LIKE 'o2%' INTERSECT SELECT outlet FROM customer",
        ],
    );
    attack(Answered, &["SELECT id_number FROM customer UNION SELECT '1'"]);
    attack(
        ToEither,
        &[
            "SELECT id_number FROM customer UNION SELECT 1",
            "SELECT balance FROM customer UNION ALL SELECT 1.5",
            "SELECT txt FROM customer UNION ALL SELECT 7",
        ],
    );
}

/// Windows number, count and lag over visible rows only.
#[test]
fn windows_look_at_the_rows_between() {
    attack(
        Answered,
        &[
            "SELECT customer_id, lag(id_number) OVER (ORDER BY customer_id) AS l, count(*) OVER () AS n FROM customer",
            "SELECT customer_id, customer_id - lag(customer_id) OVER (ORDER BY customer_id) AS gap FROM customer",
            "SELECT customer_id, row_number() OVER (PARTITION BY outlet ORDER BY customer_id) AS n, ntile(4) OVER (ORDER BY customer_id) AS q FROM customer",
            "SELECT entry_id, sum(points) OVER (ORDER BY entry_id ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING) AS s FROM entry",
            "SELECT outlet, max(c) AS m FROM (SELECT outlet, count(*) OVER (PARTITION BY outlet) AS c FROM entry) AS w GROUP BY outlet",
        ],
    );
}

/// Bisecting a masked value by a series of probes.
#[test]
fn a_series_of_numbers_probes_a_masked_column() {
    attack(
        ToEither,
        &[
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT n.i, count(*) AS c FROM n JOIN customer ON balance LIKE '%' || CAST(n.i AS text) || '%' GROUP BY n.i",
            "SELECT v.value AS i, count(*) AS c FROM generate_series(1, 9) AS v JOIN customer ON balance > CAST(v.value AS text) GROUP BY v.value",
        ],
    );
    attack(
        Answered,
        &[
            "SELECT v.i, count(*) AS c FROM (VALUES ('1'), ('5'), ('9')) AS v (i) JOIN customer ON balance > v.i GROUP BY v.i",
        ],
    );
}

/// Every aggregate that keeps values, and every way of grouping.
#[test]
fn aggregates_collect_raw_values() {
    attack(
        Answered,
        &[
            "SELECT array_agg(id_number ORDER BY customer_id) AS a, string_agg(name, ',' ORDER BY customer_id) AS s FROM customer",
            "SELECT first_value(card ORDER BY customer_id) AS f, last_value(mobile ORDER BY customer_id) AS l FROM customer",
            "SELECT DISTINCT ON (outlet) outlet, name FROM customer ORDER BY outlet, customer_id",
            "SELECT outlet, segment, count(*) AS n FROM customer GROUP BY GROUPING SETS ((outlet), (segment), ())",
            "SELECT outlet, segment, count(*) AS n, grouping(outlet) AS g FROM customer GROUP BY ROLLUP (outlet, segment)",
            "SELECT outlet, birth_date, max(id_number) AS m FROM customer GROUP BY CUBE (outlet, birth_date)",
        ],
    );
}

/// Equality of masked columns is equality of what is shown.
#[test]
fn a_self_join_matches_raw_values() {
    attack(
        Answered,
        &[
            "SELECT count(*) FROM customer a JOIN customer b ON a.id_number = b.id_number",
            "SELECT count(*) FROM customer a JOIN customer b ON a.mobile = b.phone",
            "SELECT count(*) FROM customer a JOIN customer b ON a.balance = b.credit_limit AND a.customer_id <> b.customer_id",
        ],
    );
    attack(
        ToNothing,
        &[
            "SELECT customer_id FROM customer WHERE id_number LIKE '%X' OR id_number = '110101199003070011'",
            "SELECT v.x FROM (VALUES ('13800138000'), ('110101199003070011')) AS v (x) JOIN customer ON mobile = v.x OR id_number = v.x",
        ],
    );
}

/// ClickHouse #121398, #47823: joins that look storage up by a key, around the policy.
#[test]
fn every_join_finds_visible_partners_only() {
    attack(
        Answered,
        &[
            "SELECT count(*) FROM customer c JOIN entry e ON e.customer_id = c.customer_id",
            "SELECT count(*), count(c.name) FROM entry e LEFT JOIN customer c ON e.customer_id = c.customer_id",
            "SELECT count(*), count(e.entry_id) FROM entry e FULL JOIN customer c ON e.customer_id = c.customer_id",
            "SELECT count(*) FROM entry e LEFT JOIN customer c USING (customer_id) WHERE c.customer_id IS NULL",
            "SELECT count(*) FROM product p CROSS JOIN outlet o",
            "SELECT o.code, count(c.customer_id) AS n FROM outlet o LEFT JOIN customer c ON c.outlet = o.code GROUP BY o.code",
            "SELECT count(*) FROM entry e JOIN customer c ON e.customer_id > c.customer_id AND e.product_id < 3",
        ],
    );
}
