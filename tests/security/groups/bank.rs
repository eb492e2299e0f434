//! A small bank whose statisticians see groups of ten persons, and how it is asked.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use martlet_policy::{Principal, TokenKeys};
use martlet_query::{AccessPath, Engine, EngineOptions, QueryError};

use crate::support::mart::{NoRecords, PASSWORD};
use crate::support::{Bundle, TestMart};

const LOAD: &str = r#"
name = "groups"
[[table]]
name = "customer"
mode = "replace"
primary_key = ["customer_id"]
  [[table.column]]
  name = "customer_id"
  type = "int64"
  class = "number"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.column]]
  name = "segment"
  type = "text"
  nullable = true
  class = "open"
  [[table.column]]
  name = "gender"
  type = "text"
  class = "open"
  [[table.column]]
  name = "born"
  type = "date"
  class = "open"
  [[table.column]]
  name = "score"
  type = "int32"
  nullable = true
  class = "open"
  [[table.column]]
  name = "balance"
  type = "decimal(18,2)"
  class = "open"
  [[table.source]]
  files = ["customer.csv"]
[[table]]
name = "account"
mode = "replace"
primary_key = ["account_id"]
  [[table.column]]
  name = "account_id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "customer_id"
  type = "int64"
  class = "number"
  [[table.column]]
  name = "kind"
  type = "text"
  class = "open"
  [[table.column]]
  name = "amount"
  type = "int64"
  class = "open"
  [[table.source]]
  files = ["account.csv"]
[[table]]
name = "outlet"
mode = "replace"
primary_key = ["code"]
  [[table.column]]
  name = "code"
  type = "text"
  class = "open"
  [[table.column]]
  name = "name"
  type = "text"
  class = "open"
  [[table.source]]
  files = ["outlet.csv"]
"#;

const ROLES: &str = r#"
[[role]]
name = "statistician"
tables = ["customer", "account"]
may = ["explain"]
minimum_group = 10
minimum_group_by = "customer_id"
[role.classes]
open = "clear"
number = "clear"

[[role]]
name = "counter"
tables = ["customer", "account"]
minimum_group = 10
minimum_group_by = "customer_id"
[role.classes]
open = "clear"
number = "filter"

[[role]]
name = "row_counter"
tables = ["account"]
minimum_group = 10
[role.classes]
open = "clear"
number = "clear"

[[role]]
name = "local"
tables = ["customer"]
minimum_group = 10
minimum_group_by = "customer_id"
[role.classes]
open = "clear"
number = "clear"

[[role]]
name = "public"
tables = ["outlet"]
[role.classes]
open = "clear"

[[role]]
name = "plain"
tables = ["customer", "account"]
may = ["explain"]
[role.classes]
open = "clear"
number = "clear"

[[role]]
name = "indexes"
tables = ["system.table_index"]
[role.classes]
storage = "clear"
"#;

const RULES: &str = r#"
[[row_rule]]
name = "everything"
effect = "permit"
roles = ["statistician", "counter", "row_counter", "plain"]
tables = ["customer", "account"]
all = true

[[row_rule]]
name = "outlets"
effect = "permit"
roles = ["public"]
tables = ["outlet"]
all = true

[[row_rule]]
name = "own"
effect = "permit"
roles = ["local"]
tables = ["customer"]
column = "outlet"
within = "node"

[[row_rule]]
name = "indexes"
effect = "permit"
roles = ["indexes"]
tables = ["system.table_index"]
all = true
"#;

pub(super) fn bundle() -> Bundle {
    Bundle::default()
        .file("bundle.toml", "name = \"groups\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file(
            "organization.csv",
            "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\nb,root,outlet,B\n\
             c,root,outlet,C\nd,root,outlet,D\n",
        )
        .file(
            "classes.toml",
            "[[class]]\nname = \"open\"\nmask = \"redact\"\n[[class]]\nname = \"number\"\n\
             mask = \"redact\"\n[[class]]\nname = \"storage\"\nmask = \"redact\"\n",
        )
        .file("roles.toml", ROLES)
        .file("rules.toml", RULES)
        .principal("stan", "statistician;public;indexes", "root")
        .principal("sue", "statistician;public", "root")
        .principal("carl", "counter;public", "root")
        .principal("rob", "row_counter", "root")
        .principal("lea", "local", "a")
        .principal("dan", "local", "d")
        .principal("both", "statistician;plain;public", "root")
        .principal("pia", "plain;public", "root")
}

