//! `ALTER TABLE t ADD INDEX kind (column)` and `… DROP INDEX kind (column)`: the one statement
//! that changes something, and it changes no row.
//!
//! Owns the grammar. Authorises nothing: who may change indexes is decided by the session, or by
//! who may write the mart's folder. Several kinds are parted by commas.

use std::vec::IntoIter;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use martlet_core::limits::STATEMENT_BYTES_MAX;
use martlet_core::{ColumnName, TableName};
use martlet_index::IndexKind;

use crate::error::QueryError;

/// Whether kinds are added or dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlterDeed {
    /// They are built now and by later loads.
    Add,
    /// They are taken away and not built again.
    Drop,
}

/// A change of the kinds of index over one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterIndex {
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: ColumnName,
    /// Added or dropped.
    pub deed: AlterDeed,
    /// The kinds; at least one.
    pub kinds: Vec<IndexKind>,
}

/// Whether a text begins as a statement that alters a table; what it means is told by
/// [`parse_alter_index`].
#[must_use]
pub fn is_alter(sql: &str) -> bool {
    // A statement that is too long is refused where it is parsed.
    let tokens = tokens(sql.get(..1_024).unwrap_or(sql));
    tokens.is_ok_and(|tokens| tokens.first().is_some_and(|token| is_word(token, "alter")))
}

/// Parses the statement.
///
/// # Errors
/// [`QueryError::Syntax`] if it is not one such statement.
pub fn parse_alter_index(sql: &str) -> Result<AlterIndex, QueryError> {
    if sql.len() > STATEMENT_BYTES_MAX {
        return Err(QueryError::Syntax {
            reason: format!("it is longer than {STATEMENT_BYTES_MAX} bytes"),
        });
    }
    let mut rest = Rest { tokens: tokens(sql)?.into_iter() };
    rest.word("alter")?;
    rest.word("table")?;
    let table = rest.table()?;
    let deed = rest.deed()?;
    rest.word("index")?;
    let mut kinds = Vec::new();
    loop {
        kinds.push(rest.kind()?);
        match rest.tokens.next() {
            Some(Token::Comma) => {}
            Some(Token::LParen) => break,
            _ => return Err(grammar("`(column)` after the kinds")),
        }
    }
    let column = rest.name("a column's name")?;
    let column = ColumnName::new(&column).map_err(|_| grammar("a column's name"))?;
    match (rest.tokens.next(), rest.tokens.next(), rest.tokens.next()) {
        (Some(Token::RParen), None, _) | (Some(Token::RParen), Some(Token::SemiColon), None) => {
            Ok(AlterIndex { table, column, deed, kinds })
        }
        _ => Err(grammar("one column in parentheses and nothing after them")),
    }
}

fn tokens(sql: &str) -> Result<Vec<Token>, QueryError> {
    let mut tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize()
        .map_err(|error| QueryError::Syntax { reason: error.to_string() })?;
    tokens.retain(|token| !matches!(token, Token::Whitespace(_)));
    Ok(tokens)
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found)
        if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

fn grammar(missing: &str) -> QueryError {
    QueryError::Syntax {
        reason: format!(
            "expected {missing}: write ALTER TABLE name ADD INDEX kind (column), or DROP INDEX"
        ),
    }
}

/// The tokens that are not read yet.
struct Rest {
    tokens: IntoIter<Token>,
}

impl Rest {
    fn word(&mut self, word: &str) -> Result<(), QueryError> {
        match self.tokens.next() {
            Some(token) if is_word(&token, word) => Ok(()),
            _ => Err(grammar(&format!("`{word}`"))),
        }
    }

    /// A name as SQL reads it: in lower case unless it is quoted.
    fn name(&mut self, what: &str) -> Result<String, QueryError> {
        match self.tokens.next() {
            Some(Token::Word(word)) if word.quote_style.is_some() => Ok(word.value),
            Some(Token::Word(word)) => Ok(word.value.to_lowercase()),
            _ => Err(grammar(what)),
        }
    }

    fn table(&mut self) -> Result<TableName, QueryError> {
        let mut name = self.name("a table's name")?;
        if self.tokens.as_slice().first() == Some(&Token::Period) {
            self.tokens.next();
            let table = self.name("a table's name")?;
            name = if name == TableName::MART_SCHEMA { table } else { format!("{name}.{table}") };
        }
        TableName::new(&name).map_err(|_| grammar("a table's name"))
    }

    fn deed(&mut self) -> Result<AlterDeed, QueryError> {
        match self.tokens.next() {
            Some(token) if is_word(&token, "add") => Ok(AlterDeed::Add),
            Some(token) if is_word(&token, "drop") => Ok(AlterDeed::Drop),
            _ => Err(grammar("`add` or `drop`")),
        }
    }

    fn kind(&mut self) -> Result<IndexKind, QueryError> {
        let name = self.name("a kind of index")?;
        IndexKind::parse(&name).ok_or_else(|| {
            let kinds = IndexKind::ALL.map(IndexKind::name).join(", ");
            grammar(&format!("a kind of index out of {kinds}"))
        })
    }
}

#[cfg(test)]
#[path = "alter_tests.rs"]
mod tests;
