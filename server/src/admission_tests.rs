//! Bounds hold for each and for all, waiting ends, and a place lasts as long as its work.

use super::*;

const SHORT: Duration = Duration::from_millis(20);

async fn filled(admission: &Admission, principal: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for _ in 0..STATEMENTS_PER_PRINCIPAL_MAX {
        places.push(admission.enter(principal).await.unwrap());
    }
    places
}

#[tokio::test]
async fn one_principal_cannot_take_the_places_of_others() {
    let admission = Admission::with_patience(SHORT);
    let mut own = filled(&admission, "teller").await;
    assert_eq!(admission.enter("teller").await.unwrap_err(), Busy::Principal);
    assert!(admission.enter("manager").await.is_ok());
    own.pop();
    assert!(admission.enter("teller").await.is_ok(), "a place that was dropped is free");
}

#[tokio::test]
async fn the_server_has_a_bound_too_and_says_when_it_is_busy() {
    let admission = Admission::with_patience(SHORT);
    let mut all = Vec::new();
    for number in 0..STATEMENTS_MAX / STATEMENTS_PER_PRINCIPAL_MAX {
        all.push(filled(&admission, &number.to_string()).await);
    }
    let busy = admission.enter("late").await.unwrap_err();
    assert_eq!((busy, busy.kind()), (Busy::Server, ErrorKind::Exhausted));
    all.pop();
    assert!(admission.enter("late").await.is_ok());
}

#[tokio::test]
async fn who_waits_gets_the_next_free_place() {
    let admission = Admission::with_patience(Duration::from_secs(10));
    let mut own = filled(&admission, "teller").await;
    let freed = async {
        tokio::time::sleep(SHORT).await;
        own.pop();
    };
    let (entered, ()) = tokio::join!(admission.enter("teller"), freed);
    assert!(entered.is_ok());
}

#[tokio::test]
async fn principals_that_have_left_are_forgotten() {
    let admission = Admission::new();
    for number in 0..100 {
        drop(admission.enter(&number.to_string()).await.unwrap());
    }
    assert_eq!(admission.statements.principals.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn no_more_wait_for_a_place_than_there_is_room_for_their_texts() {
    let admission = Arc::new(Admission::with_patience(Duration::from_secs(10)));
    let _own = filled(&admission, "teller").await;
    let mut waiting = JoinSet::new();
    for _ in 0..WAITING_PER_PRINCIPAL_MAX {
        let admission = Arc::clone(&admission);
        waiting.spawn(async move { admission.enter("teller").await });
    }
    while admission.statements.of("teller").waiting.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    assert_eq!(admission.enter("teller").await.unwrap_err(), Busy::Principal);
    assert!(began.elapsed() < Duration::from_secs(5), "refused at once");
    assert!(admission.enter("manager").await.is_ok());
}

#[tokio::test]
async fn what_is_no_statement_waits_for_no_statement() {
    let admission = Admission::with_patience(SHORT);
    let _own = filled(&admission, "teller").await;
    let mut others = Vec::new();
    for _ in 0..OTHERS_PER_PRINCIPAL_MAX {
        others.push(admission.enter_aside("teller").await.unwrap());
    }
    assert_eq!(admission.enter_aside("teller").await.unwrap_err(), Busy::Principal);
    assert!(admission.enter_aside("manager").await.is_ok());
}

#[tokio::test]
async fn answers_that_nobody_reads_are_bounded_for_each_reader() {
    let admission = Admission::new();
    let mut open: Vec<Open> =
        (0..ANSWERS_PER_PRINCIPAL_MAX).map(|_| admission.open("teller").unwrap()).collect();
    assert_eq!(admission.open("teller").unwrap_err(), Busy::Unread);
    assert!(admission.open("manager").is_ok());
    open.pop();
    assert!(admission.open("teller").is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_never_pauses_is_answered_in_time_and_keeps_its_place() {
    let admission = Admission::with_patience(SHORT);
    let place = admission.enter("teller").await.unwrap();
    let (sender, goes_on) = std::sync::mpsc::channel::<()>();
    let result = in_time(SHORT, place, async move { goes_on.recv().is_err() }).await;
    assert_eq!(result.unwrap_err(), Stopped::TooSlow);
    assert_eq!(admission.statements.server.available_permits(), STATEMENTS_MAX - 1);
    drop(sender);
    for _ in 0..200 {
        if admission.statements.server.available_permits() == STATEMENTS_MAX {
            return;
        }
        tokio::time::sleep(SHORT).await;
    }
    panic!("the place was never given back");
}

fn slowed(name: &str) -> Arc<Curbs> {
    let how = crate::alarm::Curbed::Throttled { pause: 20 };
    let alarm_id = crate::audit::RecordId::draw().unwrap();
    let curb = crate::alarm::Curb { how, rule: "rule".into(), alarm_id, since: 0, until: None };
    let curbs = Arc::new(Curbs::default());
    curbs.hold(name, curb);
    curbs
}

#[tokio::test]
async fn whoever_is_slowed_down_has_one_statement_at_once_and_others_are_not_slowed() {
    let curbs = slowed("teller");
    let admission = Admission { curbs: Arc::clone(&curbs), ..Admission::with_patience(SHORT) };
    let first = admission.enter("teller").await.unwrap();
    assert_eq!(admission.enter("teller").await.unwrap_err(), Busy::Principal);
    let _others = (admission.enter("manager").await.unwrap(), admission.enter("manager").await);
    drop(first);
    drop(admission.enter("teller").await.unwrap());
    curbs.lift("teller");
    let _both =
        (admission.enter("teller").await.unwrap(), admission.enter("teller").await.unwrap());
}
