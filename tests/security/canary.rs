//! The canary test: every hidden cell holds a canary of its own, and every byte the server
//! sends is searched for all of them.

use std::fmt::Write as _;

use crate::support::sniff::{find, proxy};
use crate::support::{Bundle, Client, TestMart};

/// Rows of the teller's own outlet: 60 % of all, where filters keep whole view buffers.
const VISIBLE: usize = 1_200;
const HIDDEN: usize = 800;

const LOAD: &str = r#"
name = "canaries"

[[table]]
name = "person"
mode = "replace"
primary_key = ["person_id"]
cluster_key = ["outlet", "person_id"]

  [[table.source]]
  files = ["person.csv"]
  delimiter = "|"
  quote = ""
"#;

const COLUMNS: [(&str, &str, Option<&str>); 15] = [
    ("person_id", "int64", Some("open")),
    ("outlet", "text", Some("open")),
    ("name", "text", Some("name")),
    ("id_number", "text", Some("id_number")),
    ("card", "text", Some("card")),
    ("address", "text", Some("address")),
    ("email", "text", Some("email")),
    ("account", "text", Some("account_number")),
    ("birth_date", "date", Some("birth_date")),
    ("balance", "decimal(18,2)", Some("balance")),
    ("note", "text", Some("free_text")),
    ("secret", "text", None),
    ("z", "int32", Some("open")),
    ("txt", "text", Some("open")),
    ("segment", "text", Some("open")),
];

const CLASSES: [(&str, &str); 9] = [
    ("open", "redact"),
    ("name", "name"),
    ("id_number", "id_number"),
    ("card", "card"),
    ("address", "address"),
    ("email", "email"),
    ("account_number", "account_number"),
    ("birth_date", "birth_date"),
    ("balance", "balance_band"),
];

/// What the teller asks; some of it with every intent to see more.
const QUESTIONS: [&str; 41] = [
    "SELECT * FROM person",
    "SELECT * FROM person WHERE person_id % 10 < 6",
    "SELECT * FROM person WHERE person_id % 10 < 7 AND name IS NOT NULL",
    "SELECT * FROM person ORDER BY person_id LIMIT 20",
    "SELECT name, txt FROM person ORDER BY txt DESC LIMIT 20",
    "SELECT * FROM person ORDER BY balance, name LIMIT 5 OFFSET 3",
    "SELECT substr(name, 1, 30), left(address, 60), rtrim(email) FROM person",
    "SELECT split_part(email, '@', 1), nullif(name, 'x'), nullif(id_number, name) FROM person",
    "SELECT CASE WHEN person_id % 2 = 0 THEN txt END, CASE WHEN z = 0 THEN txt ELSE NULL END FROM person",
    "SELECT substr(txt, 1), trim(name), initcap(address) FROM person WHERE person_id % 10 < 6",
    "SELECT substr(txt, 1) AS v FROM person WHERE person_id % 10 < 6 ORDER BY v LIMIT 9",
    "SELECT upper(segment), concat(name, address) FROM person WHERE person_id % 10 < 6",
    "SELECT array_agg(name), array_agg(txt) FROM person WHERE person_id < 40",
    "SELECT count(*), count(name), min(name), max(txt), min(z), max(z), sum(z) FROM person",
    "SELECT outlet, count(*) FROM person GROUP BY outlet",
    "SELECT txt, count(*) FROM person GROUP BY txt",
    "SELECT count(DISTINCT txt), approx_distinct(txt) FROM person",
    "SELECT substr(txt, 1, 40) AS v, count(*) FROM person GROUP BY v",
    "SELECT cast(txt AS int) AS v, count(*) FROM person GROUP BY v",
    "SELECT 1 / z AS v, count(*) FROM person GROUP BY v",
    "SELECT b.txt, b.name, count(*), max(a.txt) FROM person a JOIN person b ON a.person_id = b.person_id GROUP BY b.txt, b.name",
    "SELECT concat(b.name, b.address) AS v, count(DISTINCT a.z) FROM person a JOIN person b ON a.z = b.z GROUP BY v",
    "SELECT lag(txt) OVER (ORDER BY person_id), count(*) OVER () FROM person",
    "SELECT a.txt FROM person a JOIN person b ON a.name = b.name AND a.person_id < b.person_id LIMIT 50",
    "SELECT * FROM person WHERE EXISTS (SELECT 1 FROM person p WHERE p.outlet = 'b' AND p.person_id = person.person_id)",
    "WITH person AS (SELECT * FROM mart.person) SELECT * FROM person WHERE outlet = 'b'",
    "SELECT * FROM person WHERE outlet = 'b'",
    "SELECT * FROM person WHERE NOT (outlet = 'a')",
    "SELECT * FROM person WHERE outlet IN ('a', 'b') AND z = 0",
    "SELECT person_id FROM person WHERE cast(txt AS int) = 12",
    "SELECT 1 / z FROM person",
    "SELECT person_id FROM person WHERE 10 / z > 3",
    "SELECT a.person_id FROM person a JOIN person b ON cast(a.txt AS int) = b.z LIMIT 3",
    "SELECT cast(name AS int) FROM person",
    "SELECT cast(id_number AS bigint) FROM person",
    "SELECT 1 / (birth_date - birth_date) FROM person",
    "SELECT secret FROM person",
    "SELECT person.secret FROM person WHERE secret LIKE 'C%'",
    "SELECT * FROM information_schema.columns",
    "SELECT * FROM information_schema.tables",
    "EXPLAIN ANALYZE SELECT * FROM person WHERE outlet = 'b'",
];

