//! LIKE against its definition, written plainly.

use proptest::prelude::*;

use super::*;

/// The definition: try everything that `%` could stand for.
fn plainly(pattern: &[Element], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([Element::AnyText, rest @ ..], _) => {
            (0..=text.len()).any(|skipped| plainly(rest, &text[skipped..]))
        }
        ([Element::AnyCharacter, rest @ ..], [_, more @ ..]) => plainly(rest, more),
        ([Element::Character(wanted), rest @ ..], [found, more @ ..]) => {
            wanted == found && plainly(rest, more)
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn matching_is_the_definition(pattern in "[ab%_张\\\\]{0,8}", text in "[ab张%\\\\]{0,8}") {
        let read = LikePattern::new(&pattern);
        let characters: Vec<char> = text.chars().collect();
        let expected = plainly(&read.elements, &characters);
        prop_assert_eq!(read.matches(&text), expected);
        prop_assert_eq!(read.matcher().matches(text.as_bytes()), expected);
    }

    #[test]
    fn every_match_contains_the_required_parts(pattern in "[ab%_张]{0,8}", text in "[ab张]{0,8}") {
        let read = LikePattern::new(&pattern);
        let has = |part: &LikePart| match (part.begins, part.ends) {
            (true, true) => text == part.text,
            (true, false) => text.starts_with(&part.text),
            (false, true) => text.ends_with(&part.text),
            (false, false) => text.contains(&part.text),
        };
        let has_all = read.required_parts().iter().all(has);
        if read.matches(&text) {
            prop_assert!(has_all);
            prop_assert!(text.starts_with(&read.prefix()));
        } else if read.is_decided_by_parts() {
            prop_assert!(!has_all);
        }
    }
}

proptest! {
    /// Characters of one to four bytes that share bytes, and a mark that combines with the one
    /// before it: `e` and the mark are two characters, `é` is one.
    #[test]
    fn a_matcher_is_the_definition(
        pattern in "[%_\\\\aeé\u{301}张彠\u{1F600}\u{1F601}]{0,10}",
        texts in proptest::collection::vec("[aeé\u{301}张彠\u{1F600}\u{1F601}%_]{0,10}", 1..4),
    ) {
        let read = LikePattern::new(&pattern);
        let matcher = read.matcher();
        for text in texts {
            let characters: Vec<char> = text.chars().collect();
            let expected = plainly(&read.elements, &characters);
            prop_assert_eq!(matcher.matches(text.as_bytes()), expected);
        }
    }
}

#[test]
fn runs_do_not_share_characters() {
    let has =
        |pattern: &str, text: &str| LikePattern::new(pattern).matcher().matches(text.as_bytes());
    assert!(has("ab%ab", "abab") && !has("ab%ab", "ab") && !has("aba%ba", "aba"));
    assert!(has("%aa%a%", "aaa") && !has("%aa%aa%", "aaa"));
    assert!(has("%", "") && has("", "") && !has("", "a") && !has("_%", ""));
}

#[test]
fn an_escaped_sign_is_itself() {
    assert!(LikePattern::new(r"100\%").matches("100%"));
    assert!(!LikePattern::new(r"100\%").matches("1000"));
    assert!(LikePattern::new(r"a\_b%").matches("a_bc"));
    assert!(!LikePattern::new(r"a\_b%").matches("axbc"));
}
