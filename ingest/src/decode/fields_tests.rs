//! The splitter against the csv crate, and what it refuses.

use proptest::prelude::*;

use super::*;

fn split(splitter: &Splitter, record: &str) -> Result<Vec<(String, bool)>, Torn> {
    let mut fields = Fields::default();
    splitter.split(record, &mut fields)?;
    let field = |at| {
        let field: Field<'_> = fields.get(at, record);
        (field.text.to_string(), field.quoted)
    };
    Ok((0..fields.len()).map(field).collect())
}

fn texts(splitter: &Splitter, record: &str) -> Vec<String> {
    split(splitter, record).unwrap().into_iter().map(|(text, _)| text).collect()
}

#[test]
fn plain_and_quoted_fields() {
    let splitter = Splitter::new(';', Some('"'));
    assert_eq!(texts(&splitter, "a;b;;c"), ["a", "b", "", "c"]);
    assert_eq!(texts(&splitter, ""), [""]);
    assert_eq!(texts(&splitter, ";"), ["", ""]);
    assert_eq!(texts(&splitter, r#""a;b";c"#), ["a;b", "c"]);
    assert_eq!(texts(&splitter, r#""say ""yes""";"""""#), [r#"say "yes""#, r#"""#]);
    assert_eq!(texts(&splitter, r#"5" pipe;a"b"c"#), [r#"5" pipe"#, r#"a"b"c"#]);
    assert_eq!(
        split(&splitter, r#"""";a;"";"#).unwrap_err(),
        Torn { field: 0, reason: Reason::UnclosedQuote }
    );
    let record = "\"x\";\"\";a;\"b\"";
    let quoted: Vec<bool> =
        split(&splitter, record).unwrap().iter().map(|(_, quoted)| *quoted).collect();
    assert_eq!(quoted, [true, true, false, true]);
}

#[test]
fn torn_records_say_where() {
    let splitter = Splitter::new(';', Some('"'));
    let torn = |record| split(&splitter, record).unwrap_err();
    assert_eq!(torn(r#"1;2;"PRIJE"#), Torn { field: 2, reason: Reason::UnclosedQuote });
    assert_eq!(torn(r#"1;"a"b;2"#), Torn { field: 1, reason: Reason::TextAfterQuote });
    assert_eq!(torn(r#""a" ;2"#), Torn { field: 0, reason: Reason::TextAfterQuote });
    assert_eq!(torn(r#"""#), Torn { field: 0, reason: Reason::UnclosedQuote });
}

#[test]
fn any_character_delimits_and_quotes() {
    assert_eq!(texts(&Splitter::new('§', Some('„')), "a§„b§c„§d"), ["a", "b§c", "d"]);
    assert_eq!(texts(&Splitter::new('\u{1}', None), "a\u{1}\"b\u{1}"), ["a", "\"b", ""]);
    assert_eq!(texts(&Splitter::new('，', None), "甲，乙"), ["甲", "乙"]);
}

#[test]
fn quotes_stay_open_over_lines() {
    let splitter = Splitter::new(',', Some('"'));
    for (line, before, after) in [
        (r#"a,"b"#, false, true),
        (r#"c",d"#, true, false),
        (r#"c""#, true, false),
        (r#"c"""#, true, true),
        (r#"c"",""#, true, false),
        (r#"a"b,"c""#, false, false),
        ("", true, true),
        ("", false, false),
    ] {
        assert_eq!(splitter.is_inside_after(line, before), after, "{line:?} after {before}");
    }
}

proptest! {
    /// What the csv crate writes, we read as it does.
    #[test]
    fn well_formed_records_are_read_as_by_the_csv_crate(
        fields in prop::collection::vec("[a-z\"; é中]{0,6}", 1..8),
        style in prop::sample::select(vec![csv::QuoteStyle::Necessary, csv::QuoteStyle::Always]),
    ) {
        let mut writer =
            csv::WriterBuilder::new().delimiter(b';').quote_style(style).from_writer(Vec::new());
        writer.write_record(&fields).unwrap();
        let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let record = written.strip_suffix('\n').unwrap();
        prop_assert_eq!(texts(&Splitter::new(';', Some('"')), record), fields);
    }

    /// Where we do not refuse a record, the csv crate reads the same fields.
    #[test]
    fn accepted_records_mean_what_they_mean_to_the_csv_crate(record in "[ab\",]{1,12}") {
        let Ok(ours) = split(&Splitter::new(',', Some('"')), &record) else { return Ok(()) };
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).from_reader(record.as_bytes());
        let theirs = reader.records().next().unwrap().unwrap();
        let ours: Vec<&str> = ours.iter().map(|(text, _)| text.as_str()).collect();
        prop_assert_eq!(ours, theirs.iter().collect::<Vec<_>>());
    }

    /// Cutting a record at any line end inside it never looks complete to the line scan while
    /// it is to be continued.
    #[test]
    fn open_quotes_agree_with_the_splitter(lines in prop::collection::vec("[ab\",]{0,6}", 1..5)) {
        let splitter = Splitter::new(',', Some('"'));
        let mut inside = false;
        let mut text = String::new();
        for line in &lines {
            inside = splitter.is_inside_after(line, inside);
            text.push_str(line);
            let unclosed = split(&splitter, &text).is_err_and(|torn| torn.reason == Reason::UnclosedQuote);
            let broken = split(&splitter, &text).is_err_and(|torn| torn.reason == Reason::TextAfterQuote);
            prop_assert!(broken || inside == unclosed);
            if broken {
                break;
            }
            if inside { text.push('\n') } else { text.clear() }
        }
    }
}
