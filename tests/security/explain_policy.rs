//! `EXPLAIN POLICY`: for officers, of everybody; for everybody else, of nobody.

use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "rules"
[[table]]
name = "customer"
mode = "replace"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.column]]
  name = "name"
  type = "text"
  class = "name"
  [[table.source]]
  files = ["customer.csv"]
"#;

async fn mart() -> TestMart {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD).write("customer.csv", "outlet,name\na,CANARY\nb,CANARY\n");
    mart.load("load.toml", "2026-11-20").await;
    let bundle = Bundle::default()
        .file("bundle.toml", "name = \"rules\"\nversion = \"7\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\n[[class]]\nname = \"name\"\nmask = \"name\"\n")
        .file(
            "roles.toml",
            "[[role]]\nname = \"clerk\"\ntables = [\"customer\"]\n[role.classes]\nopen = \"clear\"\nname = \"mask\"\n\
             [[role]]\nname = \"officer\"\nmay = [\"explain_policy\"]\n",
        )
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"own-outlet\"\neffect = \"permit\"\nroles = [\"clerk\"]\ntables = [\"customer\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n",
        )
        .principal("ann", "clerk", "a")
        .principal("olga", "officer", "root");
    mart.apply(&bundle).await;
    mart
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_officer_reads_who_sees_what_and_why() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut olga = Client::sign_in(server.address, "olga").await;
    let told = olga.texts("EXPLAIN POLICY FOR ann ON customer").await.join("\n");
    for word in ["ann on `customer`: granted, policy 7+", "own-outlet", "role `clerk`", "name"] {
        assert!(told.contains(word), "{word} in {told}");
    }
    let all = olga.texts("EXPLAIN POLICY FOR 'ann'").await.join("\n");
    assert!(
        all.contains("system.audit_record`: denied") && all.contains("`customer`: granted"),
        "{all}"
    );
    assert!(olga.query("SELECT * FROM customer").await.is_err(), "who reads rules reads no rows");
    let unknown = olga.query("EXPLAIN POLICY FOR nobody").await.unwrap_err().to_string();
    assert!(unknown.contains("no principal `nobody`"), "{unknown}");
    let unknown = olga.query("EXPLAIN POLICY FOR ann ON payroll").await.unwrap_err().to_string();
    assert!(unknown.contains("payroll"), "{unknown}");
    let mut prepared = olga.inner.prepare("EXPLAIN POLICY FOR olga".into(), None).await.unwrap();
    assert!(prepared.execute().await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_others_everybody_and_nobody_are_alike() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let mut refused = Vec::new();
    for sql in [
        "EXPLAIN POLICY FOR ann",
        "EXPLAIN POLICY FOR olga",
        "EXPLAIN POLICY FOR nobody",
        "EXPLAIN POLICY FOR ann ON customer",
        "EXPLAIN POLICY FOR ann ON payroll",
    ] {
        let told = ann.query(sql).await.unwrap_err().to_string();
        assert!(told.contains("explain policy is not granted"), "{told}");
        // Each refusal has an id of its own for the help desk.
        refused.push(told.chars().filter(|c| !c.is_ascii_hexdigit()).collect::<String>());
    }
    refused.dedup();
    assert_eq!(refused.len(), 1, "{refused:?}");
}
