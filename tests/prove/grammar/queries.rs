//! Whole queries: where rows come from, what is made of them, in which order they are told.

use martlet_core::ColumnType;

use super::scope::{Kind, Named, Scope};
use super::sql::{Of, Sql, expression, optional, text};
use super::{Closeness, Grammar, Tail};
use crate::seq;
use crate::worlds::SeenTable;
use crate::worlds::cell::Cell;

/// A body with the kinds of its columns.
pub(super) struct Body {
    pub(super) sql: Sql,
    /// `None` where a column is of no kind that can be named on.
    pub(super) kinds: Vec<Option<Kind>>,
}

/// How large the rows of a source may become.
const JOINED_MAX: usize = 3;

impl Grammar {
    /// A query without its order.
    pub(super) fn body(&mut self, depth: usize) -> Body {
        match self.random.below(12) {
            0 | 1 if depth > 0 => self.set_operation(depth - 1),
            2 if depth > 0 => self.with_names(depth - 1),
            3 => self.recursive(),
            4..=7 => self.grouped(depth),
            8 => self.windowed(depth),
            _ => self.plain(depth),
        }
    }

    /// `SELECT … FROM … WHERE …`.
    fn plain(&mut self, depth: usize) -> Body {
        let (from, scope) = self.source(depth);
        let filter = self.filter(&scope, depth);
        if self.random.chance(10) {
            let kinds = scope.columns.iter().map(|column| Some(column.kind)).collect();
            return Body { sql: Sql::Seq(seq!["SELECT * FROM", from, filter]), kinds };
        }
        self.plain_of((from, scope), filter, depth)
    }

    /// Rows of a source.
    pub(super) fn plain_of(
        &mut self,
        (from, scope): (Sql, Scope),
        filter: Sql,
        depth: usize,
    ) -> Body {
        let distinct = if self.random.chance(20) { optional(text("DISTINCT")) } else { text("") };
        let count = 1 + self.random.below(5);
        let (items, kinds) = self.items(&scope, count, depth.min(2));
        Body { sql: Sql::Seq(seq!["SELECT", distinct, items, "FROM", from, filter]), kinds }
    }

    fn items(&mut self, scope: &Scope, count: usize, depth: usize) -> (Sql, Vec<Option<Kind>>) {
        let mut items = Vec::new();
        let mut kinds = Vec::new();
        for at in 0..count {
            let kind = self.random.draw(&Kind::ALL);
            let item = self.expression(kind, scope, depth);
            items.push(Sql::Seq(seq![item, format!("AS c{}", at + 1)]));
            kinds.push(Some(kind));
        }
        (Sql::List(items, ","), kinds)
    }

    fn grouped(&mut self, depth: usize) -> Body {
        let (from, scope) = self.source(depth);
        let filter = self.filter(&scope, depth);
        self.grouped_of((from, scope), filter)
    }

    /// Groups of a source's rows.
    pub(super) fn grouped_of(&mut self, (from, scope): (Sql, Scope), filter: Sql) -> Body {
        let totals: Vec<Sql> =
            (0..1 + self.random.below(4)).map(|_| self.aggregate(&scope)).collect();
        if self.random.chance(20) {
            let items = named(totals, 0);
            let kinds = vec![None; items.len()];
            return Body {
                sql: Sql::Seq(seq!["SELECT", Sql::List(items, ","), "FROM", from, filter]),
                kinds,
            };
        }
        let groups = self.groups(&scope);
        let by = self.grouping(&groups);
        let having = if self.random.chance(20) {
            let bound = self.random.between(1, 4);
            optional(Sql::Seq(seq![format!("HAVING count(*) > {bound}")]))
        } else {
            text("")
        };
        let keys = named(groups, 0);
        let totals = named(totals, keys.len());
        let kinds = vec![None; keys.len() + totals.len()];
        // Leaving a key out of the answer is possible; so each side is a list of its own.
        let items = seq![Sql::List(keys, ","), ",", Sql::List(totals, ",")];
        let sql = seq!["SELECT", Sql::Seq(items), "FROM", from, filter, "GROUP BY", by, having];
        Body { sql: Sql::Seq(sql), kinds }
    }

