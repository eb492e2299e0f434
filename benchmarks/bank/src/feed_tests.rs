use super::*;
use crate::entity::{CARD, ORGANIZATION, SERVICE_CONTACT};

fn night() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 5).unwrap()
}

/// The last file's bytes of a table written into a fresh folder.
fn written(entity: &'static Entity, write: impl FnOnce(&mut TableWriter)) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let mut table = TableWriter::create(dir.path(), entity, night()).unwrap();
    write(&mut table);
    let files = table.finish().unwrap().files;
    let last = files.last().unwrap();
    let bytes = fs::read(&last.path).unwrap();
    assert_eq!(bytes.len() as u64, last.bytes);
    bytes
}

#[test]
fn core_banking_is_bare() {
    let bytes = written(&ORGANIZATION, |table| {
        table.text("44").null().text("province").text("广东省分行").text("Guangdong \"Branch\"");
        table.end_row().unwrap();
    });
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(
        text,
        "code|parent|level|name|latin_name\n44||province|广东省分行|Guangdong \"Branch\"\n"
    );
}

#[test]
fn cards_quote_text_and_dates_and_have_a_decimal_comma() {
    let bytes = written(&CARD, |table| {
        table.digits(62_250_001).customer_id(41).text("11010001").null().text("a\"b");
        table.text("active").money(-1_205).date(night()).date(night());
        table.end_row().unwrap();
    });
    let text = String::from_utf8(bytes).unwrap();
    let row = text.split("\r\n").nth(1).unwrap();
    assert_eq!(
        row,
        "\"62250001\";\"C000000042\";\"11010001\";;\"a\"\"b\";\"active\";-12,05;\"20260305\";\"20260305\""
    );
}

#[test]
fn crm_is_gb18030_with_null_written_out() {
    let bytes = written(&SERVICE_CONTACT, |table| {
        table.integer(7).customer_id(0).text("11010001").text("phone").text("complaint");
        table.timestamp(night(), 3_661).integer(30).null().text("客户");
        table.end_row().unwrap();
    });
    let (text, _, damaged) = GB18030.decode(&bytes);
    assert!(!damaged);
    assert!(String::from_utf8(bytes.clone()).is_err(), "must not be UTF-8 by chance");
    let row = text.split("\r\n").nth(1).unwrap();
    assert_eq!(
        row,
        "7,\"C000000001\",\"11010001\",\"phone\",\"complaint\",\"2026/03/05 01:01:01\",30,NULL,\"客户\""
    );
}

#[test]
fn a_table_without_rows_has_a_file_with_its_header() {
    let bytes = written(&ORGANIZATION, |_| {});
    assert_eq!(bytes, b"code|parent|level|name|latin_name\n");
}

#[test]
fn parts_of_an_earlier_run_do_not_survive() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("core_banking");
    fs::create_dir_all(&folder).unwrap();
    let stale = folder.join("organization_20260305_0009.csv");
    let other_night = folder.join("organization_20260304_0001.csv");
    fs::write(&stale, "old").unwrap();
    fs::write(&other_night, "kept").unwrap();
    TableWriter::create(dir.path(), &ORGANIZATION, night()).unwrap().finish().unwrap();
    assert!(!stale.exists());
    assert!(other_night.exists());
}
