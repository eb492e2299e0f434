//! What fails on a row: on one that is seen, and on those that nobody sees.
//!
//! Whether a statement fails is an answer too. On rows that are hidden it never may; on rows that
//! are seen it may depend on what is asked and on them, and on nothing else.

use super::scope::{Kind, Named, Scope};
use super::sql::{Sql, expression, optional, text};
use super::{Grammar, Judged, Statement};
use crate::seq;

impl Grammar {
    /// Something that fails on a row if a row is there that fails, in every plan alike: alone
    /// in its clause, and without a limit.
    pub(super) fn failing(&mut self) -> Statement {
        let (table, alias) = (self.table_named("customer"), self.alias());
        let scope = Scope::of_table(&table, &alias);
        let fails = match self.random.below(9) {
            0 => format!("CAST({alias}.txt AS int)"),
            1 => format!("CAST({alias}.code AS int)"),
            2 => format!("100 / {alias}.z"),
            3 => format!("100 / {alias}.zero"),
            4 => format!("{alias}.big * 1000000000 * {alias}.z"),
            5 => format!("CAST({alias}.name AS int)"),
            6 => format!("{alias}.amount / ({alias}.zero - 2)"),
            7 => format!("CAST({alias}.code AS date)"),
            _ => format!("CAST({alias}.balance AS bigint)"),
        };
        // Only what runs below the guard may stand beside it.
        let beside = optional(text(match self.random.below(4) {
            0 => format!("WHERE {alias}.segment = 'mass'"),
            1 => format!("WHERE {alias}.zero <> 0 AND {alias}.outlet IN ('o11', 'o21')"),
            2 => format!("WHERE {alias}.zero > 2"),
            _ => String::new(),
        }));
        let from = format!("FROM customer AS {alias}");
        let sql = match self.random.below(4) {
            0 => seq![format!("SELECT {alias}.customer_id, {fails} AS c2"), from, beside],
            1 => seq![format!("SELECT {fails} AS c1, count(*) AS c2"), from, beside, "GROUP BY 1"],
            2 => seq![format!("SELECT count(*), max({fails}) AS c2"), from, beside],
            _ => {
                let item = self.expression(Kind::Text, &scope, 1);
                seq!["SELECT", item, "AS c1", from, format!("WHERE {fails} IS NOT NULL")]
            }
        };
        Statement { may_fail: true, ..self.statement(Sql::Seq(sql), None, Judged::Answer) }
    }

    /// What fails on rows that nobody sees and on no other, where the scope has such columns.
    pub(super) fn failing_unseen(&mut self, scope: &Scope) -> Option<Sql> {
        let fails = |column: &Named| {
            let (alias, name) = column.sql.split_once('.')?;
            // DataFusion asks a condition of one column of all columns that a join makes equal to it, also
            // of rows that the join leaves out; not so of two.
            let key = scope.keys.iter().find(|key| key.split('.').next() == Some(alias))?;
            let fails = match name {
                "z" => format!("100 / {alias}.z"),
                "txt" => format!("CAST({alias}.txt AS int)"),
                "level" => format!("60 / ({alias}.level - 9)"),
                _ => return None,
            };
            let nothing = if key.ends_with(".code") { "0".into() } else { format!("{key} % 1") };
            Some(format!("({fails} + {nothing})"))
        };
        let all: Vec<String> = scope.columns.iter().filter_map(fails).collect();
        let one = (!all.is_empty()).then(|| self.random.pick(&all).clone())?;
        Some(expression(vec![text(one)], vec![text("1")]))
    }

