use super::*;
use crate::password::{PasswordCost, hash_password};
use crate::testing::{PASSWORD, example};

fn feed(lines: &str) -> String {
    let hash = hash_password(PASSWORD, [2; 16], PasswordCost::Test);
    let lines = lines.replace("HASH", &format!("\"{hash}\""));
    format!("name,roles,node,password,desk\n{lines}")
}

fn directory() -> Directory {
    let lines = "kim,teller;analyst,4403,HASH,7\nlee,teller,440301,,\nmax,,00,HASH,\n";
    Directory::parse(&feed(lines)).unwrap()
}

#[test]
fn the_right_password_signs_in_and_the_directory_says_who_that_is() {
    let directory = directory();
    let kim = directory.principal(&directory.sign_in("kim", PASSWORD).unwrap()).unwrap();
    assert_eq!(kim.name(), "kim");
    assert_eq!(kim.roles().map(RoleName::as_str).collect::<Vec<_>>(), ["analyst", "teller"]);
    assert_eq!((kim.attribute("node"), kim.attribute("desk")), (Some("4403"), Some("7")));
    assert_eq!((kim.attribute("name"), kim.attribute("password")), (Some("kim"), None));
}

#[test]
fn every_other_sign_in_is_refused_in_the_same_words() {
    let directory = directory();
    let refused = [
        ("kim", "wrong"),
        ("kim", ""),
        ("nobody", PASSWORD),
        ("lee", ""),
        ("lee", PASSWORD),
        ("", ""),
    ];
    for (name, password) in refused {
        let refusal = directory.sign_in(name, password).unwrap_err();
        assert_eq!(refusal.to_string(), "the name or the password is wrong", "{name}");
    }
    assert!(Directory::default().sign_in("kim", PASSWORD).is_err());
}

#[test]
fn whoever_left_the_feed_is_nobody_although_signed_in() {
    let proof = directory().sign_in("kim", PASSWORD).unwrap();
    let tomorrow = Directory::parse(&feed("lee,teller,440301,,\n")).unwrap();
    assert!(tomorrow.principal(&proof).is_none());
}

#[test]
fn an_unknown_name_is_verified_at_the_cost_of_a_known_one() {
    // Equal parameters are equal work; a measured time would only say how busy the machine is.
    let costly = hash_password(PASSWORD, [3; 16], PasswordCost::Normal);
    let directory =
        Directory::parse(&format!("name,roles,node,password\nkim,,,\"{costly}\"\n")).unwrap();
    let decoy = directory.decoy.as_ref().unwrap();
    let parameters = |phc: &str| phc.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(decoy.parameters(), parameters(&costly));
    assert!(!decoy.verify(PASSWORD));
}

#[test]
fn nothing_prints_a_password_or_a_hash() {
    let feed = feed(
        "kim,teller,00,HASH,\nlee,Teller,00,$argon2id$broken$secretsalt,\nkim,teller,00,plainsecret,\n",
    );
    let findings = Directory::parse(&feed).unwrap_err();
    let texts = format!("{findings:?} {:?}", directory());
    for secret in ["secretsalt", "plainsecret", "$argon2", PASSWORD] {
        assert!(!texts.contains(secret), "{texts}");
    }
}

#[test]
fn everything_wrong_with_a_feed_is_found_at_once() {
    let feed = feed(
        "kim,teller,00,HASH,\n,teller,00,HASH,\nlee,Bad Role,00,x,\nmax,teller\nkim,teller,00,,\n",
    );
    let places: Vec<(u32, u32)> = Directory::parse(&feed)
        .unwrap_err()
        .iter()
        .map(|finding| (finding.line, finding.column))
        .collect();
    assert_eq!(places, [(3, 1), (4, 5), (4, 17), (5, 1), (6, 1)]);
    let missing = Directory::parse("name,roles\nkim,teller\n").unwrap_err();
    assert_eq!(missing.len(), 2, "node and password: {missing:?}");
}

#[test]
fn a_hash_that_would_take_down_the_server_is_refused() {
    let greedy = "$argon2id$v=19$m=4294967295,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let feed = format!("name,roles,node,password\nkim,,,\"{greedy}\"\n");
    assert!(Directory::parse(&feed).is_err());
    let weaker_kind = greedy.replace("argon2id", "argon2d").replace("4294967295", "64");
    assert!(
        Directory::parse(&format!("name,roles,node,password\nkim,,,\"{weaker_kind}\"\n")).is_err()
    );
}

#[test]
fn what_the_policy_does_not_know_is_found() {
    let feed = feed("kim,teller;ghost,4403,HASH,\nlee,teller,9999,,\n");
    let findings = Directory::parse(&feed).unwrap().check_against(&example());
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "principals:2:1: the policy has no role `ghost`",
            "principals:3:1: `node` is not in the policy's organization",
        ]
    );
}
