//! Bad rows can be read back, and the limit holds.

use encoding_rs::{GBK, UTF_8};

use super::*;

fn reject(line: u64, raw: &str) -> Reject {
    Reject {
        file: "a.csv".into(),
        line,
        byte_offset: Some(10),
        column: Some("amount".into()),
        reason: Reason::NotNumber,
        raw: raw.into(),
    }
}

#[test]
fn raw_rows_are_one_line_and_unambiguous() {
    assert_eq!(raw_text(UTF_8, "a;\"中\"\t\\n".as_bytes()), "a;\"中\"\\t\\\\n");
    assert_eq!(raw_text(UTF_8, b"a\nb\r\x00"), "a\\nb\\r\\x00");
    assert_eq!(raw_text(UTF_8, b"ok\xff\xfeok"), "ok\\xff\\xfeok");
    assert_eq!(raw_text(GBK, b"\xd6\xd0\x81"), "\\xd6\\xd0\\x81");
    assert_eq!(raw_text(GBK, b"\xd6\xd0"), "中");
    let long = raw_text(UTF_8, "y".repeat(RAW_CHARS_MAX * 2).as_bytes());
    assert_eq!(long.chars().count(), RAW_CHARS_MAX);
    assert!(long.ends_with('…'));
}

#[test]
fn the_file_reads_back_and_the_limit_holds() {
    let folder = tempfile::tempdir().unwrap();
    let mut log =
        RejectLog::start(folder.path(), "night-2026-11-22", RejectLimit::Rows(1)).unwrap();
    assert_eq!(log.path(), None);
    log.add("t", &[reject(7, "1;\"x\",=cmd()")]).unwrap();
    log.refuse_if_passed().unwrap();
    log.add("t", &[reject(9, "two")]).unwrap();
    let refused = log.refuse_if_passed().unwrap_err().to_string();
    assert!(refused.contains("night-2026-11-22.rejects.csv"), "{refused}");
    let path = log.path().unwrap();
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_path(path).unwrap().into_records().map(Result::unwrap).collect();
    assert_eq!(
        rows[0].iter().collect::<Vec<_>>(),
        ["t", "a.csv", "7", "10", "amount", "not a number", "1;\"x\",=cmd()"]
    );
    assert_eq!(rows.len(), 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others may not read customers' rows");
    }
    // A new try of the batch begins without the old one's bad rows.
    let path = path.to_path_buf();
    drop(log);
    RejectLog::start(folder.path(), "night-2026-11-22", RejectLimit::Unlimited).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_hopeless_file_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RejectLog::start(folder.path(), "n", RejectLimit::Rows(0)).unwrap();
    let rows: Vec<Reject> = (0..=SHOWN_BEYOND_LIMIT).map(|line| reject(line, "x")).collect();
    assert!(log.add("t", &rows[1..]).is_ok());
    assert!(matches!(log.add("t", &rows[..1]), Err(IngestError::TooManyRejects { .. })));
}

#[test]
fn unlimited_counts_beyond_what_it_writes() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RejectLog::start(folder.path(), "n", RejectLimit::Unlimited).unwrap();
    log.count_only(WRITTEN_MAX);
    log.add("t", &[reject(1, "x")]).unwrap();
    log.refuse_if_passed().unwrap();
    assert_eq!(log.rejected(), WRITTEN_MAX + 1);
    assert!(!log.path().unwrap().exists());
}
