//! `EXPLAIN POLICY FOR somebody [ON table]`: what somebody sees, and which roles and rules decide it.
//!
//! For the security officer, over the wire: whoever holds a role that may `explain_policy`. Tells of
//! rules and of people's attributes, never of a row; and to whom it is not granted, nothing, not
//! even whether there is such a person or table.

use datafusion::sql::sqlparser::ast::Ident;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;
use martlet_core::TableSchema;
use martlet_core::limits::STATEMENT_BYTES_MAX;
use martlet_policy::{Moment, explain_named};

use crate::error::QueryError;
use crate::mart::Mart;
use crate::session::today;
use crate::system;

/// The word behind EXPLAIN.
const POLICY: &str = "policy";

/// About whom, and about which table; of all without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    principal: String,
    table: Option<String>,
}

/// The question, if the text is one of this kind.
///
/// # Errors
/// [`QueryError::Syntax`] if it begins as one and does not go on so.
pub(crate) fn asked(sql: &str) -> Result<Option<Question>, QueryError> {
    // Whatever is too long or cannot be read is refused by whoever reads all statements.
    if sql.len() > STATEMENT_BYTES_MAX {
        return Ok(None);
    }
    let dialect = GenericDialect {};
    let Ok(mut parser) = Parser::new(&dialect).try_with_sql(sql) else { return Ok(None) };
    let is_policy = parser.parse_keyword(Keyword::EXPLAIN)
        && matches!(parser.next_token().token, Token::Word(word) if word.value.eq_ignore_ascii_case(POLICY));
    if !is_policy {
        return Ok(None);
    }
    question(&mut parser).map(Some).map_err(|_| QueryError::Syntax {
        reason: "it begins as EXPLAIN POLICY and goes on as: FOR a principal's name, and, if \
                 you like, ON a table's"
            .into(),
    })
}

fn question(parser: &mut Parser<'_>) -> Result<Question, ParserError> {
    parser.expect_keyword(Keyword::FOR)?;
    // A name as the feed has it: quotes of either kind may stand around it.
    let principal = parser.parse_identifier()?.value;
    let table = if parser.parse_keyword(Keyword::ON) {
        let parts = parser.parse_object_name(false)?;
        let parts = parts.0.iter().map(|part| part.as_ident().map(small));
        Some(parts.collect::<Option<Vec<String>>>().unwrap_or_default().join("."))
    } else {
        None
    };
    while parser.consume_token(&Token::SemiColon) {}
    parser.expect_token(&Token::EOF)?;
    Ok(Question { principal, table })
}

fn small(ident: &Ident) -> String {
    ident.value.to_lowercase()
}

/// The lines that answer it: the principal's emergencies first, then each table.
///
/// # Errors
/// [`QueryError::UnknownTable`] or [`QueryError::UnknownPrincipal`].
pub(crate) fn lines(
    mart: &Mart,
    question: &Question,
    now: Option<i64>,
) -> Result<Vec<String>, QueryError> {
    let (Some(bundle), Some(tables)) = (mart.bundle(), tables(mart, question)) else {
        return Err(QueryError::UnknownTable { table: question.table.clone().unwrap_or_default() });
    };
    let no_time = QueryError::Bug { promise: "the clock shows a day" };
    let Some((day, seconds)) = today(bundle).zip(now) else { return Err(no_time) };
    let (emergencies, name) = (mart.emergencies(), &question.principal);
    let moment = Moment { day, seconds };
    let mut lines: Vec<String> =
        emergencies.of(name).map(|emergency| emergency.in_words(seconds)).collect();
    for table in &tables {
        let told = explain_named(mart.directory(), emergencies, name, table, bundle, moment);
        let told = told.ok_or_else(|| QueryError::UnknownPrincipal {
            principal: question.principal.clone(),
        })?;
        // What belongs to the first line is set off from it, as it was one text.
        let offset = |(at, line): (usize, String)| if at == 0 { line } else { format!("  {line}") };
        lines.extend(told.into_iter().enumerate().map(offset));
    }
    Ok(lines)
}

/// The tables that it is about; `None` if there is no such table.
fn tables(mart: &Mart, question: &Question) -> Option<Vec<TableSchema>> {
    let stored = mart.tables().values().filter_map(|table| mart.schema_in_force(table.version()));
    let mut tables: Vec<TableSchema> = stored.chain(system::schemas()).collect();
    if let Some(name) = &question.table {
        let name = name.strip_prefix("mart.").unwrap_or(name);
        tables.retain(|table| table.name().as_str() == name);
    }
    (!tables.is_empty()).then_some(tables)
}

#[cfg(test)]
#[path = "explain_policy_tests.rs"]
mod tests;
