//! A statement's text without its constants, and with parameters put in.
//!
//! Works on tokens only, so that it is the same text whatever it means. Two statements that
//! differ in constants alone have one form; the form holds no value of a row.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

/// The text with `?` in the place of every constant, lists of them as one, on one line;
/// `None` if it cannot be read.
#[must_use]
pub fn without_constants(sql: &str) -> Option<String> {
    let mut text = String::with_capacity(sql.len());
    for token in Tokenizer::new(&GenericDialect {}, sql).tokenize().ok()? {
        let word = match &token {
            Token::Whitespace(_) => " ".to_owned(),
            Token::Word(_) => token.to_string(),
            other if is_constant(other) => "?".to_owned(),
            other => other.to_string(),
        };
        if !(word == " " && (text.is_empty() || text.ends_with(' '))) {
            text.push_str(&word);
        }
    }
    while text.contains("?, ?") || text.contains("?,?") {
        text = text.replace("?, ?", "?").replace("?,?", "?");
    }
    Some(text.trim().trim_end_matches(';').trim_end().to_owned())
}

fn is_constant(token: &Token) -> bool {
    !matches!(token, Token::Placeholder(name) if name == "?")
        && (matches!(token, Token::Number(..) | Token::Placeholder(_) | Token::Char(_))
            || is_string(token))
}

fn is_string(token: &Token) -> bool {
    matches!(
        token,
        Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::TripleSingleQuotedString(_)
            | Token::TripleDoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::DoubleQuotedByteStringLiteral(_)
            | Token::TripleSingleQuotedByteStringLiteral(_)
            | Token::TripleDoubleQuotedByteStringLiteral(_)
            | Token::SingleQuotedRawStringLiteral(_)
            | Token::DoubleQuotedRawStringLiteral(_)
            | Token::TripleSingleQuotedRawStringLiteral(_)
            | Token::TripleDoubleQuotedRawStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
    )
}

/// The text with recorded parameters, a list of SQL constants in parentheses, in the place of
/// `?` and `$n`; `None` if one is missing or something cannot be read.
#[must_use]
pub fn with_parameters(sql: &str, parameters: &str) -> Option<String> {
    let list = parameters.trim().strip_prefix('(')?.strip_suffix(')')?;
    let mut values = vec![String::new()];
    for token in Tokenizer::new(&GenericDialect {}, list).tokenize().ok()? {
        match token {
            Token::Comma => values.push(String::new()),
            other => values.last_mut()?.push_str(&spelled(&other)),
        }
    }
    let mut next = 0;
    let mut text = String::with_capacity(sql.len() + list.len());
    for token in Tokenizer::new(&GenericDialect {}, sql).tokenize().ok()? {
        match &token {
            Token::Placeholder(name) => {
                let at = match name.strip_prefix('$') {
                    Some(number) => number.parse::<usize>().ok()?.checked_sub(1)?,
                    None => next,
                };
                next += 1;
                let value = values.get(at).map(|value| value.trim())?;
                text.push_str(if value.is_empty() { return None } else { value });
            }
            other => text.push_str(&spelled(other)),
        }
    }
    Some(text)
}

/// The token as SQL writes it: the tokenizer takes doubled quotes for one.
fn spelled(token: &Token) -> String {
    match token {
        Token::SingleQuotedString(text) => format!("'{}'", text.replace('\'', "''")),
        Token::DoubleQuotedString(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_differ_in_constants_have_one_form() {
        let one = "SELECT count(*)  FROM t\nWHERE a = 'x''y' AND b IN (1, 2,3) AND c < 4.5;";
        let other = "SELECT count(*) FROM t WHERE a = 'z' AND b IN (7) AND c < ?";
        let form = "SELECT count(*) FROM t WHERE a = ? AND b IN (?) AND c < ?";
        assert_eq!(without_constants(one).as_deref(), Some(form));
        assert_eq!(without_constants(other).as_deref(), Some(form));
        assert_eq!(
            without_constants("SELECT \"王\" FROM t WHERE d = '王'").as_deref(),
            Some("SELECT \"王\" FROM t WHERE d = ?")
        );
        assert_eq!(without_constants("SELECT 'open"), None);
    }

    #[test]
    fn parameters_are_put_in_as_they_were_recorded() {
        let put = |sql: &str| with_parameters(sql, "('it''s (1, 2)', 7, NULL)");
        assert_eq!(
            put("SELECT ? WHERE a = ? OR '?' = ?").as_deref(),
            Some("SELECT 'it''s (1, 2)' WHERE a = 7 OR '?' = NULL")
        );
        assert_eq!(put("SELECT $2, $1").as_deref(), Some("SELECT 7, 'it''s (1, 2)'"));
        assert_eq!(put("SELECT $4"), None);
        assert_eq!(put("SELECT $0"), None);
        assert_eq!(with_parameters("SELECT ?", "cut…"), None);
    }
}
