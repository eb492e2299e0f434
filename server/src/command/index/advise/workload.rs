//! The questions of the recorded workload: statements that differ in constants alone are one.
//!
//! Receives: executions from the audit journal. Hands on: questions that can be asked again, the
//! costliest first. The constants of a question are needed to ask it and are never shown.

use std::collections::{BTreeSet, HashMap};

use martlet_policy::Principal;
use martlet_query::column_use::ColumnUse;
use martlet_query::constants::{with_parameters, without_constants};
use martlet_query::{Engine, Mart, QueryError};
use martlet_server::audit::workload::{Executed, Text};

use super::overlay::Overlay;

/// A statement of one principal, as it was asked last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) principal: String,
    /// The text without constants.
    pub(super) form: String,
    /// The text with them.
    sql: String,
    /// How often it was asked.
    pub(super) times: u64,
    /// All the time that it took, as recorded.
    milliseconds: u64,
}

/// The costliest questions, at most `limit`, and how many more there were.
pub(super) fn costliest(executed: Vec<Executed>, limit: usize) -> (Vec<Asked>, usize) {
    let mut by_form: HashMap<(String, String), Asked> = HashMap::new();
    for one in executed {
        let Text { statement, parameters } = &one.text;
        let sql = match parameters {
            Some(parameters) => with_parameters(statement, parameters),
            None => Some(statement.to_string()),
        };
        let (Some(sql), Some(form)) = (sql, without_constants(statement)) else { continue };
        let asked = by_form.entry((one.principal.clone(), form.clone())).or_insert_with(|| Asked {
            principal: one.principal,
            form,
            sql: String::new(),
            times: 0,
            milliseconds: 0,
        });
        asked.sql = sql;
        asked.times += 1;
        // What takes less than a millisecond takes some time, too.
        asked.milliseconds += one.milliseconds.max(1);
    }
    let mut asked: Vec<Asked> = by_form.into_values().collect();
    asked.sort_by(|one, other| {
        let key = |asked: &Asked| (asked.form.clone(), asked.principal.clone());
        other.milliseconds.cmp(&one.milliseconds).then_with(|| key(one).cmp(&key(other)))
    });
    let more = asked.len().saturating_sub(limit);
    asked.truncate(limit);
    (asked, more)
}

/// A question that can be asked today.
pub(super) struct Question {
    pub(super) asked: Asked,
    pub(super) principal: Principal,
    /// What it does with columns, its row rules' conditions among them.
    pub(super) uses: BTreeSet<ColumnUse>,
    /// The columns that it reads, as `table.column`.
    columns: Vec<String>,
}

impl Question {
    /// Prepares the question as its principal; `None` if they or what they asked for are gone.
    pub(super) async fn of(overlay: &Overlay, engine: &Engine, asked: Asked) -> Option<Self> {
        let principal = overlay.principal(engine, &asked.principal)?;
        let mart = engine.mart();
        let session = engine.session(&principal, &mart);
        let statement = session.prepare(&asked.sql).await.ok()?;
        let mut uses = statement.column_uses().ok()?;
        uses.extend(session.rule_uses(&statement.tables()));
        let mut columns = statement.columns();
        columns.extend(uses.iter().map(|one| format!("{}.{}", one.table.table_part(), one.column)));
        Some(Self { asked, principal, uses, columns })
    }

    /// Whether it reads the column at all.
    pub(super) fn touches(&self, table: &str, column: &str) -> bool {
        let name = format!("{table}.{column}");
        self.columns.contains(&name)
    }

    /// Asks, and counts the rows of the answer.
    pub(super) async fn ask(
        &self,
        engine: &Engine,
        mart: &std::sync::Arc<Mart>,
    ) -> Result<u64, QueryError> {
        use futures::TryStreamExt as _;
        let session = engine.session(&self.principal, mart);
        let statement = session.prepare(&self.asked.sql).await?;
        let mut rows = statement.execute(None).await?;
        let mut count = 0;
        while let Some(batch) = rows.try_next().await? {
            count += batch.num_rows() as u64;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executed(principal: &str, statement: &str, milliseconds: u64) -> Executed {
        Executed {
            at: 0,
            principal: principal.into(),
            text: Text { statement: statement.into(), parameters: None },
            milliseconds,
        }
    }

    #[test]
    fn one_question_asked_often_costs_more_than_a_slow_one() {
        let mut all = vec![executed("ann", "SELECT 'slow'", 50)];
        all.extend(
            (0..60).map(|id| executed("ann", &format!("SELECT a FROM t WHERE a = {id}"), 1)),
        );
        all.push(executed("bob", "SELECT a FROM t WHERE a = 5", 1));
        let (asked, more) = costliest(all, 2);
        assert_eq!(more, 1);
        assert_eq!((asked[0].times, asked[0].form.as_str()), (60, "SELECT a FROM t WHERE a = ?"));
        assert_eq!(asked[0].sql, "SELECT a FROM t WHERE a = 59");
        assert_eq!(asked[1].form, "SELECT ?");
    }

    #[test]
    fn bound_parameters_are_put_in_and_unreadable_ones_left_out() {
        let bound = |parameters: &str| {
            let mut one = executed("ann", "SELECT a FROM t WHERE a = ?", 1);
            one.text.parameters = Some(parameters.into());
            one
        };
        let (asked, _) = costliest(vec![bound("('x')"), bound("('y', …")], 9);
        assert_eq!(asked.len(), 1);
        assert_eq!((asked[0].times, asked[0].sql.as_str()), (1, "SELECT a FROM t WHERE a = 'x'"));
    }
}
