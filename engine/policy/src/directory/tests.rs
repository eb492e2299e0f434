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

const DAY: i64 = 24 * 60 * 60;
/// RFC 6238's secret, whose code at second 59 is 287082.
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn guarded() -> Directory {
    let hash = hash_password(PASSWORD, [2; 16], PasswordCost::Test);
    let line = |name, totp, changed| format!("{name},teller,00,\"{hash}\",{totp},{changed}\n");
    let feed = [
        "name,roles,node,password,totp,password_changed\n".to_owned(),
        line("kim", SECRET, "1970-01-01"),
        line("lee", "", "1970-01-01"),
        line("max", "", ""),
        line("ann", "", "1970-06-01"),
    ];
    Directory::parse(&feed.concat()).unwrap()
}

fn try_at(
    directory: &Directory,
    used: &UsedCodes,
    seconds: i64,
    (name, password, code): (&str, &str, Option<&str>),
) -> Result<SignedIn, RefusalReason> {
    let terms = Terms { seconds, password_age: PasswordAge::Days(90), used };
    let presented = Presented { name, password, code };
    directory.sign_in_on(presented, &terms).map_err(|refused| refused.reason())
}

#[test]
fn a_second_factor_is_asked_for_and_taken_once() {
    let (directory, used) = (guarded(), UsedCodes::default());
    let with_code = format!("{PASSWORD}287082");
    let attempt = |password: &str, code| try_at(&directory, &used, 59, ("kim", password, code));
    assert_eq!(attempt(PASSWORD, None).unwrap_err(), RefusalReason::Password, "no code");
    assert_eq!(attempt(PASSWORD, Some("")).unwrap_err(), RefusalReason::Code);
    assert_eq!(attempt(PASSWORD, Some("287083")).unwrap_err(), RefusalReason::Code);
    assert_eq!(attempt("wrong", Some("287082")).unwrap_err(), RefusalReason::Password);
    assert_eq!(attempt("wrong287082", None).unwrap_err(), RefusalReason::Password);
    assert_eq!(
        attempt(&with_code, None).unwrap().name(),
        "kim",
        "a wrong password uses no code up"
    );
    assert_eq!(attempt(&with_code, None).unwrap_err(), RefusalReason::CodeUsed);
    assert_eq!(attempt(PASSWORD, Some("287082")).unwrap_err(), RefusalReason::CodeUsed);
    assert!(directory.sign_in("kim", PASSWORD).is_err(), "not by the password alone");
    assert!(directory.sign_in("kim", &with_code).is_err(), "nor without a clock");
    assert!(directory.asks_for_code("kim") && !directory.asks_for_code("lee"));
}

#[test]
fn a_code_is_no_part_of_a_password_without_a_second_factor() {
    let (directory, used) = (guarded(), UsedCodes::default());
    let attempt = |password: &str, code| try_at(&directory, &used, 59, ("lee", password, code));
    assert!(attempt(&format!("{PASSWORD}287082"), None).is_err());
    assert!(attempt(PASSWORD, Some("000000")).is_ok(), "a header that all connections send");
}

#[test]
fn passwords_age_where_the_feed_says_since_when() {
    let (directory, used) = (guarded(), UsedCodes::default());
    let attempt = |name, day: i64| try_at(&directory, &used, day * DAY, (name, PASSWORD, None));
    assert!(attempt("lee", 90).is_ok());
    assert_eq!(attempt("lee", 91).unwrap_err(), RefusalReason::PasswordExpired);
    assert_eq!(attempt("max", 0).unwrap_err(), RefusalReason::PasswordExpired, "nobody knows");
    assert_eq!(attempt("ann", 5).unwrap_err(), RefusalReason::PasswordExpired, "set in the future");
    assert!(attempt("ann", 150).is_ok(), "a day ahead is another time zone's today");
    let undated = Directory::parse(&feed("kim,teller,00,HASH,\n")).unwrap();
    assert!(try_at(&undated, &used, 99_999 * DAY, ("kim", PASSWORD, None)).is_ok());
}

#[test]
fn an_expired_password_tells_nothing_to_who_does_not_have_it() {
    let (directory, used) = (guarded(), UsedCodes::default());
    let wrong = try_at(&directory, &used, 500 * DAY, ("lee", "wrong", None)).unwrap_err();
    assert_eq!(wrong, RefusalReason::Password);
    let texts = [RefusalReason::Code, RefusalReason::PasswordExpired, RefusalReason::Password]
        .map(|reason| SignInRefused(reason).to_string());
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}

#[test]
fn a_secret_is_no_attribute_and_is_not_printed() {
    let directory = guarded();
    let kim = directory.principal(&directory.vouched_for("kim").unwrap()).unwrap();
    assert_eq!((kim.attribute("totp"), kim.attribute("password_changed")), (None, None));
    let feed =
        "name,roles,node,password,totp,password_changed\nkim,teller,00,,0189SECRET,yesterday\n";
    let findings = Directory::parse(feed).unwrap_err();
    assert_eq!(findings.len(), 2, "{findings:?}");
    let texts = format!("{findings:?} {directory:?} {:?}", directory.entries["kim"].totp);
    assert!(!texts.contains("0189SECRET") && !texts.contains(SECRET), "{texts}");
}

