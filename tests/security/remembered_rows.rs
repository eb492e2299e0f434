//! What a row rule leaves of a segment is remembered: never for another rule, nor past a change of
//! the rules or of the rows.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "remembered"
[[table]]
name = "customer"
mode = "upsert"
primary_key = ["customer_id"]
cluster_key = ["customer_id"]
  [[table.column]]
  name = "customer_id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.source]]
  files = ["customer.csv"]
"#;

/// Two clerks of the same role, each of whom sees one outlet.
fn bundle(outlet_of_ann: &str) -> Bundle {
    Bundle::default()
        .file("bundle.toml", "name = \"remembered\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\nb,root,outlet,B\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n")
        .file(
            "roles.toml",
            "[[role]]\nname = \"clerk\"\ntables = [\"customer\"]\n[role.classes]\nopen = \"clear\"\n",
        )
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"own\"\neffect = \"permit\"\nroles = [\"clerk\"]\ntables = [\"customer\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n",
        )
        .principal("ann", "clerk", outlet_of_ann)
        .principal("bob", "clerk", "b")
}

async fn mart() -> TestMart {
    let mart = TestMart::new();
    // Outlets are mixed among the customers, so that no bound of a segment tells them apart.
    mart.write("load.toml", LOAD)
        .write("customer.csv", "customer_id,outlet\n1,a\n2,b\n3,a\n4,b\n5,a\n6,a\n");
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle("a")).await;
    mart
}

async fn seen(client: &mut Client) -> Vec<i64> {
    let rows = client.query("SELECT customer_id FROM customer ORDER BY 1").await.unwrap();
    rows.iter()
        .flat_map(|rows| rows.column(0).as_primitive::<Int64Type>().values().to_vec())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn colleagues_with_one_role_see_each_their_own_rows_however_often_they_ask() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let mut bob = Client::sign_in(server.address, "bob").await;
    for _ in 0..3 {
        assert_eq!(seen(&mut ann).await, [1, 3, 5, 6]);
        assert_eq!(seen(&mut bob).await, [2, 4]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_moves_sees_the_other_outlet_at_once() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    assert_eq!(seen(&mut ann).await, [1, 3, 5, 6]);
    mart.apply(&bundle("b")).await;
    server.engine.refresh().await.unwrap();
    assert_eq!(seen(&mut ann).await, [2, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_a_night_takes_away_are_gone_for_who_saw_them_before() {
    let mart = mart().await;
    let server = mart.serve().await;
    let mut ann = Client::sign_in(server.address, "ann").await;
    let mut bob = Client::sign_in(server.address, "bob").await;
    assert_eq!(seen(&mut ann).await, [1, 3, 5, 6]);
    assert_eq!(seen(&mut bob).await, [2, 4]);
    mart.write("customer.csv", "customer_id,outlet\n3,b\n7,a\n");
    mart.load("load.toml", "2026-11-21").await;
    server.engine.refresh().await.unwrap();
    assert_eq!(seen(&mut ann).await, [1, 5, 6, 7]);
    assert_eq!(seen(&mut bob).await, [2, 3, 4]);
}
