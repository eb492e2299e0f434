//! Look-ups of raw values of masked columns: of visible rows, of hidden ones, and of none.
//!
//! The copy has no raw values; it is asked for the rows that have them, which the worlds' maker knows.

use super::queries::Body;
use super::scope::Scope;
use super::sql::{Sql, optional, text};
use super::{Grammar, Judged, Statement};
use crate::seq;
use crate::worlds::sought::Sought;

const TABLE: &str = "loan";

impl Grammar {
    /// A query that has a look-up among its conditions.
    pub(super) fn look_up(&mut self) -> Statement {
        let table = self.table_named(TABLE);
        let alias = self.alias();
        let scope = Scope::of_table(&table, &alias);
        let looked_up = self.looked_up(&table.sought, &alias);
        let further = if self.random.chance(40) {
            let condition = self.condition(&scope, 1);
            optional(Sql::Seq(seq!["AND", condition]))
        } else {
            text("")
        };
        let filter = Sql::Seq(seq!["WHERE", looked_up, further]);
        let from = text(format!("{TABLE} AS {alias}"));
        let body = match self.random.below(3) {
            0 => self.counted(from, &scope, filter),
            1 => self.plain_of((from, scope), filter, 1),
            _ => self.joined_to_found((from, alias), filter),
        };
        let tail = self.tail(body.kinds.len());
        self.statement(body.sql, tail, Judged::Answer)
    }

    /// Groups by a column as it is: by what is computed of one, DataFusion refuses some that it answers
    /// where a filter stands between, as it does in the copy.
    fn counted(&mut self, from: Sql, scope: &Scope, filter: Sql) -> Body {
        let by = scope.any(&mut self.random).sql.clone();
        let total = self.aggregate(scope);
        let items = seq![format!("SELECT {by} AS c1,"), total, "AS c2 FROM", from];
        let sql = seq![Sql::Seq(items), filter, format!("GROUP BY {by}")];
        Body { sql: Sql::Seq(sql), kinds: vec![None; 2] }
    }

    fn looked_up(&mut self, sought: &[Sought], alias: &str) -> Sql {
        // Of visible rows there are fewer than of hidden ones.
        let is_found = self.random.chance(50);
        let of_that_kind: Vec<&Sought> =
            sought.iter().filter(|sought| sought.found.is_empty() != is_found).collect();
        let sought = self.random.draw(&of_that_kind);
        let value = sought.value.sql(sought.column_type);
        let keys: Vec<String> = sought.found.iter().map(ToString::to_string).collect();
        let of_copy = match keys.as_slice() {
            [] => "false".to_owned(),
            keys => format!("{alias}.loan_id IN ({})", keys.join(", ")),
        };
        Sql::Copied { asked: format!("lookup({alias}.{}, {value})", sought.column), of_copy }
    }

    /// Customers of the outlets where it was found.
    fn joined_to_found(&mut self, (from, alias): (Sql, String), filter: Sql) -> Body {
        let (found, customer) = (self.alias(), self.alias());
        let scope = Scope::of_table(&self.table_named("customer"), &customer);
        let joined = Sql::Seq(seq![
            format!("customer AS {customer} JOIN (SELECT {alias}.outlet AS place FROM"),
            from,
            filter,
            format!(") AS {found} ON {customer}.outlet = {found}.place")
        ]);
        let condition = self.condition(&scope, 1);
        self.counted(joined, &scope, optional(Sql::Seq(seq!["WHERE", condition])))
    }
}