    fn grouping(&mut self, groups: &[Sql]) -> Sql {
        let list = |groups: &[Sql]| Sql::List(groups.to_vec(), ",");
        let plain = list(groups);
        let several = match self.random.below(10) {
            0 => seq!["ROLLUP (", list(groups), ")"],
            1 => seq!["CUBE (", list(groups), ")"],
            2 => seq!["GROUPING SETS ((", list(groups), "), (", list(&groups[..1]), "), ())"],
            3 => {
                let positions: Vec<String> = (1..=groups.len()).map(|at| at.to_string()).collect();
                return expression(seq![positions.join(", ")], vec![plain]);
            }
            _ => return plain,
        };
        expression(several, vec![plain])
    }

    fn windowed(&mut self, depth: usize) -> Body {
        let (from, scope) = self.keyed_source();
        let filter = self.filter(&scope, depth);
        let mut items: Vec<Sql> = scope.keys.iter().map(|key| text(key.clone())).collect();
        let first_of_each = self.random.chance(35);
        if first_of_each {
            items.push(self.rank(&scope));
        } else {
            let count = 1 + self.random.below(3);
            items.extend((0..count).map(|_| self.window(&scope)));
        }
        let kinds = vec![None; items.len()];
        let items = named(items, 0);
        let sql = Sql::Seq(seq!["SELECT", Sql::List(items, ","), "FROM", from, filter]);
        if first_of_each {
            let bound = self.random.between(1, 6);
            let places = seq!["SELECT c1, c2 FROM (", sql, format!(") AS w WHERE c2 <= {bound}")];
            return Body { sql: Sql::Seq(places), kinds };
        }
        Body { sql, kinds }
    }

    fn filter(&mut self, scope: &Scope, depth: usize) -> Sql {
        if self.random.chance(25) {
            return text("");
        }
        let mut conditions = vec![self.condition(scope, 2)];
        while conditions.len() < 3 && self.random.chance(30) {
            conditions.push(self.condition(scope, 1));
        }
        if depth > 0 && self.random.chance(25) {
            conditions.push(self.subquery(scope));
        }
        optional(Sql::Seq(seq!["WHERE", Sql::List(conditions, "AND")]))
    }

    /// A condition that asks another query.
    fn subquery(&mut self, outer: &Scope) -> Sql {
        let not = self.random.draw(&["", "", "NOT"]);
        let alias = self.alias();
        let table = self.table();
        let inner = Scope::of_table(&table, &alias);
        let condition = self.condition(&inner, 1);
        let kind = self.random.draw(&[Kind::Number, Kind::Text]);
        let (Some(mine), Some(theirs)) =
            (outer.pick(kind, &mut self.random), inner.pick(kind, &mut self.random))
        else {
            return text("true");
        };
        let (mine, theirs) = (mine.sql.clone(), theirs.sql.clone());
        let from = format!("FROM {} AS {alias} WHERE", table.name);
        let whole = match self.random.below(4) {
            0 => seq![
                format!("{not} EXISTS (SELECT 1"),
                from,
                condition,
                format!("AND {theirs} = {mine})")
            ],
            1 => seq![format!("{mine} {not} IN (SELECT {theirs}"), from, condition, ")"],
            2 => seq![format!("{mine} = (SELECT max({theirs})"), from, condition, ")"],
            _ => seq!["(SELECT count(*)", from, condition, format!("AND {theirs} = {mine}) > 1")],
        };
        expression(whole, vec![text("true")])
    }

    /// Where rows come from, and what is in reach of them.
    fn source(&mut self, depth: usize) -> (Sql, Scope) {
        match self.random.below(10) {
            0..=4 => self.keyed_source(),
            5..=7 => self.join(),
            8 if depth > 0 => self.derived(depth - 1),
            _ => self.join(),
        }
    }

