//! Whoever holds what nobody may hold together is denied everything, whoever gave it to them.

use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "duties"
[[table]]
name = "customer"
mode = "replace"
  [[table.column]]
  name = "customer_id"
  type = "int64"
  class = "open"
  [[table.source]]
  files = ["customer.csv"]
"#;

const ROLES: &str = r#"
[[role]]
name = "clerk"
tables = ["customer"]
[role.classes]
open = "clear"
[[role]]
name = "senior"
inherits = ["clerk"]
[[role]]
name = "planner"
tables = ["customer"]
[role.classes]
open = "clear"
[[role]]
name = "writer"
duty = "rules"
tables = ["system.role"]
[role.classes]
rules = "clear"
[[role]]
name = "operator"
duty = "load"
[[role]]
name = "auditor"
duty = "audit"
tables = ["system.audit_record"]
[role.classes]
audit = "clear"
[[conflict]]
roles = ["clerk", "planner"]
"#;

const RULES: &str = r#"
[[row_rule]]
name = "all"
effect = "permit"
roles = ["clerk", "planner"]
tables = ["customer"]
all = true
[[row_rule]]
name = "own-tables"
effect = "permit"
roles = ["writer", "auditor"]
tables = ["system.role", "system.audit_record"]
all = true
"#;

/// The same rules for everybody; `olga` is an officer of them.
fn bundle() -> Bundle {
    let key = martlet_policy::OfficerSecret::from_bytes(&[1; 32]).public();
    Bundle::default()
        .file(
            "bundle.toml",
            &format!(
                "name = \"duties\"\nversion = \"1\"\nprofile = \"doc\"\n[[officer]]\nname = \"olga\"\nkey = \"{key}\"\n"
            ),
        )
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\n")
        .file(
            "classes.toml",
            "[[class]]\nname = \"open\"\n[[class]]\nname = \"rules\"\n[[class]]\nname = \"audit\"\n",
        )
        .file("roles.toml", ROLES)
        .file("rules.toml", RULES)
}

async fn mart(bundle: &Bundle) -> TestMart {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD).write("customer.csv", "customer_id\n1\n2\n3\n");
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(bundle).await;
    mart
}

const COUNT: &str = "SELECT count(*) FROM customer";

/// Every name is one that a feed could give: nobody but the decision stands between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_cannot_give_what_nobody_may_hold_together() {
    let people = [
        ("ann", "clerk", true),
        ("ben", "operator;clerk", true),
        ("cas", "auditor;senior", true),
        ("dan", "writer;clerk", false),
        ("eve", "clerk;planner", false),
        ("fay", "senior;planner", false),
        ("gus", "writer;operator;planner", false),
        ("olga", "clerk", false),
    ];
    let bundle = people
        .iter()
        .fold(bundle(), |bundle, (name, roles, _)| bundle.principal(name, roles, "root"));
    let bundle =
        bundle.principal("max", "writer;auditor", "root").principal("pia", "writer", "root");
    let mart = mart(&bundle).await;
    let server = mart.serve().await;
    for (name, roles, reads) in people {
        let mut client = Client::sign_in(server.address, name).await;
        let counted = client.query(COUNT).await;
        assert_eq!(counted.is_ok(), reads, "{name} with {roles}");
    }
    let mut max = Client::sign_in(server.address, "max").await;
    assert!(max.query("SELECT * FROM system.role").await.is_err(), "nor Martlet's own tables");
    assert!(max.query("SELECT * FROM system.audit_record").await.is_err());
    let denied = max.query(COUNT).await.unwrap_err().to_string();
    let mut pia = Client::sign_in(server.address, "pia").await;
    assert!(pia.query("SELECT * FROM system.role").await.is_ok());
    let missing = pia.query(COUNT).await.unwrap_err().to_string();
    let plain = |text: &str| text.chars().filter(|c| !c.is_ascii_hexdigit()).collect::<String>();
    assert_eq!(plain(&denied), plain(&missing), "which is the reason is not told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_role_ends_a_session_at_its_next_statement() {
    let before = bundle().principal("ann", "clerk", "root");
    let mart = mart(&before).await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let info = ann.inner.execute(COUNT.into(), None).await.unwrap();
    let mut prepared = ann.inner.prepare(COUNT.into(), None).await.unwrap();
    assert_eq!(ann.number(COUNT).await, 3);
    mart.apply_people(&bundle().principal("ann", "clerk;writer", "root")).await;
    server.engine.refresh().await.unwrap();
    assert!(ann.query(COUNT).await.is_err());
    assert!(ann.fetch(info).await.is_err(), "a ticket that is out is decided about again");
    assert!(prepared.execute().await.is_err());
    mart.apply_people(&before).await;
    server.engine.refresh().await.unwrap();
    assert_eq!(ann.number(COUNT).await, 3);
}
