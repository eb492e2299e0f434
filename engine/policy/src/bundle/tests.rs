use proptest::prelude::*;

use super::*;
use crate::testing::{EXAMPLE, example_text};

#[test]
fn a_folder_is_read_without_what_lies_beside_the_bundle() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bundle");
    assert_eq!(BundleText::read_dir(&folder).unwrap(), example_text());
    let error = BundleText::read_dir(&folder.join("nowhere")).unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn the_digest_changes_with_every_character() {
    let mut text = example_text();
    let before = text.digest();
    text.files.get_mut("roles.toml").unwrap().push('\n');
    assert_ne!(before, text.digest());
}

#[test]
fn cut_or_lengthened_bytes_are_damaged() {
    let bytes = example_text().to_bytes();
    let lengthened = [bytes.as_slice(), b"x"].concat();
    assert!(BundleText::from_bytes(&lengthened).is_err());
    // A cut at the end of a file is a shorter bundle, which its check refuses; any other is seen.
    let whole = (0..bytes.len()).filter(|at| BundleText::from_bytes(&bytes[..*at]).is_ok()).count();
    assert_eq!(whole, EXAMPLE.len(), "the empty bundle, and one cut after each file but the last");
}

proptest! {
    #[test]
    fn bytes_come_back_as_the_same_text(
        files in prop::collection::btree_map(".{0,9}", ".{0,30}", 0..5)
    ) {
        let text = BundleText { files };
        prop_assert_eq!(BundleText::from_bytes(&text.to_bytes()).unwrap(), text);
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_what_is_read_is_canonical(
        tail in prop::collection::vec(any::<u8>(), 0..40)
    ) {
        let bytes = [MAGIC, &tail].concat();
        if let Ok(text) = BundleText::from_bytes(&bytes) {
            prop_assert_eq!(text.to_bytes(), bytes);
        }
    }
}
