use crate::bundle::BundleText;
use crate::diff::diff;
use crate::testing::{example_text, example_with};

fn lines(old: &BundleText, new: &BundleText) -> Vec<String> {
    diff(old, new)
}

fn with(file: &str, more: &str) -> BundleText {
    example_with(file, |text| format!("{text}{more}"))
}

fn officers(approvals: u8, keys: &[(&str, &str)]) -> BundleText {
    let mut more = format!("approvals = {approvals}\n");
    for (name, key) in keys {
        more.push_str(&format!("[[officer]]\nname = \"{name}\"\nkey = \"{key}\"\n"));
    }
    with("bundle.toml", &more)
}

#[test]
fn whatever_makes_a_change_of_rules_easier_has_a_star() {
    let two = officers(2, &[("ann", "aa"), ("bob", "bb")]);
    let other = officers(1, &[("ann", "ab"), ("eve", "ee")]);
    assert_eq!(
        lines(&two, &other),
        [
            "* bundle: approvals 2 -> 1",
            "* officer `bob`: removed",
            "* officer `ann`: key aa -> key ab",
            "* officer `eve`: new, key ee",
        ]
    );
    assert_eq!(lines(&officers(1, &[]), &officers(2, &[])), ["  bundle: approvals 1 -> 2"]);
    assert_eq!(lines(&two, &two), [""; 0]);
}

#[test]
fn so_has_whatever_keeps_less_apart_or_accepts_more() {
    let risk = "[[accepted_risk]]\nname = \"r\"\nroles = [\"teller\"]\nhidden = \"name\"\n\
                beside = [\"memo\"]\nreason = \"why\"\n";
    let conflict = "[[conflict]]\nroles = [\"teller\", \"analyst\"]\n";
    let (plain, apart, taken) =
        (example_text(), with("roles.toml", conflict), with("roles.toml", risk));
    assert_eq!(lines(&plain, &apart), ["  conflict of analyst, teller: new"]);
    assert_eq!(lines(&apart, &plain), ["* conflict of analyst, teller: removed"]);
    let risk = "accepted risk `r` for teller: `name` beside memo: why";
    assert_eq!(lines(&plain, &taken), [format!("* {risk}: new")]);
    assert_eq!(lines(&taken, &plain), [format!("  {risk}: removed")]);
    let duty = |word: &str| {
        example_with("roles.toml", |text| {
            text.replace("name = \"teller\"", &format!("name = \"teller\"\nduty = \"{word}\""))
        })
    };
    assert_eq!(lines(&plain, &duty("load")), ["  role `teller`: duty `` -> `load`"]);
    assert_eq!(lines(&duty("load"), &plain), ["* role `teller`: duty `load` -> ``"]);
    assert_eq!(lines(&duty("rules"), &duty("load")), ["* role `teller`: duty `rules` -> `load`"]);
}

#[test]
fn so_has_an_emergency_more_and_every_change_of_one() {
    let emergency = |hours: u8| {
        let text = format!(
            "[[emergency]]\nname = \"fire\"\nrole = \"analyst\"\nmay_ask = [\"teller\"]\n\
             hours = {hours}\napprovers = 2\n"
        );
        with("roles.toml", &text)
    };
    let line = |hours: u8| {
        format!("emergency `fire`: role `analyst` for teller, {hours} hours, 2 approvals")
    };
    let plain = example_text();
    assert_eq!(lines(&plain, &emergency(1)), [format!("* {}: new", line(1))]);
    assert_eq!(lines(&emergency(1), &plain), [format!("  {}: removed", line(1))]);
    let changed = [format!("  {}: removed", line(1)), format!("* {}: new", line(2))];
    assert_eq!(lines(&emergency(1), &emergency(2)), changed);
}
