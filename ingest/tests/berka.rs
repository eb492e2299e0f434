//! A real bank's files, loaded with the load file that we ship for them.
//!
//! The data are not part of Martlet: without their folder the tests say so and pass.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Decimal128Type};
use futures::TryStreamExt as _;
use martlet_core::Selection;
use martlet_ingest::{LoadOutcome, LoadPlan, LoadReport, LoadRequest, ReplaceMode, Silent, load};
use martlet_policy::{BundleText, Directory};
use martlet_store::{Snapshot, Store};

/// Rows of each file without its header, as `wc -l` counts them; the cut-off line of trans.asc
/// is not among them.
const ROWS: [(&str, u64); 8] = [
    ("district", 77),
    ("client", 5_369),
    ("account", 4_500),
    ("disp", 5_369),
    ("card", 892),
    ("loan", 682),
    ("permanent_order", 6_471),
    ("trans", 49_102),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder with the data, if it is there.
fn data() -> Option<PathBuf> {
    let shared = std::env::var_os("MARTLET_SHARED_DATA")
        .map_or_else(|| workspace().join("../shared/data"), PathBuf::from);
    let folder = shared.join("berka");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no Berka data in {} (set MARTLET_SHARED_DATA)", folder.display());
    None
}

struct Loaded {
    store: Store,
    snapshot: Snapshot,
    report: LoadReport,
    rejects: Vec<csv::StringRecord>,
}

async fn loaded(data: &Path) -> Loaded {
    let plan = LoadPlan::read(&workspace().join("tests/berka/berka.toml"), Some(data)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open("memory://").unwrap();
    let request = LoadRequest {
        plan,
        date: "1994-03-31".parse().unwrap(),
        replace: ReplaceMode::Refuse,
        rejects_dir: folder.path().to_path_buf(),
        progress: Arc::new(Silent),
    };
    let outcome = load(&store, request).await.unwrap();
    let LoadOutcome::Published { snapshot, report } = outcome else { panic!("an empty mart") };
    let rejects = csv::Reader::from_path(report.rejects_file.as_ref().unwrap())
        .unwrap()
        .into_records()
        .map(Result::unwrap)
        .collect();
    Loaded { store, snapshot, report, rejects }
}

/// The policy that we ship beside the load file speaks of its tables and classes only.
#[test]
fn the_policy_bundle_fits_the_load_file() {
    let folder = workspace().join("tests/berka");
    let plan = LoadPlan::read(&folder.join("berka.toml"), None).unwrap();
    let tables: Vec<_> = plan.tables().map(|(schema, _)| schema.clone()).collect();
    for column in tables.iter().flat_map(martlet_core::TableSchema::columns) {
        assert!(column.class.is_some(), "`{}` would be secret", column.name);
    }
    let text = BundleText::read_dir(&folder.join("policy")).unwrap();
    let bundle = martlet_policy::check(&text, &tables).unwrap();
    let feed = std::fs::read_to_string(folder.join("principals.csv")).unwrap();
    let directory = Directory::parse(&feed).unwrap();
    assert_eq!(directory.check_against(&bundle), []);
    assert_eq!(directory.len(), 77 + 2, "a user per district, praha and headquarters");
}

/// Whole lines of a file behind its header, counted without any of our code.
fn lines(data: &Path, file: &str) -> u64 {
    let bytes = std::fs::read(data.join(file)).unwrap();
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64 - 1
}

#[tokio::test]
async fn every_row_is_loaded_but_the_one_that_is_cut_off() {
    let Some(data) = data() else { return };
    let loaded = loaded(&data).await;
    assert_eq!(loaded.report.tables.len(), ROWS.len());
    for (table, rows) in ROWS {
        let file =
            if table == "permanent_order" { "order.asc".into() } else { format!("{table}.asc") };
        assert_eq!(lines(&data, &file), rows, "{file} itself");
        assert_eq!(loaded.snapshot.table(table).unwrap().rows(), rows, "{table}");
        let report = loaded.report.tables.iter().find(|report| report.table == table).unwrap();
        assert_eq!(report.rows_loaded, rows);
        assert_eq!(report.rows_read, rows + u64::from(table == "trans"));
    }
    assert_eq!(loaded.report.rows_rejected, 1);
    let bad: Vec<&str> = loaded.rejects[0].iter().collect();
    assert_eq!(
        bad,
        [
            "trans",
            "trans.asc",
            "49104",
            "3145701",
            "type",
            "a quote is opened and not closed: the file is cut off in the middle of this row",
            "3526882;11021;940331;\"PRIJE",
        ]
    );
    assert_eq!(loaded.rejects.len(), 1);
}

#[tokio::test]
async fn district_1_has_663_clients_in_one_run() {
    let Some(data) = data() else { return };
    let loaded = loaded(&data).await;
    let clients = column(&loaded, "client", "district_id").await;
    let districts: Vec<&str> =
        clients.iter().flat_map(|part| part.as_string::<i32>().iter().flatten()).collect();
    assert_eq!(districts.iter().filter(|district| **district == "1").count(), 663);
    let changes = districts.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(changes, 76, "clients of a district lie together");
}

#[tokio::test]
async fn values_are_what_the_files_say() {
    let Some(data) = data() else { return };
    let loaded = loaded(&data).await;
    // Loan 5314, of 5 July 1993, is the first: its amount is 96396.
    let granted = column(&loaded, "loan", "granted").await;
    let day = chrono::NaiveDate::from_ymd_opt(1993, 7, 5).unwrap();
    let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
    let days = day.signed_duration_since(epoch).num_days();
    assert_eq!(i64::from(granted[0].as_primitive::<Date32Type>().value(0)), days);
    let amounts = column(&loaded, "loan", "amount").await;
    assert_eq!(amounts[0].as_primitive::<Decimal128Type>().value(0), 9_639_600);
    // District 69 has no figures for 1995, written as `?`.
    let crimes = column(&loaded, "district", "crimes_1995").await;
    assert_eq!(crimes.iter().map(|part| part.null_count()).sum::<usize>(), 1);
    // A purpose of one space is none.
    let purposes = column(&loaded, "permanent_order", "k_symbol").await;
    assert_eq!(purposes.iter().map(|part| part.null_count()).sum::<usize>(), 1_379);
}

async fn column(loaded: &Loaded, table: &str, column: &str) -> Vec<arrow::array::ArrayRef> {
    let table = loaded.snapshot.table(table).unwrap();
    let position = table.schema().position(column).unwrap();
    let mut parts = Vec::new();
    for segment in table.segments() {
        let reader = loaded.store.open_segment(table.schema(), segment).await.unwrap();
        let rows = reader.read(&[position], &Selection::all(segment.rows()), 8_192);
        let batches: Vec<_> = rows.try_collect().await.unwrap();
        parts.extend(batches.iter().map(|batch| Arc::clone(batch.column(0))));
    }
    parts
}
