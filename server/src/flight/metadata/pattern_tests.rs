//! Patterns match as SQL's LIKE does, checked against the plainest way to say so.

use proptest::prelude::*;

use super::*;

/// LIKE by definition: try every way in which `%` can take text.
fn naive(parts: &[Part], text: &[char]) -> bool {
    match parts {
        [] => text.is_empty(),
        [Part::AnyText, rest @ ..] => (0..=text.len()).any(|taken| naive(rest, &text[taken..])),
        [part, rest @ ..] => {
            text.split_first().is_some_and(|(first, left)| part.takes(*first) && naive(rest, left))
        }
    }
}

#[test]
fn wildcards_and_escapes() {
    for (pattern, text, expected) in [
        ("customer", "customer", true),
        ("customer", "Customer", false),
        ("cust%", "customer", true),
        ("%", "", true),
        ("", "", true),
        ("", "a", false),
        ("_", "", false),
        ("service_contact", "service-contact", true),
        (r"service\_contact", "service_contact", true),
        (r"service\_contact", "service-contact", false),
        (r"100\%", "100%", true),
        (r"100\%", "1000", false),
        (r"a\\b", r"a\b", true),
        (r"a\", r"a\", true),
        ("客_", "客户", true),
    ] {
        assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
    }
}

#[test]
fn a_hostile_pattern_takes_no_long_time() {
    let pattern = Pattern::new(&format!("{}b", "%a".repeat(500)));
    assert!(!pattern.matches(&"a".repeat(2_000)));
}

proptest! {
    #[test]
    fn as_by_definition(pattern in r"[ab%_\\]{0,8}", text in r"[ab%_\\]{0,8}") {
        let pattern = Pattern::new(&pattern);
        let characters: Vec<char> = text.chars().collect();
        prop_assert_eq!(pattern.matches(&text), naive(&pattern.0, &characters));
    }
}
