//! A statement's text -> exactly one statement that only reads.
//!
//! Authorises by the parsed form, never by the text. Both parameter spellings are accepted:
//! `?` is numbered in the order of the text and becomes `$n`.

use std::ops::ControlFlow;

use datafusion::sql::parser::{DFParserBuilder, ExplainStatement, Statement as Parsed};
use datafusion::sql::sqlparser::ast::{ObjectType, Statement as Ast, TableFactor, Visit, Visitor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use martlet_core::limits::{STATEMENT_BYTES_MAX, STATEMENT_OPERATORS_MAX};

use crate::error::QueryError;
use crate::order_names;
use crate::written_out::is_small;

/// Calls of functions in one statement that make long texts of short ones.
const LENGTHENING_CALLS_MAX: usize = 128;
/// The functions that do, beside the operator.
const LENGTHENING: [&str; 7] =
    ["repeat", "lpad", "rpad", "concat", "concat_ws", "replace", "regexp_replace"];

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Reads rows or metadata.
    Query,
    /// Tells how rows would be read.
    Explain,
}

/// One parsed statement.
#[derive(Debug)]
pub(crate) struct ParsedStatement {
    pub(crate) verb: Verb,
    pub(crate) statement: Parsed,
    /// The table that `DESCRIBE` names: the plan of it holds no scan to tell.
    pub(crate) described: Option<String>,
}

/// Parses the text.
///
/// # Errors
/// [`QueryError::Syntax`] if it is not one statement, [`QueryError::RulesElsewhere`] and
/// [`QueryError::NotAQuery`] if it would
/// do something else than read.
pub(crate) fn parse(sql: &str) -> Result<ParsedStatement, QueryError> {
    if sql.len() > STATEMENT_BYTES_MAX {
        return Err(QueryError::Syntax {
            reason: format!("it is longer than {STATEMENT_BYTES_MAX} bytes"),
        });
    }
    let tokens = number_parameters(tokenize(sql)?)?;
    not_too_deep(&tokens)?;
    let mut statements = DFParserBuilder::new(tokens)
        .with_dialect(&GenericDialect {})
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(QueryError::from_planning)?;
    let mut statement = match (statements.pop_front(), statements.len()) {
        (Some(statement), 0) => statement,
        (None, _) => return Err(QueryError::Syntax { reason: "it is empty".into() }),
        (Some(_), more) => {
            return Err(QueryError::Syntax {
                reason: format!("it holds {} statements; send one at a time", more + 1),
            });
        }
    };
    let described = match &statement {
        Parsed::Statement(ast) => described(ast),
        _ => None,
    };
    let verb = verb(&statement)?;
    order_names::keep_apart(&mut statement)?;
    can_be_planned(&statement)?;
    Ok(ParsedStatement { verb, statement, described })
}

fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>, QueryError> {
    Tokenizer::new(&GenericDialect {}, sql)
        .tokenize_with_location()
        .map_err(|error| QueryError::Syntax { reason: error.to_string() })
}

/// Bounds the depth of the tree before anything walks it.
fn not_too_deep(tokens: &[TokenWithSpan]) -> Result<(), QueryError> {
    let operators = tokens.iter().filter(|token| is_operator(&token.token)).count();
    let lengthening = tokens.iter().enumerate().filter(|(at, _)| lengthens(tokens, *at)).count();
    if lengthening > LENGTHENING_CALLS_MAX {
        return Err(QueryError::Syntax {
            reason: format!(
                "it makes longer texts (||, {}) {lengthening} times; {LENGTHENING_CALLS_MAX} are possible",
                LENGTHENING.join(", ")
            ),
        });
    }
    if operators > STATEMENT_OPERATORS_MAX {
        return Err(QueryError::Syntax {
            reason: format!(
                "it has {operators} operators; {STATEMENT_OPERATORS_MAX} are possible: write long lists as `in (…)`"
            ),
        });
    }
    Ok(())
}

/// What makes a long text of a short one: an expression holds all of them at once.
fn lengthens(tokens: &[TokenWithSpan], at: usize) -> bool {
    let word = match &tokens[at].token {
        Token::Word(word) => word,
        token => return *token == Token::StringConcat,
    };
    let mut behind = tokens[at + 1..].iter().map(|token| &token.token);
    let next = behind.find(|token| !matches!(token, Token::Whitespace(_)));
    next == Some(&Token::LParen)
        && LENGTHENING.iter().any(|name| word.value.eq_ignore_ascii_case(name))
}

fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::XOR
                | Keyword::NOT
                | Keyword::IS
                | Keyword::LIKE
                | Keyword::ILIKE
                | Keyword::UNION
                | Keyword::INTERSECT
                | Keyword::EXCEPT
                | Keyword::JOIN
                | Keyword::BETWEEN
                | Keyword::COLLATE
                | Keyword::AT
        ),
        Token::Whitespace(_)
        | Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::SemiColon
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::Placeholder(_)
        | Token::EOF => false,
        _ => true,
    }
}

fn described(ast: &Ast) -> Option<String> {
    match ast {
        Ast::ExplainTable { table_name, .. } => {
            let parts = table_name.0.iter().filter_map(|part| part.as_ident());
            Some(parts.map(|ident| ident.value.clone()).collect::<Vec<_>>().join("."))
        }
        _ => None,
    }
}

fn number_parameters(mut tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, QueryError> {
    let mut next = 0_usize;
    let mut numbered = false;
    for token in &mut tokens {
        if let Token::Placeholder(name) = &token.token {
            if name == "?" {
                next += 1;
                token.token = Token::Placeholder(format!("${next}"));
            } else {
                numbered = true;
            }
        }
    }
    if next > 0 && numbered {
        return Err(QueryError::Syntax {
            reason: "it mixes `?` and `$n` parameters; use one spelling".into(),
        });
    }
    Ok(tokens)
}

fn verb(statement: &Parsed) -> Result<Verb, QueryError> {
    match statement {
        Parsed::Statement(ast) => ast_verb(ast),
        Parsed::Explain(ExplainStatement { statement, .. }) => match verb(statement)? {
            Verb::Query => Ok(Verb::Explain),
            Verb::Explain => Err(QueryError::NotAQuery { verb: "explain of explain".into() }),
        },
        Parsed::CreateExternalTable(_) => Err(QueryError::NotAQuery { verb: "create".into() }),
        Parsed::CopyTo(_) => Err(QueryError::NotAQuery { verb: "copy".into() }),
        Parsed::Reset(_) => Err(QueryError::NotAQuery { verb: "reset".into() }),
    }
}

fn ast_verb(ast: &Ast) -> Result<Verb, QueryError> {
    match ast {
        Ast::Query(_)
        | Ast::ShowTables { .. }
        | Ast::ShowColumns { .. }
        | Ast::ExplainTable { .. } => Ok(Verb::Query),
        Ast::Explain { statement, .. } => match ast_verb(statement)? {
            Verb::Query => Ok(Verb::Explain),
            Verb::Explain => Err(QueryError::NotAQuery { verb: "explain of explain".into() }),
        },
        Ast::Grant(_)
        | Ast::Revoke(_)
        | Ast::Deny(_)
        | Ast::CreateRole(_)
        | Ast::AlterRole { .. }
        | Ast::CreatePolicy(_)
        | Ast::AlterPolicy(_)
        | Ast::DropPolicy(_)
        | Ast::Drop { object_type: ObjectType::Role | ObjectType::User, .. } => {
            Err(QueryError::RulesElsewhere)
        }
        other => {
            let text = other.to_string();
            let word = text.split_whitespace().next().unwrap_or("this").to_lowercase();
            Err(QueryError::NotAQuery { verb: word })
        }
    }
}

/// Finds a table with a clause behind its name that the planner does not read.
struct PassedOver;

impl Visitor for PassedOver {
    type Break = &'static str;

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Self::Break> {
        let TableFactor::Table { with_hints, version, partitions, sample, index_hints, .. } =
            factor
        else {
            return ControlFlow::Continue(());
        };
        let clause = [
            (sample.is_some(), "tablesample"),
            (version.is_some(), "a version of a table"),
            (!partitions.is_empty(), "a partition of a table"),
            (!(with_hints.is_empty() && index_hints.is_empty()), "a hint to a table"),
        ];
        match clause.into_iter().find(|(is_there, _)| *is_there) {
            Some((_, clause)) => ControlFlow::Break(clause),
            None => ControlFlow::Continue(()),
        }
    }
}

/// The planner plans a table without these clauses, and so would answer something else than was asked;
/// and of what is too large once it is written out it finds no end.
fn can_be_planned(statement: &Parsed) -> Result<(), QueryError> {
    match statement {
        Parsed::Statement(ast) => match ast.visit(&mut PassedOver) {
            ControlFlow::Continue(()) => is_small(ast),
            ControlFlow::Break(clause) => {
                Err(QueryError::Syntax { reason: format!("{clause} is not supported") })
            }
        },
        Parsed::Explain(ExplainStatement { statement, .. }) => can_be_planned(statement),
        Parsed::CreateExternalTable(_) | Parsed::CopyTo(_) | Parsed::Reset(_) => Ok(()),
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