#[test]
fn whom_nobody_knows_nobody_can_vouch_for() {
    assert!(guarded().vouched_for("nobody").is_none());
    assert!(Directory::default().vouched_for("").is_none());
}

/// Kim's and Lee's passwords are the LDAP directory's, Kim's with a code; Max's is here, Ann's
/// nowhere.
fn mixed() -> Directory {
    let hash = hash_password(PASSWORD, [2; 16], PasswordCost::Test);
    let feed = format!(
        "name,roles,node,password,totp,password_changed\nkim,teller,00,ldap,{SECRET},\n\
         lee,teller,00,ldap,,\nmax,teller,00,\"{hash}\",,1970-01-01\nann,teller,00,,,\n"
    );
    Directory::parse(&feed).unwrap()
}

fn by_ldap(
    directory: &Directory,
    used: &UsedCodes,
    (name, password, code): (&str, &str, Option<&str>),
    lent: &[&str],
) -> Result<SignedIn, RefusalReason> {
    let terms = Terms { seconds: 59, password_age: PasswordAge::Days(90), used };
    let lent = lent.iter().map(|role| RoleName::new(role).unwrap()).collect();
    let presented = Presented { name, password, code };
    directory.sign_in_by_ldap(presented, &terms, lent).map_err(|refused| refused.reason())
}

#[test]
fn a_password_is_judged_where_it_is_known_and_nowhere_else() {
    let (directory, used) = (mixed(), UsedCodes::default());
    for name in ["kim", "lee"] {
        assert!(directory.asks_ldap(name));
        for password in ["ldap", "", PASSWORD] {
            let refused = try_at(&directory, &used, 59, (name, password, None)).unwrap_err();
            assert_eq!(refused, RefusalReason::Password, "{name}");
        }
    }
    for name in ["max", "ann", "nobody", "LEE"] {
        assert!(!directory.asks_ldap(name));
        let refused = by_ldap(&directory, &used, (name, PASSWORD, None), &[]).unwrap_err();
        assert_eq!(refused, RefusalReason::Password, "{name}: nobody else vouches for it");
    }
    assert!(try_at(&directory, &used, 59, ("max", PASSWORD, None)).is_ok());
    assert_eq!(by_ldap(&directory, &used, ("lee", "x", None), &[]).unwrap().name(), "lee");
}

#[test]
fn a_second_factor_is_asked_for_behind_another_directorys_password() {
    let (directory, used) = (mixed(), UsedCodes::default());
    let part = |name, password, code| {
        directory.password_for_ldap(Presented { name, password, code }).to_owned()
    };
    assert_eq!(part("kim", "secret287082", None), "secret");
    assert_eq!(part("kim", "secret", Some("287082")), "secret");
    assert_eq!(part("kim", "287082", None), "", "a code alone is no password");
    assert_eq!(part("lee", "secret287082", None), "secret287082");
    let attempt = |password, code| by_ldap(&directory, &used, ("kim", password, code), &[]);
    assert_eq!(attempt("secret", None).unwrap_err(), RefusalReason::Code);
    assert_eq!(attempt("secret287083", None).unwrap_err(), RefusalReason::Code);
    assert!(attempt("secret287082", None).is_ok());
    assert_eq!(attempt("secret", Some("287082")).unwrap_err(), RefusalReason::CodeUsed);
}

#[test]
fn lent_roles_come_with_the_sign_in_and_go_with_it() {
    let (directory, used) = (mixed(), UsedCodes::default());
    let roles = |signed_in: &SignedIn| {
        let lee = directory.principal(signed_in).unwrap();
        lee.roles().map(ToString::to_string).collect::<Vec<_>>()
    };
    let lent = by_ldap(&directory, &used, ("lee", "x", None), &["analyst", "teller"]).unwrap();
    assert_eq!(roles(&lent), ["analyst", "teller"]);
    let without = by_ldap(&directory, &used, ("lee", "x", None), &[]).unwrap();
    assert_eq!(roles(&without), ["teller"]);
    assert_eq!(roles(&directory.vouched_for("lee").unwrap()), ["teller"]);
    let tomorrow = Directory::parse(&feed("kim,teller,00,,\n")).unwrap();
    assert!(tomorrow.principal(&lent).is_none(), "who left the feed has no lent role either");
}

#[test]
fn names_that_another_directory_takes_for_one_are_found() {
    let wrong = |lines: &str| Directory::parse(&feed(lines)).unwrap_err().len();
    assert_eq!(wrong("kim,teller,00,ldap,\nKIM,teller,00,ldap,\n"), 1);
    assert_eq!(wrong("k im,teller,00,ldap,\njosé,teller,00,ldap,\nｋim,teller,00,ldap,\n"), 3);
    let fine = "kim,teller,00,ldap,\nKIM,teller,00,HASH,\njosé,teller,00,HASH,\n";
    assert!(Directory::parse(&feed(fine)).is_ok());
}

proptest::proptest! {
    #[test]
    fn any_password_is_survived(password in "\\PC{0,12}") {
        // Splitting a code off must not fall into the middle of a character.
        let (directory, used) = (guarded(), UsedCodes::default());
        let refused = try_at(&directory, &used, 59, ("kim", &password, None));
        proptest::prop_assert!(refused.is_err());
    }
}
