//! Columns that stand in conditions and are never shown: what may be asked by them, and ways of
//! showing them.
//!
//! Their values are hidden texts and numbers, equal in both worlds, so that one that is shown is found
//! as such, and the copy answers the same conditions.

use super::queries::Body;
use super::scope::Scope;
use super::sql::{Sql, expression, optional, text};
use super::{Grammar, Judged, Statement};
use crate::seq;

/// What a statement is told that would show one.
const REFUSED: &str = "in conditions only";

/// A table with what may be shown of it, and what may not.
struct Lent {
    alias: String,
    shown: Scope,
    unshown: Scope,
}

impl Grammar {
    /// A query whose conditions speak of them.
    pub(super) fn in_conditions(&mut self) -> Statement {
        let (source, filter) = match self.random.below(10) {
            0..=3 => self.of_one_table(),
            4..=6 => self.joined_by_them(),
            7..=8 => self.asking_the_other(),
            _ => self.handed_on(),
        };
        let body = self.told_of(source, filter);
        let tail = self.tail(body.kinds.len());
        self.statement(body.sql, tail, Judged::Answer)
    }

    fn told_of(&mut self, source: (Sql, Scope), filter: Sql) -> Body {
        if self.random.chance(50) {
            self.plain_of(source, filter, 1)
        } else {
            self.grouped_of(source, filter)
        }
    }

    fn lent(&mut self, name: &str) -> Lent {
        let (table, alias) = (self.table_named(name), self.alias());
        let shown = Scope::of_table(&table, &alias);
        let unshown = Scope::for_conditions(&table, &alias);
        Lent { alias, shown, unshown }
    }

    fn of_one_table(&mut self) -> ((Sql, Scope), Sql) {
        let name = self.random.draw(&["loan", "loan", "guarantee"]);
        let lent = self.lent(name);
        let mut conditions = vec![self.about_unshown(&lent)];
        while conditions.len() < 3 && self.random.chance(40) {
            let another = match self.random.below(2) {
                0 => self.about_unshown(&lent),
                _ => self.condition(&lent.shown, 1),
            };
            conditions.push(another);
        }
        let from = text(format!("{name} AS {}", lent.alias));
        ((from, lent.shown), Sql::Seq(seq!["WHERE", Sql::List(conditions, "AND")]))
    }

    /// A condition that cannot fail, alone or beside one of what is shown.
    fn about_unshown(&mut self, lent: &Lent) -> Sql {
        let column = lent.unshown.any(&mut self.random).clone();
        let about = self.about(&column);
        match self.random.below(6) {
            0 => expression(seq!["NOT (", about.clone(), ")"], vec![about]),
            1 => {
                let other = self.condition(&lent.shown, 0);
                expression(seq!["(", about.clone(), "OR", other, ")"], vec![about])
            }
            2 => {
                let column = lent.unshown.any(&mut self.random).clone();
                let other = self.about(&column);
                expression(seq!["(", about.clone(), "OR", other, ")"], vec![about])
            }
            _ => about,
        }
    }

    fn joined_by_them(&mut self) -> ((Sql, Scope), Sql) {
        let (loan, guarantee) = (self.lent("loan"), self.lent("guarantee"));
        let (l, g) = (&loan.alias, &guarantee.alias);
        let further = self.about_unshown(&loan);
        let filter = match self.random.below(3) {
            0 => text(""),
            1 => optional(Sql::Seq(seq!["WHERE", further])),
            _ => {
                let condition = self.condition(&guarantee.shown, 1);
                optional(Sql::Seq(seq!["WHERE", condition]))
            }
        };
        let from = format!("loan AS {l} JOIN guarantee AS {g} ON {l}.borrower = {g}.borrower");
        ((text(from), loan.shown.clone().and(guarantee.shown)), filter)
    }

    /// Rows of one table whose value is found in the other.
    fn asking_the_other(&mut self) -> ((Sql, Scope), Sql) {
        let (loan, guarantee) = (self.lent("loan"), self.lent("guarantee"));
        let (l, g) = (&loan.alias, &guarantee.alias);
        let condition = match self.random.below(2) {
            0 => self.about_unshown(&guarantee),
            _ => self.condition(&guarantee.shown, 1),
        };
        let asks = match self.random.below(2) {
            0 => seq![
                format!("WHERE {l}.borrower IN (SELECT {g}.borrower FROM guarantee AS {g} WHERE"),
                condition,
                ")"
            ],
            _ => seq![
                format!(
                    "WHERE EXISTS (SELECT 1 FROM guarantee AS {g} WHERE {g}.borrower = {l}.borrower AND"
                ),
                condition,
                ")"
            ],
        };
        ((text(format!("loan AS {l}")), loan.shown), Sql::Seq(asks))
    }

