//! The bank as a whole: the same plan gives the same bytes, the numbers agree with each other,
//! and what the files say is what the plan asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use tempfile::TempDir;

use crate::entity::ENTITIES;
use crate::*;

fn bank(plan: &BankPlan) -> (TempDir, Generated) {
    let dir = tempfile::tempdir().unwrap();
    let generated = generate(plan, dir.path(), &|_, _, _| {}).unwrap();
    (dir, generated)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

/// Relative path -> digest of every file.
fn digests(dir: &Path) -> BTreeMap<PathBuf, blake3::Hash> {
    let digest = |path: PathBuf| {
        let hash = blake3::hash(&fs::read(&path).unwrap());
        (path.strip_prefix(dir).unwrap().to_owned(), hash)
    };
    files_below(dir).into_iter().map(digest).collect()
}

/// Rows of a table of the core banking system, by header.
fn rows(generated: &Generated, table: &str) -> Vec<HashMap<String, String>> {
    let mut rows = Vec::new();
    for file in &generated.table(table).unwrap().files {
        let text = fs::read_to_string(&file.path).unwrap();
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap().split('|').collect();
        for line in lines {
            let fields: Vec<&str> = line.split('|').collect();
            assert_eq!(fields.len(), header.len(), "{table}");
            let pairs = header.iter().zip(fields);
            rows.push(pairs.map(|(name, field)| ((*name).to_owned(), field.to_owned())).collect());
        }
    }
    rows
}

fn cents(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_another_seed_others() {
    let plan = BankPlan::small();
    let (one, _) = bank(&plan);
    let (two, _) = bank(&plan);
    let (other, _) = bank(&BankPlan { seed: plan.seed + 1, ..plan });
    assert_eq!(digests(one.path()), digests(two.path()));
    assert_ne!(digests(one.path()), digests(other.path()));
}

#[test]
fn generating_twice_into_one_folder_leaves_only_the_second() {
    let plan = BankPlan { customers: 60_000, transactions: 0, ..BankPlan::small() };
    let (dir, large) = bank(&plan);
    assert_eq!(large.table("customer").unwrap().files.len(), 2, "more than one part");
    let small = BankPlan::small();
    generate(&small, dir.path(), &|_, _, _| {}).unwrap();
    assert_eq!(digests(dir.path()), digests(bank(&small).0.path()));
}

#[test]
fn who_a_customer_is_does_not_depend_on_how_many_there_are() {
    let few = BankPlan::small();
    let many = BankPlan { customers: 2 * few.customers, ..few.clone() };
    let identity = |plan: &BankPlan| -> Vec<[String; 5]> {
        let (_dir, generated) = bank(plan);
        let take = |row: &HashMap<String, String>| {
            ["CUST_NO", "ORG_NO", "CUST_NAME", "CERT_NO", "OPEN_DATE"].map(|name| row[name].clone())
        };
        rows(&generated, "customer").iter().map(take).collect()
    };
    assert_eq!(identity(&few), identity(&many)[..few.customers as usize]);
}

#[test]
fn customers_stay_the_same_from_night_to_night_and_transactions_do_not_repeat() {
    let first = BankPlan::small();
    let second = BankPlan {
        date: first.date.succ_opt().unwrap(),
        history_days: 1,
        transactions: 100,
        ..first.clone()
    };
    let dir = tempfile::tempdir().unwrap();
    let one = generate(&first, dir.path(), &|_, _, _| {}).unwrap();
    let two = generate(&second, dir.path(), &|_, _, _| {}).unwrap();
    let column = |generated: &Generated, table: &str, name: &str| -> BTreeSet<String> {
        rows(generated, table).iter().map(|row| row[name].clone()).collect()
    };
    assert_eq!(column(&one, "customer", "CERT_NO"), column(&two, "customer", "CERT_NO"));
    let ids = column(&two, "transaction", "transaction_id");
    assert_eq!(ids.len(), 100);
    assert!(ids.is_disjoint(&column(&one, "transaction", "transaction_id")));
}

#[test]
fn the_pieces_of_a_bank_are_the_bank() {
    let whole = BankPlan::small();
    let of = |plan: &BankPlan, table: &str, names: &[&str]| -> Vec<Vec<String>> {
        let (_dir, generated) = bank(plan);
        let take = |row: &HashMap<String, String>| names.iter().map(|n| row[*n].clone()).collect();
        rows(&generated, table).iter().map(take).collect()
    };
    let cut: Vec<BankPlan> =
        (0..3).map(|index| BankPlan { piece: Piece { index, of: 3 }, ..whole.clone() }).collect();
    for (table, names) in [
        ("customer", &["CUST_NO", "ORG_NO", "DEPOSIT_BAL"][..]),
        ("transaction", &["customer_id", "outlet", "amount", "booked_at", "balance_after"][..]),
        ("loan", &["loan_id", "outstanding"][..]),
    ] {
        let mut all: Vec<_> = cut.iter().flat_map(|plan| of(plan, table, names)).collect();
        let mut wanted = of(&whole, table, names);
        all.sort();
        wanted.sort();
        assert_eq!(all, wanted, "{table}");
    }
    let counts = |plan: &BankPlan| {
        let (_dir, generated) = bank(plan);
        ["card", "service_contact", "campaign_response"].map(|t| generated.table(t).unwrap().rows())
    };
    let sum = cut.iter().map(counts).fold([0; 3], |sum, rows| [0, 1, 2].map(|t| sum[t] + rows[t]));
    assert_eq!(sum, counts(&whole));
    let outlets = |plan: &BankPlan| -> BTreeSet<String> {
        of(plan, "transaction", &["outlet"]).concat().into_iter().collect()
    };
    assert!(outlets(&cut[0]).last() < outlets(&cut[1]).first(), "runs of outlets");
    let ids = |plan: &BankPlan| of(plan, "transaction", &["transaction_id"]).concat();
    let unique: HashSet<String> = cut.iter().flat_map(ids).collect();
    assert_eq!(unique.len() as u64, whole.transactions);
}

#[test]
fn counts_are_as_planned_and_as_told() {
    let plan = BankPlan::small();
    let last = std::cell::RefCell::new(BTreeMap::new());
    let dir = tempfile::tempdir().unwrap();
    let note = |table: &str, done: u64, all: u64| {
        last.borrow_mut().insert(table.to_owned(), (done, all));
    };
    let generated = generate(&plan, dir.path(), &note).unwrap();
    assert_eq!(generated.table("customer").unwrap().rows(), plan.customers);
    assert_eq!(generated.table("transaction").unwrap().rows(), plan.transactions);
    for entity in ENTITIES {
        let table = generated.table(entity.table).unwrap();
        let on_disk: u64 =
            table.files.iter().map(|file| fs::metadata(&file.path).unwrap().len()).sum();
        assert_eq!(table.bytes(), on_disk, "{}", entity.table);
        assert_eq!(last.borrow()[entity.table], (table.rows(), table.rows()), "{}", entity.table);
        assert!(table.rows() > 0, "{}", entity.table);
    }
}

#[test]
fn keys_are_unique_and_references_lead_somewhere() {
    let (_dir, generated) = bank(&BankPlan::small());
    let unique = |table: &str, key: &str| -> HashSet<String> {
        let rows = rows(&generated, table);
        let keys: HashSet<String> = rows.iter().map(|row| row[key].clone()).collect();
        assert_eq!(keys.len(), rows.len(), "{table}");
        keys
    };
    let nodes = unique("organization", "code");
    let products = unique("product", "product");
    let channels = unique("channel", "channel");
    let customers = unique("customer", "CUST_NO");
    let accounts = unique("account", "account_id");
    unique("transaction", "transaction_id");
    unique("loan", "loan_id");
    for row in rows(&generated, "account") {
        assert!(customers.contains(&row["customer_id"]) && products.contains(&row["product"]));
    }
    for row in rows(&generated, "transaction") {
        assert!(accounts.contains(&row["account_id"]) && customers.contains(&row["customer_id"]));
        assert!(nodes.contains(&row["outlet"]) && channels.contains(&row["channel"]));
        let counterparty = &row["counterparty_account"];
        assert!(counterparty.is_empty() || accounts.contains(counterparty));
    }
}

/// Every account's closing balance is its last transaction's, and a customer's deposits are
/// the sum of the accounts in the home currency.
#[test]
fn balances_agree_across_tables() {
    let (_dir, generated) = bank(&BankPlan::small());
    let mut last: HashMap<String, (String, i64)> = HashMap::new();
    for row in rows(&generated, "transaction") {
        let balance = cents(&row["balance_after"]);
        assert!(balance >= 0);
        let at = row["booked_at"].clone();
        let entry = last.entry(row["account_id"].clone()).or_default();
        assert!(entry.0 <= at, "an account's transactions are in order");
        *entry = (at, balance);
    }
    let mut deposits: HashMap<String, i64> = HashMap::new();
    for row in rows(&generated, "account") {
        let balance = cents(&row["balance"]);
        if let Some((_, closing)) = last.get(&row["account_id"]) {
            assert_eq!(balance, *closing);
        }
        if row["currency"] == "CNY" {
            *deposits.entry(row["customer_id"].clone()).or_default() += balance;
        }
    }
    for row in rows(&generated, "customer") {
        assert_eq!(cents(&row["DEPOSIT_BAL"]), deposits[&row["CUST_NO"]]);
    }
}

#[test]
fn transactions_keep_to_the_history_and_weekends_are_quiet() {
    use chrono::{Datelike, Weekday};
    let plan = BankPlan { transactions: 30_000, ..BankPlan::small() };
    let (_dir, generated) = bank(&plan);
    let mut by_weekday: HashMap<Weekday, u32> = HashMap::new();
    for row in rows(&generated, "transaction") {
        let day: NaiveDate = row["booked_on"].parse().unwrap();
        assert!(plan.first_day() <= day && day <= plan.date);
        assert!(row["booked_at"].starts_with(&row["booked_on"]));
        *by_weekday.entry(day.weekday()).or_default() += 1;
    }
    assert!(by_weekday[&Weekday::Sun] * 2 < by_weekday[&Weekday::Fri]);
}

#[test]
fn the_recount_agrees_with_a_plain_count() {
    let plan = BankPlan::small();
    let (_dir, generated) = bank(&plan);
    let count = recount(&generated).unwrap();
    assert_eq!(count.outlets_below(&generated.head_office).len(), plan.outlets as usize);
    assert_eq!(count.customers_below(&generated.head_office), plan.customers);
    assert_eq!(count.transactions_below(&generated.head_office).count, plan.transactions);
    let amounts: i128 =
        rows(&generated, "transaction").iter().map(|row| i128::from(cents(&row["amount"]))).sum();
    assert_eq!(count.transactions_below(&generated.head_office).cents, amounts);
    let segments: u64 = count.segments_below(&generated.head_office).values().sum();
    assert_eq!(segments, plan.customers);
    assert_eq!(count.outlets_below("no such node"), Vec::<String>::new());
}

#[test]
fn the_teller_sits_in_the_managers_province_with_customers_to_see() {
    for plan in [BankPlan::small(), BankPlan { transactions: 0, ..BankPlan::default() }] {
        let (_dir, generated) = bank(&plan);
        let count = recount(&generated).unwrap();
        let below = count.outlets_below(&generated.manager_node);
        assert!(below.contains(&generated.teller_outlet));
        assert!(below.len() > 1);
        let customers = count.customers_by_outlet[&generated.teller_outlet];
        assert_eq!(customers, generated.teller_customers);
        assert!((10..200).contains(&customers), "{customers}");
        assert!(customers < count.customers_below(&generated.manager_node));
        let raw = customers_of(&generated, &generated.teller_outlet).unwrap();
        assert_eq!(raw.len() as u64, customers);
        assert!(raw.iter().all(|row| row["ORG_NO"] == generated.teller_outlet));
    }
}

#[test]
fn principals_are_the_named_ones_and_the_branch_users() {
    let hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA";
    let plan = BankPlan {
        named_passwords: BTreeMap::from([("teller".to_owned(), hash.to_owned())]),
        ..BankPlan::small()
    };
    let (_dir, generated) = bank(&plan);
    let mut reader = csv::Reader::from_path(&generated.principals_file).unwrap();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len() as u64, generated.principals);
    let named: Vec<&str> = records.iter().take(5).map(|record| &record[0]).collect();
    assert_eq!(named, NAMED_PRINCIPALS);
    assert_eq!(records[0], ["teller", "teller", &generated.teller_outlet, hash][..]);
    let nodes: HashSet<String> =
        rows(&generated, "organization").iter().map(|row| row["code"].clone()).collect();
    assert!(records.iter().all(|record| nodes.contains(&record[2])));
    assert!(records.iter().skip(1).all(|record| record[3].is_empty()));
}

#[test]
fn impossible_plans_are_refused_and_extreme_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let made = |plan: BankPlan| generate(&plan, dir.path(), &|_, _, _| {});
    let small = BankPlan::small;
    for refused in [
        BankPlan { customers: 0, ..small() },
        BankPlan { piece: Piece { index: 3, of: 3 }, ..small() },
        BankPlan { piece: Piece { index: 0, of: 0 }, ..small() },
        BankPlan { outlets: 0, ..small() },
        BankPlan { history_days: 0, ..small() },
        BankPlan { date: NaiveDate::MAX, ..small() },
        BankPlan { named_passwords: [("root".into(), String::new())].into(), ..small() },
    ] {
        assert!(matches!(made(refused), Err(BankError::Plan { .. })));
    }
    for seed in 0..20 {
        let one = BankPlan {
            customers: 1,
            outlets: 1,
            history_days: 1,
            transactions: 9,
            seed,
            ..small()
        };
        assert_eq!(made(one).unwrap().table("transaction").unwrap().rows(), 9);
    }
    let early = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap();
    assert_eq!(made(BankPlan { date: early, ..small() }).unwrap().date, early);
}
