//! What a file may say, and that everything else is found.

use super::*;

const RULE: &str = "[[rule]]\nname = \"a\"\nkind = \"crowd\"\nprincipals = 5\nwindow = \"1h\"\n";

fn refused(text: &str) -> String {
    match Rules::parse(text) {
        Err(AlarmError::Rules(what)) => what,
        other => panic!("{text} was taken: {other:?}"),
    }
}

#[test]
fn the_built_in_rules_are_taken_and_hold_nobody() {
    let rules = Rules::builtin().unwrap();
    assert!(rules.rules.len() >= 15);
    assert!(rules.rules.iter().all(|rule| rule.actions.curbing.is_none()));
    // The commented example is one, too.
    let folder = tempfile::tempdir().unwrap();
    let watched = Rules::EXAMPLE.split("# [[rule]]").nth(1).unwrap();
    let watched = format!("[[rule]]{}", watched.replace("\n# ", "\n"));
    std::fs::write(folder.path().join("watched.txt"), "C1\n\n C2 \n").unwrap();
    let file = folder.path().join("alarms.toml");
    std::fs::write(&file, watched).unwrap();
    let rules = Rules::read(&file).unwrap();
    let Kind::Watched { values, .. } = &rules.rules[0].kind else { panic!("{rules:?}") };
    assert_eq!(values.len(), 2);
}

#[test]
fn actions_and_times_are_read() {
    let text =
        format!("{RULE}actions = [\"notify\", \"throttle\"]\npause = \"2s\"\nfor = \"8h\"\n");
    let actions = Rules::parse(&text).unwrap().rules[0].actions;
    assert_eq!(actions.curbing, Some(Curbing::Throttle { pause: 2 * SECOND }));
    assert_eq!((actions.notify, actions.lasts), (true, Some(8 * 60 * MINUTE)));
    let cut = Rules::parse(&format!("{RULE}actions = [\"throttle\", \"cut\"]\n")).unwrap();
    assert_eq!(cut.rules[0].actions.curbing, Some(Curbing::Cut), "the harder one");
}

#[test]
fn whatever_cannot_be_meant_is_found() {
    for (more, what) in [
        ("threshold = 5\n", "`threshold` has no meaning here"),
        ("actions = [\"shout\"]\n", "`actions` may be"),
        ("severity = \"loud\"\n", "`severity` must be one of"),
        ("quiet = \"soon\"\n", "`quiet` must be a time"),
        ("roles = \"teller\"\n", "`roles` must be a list"),
        ("actions = [\"throttle\"]\npause = \"2m\"\n", "`pause` must be a minute at most"),
    ] {
        let found = refused(&format!("{RULE}{more}"));
        assert!(found.contains(what) && found.contains("rule `a`"), "{found}");
    }
    for (text, what) in [
        ("[[rule]]\nname = \"a\"\n", "`kind` is missing"),
        ("[[rule]]\nname = \"A b\"\nkind = \"two_places\"\nwindow = \"1h\"\n", "`name` must be"),
        ("[[rule]]\nname = \"a\"\nkind = \"crowd\"\nwindow = \"1h\"\n", "`principals` is missing"),
        (
            "[[rule]]\nname = \"emergency-used\"\nkind = \"two_places\"\nwindow = \"1h\"\n",
            "are those of the built-in alarms",
        ),
        (
            "[[rule]]\nname = \"a\"\nkind = \"crowd\"\nprincipals = 99999\nwindow = \"1h\"\n",
            "at most",
        ),
        (
            "[[rule]]\nname = \"a\"\nkind = \"crowd\"\nprincipals = -1\nwindow = \"1h\"\n",
            "1 or more",
        ),
        ("utc_offset = \"8\"\n", "`utc_offset`"),
        ("holidays = [\"tomorrow\"]\n", "`holidays`"),
        ("rule = 5\n", "[[rule]]"),
        ("[notify]\nwebhook = \"http://bank.example/\"\n", "take https"),
        ("[notify]\nwebhook = \"https://bank.example/\"\n", "webhook_ca"),
        ("[notify]\nsyslog = \"there\"\n", "`syslog`"),
        ("[notify\n", "expected"),
    ] {
        let found = refused(text);
        assert!(found.contains(what), "{text}: {found}");
    }
    assert!(refused(&format!("{RULE}{RULE}")).contains("stands twice"));
}

#[test]
fn nobody_is_shut_out_by_a_strangers_wrong_passwords() {
    let rule = "[[rule]]\nname = \"a\"\nkind = \"many\"\ncounted = \"sign_ins\"\ncount = 5\n\
                window = \"1h\"\nactions = [\"ACTION\"]\n";
    assert!(Rules::parse(&rule.replace("ACTION", "notify")).is_ok());
    for action in ["throttle", "cut"] {
        assert!(refused(&rule.replace("ACTION", action)).contains("shut a person out"));
    }
}

#[test]
fn a_usual_month_is_that_of_ones_peers() {
    let rule = "[[rule]]\nname = \"a\"\nkind = \"usual\"\nfactor = 2\nfloor = 5\ndays = 30\n";
    assert!(refused(rule).contains("against = \"peers\""));
    assert!(Rules::parse(&format!("{rule}against = \"peers\"\n")).is_ok());
    assert!(refused(&rule.replace("30", "5")).contains("`days` must be 1, 7 or 30"));
    let week = rule.replace("30", "7");
    assert!(Rules::parse(&week).is_ok());
    assert!(refused(&format!("{week}figure = \"largest\"\n")).contains("that of one day"));
}
