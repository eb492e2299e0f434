//! What is not a plain query: names that do not exist for the reader, metadata, plans, and what
//! only writes.

use super::scope::Scope;
use super::sql::{Sql, expression, text};
use super::{Grammar, Judged, Statement};
use crate::seq;
use crate::worlds::tables::{NAMED_OTHERWISE, UNNAMED};

/// A name that the reader may not know, and one of the same length that there is not.
const FORBIDDEN: [(&str, &str); 12] = [
    ("payroll", "pbyroll"),
    ("survey", "svrvey"),
    ("secret", "secrft"),
    ("secret_number", "secret_numbfr"),
    ("shade", "shbde"),
    ("hush", "hvsh"),
    ("channel", "chbnnel"),
    ("hidden_level", "hidden_levfl"),
    ("manager", "manbger"),
    (UNNAMED, "strby"),
    (NAMED_OTHERWISE, "bdrift"),
    ("system.audit_record", "system.audit_recorx"),
];

const METADATA: [&str; 14] = [
    "SELECT * FROM information_schema.tables ORDER BY table_schema, table_name",
    "SELECT * FROM information_schema.columns ORDER BY table_name, ordinal_position",
    "SELECT * FROM information_schema.schemata ORDER BY 1, 2",
    "SELECT * FROM information_schema.views ORDER BY 1, 2, 3",
    "SELECT count(*) FROM information_schema.df_settings",
    "SELECT * FROM information_schema.routines",
    "SELECT * FROM information_schema.parameters",
    "SELECT table_name, column_name, kind, segments, segments_indexed, bytes, distinct_at_least FROM system.table_index ORDER BY 1, 2, 3",
    "SELECT count(*), count(kind), count(bytes) FROM system.table_index",
    "SELECT t.table_name, i.kind FROM information_schema.tables t LEFT JOIN system.table_index i ON i.table_name = t.table_name ORDER BY 1, 2",
    "SHOW TABLES",
    "SHOW ALL",
    "SHOW datafusion.execution.batch_size",
    "SHOW FUNCTIONS",
];

const REFUSED: [&str; 16] = [
    "SET datafusion.execution.batch_size = 1",
    "SET martlet.node = 'root'",
    "SET ROLE auditor",
    "RESET datafusion.execution.batch_size",
    "INSERT INTO outlet VALUES ('o99', 1, 'x')",
    "UPDATE customer SET outlet = 'o11'",
    "DELETE FROM customer WHERE secret = 'a'",
    "CREATE VIEW v AS SELECT * FROM customer",
    "CREATE TABLE t AS SELECT secret FROM customer",
    "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
    "COPY (SELECT * FROM customer) TO '/tmp/out.csv'",
    "DROP TABLE payroll",
    "TRUNCATE payroll",
    "GRANT SELECT ON payroll TO ulla",
    "SELECT 1; SELECT 2",
    "EXPLAIN EXPLAIN SELECT 1",
];

impl Grammar {
    /// A statement that names what the reader may not know.
    pub(super) fn forbidden(&mut self) -> Statement {
        let (forbidden, missing) = self.random.draw(&FORBIDDEN);
        let sql = match forbidden {
            "payroll" | "survey" | "system.audit_record" => match self.random.below(6) {
                0 => format!("SELECT * FROM {forbidden}"),
                1 => format!("SELECT count(*) FROM customer c JOIN {forbidden} p ON 1 = 1"),
                2 => format!("SELECT 1 WHERE EXISTS (SELECT 1 FROM {forbidden})"),
                3 => format!("DESCRIBE {forbidden}"),
                4 => format!("SHOW COLUMNS FROM {forbidden}"),
                _ => format!("SELECT employee FROM mart.{forbidden} WHERE salary > 0"),
            },
            column => {
                let table = match column {
                    "channel" | "hidden_level" | NAMED_OTHERWISE => "entry",
                    "manager" => "outlet",
                    _ => "customer",
                };
                match self.random.below(6) {
                    0 => format!("SELECT {column} FROM {table}"),
                    1 => format!("SELECT count(*) FROM {table} t WHERE t.{column} IS NOT NULL"),
                    2 => format!("SELECT max({table}.{column}) FROM {table}"),
                    3 => format!("SELECT count(*) FROM {table} GROUP BY {column}"),
                    4 => format!("SELECT 1 FROM {table} ORDER BY {column} LIMIT 1"),
                    _ => {
                        format!("SELECT a.{column} FROM {table} a JOIN {table} b USING ({column})")
                    }
                }
            }
        };
        self.statement(text(sql), None, Judged::Denied { forbidden, missing })
    }