    /// Through a subquery, under another name.
    fn handed_on(&mut self) -> ((Sql, Scope), Sql) {
        let lent = self.lent("loan");
        let outer = self.alias();
        let column = lent.unshown.any(&mut self.random).clone();
        let names: Vec<String> = lent
            .shown
            .columns
            .iter()
            .map(|column| column.sql.clone())
            .chain([format!("{} AS handed_on", column.sql)])
            .collect();
        let condition = self.condition(&lent.shown, 1);
        let from = seq![
            format!("(SELECT {} FROM loan AS {} WHERE", names.join(", "), lent.alias),
            condition,
            format!(") AS {outer}")
        ];
        let mut handed = column;
        handed.sql = format!("{outer}.handed_on");
        let about = self.about(&handed);
        let mut shown = lent.shown;
        for column in &mut shown.columns {
            column.sql = column.sql.replacen(&lent.alias, &outer, 1);
        }
        shown.keys.clear();
        ((Sql::Seq(from), shown), Sql::Seq(seq!["WHERE", about]))
    }

    /// A way of showing what may not be shown, or what is made of it.
    pub(super) fn showing(&mut self) -> Statement {
        let lent = self.lent("loan");
        let alias = lent.alias.clone();
        let column = lent.unshown.any(&mut self.random).clone();
        let (name, constant) = (column.sql.clone(), column.value(&mut self.random));
        let seen = lent.shown.any(&mut self.random).sql.clone();
        let from = format!("FROM loan AS {alias}");
        let other = format!("(SELECT {name} AS h {from}");
        let key = format!("{alias}.loan_id");
        let sql = match self.random.below(29) {
            0 => format!("SELECT {name} {from}"),
            1 => format!("SELECT {name} = {constant} {from}"),
            2 => format!("SELECT {seen}, coalesce({name}, {constant}) AS c2 {from}"),
            3 => format!("SELECT max({name}) {from}"),
            4 => format!("SELECT count({name}) {from}"),
            5 => format!("SELECT count(DISTINCT {name}), {seen} {from} GROUP BY {seen}"),
            6 => format!("SELECT count(*) {from} GROUP BY {name}"),
            7 => format!("SELECT {seen} {from} ORDER BY {name}"),
            8 => format!("SELECT CASE WHEN {name} > {constant} THEN 1 ELSE 0 END {from}"),
            9 => format!("SELECT count(*) FILTER (WHERE {name} > {constant}) {from}"),
            10 => format!("SELECT row_number() OVER (ORDER BY {name}) {from}"),
            11 => format!("SELECT lag({seen}) OVER (PARTITION BY {name} ORDER BY {seen}) {from}"),
            12 => format!("SELECT DISTINCT {seen}, {name} {from}"),
            13 => format!("SELECT x.h FROM (SELECT {name} AS h {from}) AS x"),
            14 => format!("WITH w AS (SELECT {name} AS h {from}) SELECT min(h) FROM w"),
            15 => format!("SELECT {name} {from} UNION ALL SELECT {constant}"),
            16 => format!("SELECT 1 WHERE (SELECT max({name}) {from}) > {constant}"),
            17 => format!("SELECT concat('a', {name}) {from}"),
            18 => format!("SELECT array_agg({seen} ORDER BY {name}) {from}"),
            19 => format!("SELECT count(*) {from} GROUP BY ROLLUP ({seen}, {name})"),
            20 => format!("SELECT {alias}.* {from} WHERE {name} = {constant}"),
            // Chosen by it, then looked for; missing because of it; counted where there is nothing.
            21 => format!("SELECT {seen} {from} WHERE {name} IN {other} ORDER BY 1 LIMIT 1)"),
            22 => format!(
                "SELECT {seen} {from} WHERE {name} IN {other} GROUP BY 1 HAVING count(*) = 1)"
            ),
            23 => format!(
                "SELECT {key}, a.n {from}, LATERAL (SELECT count(*) AS n FROM guarantee AS g WHERE g.outlet = {alias}.outlet AND g.borrower > 'b') AS a"
            ),
            24 => format!(
                "SELECT m.k, {seen} {from} LEFT JOIN (SELECT loan_id AS k FROM loan AS {alias} WHERE {name} = {constant}) AS m ON m.k = {key}"
            ),
            25 => format!(
                "SELECT {seen} {from} WHERE coalesce({name}, {constant}) IN {other} WHERE {key} > 9)"
            ),
            26 => format!(
                "SELECT {key}, count(*) {from}, loan AS n WHERE EXISTS (SELECT 1 FROM (VALUES (1)) AS v(x) WHERE {name} > n.{}) GROUP BY 1",
                name.rsplit('.').next().unwrap_or_default()
            ),
            27 => format!(
                "WITH RECURSIVE r(k, n) AS (SELECT {key} AS k, 0 AS n {from} WHERE {name} = {constant} UNION ALL SELECT l.loan_id, 1 FROM loan AS l LEFT JOIN r ON r.k = l.loan_id WHERE coalesce(r.n, 0) = 0) SELECT k, n FROM r"
            ),
            _ => format!("SELECT {seen} {from} WHERE {name} > (SELECT min({name}) {from})"),
        };
        self.statement(text(sql), None, Judged::Refused { words: REFUSED })
    }
}