    /// One table.
    fn keyed_source(&mut self) -> (Sql, Scope) {
        let (table, alias) = (self.table(), self.alias());
        if self.random.chance(15) {
            return self.in_a_query(&table, &alias);
        }
        let written = self.random.draw(&["", "", "mart.", "martlet.mart."]);
        (text(format!("{written}{} AS {alias}", table.name)), Scope::of_table(&table, &alias))
    }

    /// A table's rows out of a query: as they are, some of them, in two parts, or with a constant
    /// beside them.
    fn in_a_query(&mut self, table: &SeenTable, alias: &str) -> (Sql, Scope) {
        let (name, inner) = (table.name, self.alias());
        let mut scope = Scope::of_table(table, alias);
        let column = Scope::of_table(table, &inner).any(&mut self.random).clone();
        // One text: of two parts that do not fit, keys would come twice.
        let about = self.about(&column).written(Of::Worlds);
        let some = format!("SELECT * FROM {name} AS {inner} WHERE");
        let sql = match self.random.below(4) {
            0 => format!("({some} {about})"),
            1 => format!("({some} {about} UNION ALL {some} ({about}) IS NOT TRUE)"),
            _ => {
                let constant = self.random.between(1, 9);
                scope.columns.push(Named {
                    sql: format!("{alias}.constant"),
                    kind: Kind::Number,
                    column_type: ColumnType::Int64,
                    values: vec![Cell::Number(constant)],
                });
                format!("(SELECT *, {constant} AS constant FROM {name})")
            }
        };
        (text(format!("{sql} AS {alias}")), scope)
    }

    /// A table to join, or its rows out of a query.
    fn rows_to_join(&mut self, table: &str, alias: &str) -> (Sql, Scope) {
        let seen = self.table_named(table);
        if self.random.chance(20) {
            return self.in_a_query(&seen, alias);
        }
        (text(format!("{table} AS {alias}")), Scope::of_table(&seen, alias))
    }

    fn join(&mut self) -> (Sql, Scope) {
        let first = self.table();
        let alias = self.alias();
        let mut scope = Scope::of_table(&first, &alias);
        let mut parts = vec![text(format!("{} AS {alias}", first.name))];
        let mut names = vec![(first.name, alias)];
        let count = 2 + usize::from(self.random.chance(20));
        while parts.len() < count.min(JOINED_MAX) {
            let (of, left) = self.random.pick(&names).clone();
            // Beyond the second table only such as add no rows: answers stay small.
            let possible = if names.len() == 1 { partners(of) } else { looked_up(of) };
            if possible.is_empty() {
                break;
            }
            let (table, mine, theirs) = self.random.draw(possible);
            let alias = self.alias();
            let (rows, other) = self.rows_to_join(table, &alias);
            let how = self.random.draw(&[
                "JOIN",
                "JOIN",
                "JOIN",
                "LEFT JOIN",
                "RIGHT JOIN",
                "FULL JOIN",
                "LEFT SEMI JOIN",
                "LEFT ANTI JOIN",
            ]);
            let both = scope.clone().and(other.clone());
            let further = if self.random.chance(25) {
                let condition = self.condition(&both, 0);
                optional(Sql::Seq(seq!["AND", condition]))
            } else {
                text("")
            };
            let on = format!("ON {left}.{mine} = {alias}.{theirs}");
            parts.push(Sql::Seq(seq![how, rows, on, further]));
            match how {
                "LEFT SEMI JOIN" | "LEFT ANTI JOIN" => break,
                _ => scope = both,
            }
            names.push((table, alias));
        }
        if parts.len() == 2 && self.random.chance(10) {
            let alias = self.alias();
            parts.push(text(format!(
                "CROSS JOIN (SELECT code, seats FROM outlet WHERE seats > 20) AS {alias}"
            )));
            // Whoever asks for all columns is told these too.
            let mut crossed = self.table_named("outlet");
            crossed.columns.retain(|column| ["code", "seats"].contains(&column.name));
            scope = scope.and(Scope::of_table(&crossed, &alias));
        }
        (Sql::Seq(parts), scope)
    }

