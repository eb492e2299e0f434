//! What is told of indexes: only to whom they tell nothing new.

use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "indexes"
[[table]]
name = "customer"
mode = "replace"
primary_key = ["customer_id"]
cluster_key = ["outlet"]
  [[table.column]]
  name = "customer_id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.column]]
  name = "mobile"
  type = "text"
  class = "mobile"
  [[table.column]]
  name = "secret"
  type = "text"
  [[table.source]]
  files = ["customer.csv"]
[[table]]
name = "payroll"
mode = "replace"
  [[table.column]]
  name = "employee"
  type = "text"
  class = "open"
  [[table.source]]
  files = ["payroll.csv"]
"#;

const ROLES: &str = r#"
[[role]]
name = "keeper"
tables = ["customer", "system.table_index"]
[role.classes]
open = "clear"
storage = "clear"
mobile = "mask"
[[role]]
name = "clerk"
tables = ["customer", "system.table_index"]
[role.classes]
open = "clear"
storage = "clear"
[[role]]
name = "guest"
tables = ["customer"]
[role.classes]
open = "clear"
"#;

const RULES: &str = r#"
[[row_rule]]
name = "own"
effect = "permit"
roles = ["clerk", "guest"]
tables = ["customer"]
column = "outlet"
within = "node"
[[row_rule]]
name = "all"
effect = "permit"
roles = ["keeper"]
tables = ["customer"]
all = true
[[row_rule]]
name = "storage"
effect = "permit"
roles = ["keeper", "clerk"]
tables = ["system.table_index"]
all = true
"#;

fn bundle() -> Bundle {
    Bundle::default()
        .file("bundle.toml", "name = \"indexes\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file(
            "organization.csv",
            "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\nb,root,outlet,B\n",
        )
        .file(
            "classes.toml",
            "[[class]]\nname = \"open\"\nmask = \"redact\"\n[[class]]\nname = \"mobile\"\nmask = \"mobile\"\n\
             [[class]]\nname = \"storage\"\nmask = \"redact\"\n",
        )
        .file("roles.toml", ROLES)
        .file("rules.toml", RULES)
        .principal("kim", "keeper", "root")
        .principal("carl", "clerk", "a")
        .principal("gus", "guest", "a")
}

async fn mart() -> TestMart {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD)
        .write(
            "customer.csv",
            "customer_id,outlet,mobile,secret\n1,a,139,x\n2,a,138,y\n3,b,137,z\n",
        )
        .write("payroll.csv", "employee\nwho\n");
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle()).await;
    mart
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indexes_are_told_only_where_the_grant_shows_what_they_were_made_from() {
    let mart = mart().await;
    let server = mart.serve().await;
    let names =
        "SELECT DISTINCT table_name || '.' || column_name FROM system.table_index ORDER BY 1";
    let known = "SELECT count(DISTINCT column_name) FROM system.table_index \
                 WHERE bytes > 0 AND distinct_at_least > 0 AND segments = 1";
    let mut kim = Client::sign_in(server.address, "kim").await;
    let clear = ["customer.customer_id", "customer.outlet"];
    assert_eq!(kim.texts(names).await, clear, "a masked column's stay unknown");
    assert_eq!(kim.number(known).await, 2);

    // Which kinds were chosen tells how many values there are, hidden ones among them.
    let mut carl = Client::sign_in(server.address, "carl").await;
    assert_eq!(carl.number("SELECT count(*) FROM system.table_index").await, 0);

    let mut gus = Client::sign_in(server.address, "gus").await;
    assert!(
        gus.query(names)
            .await
            .unwrap_err()
            .to_string()
            .contains("does not exist or is not granted")
    );
}
