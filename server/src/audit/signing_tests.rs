//! A key is kept to its owner, and a signature is good for what it signed alone.

use super::*;

const JOURNAL: JournalId = Hex::new([5; 16]);
const HEAD: Head = Head { sequence: 9, link: Hex::new([3; 32]) };

#[test]
fn a_key_is_made_once_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signing.key");
    let made = Signer::open(&file).unwrap().public();
    assert_eq!(Signer::open(&file).unwrap().public(), made);
    assert_eq!(public_key_of(&file).unwrap(), made);
    assert!(matches!(Signer::read(&folder.path().join("none")), Err(AuditError::Unusable { .. })));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signing.key");
    Signer::open(&file).unwrap();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Signer::open(&file), Err(AuditError::Key { .. })));
}

#[test]
fn a_signature_is_good_for_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::open(&folder.path().join("a.key")).unwrap();
    let other = Signer::open(&folder.path().join("b.key")).unwrap();
    let good = signer.sign(JOURNAL, HEAD, 77);
    assert!(is_signed(&good));
    let changed = [
        Checkpoint { journal: Hex::new([6; 16]), ..good.clone() },
        Checkpoint { key: other.public(), ..good.clone() },
        Checkpoint { covers: 10, ..good.clone() },
        Checkpoint { head: Hex::new([4; 32]), ..good.clone() },
        Checkpoint { at: 78, ..good.clone() },
        Checkpoint { signature: other.sign(JOURNAL, HEAD, 77).signature, ..good },
    ];
    assert!(changed.iter().all(|checkpoint| !is_signed(checkpoint)));
}

#[test]
fn public_keys_are_read_one_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let (a, b) = (PublicKey::new([1; 32]), PublicKey::new([2; 32]));
    std::fs::write(&file, format!("{a}\n\n{b}\n")).unwrap();
    assert_eq!(public_keys(&file).unwrap(), [a, b]);
    std::fs::write(&file, "\n").unwrap();
    assert!(public_keys(&file).is_err());
    std::fs::write(&file, format!("{a}\nx")).unwrap();
    assert!(public_keys(&file).is_err());
}
