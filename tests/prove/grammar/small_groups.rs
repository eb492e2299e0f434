//! What statisticians ask: one to four questions about groups of persons, one after the other, for what
//! was told decides what may be told next.
//!
//! In both worlds and in the copy the same person asks the same questions in the same order, so what is
//! absent has to be absent everywhere.

use super::sql::{Sql, optional, text};
use super::{Asker, Grammar, Judged, Statement};
use crate::seq;

/// What the number of a group's rows is called in an answer: fewer rows than persons have to be in a
/// group are never so many persons.
pub const ROWS: &str = "rows_told";

const KEYS: [&str; 7] = [
    "t.outlet",
    "t.kind",
    "t.level",
    "date_part('year', t.answered_on)",
    "CASE WHEN t.level < 3 THEN 'low' ELSE 'high' END",
    "t.kind = 'yes'",
    "t.points > 4",
];

const TOTALS: [&str; 8] = [
    "count(*)",
    "count(t.amount)",
    "count(t.kind)",
    "sum(t.points)",
    "sum(t.amount)",
    "avg(t.amount)",
    "avg(t.points)",
    "count(DISTINCT t.person)",
];

/// What a statement is told that could tell of single persons.
const REFUSED: &str = "in groups of enough persons only";

/// Single persons' values, groups within groups, and other ways around: refused.
const EVASIONS: [&str; 10] = [
    "SELECT * FROM survey AS t",
    "SELECT max(t.amount) FROM survey AS t",
    "SELECT t.person, count(*) FROM survey AS t GROUP BY 1",
    "SELECT count(*) FILTER (WHERE t.person = 7) FROM survey AS t",
    "SELECT count(*) FROM survey AS t WHERE t.person < 9",
    "SELECT count(*) FROM (SELECT * FROM survey LIMIT 5) AS t",
    "SELECT sum(CASE WHEN t.survey_id = 9 THEN t.amount END) FROM survey AS t",
    "SELECT count(*) FROM survey AS t JOIN survey AS u ON t.person = u.person",
    "SELECT string_agg(t.kind, ',') FROM survey AS t",
    "SELECT count(*) FROM survey AS t WHERE 100 / t.points > 3",
];

impl Grammar {
    /// A conversation of a statistician, or an attempt at something else.
    pub(super) fn groups_of_persons(&mut self, number: u64) -> Statement {
        let asker = Asker::Statistician { number };
        if self.random.chance(15) {
            let evasion = text(self.random.draw(&EVASIONS));
            let judged = Judged::Refused { words: REFUSED };
            return Statement { asker, ..self.statement(evasion, None, judged) };
        }
        let before = (0..self.random.below(4)).map(|_| self.question()).collect();
        let last = self.question();
        Statement { asker, before, ..self.statement(last, None, Judged::Answer) }
    }

    fn question(&mut self) -> Sql {
        let total = self.random.draw(&TOTALS);
        let filter = self.of_which();
        let keys: Vec<&str> = (0..self.random.below(3)).map(|_| self.random.draw(&KEYS)).collect();
        if keys.is_empty() {
            return Sql::Seq(seq![
                format!("SELECT count(*) AS {ROWS}, {total} AS c2 FROM survey AS t"),
                filter
            ]);
        }
        let list = keys.join(", ");
        let by = match self.random.below(6) {
            0 => format!("ROLLUP ({list})"),
            1 => format!("CUBE ({list})"),
            2 => format!("GROUPING SETS (({list}), ({}), ())", keys[0]),
            _ => list.clone(),
        };
        let named: Vec<String> =
            keys.iter().enumerate().map(|(at, key)| format!("{key} AS k{at}")).collect();
        let having = match self.random.below(5) {
            0 => optional(text(format!("HAVING count(*) > {}", self.random.between(2, 9)))),
            _ => text(""),
        };
        let groups = seq![
            format!(
                "SELECT {}, count(*) AS {ROWS}, {total} AS m FROM survey AS t",
                named.join(", ")
            ),
            filter,
            format!("GROUP BY {by}"),
            having
        ];
        match self.random.below(5) {
            0 => Sql::Seq(seq![
                "SELECT count(*) AS groups, sum(rows_told), max(m) FROM (",
                Sql::Seq(groups),
                ") AS w"
            ]),
            _ => Sql::Seq(groups),
        }
    }

    fn of_which(&mut self) -> Sql {
        let mut conditions = Vec::new();
        while conditions.len() < 2 && self.random.chance(45) {
            conditions.push(text(self.one_condition()));
        }
        match conditions.is_empty() {
            true => text(""),
            false => optional(Sql::Seq(seq!["WHERE", Sql::List(conditions, "AND")])),
        }
    }

    fn one_condition(&mut self) -> String {
        let kind = self.random.draw(&["yes", "no", "maybe", "none", "never"]);
        let outlet = self.random.draw(&["o11", "o12", "o13", "o21"]);
        let (level, points) = (self.random.between(1, 4), self.random.between(-3, 12));
        let survey = 3 * self.random.between(1, 90);
        match self.random.below(8) {
            0 => format!("t.kind <> '{kind}'"),
            1 => format!("(t.kind = '{kind}' OR t.outlet = '{outlet}')"),
            2 => format!("t.survey_id <> {survey}"),
            3 => format!("NOT (t.survey_id = {survey} AND t.level = {level})"),
            4 => format!("t.points > {points}"),
            5 => format!("t.level IN (1, {level})"),
            6 => format!("t.outlet <> '{outlet}'"),
            _ => format!("t.amount IS NOT NULL AND t.survey_id < {survey}"),
        }
    }
}
