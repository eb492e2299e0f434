//! That a map is the file, and that a file of another length is not mapped.

use super::*;

#[test]
fn the_bytes_are_the_files_and_outlive_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let content: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
    std::fs::write(&path, &content).unwrap();
    let map = MappedFile::open(&path, content.len() as u64).unwrap();
    map.fetch_ahead(4_096..8_192);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(map.bytes()[5..99_999], content[5..99_999]);
    map.release(0..98_304);
    assert_eq!(map.bytes(), content);
}

#[test]
fn a_file_of_another_length_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, b"twelve bytes").unwrap();
    for length in [0, 11, 13] {
        let error = MappedFile::open(&path, length).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{length}");
    }
    std::fs::write(&path, b"").unwrap();
    assert_eq!(MappedFile::open(&path, 0).unwrap_err().kind(), io::ErrorKind::InvalidData);
    let missing = MappedFile::open(&folder.path().join("missing"), 1).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}
