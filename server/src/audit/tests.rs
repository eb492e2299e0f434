//! The journal on a real folder: durable, readable after a crash, closed on failure.

use std::fs::{self, OpenOptions};
use std::io::Write;

use arrow::array::AsArray;

use super::record::tests::entry;
use super::*;

const ALL: usize = usize::MAX;

fn open(folder: &Path) -> Arc<Journal> {
    Arc::new(Journal::open(folder).unwrap())
}

fn statements(journal: &Journal) -> Vec<(String, String)> {
    let batch = journal.audit_records(ALL).unwrap();
    let column = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
    let (statement, outcome) = (column("statement"), column("outcome"));
    (0..batch.num_rows())
        .map(|row| (statement.value(row).to_string(), outcome.value(row).to_string()))
        .collect()
}

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| day_files::is_name(path.file_name().unwrap().to_str().unwrap()))
        .collect();
    assert_eq!(files.len(), 1);
    files[0].clone()
}

#[tokio::test]
async fn a_beginning_is_in_the_file_before_begin_returns() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let open = journal.begin(entry("select 1")).await.unwrap();
    let text = fs::read_to_string(only_file(folder.path())).unwrap();
    assert!(text.contains("select 1") && text.ends_with('\n'), "{text}");
    assert_eq!(statements(&journal), [("select 1".into(), "running".into())]);
    open.end(Outcome::Completed, Sent { rows: 2, bytes: 30 });
    assert_eq!(statements(&journal), [("select 1".into(), "completed".into())]);
}

#[tokio::test]
async fn a_long_statement_is_written_once_and_found_by_every_execution() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let long = format!("select 1 -- {}", "x".repeat(100_000));
    journal.whole(entry(&long), Ending::without_rows(Outcome::Described)).await.unwrap();
    for _ in 0..9 {
        journal.begin(entry(&long)).await.unwrap().end(Outcome::Completed, Sent::default());
    }
    assert_eq!(statements(&journal).len(), 10);
    assert!(statements(&journal)[0].0.len() > 50_000, "it is shown as if it were whole");
    drop(journal);
    let text = fs::read_to_string(only_file(folder.path())).unwrap();
    assert!(text.len() < 130_000, "{} bytes", text.len());
    let executed = workload::executed(folder.path(), 0).unwrap();
    assert_eq!(executed.len(), 9);
    assert!(executed.iter().all(|one| *one.text.statement == *long));
}

#[tokio::test]
async fn a_dropped_statement_is_recorded_as_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    drop(journal.begin(entry("select 1")).await.unwrap());
    assert_eq!(statements(&journal), [("select 1".into(), "cancelled".into())]);
    drop(journal);
    let text = fs::read_to_string(only_file(folder.path())).unwrap();
    assert!(text.contains("\"cancelled\""), "{text}");
}

#[tokio::test]
async fn records_are_read_back_and_a_torn_line_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let ending = Ending::without_rows(Outcome::Described);
    journal.whole(entry("first"), ending).await.unwrap();
    let unfinished = journal.begin(entry("second")).await.unwrap();
    std::mem::forget(unfinished);
    let file = only_file(folder.path());
    // As after a crash: no end for `second`, and half a line. The forgotten record still holds
    // the first journal, so the copy stands for the restarted server's folder.
    let restarted = tempfile::tempdir().unwrap();
    let copy = restarted.path().join(file.file_name().unwrap());
    fs::copy(&file, &copy).unwrap();
    OpenOptions::new().append(true).open(&copy).unwrap().write_all(b"{\"event\":\"be").unwrap();

    let journal = open(restarted.path());
    journal.whole(entry("third"), ending).await.unwrap();
    let seen = statements(&journal);
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0], ("third".into(), "described".into()));
    assert_eq!(seen[1], ("second".into(), "unknown".into()));
    drop(journal);
    let journal = open(restarted.path());
    assert_eq!(statements(&journal).len(), 3, "the torn line did not swallow its successor");
}

#[tokio::test]
async fn two_servers_cannot_write_one_journal() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path());
    assert!(matches!(Journal::open(folder.path()), Err(AuditError::InUse { .. })));
}

#[tokio::test]
async fn many_at_once_share_flushes_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let writes = (0..200).map(|number| {
        let journal = Arc::clone(&journal);
        async move {
            let ending = Ending::without_rows(Outcome::Completed);
            journal.whole(entry(&number.to_string()), ending).await
        }
    });
    for result in futures::future::join_all(writes).await {
        result.unwrap();
    }
    let text = fs::read_to_string(only_file(folder.path())).unwrap();
    assert_eq!(text.matches("\"event\":\"whole\"").count(), 200);
    assert_eq!(journal.audit_records(50).unwrap().num_rows(), 50);
}