    /// Metadata: of names, types, indexes and settings.
    pub(super) fn metadata(&mut self) -> Statement {
        let sql = match self.random.below(4) {
            0 => {
                let table = self.table();
                let verb = self.random.draw(&["DESCRIBE", "SHOW COLUMNS FROM", "DESCRIBE mart."]);
                format!("{verb} {}", table.name).replace(". ", ".")
            }
            1 => {
                let pattern = self.random.draw(&["c%", "%e%", "pay%", "%"]);
                format!(
                    "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE column_name LIKE '{pattern}' OR table_name LIKE '{pattern}' ORDER BY 1, 2"
                )
            }
            _ => (self.random.draw(&METADATA)).to_owned(),
        };
        let mut statement = self.statement(text(sql), None, Judged::Metadata);
        statement.in_any_order = true;
        statement
    }

    /// How a statement would run: mostly not for this reader.
    pub(super) fn explain(&mut self) -> Statement {
        let word = self.random.draw(&["EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN VERBOSE"]);
        if self.random.chance(50) {
            let body = self.body(1);
            return self.statement(
                Sql::Seq(seq![word, body.sql]),
                None,
                Judged::Plan { timed: word.contains("ANALYZE") },
            );
        }
        let sql = self.random.draw(&[
            "SELECT * FROM product WHERE rate > 2 ORDER BY price LIMIT 3",
            "SELECT count(*), max(price) FROM product GROUP BY product",
            "SELECT p.product FROM product p JOIN product q ON p.product_id = q.product_id WHERE q.price > 1",
        ]);
        self.statement(
            text(format!("{word} {sql}")),
            None,
            Judged::Plan { timed: word.contains("ANALYZE") },
        )
    }

    /// What is refused whatever stands in the tables.
    pub(super) fn refused(&mut self) -> Statement {
        let sql = self.random.draw(&REFUSED);
        self.statement(text(sql), None, Judged::Answer)
    }

    /// A mistake: of types, of names, of syntax.
    pub(super) fn mistaken(&mut self) -> Statement {
        let (from, scope) = (self.table(), self.alias());
        let inner = Scope::of_table(&from, &scope);
        let column = inner.any(&mut self.random).sql.clone();
        let other = inner.any(&mut self.random).sql.clone();
        let table = from.name;
        let sql = match self.random.below(7) {
            0 => format!("SELECT {column} FROM {table}"),
            1 => format!("SELECT {column} + INTERVAL '1 day' * {other} FROM {table} AS {scope}"),
            2 => format!("SELECT sum({column}), {other} FROM {table} AS {scope}"),
            3 => format!("SELECT {column} FROM {table} AS {scope} UNION SELECT 1, 2"),
            4 => format!("SELECT nosuch({column}) FROM {table} AS {scope}"),
            5 => format!("SELEC {column} FROM {table} AS {scope}"),
            _ => format!("SELECT {column} FROM {table} AS {scope}, {table} AS {scope}"),
        };
        self.statement(text(sql), None, Judged::Answer)
    }

    /// A query with a parameter for one of its constants.
    pub(super) fn prepared(&mut self) -> Statement {
        let (table, alias) = (self.table(), self.alias());
        let scope = Scope::of_table(&table, &alias);
        let column = scope.any(&mut self.random).clone();
        let values: Vec<_> = column.values.clone();
        let value = if values.is_empty() || self.random.chance(10) {
            crate::worlds::cell::Cell::Null
        } else {
            self.random.pick(&values).clone()
        };
        let sign = self.random.draw(&["=", "<", ">=", "<>"]);
        let mark = self.random.draw(&["?", "$1"]);
        let totals = self.aggregate(&scope);
        let by = scope.any(&mut self.random).sql.clone();
        let filter = expression(seq![column.sql.clone(), sign, mark], Vec::new());
        let sql = seq![
            "SELECT",
            by.clone(),
            "AS c1,",
            totals,
            "AS c2",
            format!("FROM {} AS {alias} WHERE", table.name),
            filter,
            "GROUP BY",
            by
        ];
        let mut statement = self.statement(Sql::Seq(sql), None, Judged::Answer);
        statement.parameter = Some((value, column.column_type));
        statement
    }
}