    /// Something that fails on one row or on some, below an order with a limit, a rank, a join or a
    /// subquery. Martlet may look for rows before it computes, so the copy, of which nothing is
    /// hidden, may answer where the worlds refuse; the worlds have to do the same.
    pub(super) fn failing_below(&mut self) -> Statement {
        let name = self.random.draw(&["customer", "customer", "entry"]);
        let (table, alias) = (self.table_named(name), self.alias());
        let scope = Scope::of_table(&table, &alias);
        let key = scope.keys[0].clone();
        let fails = self.failing_on(&scope, &key);
        let by = scope.any(&mut self.random).sql.clone();
        let each = scope.any(&mut self.random).sql.clone();
        let way = self.random.draw(&["", "DESC", "NULLS FIRST", "DESC NULLS LAST"]);
        let rows = self.random.pick(&[1, 3, 10, 50]);
        let about = scope.any(&mut self.random).clone();
        let condition = self.about(&about);
        let filter = optional(Sql::Seq(seq!["WHERE", condition.clone()]));
        let from = format!("FROM {name} AS {alias}");
        let sql = match self.random.below(7) {
            0 | 1 => seq![
                format!("SELECT {key} AS c1, {fails} AS c2 {from}"),
                filter,
                format!("ORDER BY {by} {way}, {key} LIMIT {rows}")
            ],
            2 => seq![
                format!("SELECT c1, c2 FROM (SELECT {key} AS c1, {fails} AS c2,"),
                format!("row_number() OVER (PARTITION BY {each} ORDER BY {by} {way}, {key}) AS c3"),
                from,
                filter,
                format!(") AS w WHERE c3 <= {rows}")
            ],
            3 => seq![
                format!("SELECT {each} AS c1, max({fails}) AS c2 {from}"),
                filter,
                format!("GROUP BY {each} ORDER BY 2 DESC, 1 LIMIT {rows}")
            ],
            4 => {
                let inner =
                    seq![format!("(SELECT {key} AS k, {fails} AS f {from}"), filter, ") AS l"];
                self.joined_to(Sql::Seq(inner), "l.k", "l.f", name)
            }
            5 => {
                let source = text(format!("{name} AS {alias}"));
                self.joined_to(source, &key, &fails, name)
            }
            _ => {
                let other = self.random.draw(&["customer", "entry"]);
                let not = self.random.draw(&["", "NOT"]);
                seq![
                    format!("SELECT count(*) AS c1 FROM {other} AS o WHERE o.customer_id {not} IN"),
                    format!("(SELECT {alias}.customer_id {from} WHERE {fails} > 0 AND"),
                    condition,
                    ")"
                ]
            }
        };
        Statement { may_fail: true, ..self.statement(Sql::Seq(sql), None, Judged::Worlds) }
    }

    /// What fails on some rows that are seen, mostly on one.
    fn failing_on(&mut self, scope: &Scope, key: &str) -> String {
        let keys = scope.columns.iter().find(|column| column.sql == key);
        let one = keys.map_or_else(|| "1".into(), |keys| keys.value(&mut self.random));
        let numbers = ["zero", "points", "product_id", "z"];
        let is_number = |column: &&Named| numbers.iter().any(|of| column.sql.ends_with(of));
        let columns: Vec<&Named> = scope.columns.iter().filter(is_number).collect();
        match self.random.below(4) {
            0 if !columns.is_empty() => {
                let column = self.random.draw(&columns);
                format!("100 / ({} - 2)", column.sql)
            }
            _ => format!("100 / ({key} - {one})"),
        }
    }

    /// Rows that fail, beside others that decide which of them are wanted.
    fn joined_to(&mut self, rows: Sql, key: &str, fails: &str, of: &str) -> Vec<Sql> {
        let (other, theirs) = match of {
            "customer" => ("entry", "customer_id"),
            _ => self.random.draw(&[("entry", "entry_id"), ("customer", "customer_id")]),
        };
        let alias = self.alias();
        let scope = Scope::of_table(&self.table_named(other), &alias);
        let about = scope.any(&mut self.random).clone();
        let condition = self.about(&about);
        let how = self.random.draw(&["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN"]);
        let on = format!("{how} {other} AS {alias} ON {key} = {alias}.{theirs}");
        let filter = optional(Sql::Seq(seq!["WHERE", condition]));
        let their_key = scope.keys[0].clone();
        if self.random.chance(40) {
            let rows_wanted = self.random.pick(&[1, 5, 20]);
            let by = scope.any(&mut self.random).sql.clone();
            let order = format!("ORDER BY {by} DESC, {their_key}, {key} LIMIT {rows_wanted}");
            return seq![
                format!("SELECT {their_key} AS c1, {fails} AS c2 FROM"),
                rows,
                on,
                filter,
                order
            ];
        }
        seq![format!("SELECT count(*) AS c1, max({fails}) AS c2 FROM"), rows, on, filter]
    }
}