struct World {
    csv: String,
    canaries: Vec<String>,
}

/// Sixteen bytes that occur nowhere else.
fn canary(row: usize, column: usize) -> String {
    let mixed = (row as u64 * 64 + column as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("CANARY{:010x}", mixed >> 24)
}

fn world() -> World {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    let mut world = World { csv: names.join("|") + "\n", canaries: Vec::new() };
    for row in 0..VISIBLE + HIDDEN {
        let mut hide = |column: usize| {
            let hidden = canary(row, column);
            world.canaries.push(hidden.clone());
            hidden
        };
        let line = if row < VISIBLE { visible(row, &mut hide) } else { hidden(row, &mut hide) };
        writeln!(world.csv, "{line}").unwrap();
    }
    world
}

/// Canaries stand where the masks must hide: the family name, the end of the address, …
fn visible(row: usize, hide: &mut dyn FnMut(usize) -> String) -> String {
    let name = format!("Ann {}", hide(2));
    let address = format!("浙江省杭州市西湖区文三路{}号", hide(5));
    let email = format!("a{}@example.com", hide(6));
    let account = format!("{}4321", hide(7));
    let (note, secret) = (hide(10), hide(11));
    format!(
        "{row}|a|{name}|110101199003070011|6222021234567890123|{address}|{email}|{account}|1990-03-07|{}.25|{note}|{secret}|{}|{}|visible-{}",
        123_456 + row,
        row % 9 + 1,
        row % 40,
        row % 5,
    )
}

fn hidden(row: usize, hide: &mut dyn FnMut(usize) -> String) -> String {
    let texts: Vec<String> = (0..9).map(|column| hide(column + 20)).collect();
    let [name, id, card, address, email, account, note, secret, txt] = texts.as_slice() else {
        unreachable!("nine were made")
    };
    format!(
        "{row}|b|{name}|{id}|{card}|{address}|{email}|{account}|1970-01-01|777777777.77|{note}|{secret}|0|{txt}|hidden"
    )
}

/// Values that are no text, or whose hidden part is too short for a canary, as they would stand
/// in a buffer: whole ID and card numbers, and balances.
fn raw_values() -> Vec<Vec<u8>> {
    let decimal = |cents: i128| cents.to_le_bytes().to_vec();
    vec![
        b"110101199003070011".to_vec(),
        b"6222021234567890123".to_vec(),
        b"777777777".to_vec(),
        decimal(77_777_777_777),
        decimal(12_345_625),
        decimal(12_345_625 + 100 * 700),
    ]
}

fn load_file() -> String {
    let mut text = LOAD.to_string();
    for (name, column_type, class) in COLUMNS {
        write!(text, "\n  [[table.column]]\n  name = \"{name}\"\n  type = \"{column_type}\"\n")
            .unwrap();
        if let Some(class) = class {
            writeln!(text, "  class = \"{class}\"").unwrap();
        }
    }
    text
}

fn bundle() -> Bundle {
    let mut classes = String::new();
    for (name, mask) in CLASSES {
        writeln!(classes, "[[class]]\nname = \"{name}\"\nmask = \"{mask}\"").unwrap();
    }
    classes.push_str("[[class]]\nname = \"free_text\"\nmask = \"free_text\"\n");
    let masked: String =
        CLASSES.iter().skip(1).map(|(name, _)| format!("{name} = \"mask\"\n")).collect();
    let clear: String = CLASSES.iter().map(|(name, _)| format!("{name} = \"clear\"\n")).collect();
    let roles = format!(
        "[[role]]\nname = \"teller\"\ntables = [\"person\"]\nmay = []\n[role.classes]\nopen = \"clear\"\nfree_text = \"mask\"\n{masked}\
         [[role]]\nname = \"head\"\ntables = [\"person\"]\nmay = [\"explain\"]\n[role.classes]\nfree_text = \"clear\"\n{clear}\
         [[accepted_risk]]\nname = \"month\"\nroles = [\"teller\"]\nhidden = \"birth_date\"\nbeside = [\"id_number\"]\n\
         reason = \"every mask stands in one table here; canaries are elsewhere\"\n",
    );
    let rules = "[[row_rule]]\nname = \"own-outlet\"\neffect = \"permit\"\nroles = [\"teller\"]\ntables = [\"person\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n\
                 [[row_rule]]\nname = \"whole-bank\"\neffect = \"permit\"\nroles = [\"head\"]\ntables = [\"person\"]\nall = true\n";
    Bundle::default()
        .file("bundle.toml", "name = \"canaries\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file(
            "organization.csv",
            "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\nb,root,outlet,B\n",
        )
        .file("classes.toml", &classes)
        .file("roles.toml", &roles)
        .file("rules.toml", rules)
        .principal("teller", "teller", "a")
        .principal("head", "head", "root")
}

async fn mart(world: &World) -> TestMart {
    let mart = TestMart::new();
    mart.write("person.csv", &world.csv).write("load.toml", load_file());
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle()).await;
    mart
}

