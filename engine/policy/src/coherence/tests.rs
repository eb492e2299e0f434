use super::measure::Measure;
use super::people::{id_check, luhn_check, people};
use super::*;
use crate::Emergencies;
use crate::bundle::BundleText;
use crate::check::check;
use crate::directory::Directory;
use crate::explain::explain_named;
use crate::mask::{Mask, Profile};
use crate::testing::{bundle_text, moment, table};
use martlet_core::{ColumnType, TableSchema};

const CLASSES: &str = r#"
[[class]]
name = "open"
[[class]]
name = "id"
mask = "id_number"
[[class]]
name = "born"
mask = "birth_date"
[[class]]
name = "home"
mask = "address"
[[class]]
name = "mobile"
mask = "mobile"
[[class]]
name = "mail"
mask = "email"
[[class]]
name = "card"
mask = "card"
[[class]]
name = "old_card"
mask = "card"
[[class]]
name = "issuer"
mask = "redact"
about = "card_issuer"
[[class]]
name = "ending"
mask = "redact"
about = "card_ending"
[[class]]
name = "sex"
mask = "redact"
about = "sex"
[[class]]
name = "tax"
mask = "token"
purpose = "tax"
about = "id_number"
[[class]]
name = "balance"
mask = "balance_band"
[[class]]
name = "turnover"
mask = "balance_band"
"#;

/// A table with the columns of which these roles speak.
fn person_table(roles: &str) -> TableSchema {
    let text = ColumnType::Text;
    let columns: Vec<_> = [
        ("key", text, "open"),
        ("id_number", text, "id"),
        ("born", ColumnType::Date, "born"),
        ("home", text, "home"),
        ("mobile", text, "mobile"),
        ("mail", text, "mail"),
        ("card", text, "card"),
        ("old_card", text, "old_card"),
        ("issuer", text, "issuer"),
        ("ending", text, "ending"),
        ("sex", text, "sex"),
        ("tax", text, "tax"),
        ("balance", ColumnType::Int64, "balance"),
        ("turnover", ColumnType::Int64, "turnover"),
    ]
    .into_iter()
    .filter(|(.., class)| roles.contains(&format!("\n{class} = ")))
    .collect();
    table("person", &columns)
}

fn role(name: &str, words: &str) -> String {
    let mut text = format!("[[role]]\nname = \"{name}\"\ntables = [\"person\"]\n[role.classes]\n");
    for word in words.split(',') {
        let (class, word) = word.split_once('=').unwrap();
        text.push_str(&format!("{class} = \"{word}\"\n"));
    }
    text + "open = \"clear\"\n"
}

fn bundle(profile: &str, roles: &str) -> BundleText {
    bundle_text(&[
        ("bundle.toml", &format!("name = \"c\"\nversion = \"1\"\nprofile = \"{profile}\"\n")),
        ("organization.csv", "node,parent,level,name\n00,,head_office,Head\n"),
        ("classes.toml", CLASSES),
        ("roles.toml", roles),
        ("rules.toml", ""),
    ])
}

/// What the check says of these roles; nothing if it is content.
fn findings(profile: &str, roles: &str) -> Vec<String> {
    match check(&bundle(profile, roles), &[person_table(roles)]) {
        Ok(_) => Vec::new(),
        Err(findings) => findings.iter().map(ToString::to_string).collect(),
    }
}

/// The classes that are given away to a role with these words, with percents.
fn given_away(profile: &str, words: &str) -> Vec<String> {
    let findings = findings(profile, &role("reader", words));
    let short = |finding: &String| {
        let class =
            |text: &str| text.split("(class `").nth(1)?.split('`').next().map(str::to_owned);
        let percent = finding.split("beside").nth(1)?.split(" %").next()?.rsplit(' ').next()?;
        Some(format!("{} {percent}", class(finding)?))
    };
    findings.iter().map(|finding| short(finding).unwrap_or_else(|| finding.clone())).collect()
}

#[test]
fn the_people_fit_together() {
    let mut carriers = 0;
    for person in people() {
        let id = person.value(Kind::IdNumber);
        assert_eq!(&id[6..14], person.value(Kind::BirthDate));
        assert_eq!(id.chars().last(), Some(id_check(&id[..17])));
        let odd = id.as_bytes()[16] % 2 == 1;
        assert_eq!(person.value(Kind::Sex), if odd { "M" } else { "F" });
        let card = person.value(Kind::Card);
        assert_eq!(card.chars().last(), Some(luhn_check(&card[..card.len() - 1])));
        assert!(card.starts_with(person.value(Kind::CardIssuer)));
        assert!(card.ends_with(person.value(Kind::CardEnding)));
        assert!(matches!(card.len(), 16 | 19));
        let born = person.born.format("%Y%m%d").to_string();
        assert_eq!(born, person.value(Kind::BirthDate));
        carriers += usize::from(person.value(Kind::Email).starts_with(person.value(Kind::Mobile)));
    }
    assert!(carriers * 10 > people().len() * 6 && carriers * 10 < people().len() * 9, "{carriers}");
}

