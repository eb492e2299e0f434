//! Which constants a statement compares with which columns, told from its text.
//!
//! Works on tokens only and resolves nothing: a column is the last part of a name. Sees
//! `=`, `<>`, `IN`, `LIKE` without wildcards, `IS [NOT] DISTINCT FROM` and `lookup()` with
//! constants or bound parameters. Does not see ranges, nor constants inside expressions. Must
//! never fail: of a text that cannot be read, nothing is told.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

/// Parentheses within each other beyond which no statement is parsed.
const PARENTHESES_MAX: usize = 100;

/// Whole numbers below it are exact however they are spelled.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// How a column and a constant meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The column is to be the constant, or one of a list.
    Equal,
    /// The column is not to be it.
    Unequal,
    /// A masked column is asked for its raw value.
    LookedUp,
}

/// One comparison of a column with a constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The last part of the column's name, in lower case.
    pub column: String,
    /// The constant without its quotes.
    pub constant: String,
    /// How they meet.
    pub how: How,
}

/// The comparisons of a statement, in the order of its text, at most so many. `parameters` are
/// the bound values as the audit record spells them: a list of SQL constants in parentheses.
#[must_use]
pub fn asked(sql: &str, parameters: Option<&str>, at_most: usize) -> Vec<Asked> {
    let Some(tokens) = tokens(sql) else { return Vec::new() };
    let bound = parameters.map(bound).unwrap_or_default();
    let is_question_mark =
        |at: &usize| matches!(&tokens[*at], Token::Placeholder(name) if name == "?");
    let question_marks = (0..tokens.len()).filter(is_question_mark).collect();
    let mut reader = Reader { tokens: &tokens, at: 0, bound: &bound, question_marks, at_most };
    let mut found = Vec::new();
    while reader.at < reader.tokens.len() && found.len() < at_most {
        reader.step(&mut found);
    }
    found.truncate(at_most);
    found
}

fn tokens(sql: &str) -> Option<Vec<Token>> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize().ok()?;
    Some(tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect())
}

/// The bound values in their order; what is no constant is `None`.
fn bound(parameters: &str) -> Vec<Option<String>> {
    let list = parameters.trim().strip_prefix('(').and_then(|list| list.strip_suffix(')'));
    let Some(tokens) = list.and_then(tokens) else { return Vec::new() };
    tokens.split(|token| *token == Token::Comma).map(|value| value.iter().find_map(text)).collect()
}

/// The text of a constant that is one token.
fn text(token: &Token) -> Option<String> {
    match token {
        Token::Number(digits, _) => Some(number(digits)),
        Token::SingleQuotedString(text)
        | Token::NationalStringLiteral(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text)
        | Token::SingleQuotedRawStringLiteral(text)
        | Token::TripleSingleQuotedString(text) => Some(text.trim().to_owned()),
        Token::DollarQuotedString(quoted) => Some(quoted.value.trim().to_owned()),
        _ => None,
    }
}

/// One spelling of a whole number.
fn number(digits: &str) -> String {
    let whole = match digits.split_once('.') {
        Some((whole, rest)) if rest.bytes().all(|digit| digit == b'0') => whole,
        _ => digits,
    };
    if whole.bytes().all(|digit| digit.is_ascii_digit()) {
        let significant = whole.trim_start_matches('0');
        return if significant.is_empty() { "0".into() } else { significant.to_owned() };
    }
    match digits.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < EXACT_MAX => format!("{number:.0}"),
        _ => digits.to_owned(),
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    bound: &'a [Option<String>],
    /// Where `?` stands, which is bound to the value of its turn.
    question_marks: Vec<usize>,
    at_most: usize,
}

impl<'a> Reader<'a> {
    /// Reads one comparison, or one token of something else.
    fn step(&mut self, found: &mut Vec<Asked>) {
        let from = self.at;
        if let Some(column) = self.column() {
            if column == "lookup" && self.takes(&Token::LParen) {
                self.looked_up(found);
            } else {
                self.compared(&column, found);
            }
        } else if let Some(constant) = self.constant() {
            self.reversed(constant, found);
        }
        if self.at == from {
            self.at += 1;
        }
    }

    /// A name of one or several parts.
    fn column(&mut self) -> Option<String> {
        let mut last = self.word()?;
        while self.peek(0) == Some(&Token::Period) && matches!(self.peek(1), Some(Token::Word(_))) {
            self.at += 1;
            last = self.word()?;
        }
        Some(last)
    }

    fn word(&mut self) -> Option<String> {
        let Some(Token::Word(word)) = self.peek(0) else { return None };
        let word = word.value.to_lowercase();
        self.at += 1;
        Some(word)
    }

    fn looked_up(&mut self, found: &mut Vec<Asked>) {
        let Some(column) = self.column() else { return };
        if self.takes(&Token::Comma)
            && let Some(constant) = self.constant()
        {
            found.push(Asked { column, constant, how: How::LookedUp });
        }
    }

