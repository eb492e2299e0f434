//! The token key's file: made once, for its owner only, and read back the same.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn a_key_is_made_once_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token.key");
    let made = token_key(&file).unwrap();
    assert!(matches!(made, TokenKey::Made(_)));
    let found = token_key(&file).unwrap();
    assert!(matches!(found, TokenKey::Found(_)));
    assert_eq!(found.bytes(), made.bytes());
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_ne!(made.bytes(), &[0; 32]);
    assert_eq!(format!("{made:?}"), "TokenKey(..)");
}

#[test]
fn a_key_that_is_none_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token.key");
    for text in ["", "abc", &"g".repeat(64), &"é".repeat(32), &"+1".repeat(32)] {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(token_key(&file).unwrap_err().kind(), ErrorKind::Invalid, "`{text}`");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), *text);
    }
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token.key");
    token_key(&file).unwrap();
    for mode in [0o640, 0o604, 0o620] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(token_key(&file).unwrap_err().kind(), ErrorKind::Denied, "{mode:o}");
    }
}
