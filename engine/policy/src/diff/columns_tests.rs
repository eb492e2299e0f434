use crate::bundle::BundleText;
use crate::diff;
use crate::testing::example_text;

const NAMED: &str =
    "[[table]]\nname = \"customer\"\ncolumns = { desk = \"open\", name = \"name\" }\n";

fn with_columns(columns: &str) -> BundleText {
    let mut text = example_text();
    text.files.insert("columns.toml".to_owned(), columns.to_owned());
    text
}

fn lines(before: &str, after: &str) -> Vec<String> {
    diff(&with_columns(before), &with_columns(after))
}

#[test]
fn to_say_what_columns_are_shows_nobody_more() {
    assert_eq!(
        diff(&example_text(), &with_columns(NAMED)),
        [
            "  columns: hidden unless columns.toml names them as they were loaded",
            "  column `customer.desk`: new, class open",
            "  column `customer.name`: new, class name",
        ]
    );
    assert_eq!(diff(&example_text(), &with_columns("")).len(), 1, "and nothing is shown by then");
}

#[test]
fn to_say_it_no_more_does() {
    let lines = diff(&with_columns(NAMED), &example_text());
    assert_eq!(
        lines,
        ["* columns: no columns.toml any more, so load files alone say what they are"]
    );
}

#[test]
fn another_class_and_another_column_have_a_star() {
    assert!(lines(NAMED, NAMED).is_empty());
    let lowered = NAMED.replace("name = \"name\"", "name = \"open\"");
    assert_eq!(lines(NAMED, &lowered), ["* column `customer.name`: class name -> class open"]);
    let fewer = NAMED.replace(", name = \"name\"", "");
    assert_eq!(lines(&fewer, NAMED), ["* column `customer.name`: new, class name"]);
    assert_eq!(lines(NAMED, &fewer), ["  column `customer.name`: removed"]);
}
