//! What a failing disk did not take: ends are kept for the next try, the rest was refused.

use super::*;

fn order(line: &str, waiting: Option<Waiting>) -> Order {
    Order { line: line.into(), waiting }
}

#[test]
fn only_ends_outlast_a_failed_write() {
    let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let waiting = Waiting { written: oneshot::channel().0, _place: place };
    let group = [order("c\n", Some(waiting)), order("d\n", None)];
    assert_eq!(lines_of_ends(b"a\nb\nc\nd\n".to_vec(), &group), b"a\nb\nd\n");
}

#[test]
fn ends_come_faster_than_the_disk_and_all_arrive() {
    const ENDS: usize = 100 * WAITING_MAX;
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::open(folder.path()).unwrap();
    for _ in 0..ENDS {
        writer.write_later(b"end\n".to_vec());
    }
    drop(writer);
    let text = fs::read_to_string(folder.path().join(today())).unwrap();
    assert_eq!(text.lines().count(), ENDS);
}