fn found<'a>(canaries: &'a [String], bytes: &[u8]) -> Option<&'a String> {
    // One pass: every canary begins alike, so only places after that beginning can match.
    let begins: Vec<usize> = (0..bytes.len().saturating_sub(15))
        .filter(|at| bytes[*at..].starts_with(b"CANARY"))
        .collect();
    canaries
        .iter()
        .find(|canary| begins.iter().any(|at| bytes[*at..].starts_with(canary.as_bytes())))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_hidden_byte_leaves_the_server() {
    let world = world();
    let mart = mart(&world).await;
    let server = mart.serve().await;
    let (address, captured) = proxy(server.address).await;
    let mut teller = Client::sign_in(address, "teller").await;
    let mut answered = 0;
    for question in QUESTIONS {
        match teller.query(question).await {
            Ok(_) => answered += 1,
            Err(error) => {
                let text = format!("{error} {error:?}");
                assert_eq!(
                    found(&world.canaries, text.as_bytes()),
                    None,
                    "the error of: {question}"
                );
            }
        }
        let bytes = captured.bytes();
        assert_eq!(found(&world.canaries, &bytes), None, "the bytes after: {question}");
        for raw in raw_values() {
            assert!(!find(&bytes, &raw), "a raw value left after: {question}");
        }
    }
    assert!(answered >= 24, "only {answered} questions were answered: the test has lost its teeth");
    assert!(captured.contains("visible-3"), "nothing visible was captured either");
}

/// The checker must be able to fail: who may see everything gets every canary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_canaries_do_leave_for_who_may_see_them() {
    let world = world();
    let mart = mart(&world).await;
    let server = mart.serve().await;
    let (address, captured) = proxy(server.address).await;
    let mut head = Client::sign_in(address, "head").await;
    head.query("SELECT name, note FROM person").await.unwrap();
    let bytes = captured.bytes();
    assert!(found(&world.canaries, &bytes).is_some());
    assert!(find(&bytes, canary(VISIBLE + 3, 20).as_bytes()), "a row of the other outlet");
    head.query("SELECT id_number, card, balance FROM person").await.unwrap();
    let bytes = captured.bytes();
    let raw = raw_values();
    assert!(
        raw.iter().filter(|raw| find(&bytes, raw)).count() == raw.len() - 1,
        "all but the text of a number"
    );
    assert!(
        head.query("SELECT secret FROM person").await.is_err(),
        "no class, no sight: not even for the head"
    );
}

/// Hidden rows must neither fail nor bend a visible answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hidden_rows_do_not_act_on_visible_ones() {
    let world = world();
    let mart = mart(&world).await;
    let server = mart.serve().await;
    let mut teller = Client::sign_in(server.address, "teller").await;
    let visible = i64::try_from(VISIBLE).unwrap();
    assert_eq!(teller.number("SELECT count(*) FROM person").await, visible);
    assert_eq!(teller.number("SELECT count(1 / z) FROM person").await, visible, "a hidden z is 0");
    assert_eq!(teller.number("SELECT count(cast(txt AS int)) FROM person").await, visible);
    let shares = "SELECT count(*) FROM (SELECT 100 / z AS v, count(*) FROM person GROUP BY v)";
    assert_eq!(teller.number(shares).await, 9, "the visible ones are 1 to 9");
    assert_eq!(teller.number("SELECT count(*) FROM person WHERE outlet = 'b'").await, 0);
    assert_eq!(
        teller.number("SELECT count(*) FROM person WHERE z = 0 OR segment = 'hidden'").await,
        0
    );
    assert_eq!(teller.texts("SELECT DISTINCT outlet FROM person").await, ["a"]);
    assert_eq!(teller.texts("SELECT max(birth_date) FROM person").await, ["1990"]);
    let bands = teller.texts("SELECT DISTINCT balance FROM person").await;
    assert_eq!(bands, ["50k-200k"], "a band is all that is told of a balance");
    let by_raw = "SELECT count(*) FROM person WHERE id_number = '110101199003070011'";
    assert_eq!(teller.number(by_raw).await, 0, "a masked column is compared as masked");
    let by_mask = "SELECT count(*) FROM person WHERE id_number = '110101199003******'";
    assert_eq!(teller.number(by_mask).await, visible);
}