#[test]
fn published_numbers_pass_their_checks() {
    // The example of GB 11643, and a card number that Luhn's check is commonly shown with.
    assert_eq!(id_check("11010519491231002"), 'X');
    assert_eq!(luhn_check("7992739871"), '3');
}

#[test]
fn half_or_more_of_what_is_hidden_may_not_stand_beside_it() {
    let nothing: [&str; 0] = [];
    for (profile, words, expected) in [
        // The month; the day is hidden still.
        ("doc", "id=mask,born=mask", &["born 50"][..]),
        ("strict", "id=mask,born=mask", &nothing),
        // A third of what is hidden, and no more with the sex beside it.
        ("doc", "id=mask,born=clear,sex=clear", &nothing),
        ("strict", "id=mask,born=clear", &["id 50"]),
        ("doc", "id=token:a,born=clear", &nothing),
        ("doc", "id=deny,born=mask", &nothing),
        ("doc", "id=mask,born=deny", &["born 75"]),
        ("doc", "id=clear,born=mask", &["born 100"]),
        ("doc", "id=clear,sex=deny", &["sex 100"]),
        ("doc", "id=clear,born=clear,sex=clear,home=clear", &nothing),
        ("doc", "mobile=mask,mail=mask", &nothing),
        ("strict", "mobile=mask,mail=mask", &nothing),
        ("doc", "card=mask", &nothing),
        ("strict", "card=mask,ending=clear", &nothing),
        ("doc", "card=mask,old_card=clear", &["card 100"]),
        ("doc", "card=token:a,old_card=mask", &["card 58"]),
        ("doc", "card=token:a,old_card=clear", &["card 100"]),
        ("doc", "card=token:a,old_card=token:b", &nothing),
        ("doc", "id=clear,tax=mask", &["tax 100"]),
        ("doc", "id=mask,tax=mask", &["tax 67"]),
        // Two amounts are not one.
        ("doc", "balance=mask,turnover=clear", &nothing),
        // What may only be compared is not shown.
        ("doc", "id=filter,sex=deny", &nothing),
        ("doc", "card=mask,old_card=filter", &["old_card 58"]),
    ] {
        assert_eq!(given_away(profile, words), expected, "{profile}: {words}");
    }
}

#[test]
fn mail_that_is_the_mobile_number_gives_it_away_and_the_other_way() {
    for (words, class) in [("mobile=mask,mail=clear", "mobile"), ("mobile=clear,mail=mask", "mail")]
    {
        let found = given_away("doc", words);
        let percent: u8 = found[0].strip_prefix(class).unwrap().trim().parse().unwrap();
        assert!(found.len() == 1 && (60..90).contains(&percent), "{words}: {found:?}");
    }
}

#[test]
fn several_neighbours_count_together_and_are_all_named() {
    let found = findings("doc", &role("reader", "id=token:a,born=clear,home=clear"));
    assert_eq!(found.len(), 1, "{found:?}");
    let named = ["`person.born` (class `born`: clear) and `person.home` (class `home`: clear)"];
    assert!(named.iter().all(|part| found[0].contains(part)), "{}", found[0]);
    assert!(findings("doc", &role("reader", "id=token:a,home=clear")).is_empty());
}

#[test]
fn an_issuer_and_an_ending_are_most_of_a_card() {
    let found = findings("doc", &role("reader", "card=deny,issuer=clear,ending=clear"));
    let of_card: Vec<_> = found.iter().filter(|f| f.contains("`person.card` (class")).collect();
    assert_eq!(of_card.len(), 1, "{found:?}");
    assert!(of_card[0].contains("`person.issuer`") && of_card[0].contains("`person.ending`"));
}

#[test]
fn a_finding_names_columns_role_share_and_what_to_do_in_its_place() {
    let found = findings("doc", &role("reader", "id=mask,born=mask"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0],
        "roles.toml:6:8: `person.born` (class `born`: mask:birth_date) is given away to the role \
         `reader`: beside `person.id_number` (class `id`: mask:id_number), 50 % of what is hidden \
         can be told; deny or redact one of them, or accept the risk by name (`[[accepted_risk]]`)"
    );
}

