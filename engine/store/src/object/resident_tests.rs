//! That the pages of mapped files stay below the limit, that those used last stay, and that the
//! bytes are the same ever after.

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A file of so many extents and some bytes, each of which differs from its neighbours.
fn mapped(folder: &TempDir, name: &str, extents: usize) -> (Vec<u8>, MappedFile) {
    let path = folder.path().join(name);
    let mut content = vec![0; extents * EXTENT_BYTES + 100];
    blake3::Hasher::new().update(name.as_bytes()).finalize_xof().fill(&mut content);
    std::fs::write(&path, &content).unwrap();
    let file = MappedFile::open(&path, content.len() as u64).unwrap();
    (content, file)
}

/// Bytes of this mapping that are in this process's memory, as the system tells.
fn resident_bytes(map: &ResidentMap) -> usize {
    let start = format!("{:x}-", map.file.bytes().as_ptr() as usize);
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let of_map = maps.lines().skip_while(|line| !line.starts_with(&start));
    let line = of_map.skip(1).find_map(|line| line.strip_prefix("Rss:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}

fn accounted(account: &Resident) -> u64 {
    account.bytes()
}

const EXTENT: u64 = EXTENT_BYTES as u64;

#[test]
fn pages_used_longest_ago_go_and_the_bytes_are_still_right() {
    let folder = tempfile::tempdir().unwrap();
    let account = Arc::new(Resident::new(12 * EXTENT));
    let files: Vec<_> = ["one", "two", "three"]
        .map(|name| mapped(&folder, name, 5))
        .into_iter()
        .map(|(content, file)| (content, account.adopt(file)))
        .collect();
    for (content, map) in &files {
        map.note_use(&(0..content.len()));
        assert_eq!(map.bytes(), content);
        assert!(accounted(&account) <= 12 * EXTENT, "{}", accounted(&account));
    }
    // The third use went beyond twelve extents: down to nine, from the oldest on.
    let resident: Vec<usize> = files.iter().map(|(_, map)| resident_bytes(map)).collect();
    assert!(resident[0] < EXTENT_BYTES, "{resident:?}");
    assert!(resident[2] >= 5 * EXTENT_BYTES, "{resident:?}");
    assert!(resident.iter().sum::<usize>() <= 12 * EXTENT_BYTES, "{resident:?}");
    for (content, map) in &files {
        assert_eq!(map.bytes(), content);
    }
}

#[test]
fn what_is_used_again_stays_in_the_place_of_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let account = Arc::new(Resident::new(12 * EXTENT));
    let [(first, often), (second, seldom), (third, other)] =
        ["often", "seldom", "other"].map(|name| {
            let (content, file) = mapped(&folder, name, 4);
            (content, account.adopt(file))
        });
    for (content, map) in [(&first, &often), (&second, &seldom)] {
        map.note_use(&(0..content.len()));
        assert_eq!(map.bytes(), content);
    }
    often.note_use(&(0..first.len()));
    other.note_use(&(0..third.len()));
    assert!(resident_bytes(&seldom) < EXTENT_BYTES);
    assert!(resident_bytes(&often) > 4 * EXTENT_BYTES);
}

#[test]
fn a_lower_limit_holds_at_once_and_a_closed_map_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let account = Arc::new(Resident::new(u64::MAX));
    let (content, file) = mapped(&folder, "file", 4);
    let map = account.adopt(file);
    map.note_use(&(0..content.len()));
    assert_eq!(map.bytes(), content);
    assert_eq!(accounted(&account), content.len() as u64);
    account.set_limit(2 * EXTENT);
    assert!(accounted(&account) <= 2 * EXTENT);
    assert!(resident_bytes(&map) <= 2 * EXTENT_BYTES);
    let bytes = map.bytes();
    drop(map);
    assert_eq!(bytes, content, "whoever has bytes keeps the map");
    drop(bytes);
    assert_eq!(accounted(&account), 0);
}

#[test]
fn a_file_is_mapped_once_and_another_file_of_its_name_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let account = Arc::new(Resident::new(u64::MAX));
    let path = folder.path().join("file");
    let (content, file) = mapped(&folder, "file", 0);
    let map = account.adopt(file);
    let again = account.adopt(MappedFile::open(&path, content.len() as u64).unwrap());
    assert!(Arc::ptr_eq(&map, &again));
    std::fs::write(folder.path().join("new"), vec![7; 100]).unwrap();
    std::fs::rename(folder.path().join("new"), &path).unwrap();
    let other = account.adopt(MappedFile::open(&path, 100).unwrap());
    assert_eq!(other.bytes(), vec![7; 100]);
    assert_eq!(map.bytes(), content);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_account_is_the_sum_of_what_is_in_it(
        uses in proptest::collection::vec((0_usize..3, 0_usize..150_000, 0_usize..150_000), 1..40),
        limit in 1_u64..12,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let account = Arc::new(Resident::new(limit * EXTENT));
        let files: Vec<_> = ["a", "b", "c"]
            .map(|name| mapped(&folder, name, 2))
            .into_iter()
            .map(|(content, file)| (content, account.adopt(file)))
            .collect();
        for (of, from, to) in uses {
            let (content, map) = &files[of];
            let range = from.min(to).min(content.len())..from.max(to).min(content.len());
            map.note_use(&range);
            prop_assert_eq!(&map.bytes()[range.clone()], &content[range]);
            let in_account = files.iter().flat_map(|(_, map)| {
                let extents = 0..map.used_at.len();
                extents
                    .filter(|extent| map.used_at[*extent].load(Ordering::Relaxed) > 0)
                    .map(|extent| map.place(&(extent..extent + 1)).len() as u64)
            });
            prop_assert_eq!(accounted(&account), in_account.sum::<u64>());
            prop_assert!(accounted(&account) <= limit * EXTENT);
        }
    }
}
