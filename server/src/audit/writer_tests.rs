//! Ends outlast a disk that takes nothing, and come faster than any disk flushes.

use super::super::disk::tests::Small;
use super::*;

const END: &[u8] = b"{\"event\":\"end\"}";

fn text_of(folder: &Path) -> String {
    let name = super::super::day_files::name_at(super::super::now_micros());
    fs::read_to_string(folder.join(name)).unwrap()
}

fn order(body: &[u8], purpose: Purpose) -> (Order, oneshot::Receiver<bool>) {
    let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let (written, answer) = oneshot::channel();
    let waiting = Some(Waiting { written, firsts: None, _place: place });
    (Order { body: body.to_vec(), purpose, waiting }, answer)
}

#[test]
fn only_ends_outlast_a_disk_without_any_room() {
    use std::sync::atomic::Ordering;
    let folder = tempfile::tempdir().unwrap();
    let disk = Small::with_room(1 << 40);
    let options = JournalOptions::in_folder(folder.path());
    let scribe = Scribe::open(&options, Box::new(disk.clone())).unwrap();
    let mut desk = Desk { scribe, unwritten: Vec::new() };
    assert!(desk.scribe.give_up_reserve());
    disk.room.store(5, Ordering::SeqCst);
    let (begin, begun) = order(b"{\"event\":\"begin\"}", Purpose::Disclosing);
    let (refusal, refused) = order(b"{\"event\":\"whole\"}", Purpose::Closing);
    let end = Order { body: END.to_vec(), purpose: Purpose::Closing, waiting: None };
    desk.serve(vec![begin, end, refusal]);
    assert_eq!((begun.blocking_recv(), refused.blocking_recv()), (Ok(false), Ok(false)));
    assert_eq!(desk.unwritten, [END]);
    assert!(!text_of(folder.path()).contains("\"end\""));
    disk.room.store(1 << 40, Ordering::SeqCst);
    desk.retry();
    assert!(desk.unwritten.is_empty());
    let text = text_of(folder.path());
    assert!(text.contains("\"end\"") && !text.contains("\"begin\"") && !text.contains("\"whole\""));
}

#[test]
fn ends_come_faster_than_the_disk_and_all_arrive() {
    const ENDS: usize = 100 * WAITING_MAX;
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::open(&JournalOptions::in_folder(folder.path())).unwrap();
    for _ in 0..ENDS {
        writer.write_later(END.to_vec());
    }
    drop(writer);
    assert_eq!(text_of(folder.path()).matches("\"event\":\"end\"").count(), ENDS);
}