#[test]
fn who_inherits_is_not_blamed_again_and_two_roles_together_are() {
    let heir =
        "[[role]]\nname = \"heir\"\ninherits = [\"reader\"]\n[role.classes]\nmobile = \"mask\"\n";
    let found = findings("doc", &(role("reader", "id=mask,born=mask") + heir));
    assert_eq!(found.len(), 1, "{found:?}");
    // One masks the card, the other shows it and hides the older one: together both are partly shown.
    let pair =
        role("one", "card=clear,old_card=clear") + &role("other", "card=token:a,old_card=mask");
    let found = findings("doc", &pair);
    assert!(found.iter().all(|f| f.contains("the role `other`")), "already of one: {found:?}");
    let one = role("one", "card=clear,old_card=mask,id=deny");
    let masks = "[[role]]\nname = \"masks\"\n[role.classes]\ncard = \"token:a\"\n";
    let alone = findings("doc", &one);
    let both = findings("doc", &(one.clone() + masks));
    assert!(alone.iter().any(|f| f.contains("`person.old_card` (class `old_card`: mask:card)")));
    let of_pair: Vec<_> = both
        .iter()
        .filter(|f| f.contains("who holds the roles `one` and `masks`"))
        .chain(both.iter().filter(|f| f.contains("who holds the roles `masks` and `one`")))
        .collect();
    assert_eq!(of_pair.len(), 1, "{both:?}");
    assert!(of_pair[0].contains("`person.card` (class `card`: token:a)"), "{}", of_pair[0]);
    let apart = "[[conflict]]\nroles = [\"one\", \"masks\"]\n";
    let kept = findings("doc", &(one + masks + apart));
    assert_eq!(kept, alone, "nobody may hold both");
}

#[test]
fn a_risk_is_accepted_by_name_with_a_reason_for_its_roles_alone() {
    let roles = role("reader", "id=mask,born=mask");
    let risk = |roles: &str, hidden: &str, beside: &str, reason: &str| {
        format!(
            "[[accepted_risk]]\nname = \"month\"\nroles = [{roles}]\nhidden = \"{hidden}\"\n\
             beside = [{beside}]\nreason = \"{reason}\"\n"
        )
    };
    let accepted = roles.clone() + &risk("\"reader\"", "born", "\"id\"", "tellers need both");
    let checked = check(&bundle("doc", &accepted), &[person_table(&accepted)]).unwrap();
    let people = Directory::parse("name,roles,node,password\nkim,reader,00,\n").unwrap();
    let table = person_table(&accepted);
    let why =
        explain_named(&people, &Emergencies::default(), "kim", &table, &checked, moment()).unwrap();
    assert!(why.iter().any(|line| line.starts_with("accepted risk `month`")), "{why:?}");
    let [of] = checked.accepted_risks() else { panic!("one was accepted") };
    assert_eq!((of.name.as_str(), of.percent), ("month", 50));
    assert_eq!(
        of.to_string(),
        "`month` for `reader`: of `born` 50 % of what is hidden can be told beside `id`: tellers need both"
    );
    for (more, expected) in [
        (risk("\"reader\"", "born", "\"home\"", "why"), "nothing needs the accepted risk `month`"),
        (risk("\"reader\"", "id", "\"born\"", "why"), "nothing needs the accepted risk `month`"),
        (risk("\"reader\"", "born", "\"id\"", " "), "this must be a text of one line"),
        (risk("\"nobody\"", "born", "\"id\"", "why"), "there is no role `nobody`"),
        (risk("\"reader\"", "none", "\"id\"", "why"), "there is no class `none`"),
        (risk("", "born", "\"id\"", "why"), "an accepted risk has `roles`, whose it is"),
        (risk("\"reader\"", "born", "", "why"), "an accepted risk has `roles`, whose it is"),
    ] {
        let found = findings("doc", &(roles.clone() + &more));
        assert!(found.iter().any(|f| f.contains(expected)), "{expected}: {found:?}");
        assert!(found.iter().any(|f| f.contains("`person.born`")), "{expected}: still refused");
    }
    let other = role("other", "id=mask,born=mask");
    let found = findings("doc", &(accepted + &other));
    assert!(found.len() == 1 && found[0].contains("the role `other`"), "{found:?}");
}

