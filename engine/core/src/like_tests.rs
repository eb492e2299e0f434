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
        prop_assert_eq!(read.matches(&text), plainly(&read.elements, &characters));
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

#[test]
fn an_escaped_sign_is_itself() {
    assert!(LikePattern::new(r"100\%").matches("100%"));
    assert!(!LikePattern::new(r"100\%").matches("1000"));
    assert!(LikePattern::new(r"a\_b%").matches("a_bc"));
    assert!(!LikePattern::new(r"a\_b%").matches("axbc"));
}
