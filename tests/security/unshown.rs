//! Columns for conditions only: what may be asked with them, and every way of showing them that is
//! refused.

use crate::support::mart::Server;
use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "unshown"
[[table]]
name = "customer"
mode = "replace"
primary_key = ["customer_id"]
  [[table.column]]
  name = "customer_id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.column]]
  name = "income"
  type = "int64"
  class = "income"
  [[table.column]]
  name = "id_number"
  type = "text"
  class = "id_number"
  [[table.source]]
  files = ["customer.csv"]
[[table]]
name = "loan"
mode = "replace"
  [[table.column]]
  name = "borrower"
  type = "text"
  class = "id_number"
  [[table.column]]
  name = "amount"
  type = "int64"
  class = "open"
  [[table.source]]
  files = ["loan.csv"]
"#;

fn bundle() -> Bundle {
    Bundle::default()
        .file("bundle.toml", "name = \"unshown\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\n")
        .file(
            "classes.toml",
            "[[class]]\nname = \"open\"\nmask = \"redact\"\n\
             [[class]]\nname = \"income\"\nmask = \"redact\"\n\
             [[class]]\nname = \"id_number\"\nmask = \"id_number\"\n",
        )
        .file(
            "roles.toml",
            "[[role]]\nname = \"marketing\"\ntables = [\"customer\", \"loan\"]\n[role.classes]\n\
             open = \"clear\"\nincome = \"filter\"\nid_number = \"filter\"\n",
        )
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"marketing\"]\n\
             tables = [\"customer\", \"loan\"]\nall = true\n",
        )
        .principal("may", "marketing", "root")
}