/// 200 customers: 100 of outlet `a`, 80 of `b`, 15 of `c` and 5 of `d`; six are of the segment
/// `private`. Customer 181 of `c` has nearly all the money there.
fn customers() -> String {
    let row = |id: u64| {
        let outlet = match id {
            1..=100 => "a",
            101..=180 => "b",
            181..=195 => "c",
            _ => "d",
        };
        let segment = match id {
            1..=6 => "private",
            _ if id % 10 == 7 => "",
            _ if id.is_multiple_of(3) => "affluent",
            _ => "mass",
        };
        let gender = if id.is_multiple_of(2) { "f" } else { "m" };
        let (year, month) = (1950 + id % 50, 1 + id % 12);
        let score = if id.is_multiple_of(5) { String::new() } else { (id % 7).to_string() };
        let balance = if id == 181 { 10_000_000 } else { 1_000 + id };
        format!("{id},{outlet},{segment},{gender},{year}-{month:02}-15,{score},{balance}.50\n")
    };
    let rows: String = (1..=200).map(row).collect();
    format!("customer_id,outlet,segment,gender,born,score,balance\n{rows}")
}

/// Two accounts of each customer, and a hundred more of customer 1.
fn accounts() -> String {
    let kind = |id: u64| match id % 4 {
        0 => "loan",
        _ => "saving",
    };
    let own = (1..=400_u64).map(|id| format!("{id},{},{},{}\n", id.div_ceil(2), kind(id), id * 10));
    let rare = (401..=500_u64).map(|id| format!("{id},1,vault,{id}\n"));
    let rows: String = own.chain(rare).collect();
    format!("account_id,customer_id,kind,amount\n{rows}")
}

/// The mart, loaded and under its rules.
pub(super) async fn bank() -> TestMart {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD)
        .write("customer.csv", customers())
        .write("account.csv", accounts())
        .write("outlet.csv", "code,name\na,Futian\nb,Nanshan\nc,Bund\nd,Pudong\n");
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&bundle()).await;
    mart
}

/// An engine that has told nobody anything yet.
pub(super) async fn engine(mart: &TestMart, path: AccessPath) -> Engine {
    let options = EngineOptions { path, threads: 2, ..EngineOptions::default() };
    let keys = TokenKeys::from_master(&[1; 32]);
    Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await.unwrap()
}

pub(super) fn principal(engine: &Engine, user: &str) -> Principal {
    let mart = engine.mart();
    let proof = mart.directory().sign_in(user, PASSWORD).unwrap();
    mart.directory().principal(&proof).unwrap()
}

/// The answer's rows as sorted texts.
pub(super) async fn ask(engine: &Engine, user: &str, sql: &str) -> Result<Vec<String>, QueryError> {
    let session = engine.session(&principal(engine, user), &engine.mart());
    let statement = session.prepare(sql).await?;
    let batches: Vec<RecordBatch> = statement.execute(None).await?.try_collect().await?;
    Ok(rows(&batches))
}

pub(super) async fn answer(engine: &Engine, user: &str, sql: &str) -> Vec<String> {
    ask(engine, user, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub(super) fn rows(batches: &[RecordBatch]) -> Vec<String> {
    let text = |batch: &RecordBatch, row: usize| {
        let cells = batch.columns().iter();
        let cells = cells.map(|column| array_value_to_string(column, row).unwrap());
        cells.collect::<Vec<_>>().join("|")
    };
    let rows =
        batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| text(batch, row)));
    let mut rows: Vec<String> = rows.collect();
    rows.sort();
    rows
}