#[cfg(unix)]
#[tokio::test]
async fn a_journal_that_cannot_be_written_refuses() {
    let folder = tempfile::tempdir().unwrap();
    // A device that is always full stands in for a full disk.
    let today = chrono::Utc::now().format("audit-%Y-%m-%d.jsonl").to_string();
    std::os::unix::fs::symlink("/dev/full", folder.path().join(today)).unwrap();
    match Journal::open(folder.path()) {
        Err(AuditError::Unusable { .. }) => {}
        Ok(journal) => {
            let begun = Arc::new(journal).begin(entry("select 1")).await;
            assert!(matches!(begun, Err(AuditError::NotWritten)));
        }
        Err(other) => panic!("unexpected: {other}"),
    }
}

#[tokio::test]
async fn parameters_are_in_the_file_and_in_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let bound = entry("select ?").with_parameters(Some("('C000000001', 5)".into()));
    let ending = Ending::without_rows(Outcome::Completed);
    journal.whole(bound, ending).await.unwrap();
    journal.whole(entry("select 1"), ending).await.unwrap();
    let text = fs::read_to_string(only_file(folder.path())).unwrap();
    assert!(text.contains(r#""statement":"select ?","parameters":"('C000000001', 5)""#), "{text}");
    assert!(text.contains(r#""column_access":{"customer.name":"mask:name"}"#), "{text}");
    let batch = journal.audit_records(ALL).unwrap();
    let shown = batch.column_by_name("parameters").unwrap().as_string::<i32>().clone();
    assert_eq!(shown.iter().collect::<Vec<_>>(), [None, Some("('C000000001', 5)")]);
    let access = batch.column_by_name("column_access").unwrap().as_string::<i32>().clone();
    assert_eq!(access.value(0), "customer.name mask:name");
}

#[tokio::test]
async fn no_end_is_lost_however_many_wait() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let begun = (0..6_000).map(|_| journal.begin(entry("select 1")));
    let begun: Vec<_> = futures::future::join_all(begun).await;
    // All at once, faster than any disk flushes.
    for record in begun {
        record.unwrap().end(Outcome::Completed, Sent::default());
    }
    let path = only_file(folder.path());
    drop(journal);
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text.matches("\"event\":\"end\"").count(), 6_000);
}

#[tokio::test]
async fn an_orderly_end_is_signed() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let ending = Ending::without_rows(Outcome::Completed);
    journal.whole(entry("select 1"), ending).await.unwrap();
    journal.sign().await.unwrap();
    let text = fs::read_to_string(only_file(folder.path())).unwrap();
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with("{\"event\":\"checkpoint\"") && last.contains("\"covers\":3,"),
        "{last}"
    );
}

/// What a bank's disk does: it is full while statements run, and has room again later.
#[tokio::test]
async fn a_full_disk_takes_ends_and_refusals_and_no_beginning() {
    use std::sync::atomic::Ordering;
    let folder = tempfile::tempdir().unwrap();
    let disk = disk::tests::Small::with_room(4 * 1024 * 1024 + 40_000);
    let options = JournalOptions::in_folder(folder.path());
    let writer = Writer::open_on(&options, Box::new(disk.clone())).unwrap();
    let journal = Arc::new(Journal::over(writer, folder.path()).unwrap());
    let mut begun = Vec::new();
    let refused = loop {
        match journal.begin(entry("select 1")).await {
            Ok(record) => begun.push(record),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, AuditError::NotWritten));
    assert!(begun.len() > 10);
    // Something else takes what the reserve gave back but for some room.
    disk.room.store(100_000, Ordering::SeqCst);
    let denied = Entry { decision: Decision::Denied, ..entry("select secret") };
    journal.whole(denied, Ending::without_rows(Outcome::Failed)).await.unwrap();
    assert!(journal.begin(entry("select 2")).await.is_err());
    let told = journal.whole(entry("select 3"), Ending::without_rows(Outcome::Described)).await;
    assert!(told.is_err(), "a description tells something, too");
    let count = begun.len();
    begun.into_iter().for_each(|record| record.end(Outcome::Completed, Sent::default()));

    disk.room.store(1 << 40, Ordering::SeqCst);
    while journal.begin(entry("select 4")).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let path = only_file(folder.path());
    drop(journal);
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text.matches("\"completed\"").count(), count);
    assert_eq!(text.matches("select secret").count(), 1);
    assert!(!text.contains("select 2") && !text.contains("select 3"));
    let folder = folder.path().to_path_buf();
    let check =
        verify::Check { folder, anchor: None, keys: Vec::new(), now: std::time::SystemTime::now() };
    let report = verify::verify(&check, &mut |_, _| ()).unwrap();
    assert!(report.is_whole(), "{:?}", report.findings);
}
