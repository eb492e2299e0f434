//! A sign-in over a real engine and journal: whoever hangs up while it is judged is on record all the
//! same, and there are no more of them at once than places.

use std::time::Duration;

use arrow::array::AsArray;
use martlet_query::SystemRecords;
use tonic::Code;

use super::super::FlightDoor;
use super::super::testing::engine_with_ann;
use super::*;
use crate::audit::{Journal, Tapped};
use crate::serve::ServeConfig;

struct Scene {
    _folder: tempfile::TempDir,
    journal: Arc<Journal>,
    entrance: Entrance,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(Journal::open(folder.path()).unwrap());
        let engine = engine_with_ann(&journal).await;
        let config = ServeConfig::new("127.0.0.1:0".parse().unwrap(), Arc::clone(&journal));
        let entrance = FlightDoor::new(engine, &config, Arc::default()).unwrap().entrance;
        Self { _folder: folder, journal, entrance }
    }

    /// `column` of all records, newest first.
    fn recorded(&self, column: &str) -> Vec<String> {
        let batch = self.journal.audit_records(usize::MAX).unwrap();
        let texts = batch.column_by_name(column).unwrap().as_string::<i32>().clone();
        texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect()
    }

    /// Waits until there are so many records.
    async fn has_records(&self, count: usize) {
        for _ in 0..500 {
            if self.recorded("decision").len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} of {count} sign-ins are on record", self.recorded("decision").len());
    }
}

/// ann with `secret`.
const RIGHT: &str = "Basic YW5uOnNlY3JldA==";
/// ann with `wrong`.
const WRONG: &str = "Basic YW5uOndyb25n";

fn request(authorization: &str) -> Request<()> {
    let mut request = Request::new(());
    request.metadata_mut().insert("authorization", authorization.parse().unwrap());
    request
}

/// Begins a handshake and hangs up as soon as it waits for something.
fn hang_up(entrance: &Entrance, authorization: &str) {
    let arrival = entrance.arrival(&request(authorization)).unwrap();
    let mut entered = Box::pin(entrance.enter(arrival));
    let begun = futures::FutureExt::now_or_never(&mut entered);
    assert!(begun.is_none(), "it was over before anybody could hang up");
}

#[tokio::test]
async fn who_hangs_up_while_a_password_is_checked_is_on_record() {
    let scene = Scene::new().await;
    let mut heard = scene.journal.tap();
    for _ in 0..10 {
        hang_up(&scene.entrance, WRONG);
    }
    scene.has_records(10).await;
    assert!(scene.recorded("decision").iter().all(|decision| decision == "denied"));
    assert!(scene.recorded("principal").iter().all(|name| name == "ann"));
    for _ in 0..10 {
        assert!(matches!(heard.recv().await, Some(Tapped::Line(_))), "the alarms hear of it");
    }
    // They count, as they did.
    let arrival = scene.entrance.arrival(&request(RIGHT)).unwrap();
    let locked = scene.entrance.enter(arrival).await.unwrap_err();
    assert_eq!(locked.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn who_hangs_up_with_the_right_password_is_on_record_too() {
    let scene = Scene::new().await;
    hang_up(&scene.entrance, RIGHT);
    scene.has_records(1).await;
    assert_eq!(scene.recorded("decision"), ["allowed"]);
}

#[tokio::test]
async fn a_token_that_proves_nothing_is_on_record_though_its_sender_hangs_up() {
    let scene = Scene::new().await;
    let judged = scene.entrance.judge(&request("Bearer a.b.c"));
    let mut caller = Box::pin(scene.entrance.caller(judged));
    assert!(futures::FutureExt::now_or_never(&mut caller).is_none());
    drop(caller);
    scene.has_records(1).await;
    assert_eq!(scene.recorded("method"), ["oidc"]);
}

#[tokio::test]
async fn there_are_no_more_at_once_than_places_and_who_finds_none_has_tried_nothing() {
    let scene = Scene::new().await;
    let places = Arc::clone(&scene.entrance.places);
    let taken = places.try_acquire_many_owned(AT_ONCE_MAX as u32).unwrap();
    for _ in 0..20 {
        let arrival = scene.entrance.arrival(&request(WRONG)).unwrap();
        let refused = scene.entrance.enter(arrival).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
    }
    drop(taken);
    assert!(scene.recorded("decision").is_empty());
    let arrival = scene.entrance.arrival(&request(RIGHT)).unwrap();
    assert!(scene.entrance.enter(arrival).await.is_ok());
    // Each gives its place back, also one that nobody waits for.
    hang_up(&scene.entrance, WRONG);
    scene.has_records(2).await;
    for _ in 0..500 {
        if scene.entrance.places.available_permits() == AT_ONCE_MAX {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a place was not given back");
}

#[tokio::test]
async fn a_sign_in_that_breaks_off_is_an_internal_error_and_gives_its_place_back() {
    let scene = Scene::new().await;
    let place = scene.entrance.place().unwrap();
    let broken = to_its_end::<()>(place, async { panic!("on purpose") }).await.unwrap_err();
    assert_eq!(broken.code(), Code::Internal);
    assert!(!broken.message().contains("purpose"));
    assert_eq!(scene.entrance.places.available_permits(), AT_ONCE_MAX);
}
