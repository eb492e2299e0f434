//! Where one statement ends and the next begins.
//!
//! Owns the cut at `;` outside of quotes and comments; knows no other SQL.

/// The complete statements of a text (without their `;`), and what follows the last `;`.
pub(crate) fn split(text: &str) -> (Vec<String>, &str) {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else { break };
        if first == ';' {
            push(&mut statements, &text[start..at]);
            start = at + 1;
        }
        at += match first {
            '\'' | '"' => quoted(rest, first),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            other => other.len_utf8(),
        };
    }
    (statements, &text[start..])
}

/// Whether a text holds anything beside blanks and comments.
pub(crate) fn is_blank(text: &str) -> bool {
    let mut rest = text.trim_start();
    loop {
        if rest.starts_with("--") {
            rest = rest[rest.find('\n').unwrap_or(rest.len())..].trim_start();
        } else if rest.starts_with("/*") {
            rest = rest[block_comment(rest)..].trim_start();
        } else {
            return rest.is_empty();
        }
    }
}

fn push(statements: &mut Vec<String>, text: &str) {
    if !is_blank(text) {
        statements.push(text.trim().to_owned());
    }
}

/// The length of a quoted text with its quotes. A doubled quote reads as two texts that
/// touch, which ends at the same place.
fn quoted(rest: &str, quote: char) -> usize {
    rest[1..].find(quote).map_or(rest.len(), |end| end + 2)
}

fn block_comment(rest: &str) -> usize {
    rest[2..].find("*/").map_or(rest.len(), |end| end + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_ends_a_statement_only_outside_of_texts_and_comments() {
        let (statements, rest) = split(
            "SELECT ';', 'it''s; ', \";\" -- not; here\n FROM t /* nor; here */; SELECT '王;';\n SEL",
        );
        assert_eq!(statements.len(), 2);
        assert!(statements[0].ends_with("/* nor; here */"));
        assert_eq!(statements[1], "SELECT '王;'");
        assert_eq!(rest, "\n SEL");
    }

    #[test]
    fn an_open_text_waits_for_its_end() {
        let (statements, rest) = split("SELECT 'a; b");
        assert!(statements.is_empty());
        assert_eq!(rest, "SELECT 'a; b");
        assert!(!is_blank(rest));
    }

    #[test]
    fn nothing_is_no_statement() {
        assert_eq!(split(" ;; -- x\n ; ").0, Vec::<String>::new());
        assert!(is_blank(" -- only\n /* this */ "));
        assert!(is_blank("/* open"));
    }
}