/// Twenty customers with incomes of 1000 to 20000 and ID numbers; every second one has a loan.
async fn server() -> (TestMart, Server) {
    let mart = TestMart::new();
    let id_number = |id: u64| format!("11010119900101{id:04}");
    let customer = |id: u64| format!("{id},{},{},{}\n", id % 2, id * 1_000, id_number(id));
    let loan = |id: u64| format!("{},{}\n", id_number(id * 2), id * 10);
    let customers: String = (1..=20).map(customer).collect();
    let loans: String = (1..=10).map(loan).collect();
    mart.write("load.toml", LOAD)
        .write("customer.csv", format!("customer_id,outlet,income,id_number\n{customers}"))
        .write("loan.csv", format!("borrower,amount\n{loans}"));
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle()).await;
    let server = mart.serve().await;
    (mart, server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_and_joins_speak_of_them() {
    let (_mart, server) = server().await;
    let mut may = Client::sign_in(server.address, "may").await;
    for (sql, number) in [
        ("SELECT count(*) FROM customer WHERE income > 15000", 5),
        ("SELECT count(*) FROM customer WHERE income BETWEEN 1000 AND 3000 OR outlet = '0'", 12),
        ("SELECT count(*) FROM customer WHERE NOT income * 2 > 30000 AND income IS NOT NULL", 15),
        ("SELECT sum(l.amount) FROM loan l JOIN customer c ON l.borrower = c.id_number", 550),
        (
            "SELECT sum(l.amount) FROM loan l, customer c WHERE l.borrower = c.id_number AND c.income > 10000",
            400,
        ),
        ("SELECT count(*) FROM customer WHERE id_number IN (SELECT borrower FROM loan)", 10),
        (
            "SELECT count(*) FROM customer c WHERE EXISTS (SELECT 1 FROM loan l WHERE l.borrower = c.id_number)",
            10,
        ),
        (
            "SELECT count(*) FROM customer WHERE customer_id IN (SELECT customer_id FROM customer WHERE income > 15000)",
            5,
        ),
        (
            "WITH rich AS (SELECT customer_id, income AS i FROM customer) SELECT count(*) FROM rich WHERE i > 15000",
            5,
        ),
        (
            "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY customer_id) AS n FROM customer WHERE income > 15000)",
            5,
        ),
        (
            "SELECT count(*) FROM (SELECT outlet FROM customer WHERE income > 15000 UNION SELECT 'x')",
            3,
        ),
        (
            "SELECT count(*) FROM customer WHERE id_number IN (SELECT DISTINCT borrower FROM loan)",
            10,
        ),
        (
            "SELECT count(*) FROM customer WHERE (income > 15000 OR outlet = '0') AND (income > 3000 AND outlet = '1')",
            2,
        ),
        (
            "SELECT count(*) FROM customer WHERE (income > 15000 OR outlet = '0') AND (income < 3000 OR income > 5000) AND random() >= 0",
            11,
        ),
        ("SELECT count(*) FROM customer WHERE income > 15000 OR id_number LIKE '%0001'", 6),
        (
            "SELECT count(*) FROM customer c WHERE EXISTS (SELECT 1 FROM customer d WHERE d.customer_id = c.customer_id AND d.income > 15000)",
            5,
        ),
        (
            "SELECT count(*) FROM customer WHERE customer_id IN (SELECT customer_id FROM customer WHERE income > 5000) AND customer_id IN (SELECT customer_id FROM customer WHERE income < 9000)",
            3,
        ),
        (
            "SELECT count(*) FROM (SELECT customer_id FROM customer WHERE income > 15000) r LEFT JOIN customer c ON c.customer_id = r.customer_id",
            5,
        ),
        (
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT r.n + 1 FROM r JOIN customer c ON c.customer_id = r.n WHERE c.income < 5000) SELECT max(n) FROM r",
            5,
        ),
    ] {
        assert_eq!(may.number(sql).await, number, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_way_of_showing_them_is_answered() {
    let (_mart, server) = server().await;
    let mut may = Client::sign_in(server.address, "may").await;
    let mut wrong = Vec::new();
    for sql in [
        "SELECT income FROM customer",
        "SELECT * FROM customer",
        "SELECT c.* FROM customer c WHERE c.income > 5",
        "SELECT income * 2 + 1 AS harmless FROM customer",
        "SELECT CASE WHEN income > 5000 THEN 1 ELSE 0 END FROM customer",
        "SELECT income > 5000 FROM customer",
        "SELECT max(income) FROM customer",
        "SELECT count(income) FROM customer",
        "SELECT count(DISTINCT income) FROM customer",
        "SELECT count(*) FILTER (WHERE income > 5) FROM customer",
        "SELECT array_agg(outlet ORDER BY income) FROM customer",
        "SELECT count(*) FROM customer GROUP BY income",
        "SELECT count(*) FROM customer GROUP BY ROLLUP (outlet, income)",
        "SELECT count(*) FROM (SELECT DISTINCT income FROM customer)",
        "SELECT 1 FROM (SELECT DISTINCT income FROM customer)",
        "SELECT 1 FROM customer GROUP BY income",
        "SELECT count(*) FROM (SELECT income FROM customer UNION SELECT 1)",
        "SELECT count(*) OVER () FROM (SELECT income FROM customer GROUP BY income)",
        "SELECT d.outlet FROM customer d, (SELECT DISTINCT income FROM customer) e",
        "SELECT outlet FROM customer ORDER BY income",
        "SELECT outlet FROM (SELECT outlet FROM customer ORDER BY income LIMIT 1)",
        "SELECT rank() OVER (ORDER BY income) FROM customer",
        "SELECT lag(customer_id) OVER (ORDER BY income) FROM customer",
        "SELECT i FROM (SELECT income AS i, outlet AS income FROM customer)",
        "WITH c AS (SELECT income AS i FROM customer) SELECT i FROM c",
        "SELECT income FROM customer UNION ALL SELECT 1",
        "SELECT 1 UNION SELECT income FROM customer",
        "SELECT income FROM customer INTERSECT SELECT 5000",
        "SELECT (SELECT max(income) FROM customer)",
        "SELECT outlet, (SELECT max(c.income) FROM customer c WHERE c.outlet = d.outlet) FROM customer d",
        "SELECT EXISTS (SELECT 1 FROM customer WHERE income > 5000)",
        "SELECT customer_id IN (SELECT customer_id FROM customer WHERE income > 5000) FROM customer",
        "SELECT g.x FROM customer c JOIN (VALUES (1000), (2000)) g(x) ON c.income = g.x",
        "SELECT g.x FROM customer c, (VALUES (1000), (2000)) g(x) WHERE c.income = g.x",
        "SELECT g.x FROM (VALUES (1000), (2000)) g(x) WHERE g.x IN (SELECT income FROM customer)",
        "SELECT g.x FROM (VALUES (1000)) g(x) WHERE EXISTS (SELECT 1 FROM customer c WHERE c.income = g.x)",
        "SELECT g.x FROM (VALUES (1000)) g(x), LATERAL (SELECT 1 FROM customer c WHERE c.income > g.x) l",
        "SELECT customer_id FROM customer WHERE income > customer_id",
        "SELECT customer_id FROM customer WHERE income = customer_id * 1000",
        "SELECT c.customer_id FROM customer c JOIN customer d ON c.income < d.customer_id",
        "SELECT l.borrower FROM loan l JOIN customer c ON l.borrower = c.id_number",
        "SELECT * FROM loan JOIN customer ON borrower = id_number",
        // Read off a column beside it, by way of a difference, a twin, a missing partner or an OR.
        "SELECT customer_id, x FROM (SELECT c.customer_id, g.x, c.income - g.x AS d FROM customer c CROSS JOIN (VALUES (1000), (2000)) g(x)) t WHERE d = 0",
        "SELECT customer_id FROM (SELECT customer_id, income - customer_id * 1000 AS d FROM customer) t WHERE d = 0",
        "SELECT c.customer_id, t.x FROM customer c JOIN (SELECT x, x AS y FROM (VALUES (1000), (2000)) g(x) UNION ALL SELECT 0, income FROM customer WHERE false) t ON c.income = t.y",
        "SELECT c.customer_id, a.v FROM customer c LEFT JOIN (VALUES (1)) a(v) ON c.income & 1 <> 0",
        "SELECT a.customer_id, b.amount FROM customer a LEFT JOIN loan b ON a.id_number = b.borrower",
        "SELECT c.customer_id, b.v FROM customer c JOIN (VALUES (1), (2)) b(v) ON (b.v = 1 AND c.income & 1 <> 0) OR (b.v = 2 AND c.income & 2 <> 0)",
        "SELECT c.customer_id, b.v FROM customer c JOIN (VALUES (1), (2)) b(v) ON NOT (b.v = 1 AND c.income > 5000)",
        "SELECT c.customer_id, b.v FROM customer c CROSS JOIN (VALUES (1), (2)) b(v) WHERE (b.v = 1 AND c.customer_id IN (SELECT customer_id FROM customer WHERE income & 1 <> 0)) OR (b.v = 2 AND c.customer_id IN (SELECT customer_id FROM customer WHERE income & 2 <> 0))",
        "SELECT c.customer_id, b.v FROM customer c CROSS JOIN (VALUES (1), (2)) b(v) WHERE EXISTS (SELECT 1 FROM customer d WHERE d.customer_id = c.customer_id AND d.income & 1 <> 0 AND b.v = 1) OR EXISTS (SELECT 1 FROM customer d WHERE d.customer_id = c.customer_id AND d.income & 2 <> 0 AND b.v = 2)",
        "SELECT c.customer_id, b.v FROM customer c CROSS JOIN (VALUES (1), (2)) b(v) WHERE NOT (b.v = 1 AND c.customer_id IN (SELECT customer_id FROM customer WHERE income & 1 <> 0))",
        "SELECT c.customer_id, b.v FROM customer c CROSS JOIN (VALUES (1), (2)) b(v) WHERE CASE b.v WHEN 1 THEN c.customer_id IN (SELECT customer_id FROM customer WHERE income > 5000) ELSE false END",
        "SELECT c.customer_id, a.v FROM customer c LEFT JOIN (VALUES (1)) a(v) ON c.customer_id IN (SELECT customer_id FROM customer WHERE income > 5000)",
        "SELECT a.customer_id, count(*) FROM customer a JOIN customer b ON a.income >= b.income GROUP BY 1",
        "SELECT a.customer_id FROM customer a JOIN customer b ON a.income = b.income + 1000",
        "SELECT g.x, c.customer_id FROM customer c, (VALUES (0), (1)) g(x) WHERE g.x = (SELECT count(*) FROM customer d WHERE d.customer_id = c.customer_id AND d.income > 5000)",
        "SELECT g.x FROM customer c CROSS JOIN (VALUES (1000)) g(x) WHERE EXISTS (SELECT 1 FROM (VALUES (0)) c(income) CROSS JOIN (SELECT 1 AS one WHERE c.income = g.x) t)",
        "SELECT count(*) FROM customer GROUP BY customer_id IN (SELECT customer_id FROM customer WHERE income > 5000)",
        "VALUES ((SELECT max(income) FROM customer))",
        "SELECT outlet FROM customer LIMIT (SELECT max(income) FROM customer)",
        "SELECT count(*) FROM customer WHERE income > (SELECT avg(income) FROM customer)",
        "SELECT count(*) FROM (SELECT outlet FROM customer GROUP BY outlet HAVING max(income) > 19000)",
        "SELECT unnest(array_agg(income)) FROM customer",
        "SELECT concat(outlet, id_number) FROM customer",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT c.income FROM r JOIN customer c ON c.customer_id = r.n WHERE r.n < 3) SELECT n FROM r",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY income) FROM customer",
        "SELECT corr(income, customer_id) FROM customer",
        // A recursion that calls itself like a table, and one whose rows are not to be shown.
        "WITH RECURSIVE customer(step, x, income) AS (SELECT 0 AS step, g.x AS x, g.x + 0 AS income FROM (VALUES (1000), (2000)) g(x) UNION ALL SELECT c.customer_id, w.x, -1 FROM customer w JOIN mart.customer c ON c.income = w.income WHERE w.step = 0) SELECT step, x FROM customer WHERE step > 0",
        "WITH RECURSIVE r(n, i) AS (SELECT customer_id, income FROM customer UNION ALL SELECT r.n, r.i - 1 FROM r WHERE r.i > 19000) SELECT count(*) FROM r",
        "WITH RECURSIVE r(id, step, hit) AS (SELECT customer_id AS id, 0 AS step, 0 AS hit FROM customer WHERE income & 1 <> 0 UNION ALL SELECT c.customer_id, 1, CASE WHEN r.id IS NULL THEN 0 ELSE 1 END FROM customer c LEFT JOIN r ON r.id = c.customer_id WHERE coalesce(r.step, 0) = 0) SELECT id, hit FROM r WHERE step = 1",
        // Two columns of what stands around, which are no less two.
        "SELECT c.customer_id, count(*) FROM customer c, customer d WHERE EXISTS (SELECT 1 FROM (VALUES (1)) v(x) WHERE c.income >= d.income) GROUP BY c.customer_id",
        "SELECT c.customer_id, d.customer_id FROM customer c, customer d, LATERAL (SELECT 1 AS one WHERE c.income > d.income) l",
        "SELECT c.customer_id FROM customer c, customer d WHERE EXISTS (SELECT 1 FROM (VALUES (1)) v(x) WHERE c.income - d.income = 1000)",
        // The first, the rare: chosen by them, then looked for.
        "SELECT customer_id FROM customer WHERE income IN (SELECT income FROM customer ORDER BY income DESC LIMIT 1 OFFSET 3)",
        "SELECT c.customer_id FROM customer c LEFT SEMI JOIN (SELECT income AS i FROM customer ORDER BY income LIMIT 1) t ON c.income = t.i",
        "SELECT customer_id FROM customer WHERE income IN (SELECT income FROM customer GROUP BY income HAVING count(*) = 1)",
        "SELECT c.customer_id FROM customer c WHERE EXISTS (SELECT 1 FROM (SELECT income AS i FROM customer ORDER BY income LIMIT 1) t WHERE t.i = c.income)",
        "SELECT customer_id FROM customer WHERE income NOT IN (SELECT DISTINCT income FROM customer LIMIT 5)",
        // A partner that is missing because of a condition further below.
        "SELECT c.customer_id, CASE WHEN a.one IS NULL THEN 0 ELSE 1 END FROM customer c LEFT JOIN (SELECT customer_id, 1 AS one FROM customer WHERE income & 1 <> 0) a ON a.customer_id = c.customer_id",
        "SELECT c.customer_id, a.one FROM customer c LEFT JOIN LATERAL (SELECT 1 AS one WHERE c.income & 1 <> 0) a ON true",
        "SELECT c.customer_id, a.n FROM (SELECT customer_id AS n FROM customer WHERE customer_id IN (SELECT customer_id FROM customer WHERE income > 5000)) a RIGHT JOIN customer c ON a.n = c.customer_id",
        "SELECT c.customer_id, a.n FROM customer c FULL JOIN (SELECT l.amount AS n FROM loan l JOIN customer d ON l.borrower = d.id_number) a ON a.n = c.customer_id",
        // Something made of one, looked for among others.
        "SELECT c.customer_id, e.customer_id FROM customer c, customer e WHERE c.income + 1000 IN (SELECT d.income FROM customer d WHERE d.customer_id = e.customer_id)",
        "SELECT v.x FROM customer c, LATERAL (VALUES (c.income)) v(x)",
        "SELECT 'more' WHERE CASE WHEN (SELECT income FROM customer WHERE customer_id = 7) > (SELECT income FROM customer WHERE customer_id = 8) THEN (SELECT income FROM customer WHERE customer_id = 7) END IN (SELECT income FROM customer)",
        // Names that the optimizer takes for another column than they mean as written.
        "SELECT a.k, customer.income FROM (VALUES (1), (2), (3)) a(k), (VALUES (0)) customer(income), mart.customer WHERE a.k = mart.customer.customer_id",
        "SELECT l.customer_id, l.x FROM (VALUES (0)) c(income) CROSS JOIN LATERAL (SELECT c.customer_id, c.income, g.x FROM customer c CROSS JOIN (SELECT g.x FROM (VALUES (1000), (2000), (3000)) g(x) WHERE c.income = g.x)) l",
        "SELECT __correlated_sq_1.customer_id, g.x FROM customer __correlated_sq_1, (VALUES (1000), (2000)) g(x) WHERE EXISTS (SELECT 1 FROM (VALUES (0)) v(income) WHERE v.income < g.x)",
        // What is made distinct together is not of one kind for it, and is counted by nothing.
        "SELECT c.customer_id, e.customer_id * 1000 FROM customer c, customer e WHERE EXISTS (SELECT 1 FROM (SELECT DISTINCT a.id_number AS i, a.income AS w, b.id_number AS j, b.customer_id * 1000 AS k FROM customer a CROSS JOIN customer b) s WHERE s.w = s.k AND s.i = c.id_number AND s.j = e.id_number)",
        "SELECT g.x FROM (VALUES (1), (2), (3)) g(x) WHERE g.x IN (SELECT row_number() OVER () FROM (SELECT DISTINCT income FROM customer))",
        // How often it is above a random number.
        "SELECT customer_id, count(*) FROM (SELECT c.customer_id, c.income FROM customer c CROSS JOIN (VALUES (1), (2)) g(x) LIMIT 1000) t WHERE income / 1000 % 10 > random() * 10 GROUP BY customer_id",
        "SELECT count(*) FROM customer WHERE income IN (random() * 100, 5)",
        "SELECT count(*) FROM customer WHERE random() > 0.5 AND customer_id IN (SELECT customer_id FROM customer WHERE income > random())",
        // A total of nothing is a row.
        "SELECT c.customer_id, a.n FROM customer c, LATERAL (SELECT count(*) AS n FROM customer d WHERE d.customer_id = c.customer_id AND d.income & 1 <> 0) a",
    ] {
        match may.query(sql).await {
            Ok(_) => wrong.push(format!("{sql} was answered")),
            Err(refused) if refused.to_string().contains("in conditions only") => {}
            Err(other) => wrong.push(format!("{sql}: {other}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_are_constants_and_prepared_statements_are_checked() {
    let (_mart, server) = server().await;
    let mut may = Client::sign_in(server.address, "may").await;
    let counted = "SELECT count(*) FROM customer WHERE income > $1";
    assert!(may.inner.prepare(counted.into(), None).await.is_ok());
    let shown = "SELECT income FROM customer WHERE income > $1";
    assert!(may.inner.prepare(shown.into(), None).await.is_err());
}
