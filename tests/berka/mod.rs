//! Real input: a Czech bank's files (PKDD'99), loaded by the shipped load file and read over
//! Flight SQL. Skips, and says so, where the data are not there.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use martlet_ingest::{LoadOutcome, LoadPlan, LoadReport, LoadRequest, ReplaceMode, Silent, load};
use martlet_policy::{BundleText, PasswordCost, hash_password};

use crate::support::mart::PASSWORD;
use crate::support::{Client, TestMart};

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("berka")
}

/// The folder of the data: `MARTLET_SHARED_DATA/berka`, or beside the checkout.
fn data() -> Option<PathBuf> {
    let shared = std::env::var_os("MARTLET_SHARED_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let folder = shared.join("berka");
    if folder.join("client.asc").exists() {
        return Some(folder);
    }
    println!("skipped: the Berka data are not in {}", folder.display());
    None
}

/// Rows of a file by counting its lines: header off, the torn last line of `trans.asc` too.
fn lines(folder: &std::path::Path, file: &str) -> u64 {
    let bytes = fs::read(folder.join(file)).unwrap();
    let whole = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    whole - 1
}

async fn loaded(mart: &TestMart, input: &std::path::Path) -> LoadReport {
    let plan = LoadPlan::read(&here().join("berka.toml"), Some(input)).unwrap();
    let request = LoadRequest {
        plan,
        date: "1994-03-31".parse().unwrap(),
        replace: ReplaceMode::Refuse,
        rejects_dir: mart.folder.path().join("rejects"),
        progress: Arc::new(Silent),
    };
    match load(&mart.store, request).await.unwrap() {
        LoadOutcome::Published { report, .. } => report,
        LoadOutcome::AlreadyLoaded { .. } => panic!("an empty mart holds no batch"),
    }
}

async fn apply(mart: &TestMart) {
    let hash = hash_password(PASSWORD, [3; 16], PasswordCost::Test);
    let principals = fs::read_to_string(here().join("principals.csv")).unwrap();
    let signed: String = principals
        .lines()
        .enumerate()
        .map(|(at, line)| if at == 0 { format!("{line}\n") } else { format!("{line}\"{hash}\"\n") })
        .collect::<String>()
        + &format!("chief,head_office,bank,\"{hash}\"\n");
    let mut commit = mart.store.begin(&mart.store.latest().await.unwrap());
    commit
        .set_policy(Bytes::from(BundleText::read_dir(&here().join("policy")).unwrap().to_bytes()));
    commit.set_principals(Bytes::from(signed.into_bytes()));
    let outcome = commit.publish().await.unwrap();
    assert!(matches!(outcome, martlet_store::CommitOutcome::Committed(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_banks_files_become_secured_answers() {
    let Some(folder) = data() else { return };
    let mart = TestMart::new();
    let report = loaded(&mart, &folder).await;
    let rows = |table: &str| report.tables.iter().find(|of| of.table == table).unwrap().rows_loaded;
    for (table, file, known) in [
        ("client", "client.asc", 5_369),
        ("account", "account.asc", 4_500),
        ("loan", "loan.asc", 682),
        ("card", "card.asc", 892),
        ("permanent_order", "order.asc", 6_471),
        ("disp", "disp.asc", 5_369),
        ("district", "district.asc", 77),
        ("trans", "trans.asc", 49_102),
    ] {
        assert_eq!(rows(table), lines(&folder, file), "{table}: the file's own lines");
        assert_eq!(rows(table), known, "{table}: the published figure");
    }
    assert_eq!(report.rows_rejected, 1);
    let rejects = fs::read_to_string(report.rejects_file.as_ref().unwrap()).unwrap();
    assert_eq!(rejects.lines().count(), 2, "a header and one row: {rejects}");
    assert!(rejects.contains("3526882;11021;940331;") && rejects.contains("quote"), "{rejects}");

    apply(&mart).await;
    let server = mart.serve().await;
    let mut praha = Client::sign_in(server.address, "praha").await;
    assert_eq!(praha.number("SELECT count(*) FROM client").await, 663);
    assert_eq!(praha.number("SELECT count(*) FROM account").await, 554);
    assert_eq!(praha.texts("SELECT DISTINCT district_id FROM client").await, ["1"]);
    assert_eq!(praha.texts("SELECT DISTINCT birth_number FROM client").await, ["***"]);
    assert_eq!(praha.number("SELECT count(*) FROM district").await, 77);
    assert!(praha.query("SELECT * FROM loan").await.is_err(), "loans are head office's");

    let mut chief = Client::sign_in(server.address, "chief").await;
    assert_eq!(chief.number("SELECT count(*) FROM client").await, 5_369);
    let women = "SELECT count(*) FROM client WHERE cast(substr(birth_number, 3, 2) AS int) > 50";
    let raw = fs::read_to_string(folder.join("client.asc")).unwrap();
    let counted =
        raw.lines().skip(1).filter(|line| line.split('"').nth(1).unwrap()[2..4] > *"50").count();
    assert_eq!(chief.number(women).await, i64::try_from(counted).unwrap());
    assert_eq!(chief.number("SELECT count(*) FROM trans").await, 49_102);
}