    fn derived(&mut self, depth: usize) -> (Sql, Scope) {
        let (from, scope) = self.source(depth);
        let filter = self.filter(&scope, depth);
        let (items, kinds) = self.items(&scope, 4, 1);
        let alias = self.alias();
        let tail = if self.random.chance(30) {
            let rows = self.random.between(1, 30);
            optional(text(format!("ORDER BY 1, 2, 3, 4 LIMIT {rows}")))
        } else {
            text("")
        };
        let distinct = if self.random.chance(30) { optional(text("DISTINCT")) } else { text("") };
        let sql =
            seq!["(SELECT", distinct, items, "FROM", from, filter, tail, format!(") AS {alias}")];
        (Sql::Seq(sql), of_kinds(&alias, &kinds))
    }

    fn set_operation(&mut self, depth: usize) -> Body {
        let count = 1 + self.random.below(3);
        let kinds: Vec<Kind> = (0..count).map(|_| self.random.draw(&Kind::ALL)).collect();
        let word = self.random.draw(&[
            "UNION",
            "UNION ALL",
            "INTERSECT",
            "EXCEPT",
            "EXCEPT ALL",
            "INTERSECT ALL",
        ]);
        let sides: Vec<Sql> = (0..2)
            .map(|_| {
                let (from, scope) = self.source(depth.min(1));
                let filter = self.filter(&scope, 0);
                let items: Vec<Sql> =
                    kinds.iter().map(|kind| self.expression(*kind, &scope, 1)).collect();
                let items = Sql::Seq(alternate(named(items, 0)));
                Sql::Seq(seq!["SELECT", items, "FROM", from, filter])
            })
            .collect();
        let sql = expression(seq![sides[0].clone(), word, sides[1].clone()], sides);
        Body { sql, kinds: kinds.into_iter().map(Some).collect() }
    }

    fn with_names(&mut self, depth: usize) -> Body {
        // A name may be that of a table, which it hides.
        let name = self.random.draw(&["w", "customer", "recent"]);
        let inner = self.plain(depth.min(1));
        if inner.kinds.iter().any(Option::is_none)
            || inner.sql.written(Of::Worlds).contains("SELECT *")
        {
            return inner;
        }
        let alias = self.alias();
        let scope = of_kinds(&alias, &inner.kinds);
        let filter = self.filter(&scope, 0);
        let totals: Vec<Sql> = (0..2).map(|_| self.aggregate(&scope)).collect();
        let by = scope.any(&mut self.random).sql.clone();
        let mut items = vec![text(by.clone())];
        items.extend(totals);
        let kinds = vec![None; items.len()];
        let items = Sql::List(named(items, 0), ",");
        let sql = seq![
            format!("WITH {name} AS ("),
            inner.sql,
            ")",
            "SELECT",
            items,
            format!("FROM {name} AS {alias}"),
            filter,
            format!("GROUP BY {by}")
        ];
        Body { sql: Sql::Seq(sql), kinds }
    }