#[test]
fn about_says_what_a_mask_does_not_and_nothing_else() {
    for (class, expected) in [
        ("mask = \"redact\"\nabout = \"shoe\"", "`about` is one of name, id_number, birth_date"),
        ("mask = \"mobile\"\nabout = \"card\"", "the mask says already what this class is about"),
    ] {
        let mut text = bundle("doc", "");
        let classes = text.files.get_mut("classes.toml").unwrap();
        classes.push_str(&format!("[[class]]\nname = \"odd\"\n{class}\n"));
        let found = check(&text, &[]).map(|_| ()).unwrap_err();
        assert!(found.iter().any(|f| f.message.contains(expected)), "{expected}: {found:?}");
    }
}

/// What a mask shows is what the simulation takes it to show: no character that it counts as
/// hidden stands in the masked text at its place, and each that it counts as shown does.
#[test]
fn nothing_follows_from_what_was_never_shown() {
    let mut measure = Measure::default();
    let masked = |mask: Mask| Sight::Shown(Access::Masked(mask));
    for profile in [Profile::Doc, Profile::Strict] {
        for (kind, mask) in [
            (Kind::IdNumber, Mask::IdNumber(profile)),
            (Kind::Card, Mask::Card(profile)),
            (Kind::Mobile, Mask::Mobile(profile)),
            (Kind::Email, Mask::Email(profile)),
            (Kind::Name, Mask::Name(profile)),
            (Kind::Address, Mask::Address(profile)),
            (Kind::AccountNumber, Mask::AccountNumber(profile)),
            (Kind::BirthDate, Mask::BirthDate(profile)),
        ] {
            let alone = measure.recovered(&(kind, masked(mask.clone())), &[]);
            assert_eq!(alone, 0.0, "{mask:?} tells nothing of what it hides");
            let clear = (kind, Sight::Shown(Access::Clear));
            let all = measure.recovered(&(kind, masked(mask)), &[&clear]);
            assert_eq!(all, 1.0);
            assert_eq!(measure.recovered(&clear, &[&clear]), 0.0, "nothing is hidden");
        }
    }
}

/// The ID number in one table and the day of birth in another.
fn two_tables(key_of_second: &str, class_of_second: &str) -> [TableSchema; 2] {
    let text = ColumnType::Text;
    let first = table("person", &[("key", text, "open"), ("id_number", text, "id")]);
    let second = [(key_of_second, text, class_of_second), ("born", ColumnType::Date, "born")];
    let second = table("life", &second);
    let key = [martlet_core::ColumnName::new("key").unwrap()];
    let keyed = TableSchema::new(first.name().clone(), first.columns().to_vec(), &key, &[]);
    [keyed.unwrap(), second]
}

#[test]
fn tables_that_a_key_joins_are_looked_at_together() {
    let role = |name: &str, tables: &str, words: &str| {
        format!("[[role]]\nname = \"{name}\"\ntables = [{tables}]\n[role.classes]\n{words}\n")
    };
    let masks = "id = \"mask\"\nborn = \"mask\"";
    let both = "\"person\", \"life\"";
    let of = |roles: &str, tables: &[TableSchema]| -> Vec<String> {
        match check(&bundle("doc", roles), tables) {
            Ok(_) => Vec::new(),
            Err(findings) => findings.iter().map(ToString::to_string).collect(),
        }
    };
    let joined = two_tables("key", "open");
    for open in ["clear", "token:a", "filter"] {
        let found = of(&role("reader", both, &format!("open = \"{open}\"\n{masks}")), &joined);
        assert_eq!(found.len(), 1, "{open}: {found:?}");
        assert!(found[0].contains("`life.born` (class `born`"), "{}", found[0]);
        assert!(found[0].contains("mask:id_number) (joined by `key`), 50 %"), "{}", found[0]);
    }
    let reader = |words: &str| role("reader", both, words);
    let clear = format!("open = \"clear\"\n{masks}");
    for (roles, tables) in [
        (reader(&format!("open = \"deny\"\n{masks}")), two_tables("key", "open")),
        (reader(masks), two_tables("key", "open")),
        (reader(&clear), two_tables("other", "open")),
        (reader(&format!("issuer = \"clear\"\n{clear}")), two_tables("key", "issuer")),
        (role("reader", "\"person\"", &clear), two_tables("key", "open")),
    ] {
        assert_eq!(of(&roles, &tables), [""; 0], "not joined: {roles}");
    }
    let pair = role("one", "\"person\"", &clear) + &role("other", "\"life\"", &clear);
    let found = of(&pair, &joined);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("who holds the roles"), "{}", found[0]);
    assert_eq!(of(&(pair + "[[conflict]]\nroles = [\"one\", \"other\"]\n"), &joined), [""; 0]);
}
