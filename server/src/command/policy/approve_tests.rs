use super::*;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_key_is_made_once_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ann.key");
    let made = make_secret(&file).unwrap().public();
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    assert_eq!(read_secret(&file).unwrap().public(), made);
    assert!(make_secret(&file).is_err(), "a key is never written over");
    assert_eq!(read_secret(&file).unwrap().public(), made);
}

#[test]
fn a_key_that_others_may_read_or_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ann.key");
    make_secret(&file).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o601] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = read_secret(&file).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Denied, "{mode:o}");
    }
    std::fs::remove_file(&file).unwrap();
    write_new(&file, "not a key\n", 0o600).unwrap();
    let refused = read_secret(&file).unwrap_err();
    assert!(!refused.text().contains("not a key"), "what stands there is not repeated");
}

#[test]
fn an_approval_is_not_taken_for_another_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x");
    std::fs::write(&file, "name = \"bundle\"\n").unwrap();
    assert!(read_approval(&file).unwrap_err().text().contains("not an approval"));
    std::fs::write(&file, vec![b'x'; 100_000]).unwrap();
    assert!(read_approval(&file).unwrap_err().text().contains("too large"));
    assert!(read_approval(&dir.path().join("absent")).is_err());
}

#[test]
fn a_file_is_named_after_officer_and_bundle() {
    let text = BundleText::default();
    let name = default_file("Ann/../Lee 王", &text);
    assert_eq!(name.components().count(), 1, "{}", name.display());
    assert!(name.to_string_lossy().starts_with("Ann____Lee_王-"), "{}", name.display());
}