    /// What follows a column.
    fn compared(&mut self, column: &str, found: &mut Vec<Asked>) {
        self.step_over_casts();
        let negated = self.takes_word("not");
        let how = |unequal: bool| if unequal { How::Unequal } else { How::Equal };
        if self.takes(&Token::Eq) || self.takes(&Token::DoubleEq) {
            self.one(column, How::Equal, found);
        } else if self.takes(&Token::Neq) {
            self.one(column, How::Unequal, found);
        } else if self.takes_word("in") {
            self.list(column, how(negated), found);
        } else if self.takes_word("like") {
            let pattern = self.constant();
            if let Some(constant) = pattern.filter(|pattern| !pattern.contains(['%', '_'])) {
                found.push(Asked { column: column.to_owned(), constant, how: how(negated) });
            }
        } else if self.takes_word("is") {
            let negated = self.takes_word("not");
            if self.takes_word("distinct") && self.takes_word("from") {
                self.one(column, how(!negated), found);
            }
        }
    }

    /// Goes behind what makes a column another type, and behind parentheses.
    fn step_over_casts(&mut self) {
        while self.takes(&Token::RParen)
            || self.takes(&Token::DoubleColon) && self.takes_type()
            || self.takes_word("as") && self.takes_type()
        {}
    }

    /// A type's name with its lengths.
    fn takes_type(&mut self) -> bool {
        if self.word().is_none() {
            return false;
        }
        if self.takes(&Token::LParen) {
            while self.peek(0).is_some_and(|token| *token != Token::RParen) {
                self.at += 1;
            }
            self.takes(&Token::RParen);
        }
        true
    }

    fn one(&mut self, column: &str, how: How, found: &mut Vec<Asked>) {
        if let Some(constant) = self.constant() {
            found.push(Asked { column: column.to_owned(), constant, how });
        }
    }

    fn list(&mut self, column: &str, how: How, found: &mut Vec<Asked>) {
        if !self.takes(&Token::LParen) {
            return;
        }
        let first = self.at;
        while found.len() < self.at_most {
            let from = self.at;
            if let Some(constant) = self.constant() {
                found.push(Asked { column: column.to_owned(), constant, how });
            }
            self.at = from;
            if !self.goes_on() {
                break;
            }
        }
        // What stands in it may be a query with comparisons of its own.
        self.at = first;
    }

    /// Goes behind the comma that ends one of a list, whatever it is; `false` at the list's end, and
    /// where parentheses stand too deep to be run: who looks at each of them would look for ever.
    fn goes_on(&mut self) -> bool {
        let mut depth = 0;
        while let Some(token) = self.peek(0) {
            match token {
                Token::LParen if depth == PARENTHESES_MAX => return false,
                Token::LParen => depth += 1,
                Token::RParen if depth == 0 => return false,
                Token::RParen => depth -= 1,
                Token::Comma if depth == 0 => {
                    self.at += 1;
                    return true;
                }
                _ => {}
            }
            self.at += 1;
        }
        false
    }

    /// `constant = column`.
    fn reversed(&mut self, constant: String, found: &mut Vec<Asked>) {
        let from = self.at;
        let how = match self.peek(0) {
            Some(Token::Eq | Token::DoubleEq) => How::Equal,
            Some(Token::Neq) => How::Unequal,
            _ => return,
        };
        self.at += 1;
        match self.column() {
            Some(column) => found.push(Asked { column, constant, how }),
            None => self.at = from,
        }
    }

    /// A constant, in parentheses or behind a type's name or not, or a bound value.
    fn constant(&mut self) -> Option<String> {
        let from = self.at;
        while self.takes(&Token::LParen) {}
        let negative = self.takes(&Token::Minus);
        if !negative {
            self.takes(&Token::Plus);
        }
        if let (Some(Token::Word(_)), Some(Token::SingleQuotedString(_))) =
            (self.peek(0), self.peek(1))
        {
            self.at += 1;
        }
        let told = match self.peek(0) {
            Some(Token::Placeholder(name)) => self.bound_to(name),
            Some(token) => text(token),
            None => None,
        };
        let Some(told) = told else {
            self.at = from;
            return None;
        };
        self.at += 1;
        Some(if negative { format!("-{told}") } else { told })
    }

    fn bound_to(&self, name: &str) -> Option<String> {
        let at = match name.strip_prefix('$') {
            Some(number) => number.parse::<usize>().ok()?.checked_sub(1)?,
            None => self.question_marks.partition_point(|mark| *mark < self.at),
        };
        self.bound.get(at)?.clone()
    }

    fn peek(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + ahead)
    }

    fn takes(&mut self, token: &Token) -> bool {
        let is = self.peek(0) == Some(token);
        self.at += usize::from(is);
        is
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(0), Some(Token::Word(found)) if found.value.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }
}

#[cfg(test)]
#[path = "asked_tests.rs"]
mod tests;