    fn recursive(&mut self) -> Body {
        let steps = self.random.between(2, 9);
        let sql = match self.random.below(3) {
            0 => {
                let scope = Scope::of_table(&self.table_named("entry"), "e");
                let condition = self.condition(&scope, 1);
                seq![format!("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < {steps})
                    SELECT r.n AS c1, count(e.entry_id) AS c2 FROM r LEFT JOIN entry AS e ON e.level = r.n AND"), condition, "GROUP BY r.n"]
            }
            1 => seq![format!(
                "WITH RECURSIVE r(n) AS (SELECT min(customer_id) FROM customer UNION ALL SELECT r.n + 3 FROM r JOIN customer AS c ON c.customer_id = r.n WHERE r.n < {steps}0) SELECT count(*) AS c1, max(n) AS c2 FROM r"
            )],
            _ => seq![format!(
                "SELECT v.k AS c1, count(c.customer_id) AS c2 FROM (VALUES ('o11'), ('o12'), ('o21'), (NULL)) AS v(k) LEFT JOIN customer AS c ON c.outlet = v.k AND c.zero < {steps} GROUP BY v.k"
            )],
        };
        Body { sql: Sql::Seq(sql), kinds: vec![None; 2] }
    }

    /// An order that tells every two different rows apart, and how many of them are wanted.
    pub(super) fn tail(&mut self, columns: usize) -> Option<Tail> {
        if columns == 0 || !self.random.chance(50) {
            return None;
        }
        let mut positions: Vec<usize> = (1..=columns).collect();
        self.random.shuffle(&mut positions);
        let ways = ["", "", " DESC", " NULLS FIRST", " DESC NULLS LAST"];
        let by: Vec<String> =
            positions.iter().map(|at| format!("{at}{}", self.random.draw(&ways))).collect();
        let limit = self.random.chance(60).then(|| {
            let rows = self.random.pick(&[1, 2, 5, 10, 100, 5000]);
            let skipped = self.random.pick(&[0, 0, 1, 7]);
            format!("LIMIT {rows} OFFSET {skipped}")
        });
        // What rounds has no certain place in an order, so neither have those beyond a limit.
        let limit = limit.filter(|_| self.closeness == Closeness::Exact);
        Some(Tail { order_by: format!("ORDER BY {}", by.join(", ")), limit })
    }
}

/// A table to join, by which of my columns and which of its own.
type Partner = (&'static str, &'static str, &'static str);

/// Tables of which at most one row belongs to each of mine.
fn looked_up(table: &str) -> &'static [Partner] {
    match table {
        "customer" => &[("outlet", "outlet", "code")],
        "entry" => &[
            ("customer", "customer_id", "customer_id"),
            ("product", "product_id", "product_id"),
            ("outlet", "outlet", "code"),
        ],
        _ => &[],
    }
}

/// Tables that have something to do with this one.
fn partners(table: &str) -> &'static [Partner] {
    match table {
        "customer" => &[
            ("entry", "customer_id", "customer_id"),
            ("entry", "tax_id", "customer_tax"),
            ("outlet", "outlet", "code"),
            ("customer", "customer_id", "customer_id"),
            ("customer", "mobile", "mobile"),
        ],
        "entry" => &[
            ("customer", "customer_id", "customer_id"),
            ("customer", "customer_tax", "tax_id"),
            ("product", "product_id", "product_id"),
            ("outlet", "outlet", "code"),
            ("entry", "entry_id", "entry_id"),
        ],
        "outlet" => &[("customer", "code", "outlet"), ("entry", "code", "outlet")],
        "vault" => &[("customer", "vault_id", "customer_id")],
        "limbo" => &[("customer", "limbo_id", "customer_id")],
        _ => &[("entry", "product_id", "product_id"), ("entry", "product_id", "level")],
    }
}

fn named(items: Vec<Sql>, after: usize) -> Vec<Sql> {
    let name = |(at, item)| Sql::Seq(seq![item, format!("AS c{}", after + at + 1)]);
    items.into_iter().enumerate().map(name).collect()
}

/// Items with commas between them, of which none may go.
fn alternate(items: Vec<Sql>) -> Vec<Sql> {
    let mut parts = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            parts.push(text(","));
        }
        parts.push(item);
    }
    parts
}

fn of_kinds(alias: &str, kinds: &[Option<Kind>]) -> Scope {
    let columns = kinds.iter().enumerate().filter_map(|(at, kind)| {
        let kind = (*kind)?;
        let column_type = match kind {
            Kind::Number => ColumnType::Int64,
            Kind::Float => ColumnType::Float64,
            Kind::Money => ColumnType::Decimal { precision: 18, scale: 2 },
            Kind::Text => ColumnType::Text,
            Kind::Truth => ColumnType::Boolean,
            Kind::Day => ColumnType::Date,
            Kind::Moment => ColumnType::Timestamp,
        };
        Some(Named { sql: format!("{alias}.c{}", at + 1), kind, column_type, values: Vec::new() })
    });
    Scope { columns: columns.collect(), keys: Vec::new() }
}
