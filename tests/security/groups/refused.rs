//! Statements that are no statistics of groups, or could fail on a single row: refused whole.

use martlet_query::AccessPath;

use super::bank::{ask, bank, engine};

const REFUSED: [&str; 111] = [
    // Rows of single persons.
    "SELECT * FROM customer",
    "SELECT segment FROM customer",
    "SELECT 1 FROM customer",
    "SELECT DISTINCT segment FROM customer",
    "SELECT DISTINCT ON (outlet) outlet, balance FROM customer ORDER BY outlet, balance",
    "SELECT segment FROM customer ORDER BY balance LIMIT 1",
    "SELECT row_number() OVER () FROM customer",
    "SELECT sum(balance) OVER (PARTITION BY segment) FROM customer",
    "SELECT count(*) OVER () FROM customer",
    "SELECT s FROM (SELECT segment AS s FROM customer) x",
    "WITH c AS (SELECT * FROM customer) SELECT balance FROM c",
    // Aggregates of single persons' values.
    "SELECT min(balance) FROM customer",
    "SELECT segment, max(born) FROM customer GROUP BY segment",
    "SELECT median(balance) FROM customer",
    "SELECT approx_median(score) FROM customer",
    "SELECT array_agg(balance) FROM customer",
    "SELECT string_agg(segment, ',') FROM customer",
    "SELECT first_value(balance) FROM customer",
    "SELECT nth_value(balance, 3) FROM customer",
    "SELECT stddev(score) FROM customer",
    "SELECT var_pop(score) FROM customer",
    "SELECT corr(score, balance) FROM customer",
    "SELECT bit_xor(score) FROM customer",
    "SELECT bool_or(score > 5) FROM customer",
    "SELECT approx_distinct(balance) FROM customer",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY score) FROM customer",
    "SELECT approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY score) FROM customer",
    "SELECT sum(DISTINCT balance) FROM customer",
    "SELECT avg(DISTINCT score) FROM customer",
    "SELECT outlet FROM customer GROUP BY outlet HAVING max(balance) > 5000",
    "SELECT outlet FROM customer GROUP BY outlet ORDER BY min(balance)",
    // Groups within a group.
    "SELECT count(*) FILTER (WHERE score = 1) FROM customer",
    "SELECT sum(balance) FILTER (WHERE segment = 'private') FROM customer",
    "SELECT sum(CASE WHEN segment = 'private' THEN balance END) FROM customer",
    "SELECT count(CASE WHEN segment = 'private' THEN 1 END) FROM customer",
    "SELECT count(nullif(segment, 'mass')) FROM customer",
    "SELECT sum(balance * score) FROM customer",
    "SELECT sum(score + 0) FROM customer",
    "SELECT avg(CAST(score AS DOUBLE)) FROM customer",
    "SELECT sum(w) FROM (SELECT CASE WHEN born = DATE '1963-02-15' THEN balance ELSE 0 END AS w FROM customer) x",
    "SELECT count(w) FROM (SELECT CASE WHEN outlet = 'd' THEN 1 END AS w FROM customer) x",
    "SELECT count(DISTINCT outlet) FROM customer",
    "SELECT segment, count(DISTINCT score) FROM customer GROUP BY segment",
    "SELECT count(DISTINCT segment, gender) FROM customer",
    "SELECT count(DISTINCT CASE WHEN outlet = 'd' THEN balance END) FROM customer",
    // The column of persons.
    "SELECT customer_id, count(*) FROM customer GROUP BY customer_id",
    "SELECT count(*) FROM customer GROUP BY customer_id % 2",
    "SELECT count(*) FROM customer WHERE customer_id <> 5",
    "SELECT count(*) FROM customer WHERE customer_id IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)",
    "SELECT count(*) FROM customer WHERE NOT (customer_id = 5 AND balance > 1000)",
    "SELECT count(*) FROM (SELECT customer_id AS x, segment FROM customer) t WHERE x > 5",
    "SELECT x, count(*) FROM (SELECT customer_id AS x FROM customer) t GROUP BY x",
    "SELECT y, count(*) FROM (SELECT customer_id > 5 AS y FROM customer) t GROUP BY y",
    "WITH c AS (SELECT customer_id AS i FROM customer) SELECT count(*) FROM c WHERE i = 7",
    "SELECT sum(customer_id) FROM customer",
    "SELECT count(*) FROM customer GROUP BY ROLLUP (outlet, customer_id)",
    // Some of the rows.
    "SELECT count(*) FROM (SELECT * FROM customer LIMIT 50) x",
    "SELECT sum(balance) FROM (SELECT balance FROM customer ORDER BY balance DESC LIMIT 11) x",
    "SELECT count(*) FROM (SELECT * FROM customer ORDER BY born OFFSET 1) x",
    "SELECT count(*) FROM (SELECT DISTINCT segment, born FROM customer) x",
    "SELECT count(*) FROM (SELECT segment, rank() OVER (ORDER BY balance) AS r FROM customer) x WHERE r > 1",
    "SELECT count(*) FROM customer WHERE random() < 0.5",
    // Read twice, beside others, or by another plan.
    "SELECT count(*) FROM customer a JOIN customer b ON a.born = b.born",
    "SELECT count(*) FROM customer c JOIN outlet o ON o.name = c.outlet",
    "SELECT count(*) FROM customer c JOIN outlet o ON o.code < c.outlet",
    "SELECT count(*) FROM customer c JOIN outlet o ON o.code = c.outlet OR o.code = c.segment",
    "SELECT count(*) FROM customer c JOIN outlet o ON upper(o.code) = c.outlet",
    "SELECT count(*) FROM customer c JOIN outlet o ON o.code = concat(c.outlet, '')",
    "SELECT count(*) FROM customer c RIGHT JOIN outlet o ON o.code = c.outlet",
    "SELECT count(*) FROM customer c FULL JOIN outlet o ON o.code = c.outlet",
    "SELECT count(*) FROM customer c LEFT SEMI JOIN outlet o ON o.code = c.outlet",
    "SELECT count(*) FROM customer c, outlet o WHERE o.code = c.outlet",
    "SELECT count(*) FROM customer c JOIN (SELECT code FROM outlet LIMIT 2) o ON o.code = c.outlet",
    "SELECT c.balance, o.name FROM customer c JOIN outlet o ON o.code = c.outlet",
    "SELECT count(*) FROM customer c JOIN outlet o ON o.code = c.outlet AND c.customer_id = 5",
    "SELECT count(o.name) FROM customer c JOIN outlet o ON o.code = c.outlet",
    "SELECT count(*) FROM customer c JOIN outlet o ON o.code = c.outlet AND 1 / c.score > 0",
    "SELECT x, count(*) FROM customer c JOIN (VALUES (1), (2)) v(x) ON c.score <> v.x GROUP BY x",
    "SELECT count(*) FROM customer, (VALUES (1), (2)) v(x)",
    "SELECT count(*) FROM customer c JOIN account a ON a.customer_id = c.customer_id",
    "SELECT count(*) FROM customer UNION ALL SELECT count(*) FROM customer WHERE outlet <> 'd'",
    "SELECT count(*) FROM (SELECT outlet FROM customer UNION ALL SELECT code FROM outlet) x",
    "SELECT (SELECT count(*) FROM customer)",
    "SELECT name FROM outlet o WHERE EXISTS (SELECT 1 FROM customer c WHERE c.outlet = o.code)",
    "SELECT name FROM outlet WHERE code IN (SELECT outlet FROM customer)",
    "SELECT name FROM outlet o WHERE (SELECT count(*) FROM customer c WHERE c.outlet = o.code) > 5",
    "SELECT count(*) FROM customer WHERE outlet IN (SELECT code FROM outlet)",
    "SELECT count(*) FROM customer GROUP BY outlet HAVING outlet IN (SELECT code FROM outlet)",
    "SELECT o.name, x.n FROM outlet o, LATERAL (SELECT count(*) AS n FROM customer c WHERE c.outlet = o.code) x",
    "WITH g AS (SELECT outlet, count(*) AS n FROM customer GROUP BY outlet) SELECT * FROM g a JOIN g b ON a.n = b.n",
    "WITH RECURSIVE r AS (SELECT count(*) AS n FROM customer UNION ALL SELECT n - 1 FROM r WHERE n > 190) \
     SELECT n FROM r",
    "SELECT count(*) FROM customer WHERE outlet = (SELECT min(code) FROM outlet)",
    "SELECT count(*), (SELECT max(name) FROM outlet) FROM customer",
    "SELECT outlet, count(*) FROM customer GROUP BY outlet ORDER BY (SELECT max(name) FROM outlet)",
    "SELECT outlet FROM customer INTERSECT SELECT code FROM outlet",
    "SELECT code FROM outlet EXCEPT SELECT outlet FROM customer",
    "VALUES ((SELECT count(*) FROM customer))",
    // What may fail on a row, where what is told would tell of it.
    "SELECT count(*) FROM customer WHERE 1 / (score - 3) > 0",
    "SELECT count(*) FROM customer WHERE CASE WHEN balance > 5000 THEN 1 / 0 ELSE 1 END = 1",
    "SELECT count(*) FROM customer WHERE CAST(segment AS INT) = 1",
    "SELECT count(*) FROM customer GROUP BY 10 / score",
    "SELECT count(*) FROM customer WHERE balance * balance > 5",
    "SELECT count(*) FROM customer GROUP BY CASE WHEN balance > 5000 THEN date_part('century', born) END",
    "SELECT count(*) FROM customer WHERE outlet = 'nowhere' AND date_part('nonsense', born) = 1",
    "SELECT count(*) FROM customer WHERE outlet = 'a' AND date_part('nonsense', born) = 1",
    // Nanoseconds end in 2262, dates do not.
    "SELECT date_trunc('month', born), count(*) FROM customer GROUP BY 1",
    "SELECT count(*) FROM customer WHERE regexp_like(segment, '^p.*[a-z]{2}')",
    // A name that means a column of either side: joined by nothing, rows would count several times.
    "SELECT sum(outlet.balance) FROM (SELECT outlet AS code, born, balance FROM customer) outlet JOIN mart.outlet ON outlet.code = outlet.code AND (mart.outlet.name = 'Futian' OR outlet.born = DATE '1963-02-15')",
    // Something that may fail, under the name of what tells a grouping.
    "SELECT count(*) FROM (SELECT 1 / (t.__grouping_id - 7) AS k FROM (SELECT score AS __grouping_id FROM customer WHERE outlet = 'd') t) u GROUP BY k",
    "SELECT count(*) FROM (SELECT 1 / (__grouping_id - 7) AS k FROM (SELECT score AS __grouping_id FROM customer)) GROUP BY k",
    "SELECT k, count(*) FROM (SELECT 1 / CASE WHEN t.__grouping_id > 5 THEN 0 ELSE 1 END AS k FROM (SELECT score AS __grouping_id FROM customer) t) u GROUP BY ROLLUP (k)",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_but_statistics_of_groups_is_answered() {
    let mart = bank().await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    for sql in REFUSED {
        for user in ["stan", "both"] {
            let refused = ask(&engine, user, sql).await.err();
            let refused = refused.unwrap_or_else(|| panic!("{user}: {sql} was answered"));
            let text = refused.to_string();
            assert!(text.contains("in groups of enough persons only"), "{user}: {sql}: {text}");
        }
    }
    for sql in REFUSED {
        assert!(ask(&engine, "carl", sql).await.is_err(), "{sql} was answered");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_constant_that_cannot_be_computed_does_not_wait_for_a_row() {
    let mart = bank().await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    for constant in ["'no day'", "CAST('no day' AS DATE)", "to_date('no day')"] {
        // The same refusal whether the customer is there or not.
        let mut told = Vec::new();
        for outlet in ["a", "nowhere"] {
            let sql = format!(
                "SELECT count(*) FROM customer WHERE outlet = '{outlet}' AND born = {constant}"
            );
            told.push(ask(&engine, "stan", &sql).await.map_err(|error| error.to_string()));
        }
        assert!(told[0].is_err(), "{constant}: {told:?}");
        assert_eq!(told[0], told[1], "{constant}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_without_a_minimum_are_read_as_ever() {
    let mart = bank().await;
    let engine = engine(&mart, AccessPath::ByCost).await;
    assert_eq!(
        ask(&engine, "stan", "SELECT * FROM outlet WHERE code = 'a'").await.unwrap(),
        ["a|Futian"]
    );
    assert_eq!(
        ask(&engine, "pia", "SELECT max(balance) FROM customer").await.unwrap(),
        ["10000000.50"]
    );
    let described = ask(&engine, "stan", "DESCRIBE customer").await.unwrap();
    assert_eq!(described.len(), 7, "names and types are told");
}
