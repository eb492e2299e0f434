use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::error::{DataFusionError, Result as DataFusionResult};
use futures::poll;
use tokio::sync::oneshot;

use super::RunOnce;

#[tokio::test]
async fn a_failure_is_kept_as_an_answer_is() {
    let (once, runs) = (RunOnce::<u64>::default(), AtomicU64::new(0));
    for _ in 0..2 {
        let failing = || {
            runs.fetch_add(1, Ordering::Relaxed);
            async { Err(DataFusionError::Execution("no".into())) }
        };
        let told = once.get(failing).await.unwrap_err();
        assert!(told.to_string().contains("no"), "{told}");
    }
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn whoever_goes_away_leaves_it_to_those_who_wait() {
    let once = RunOnce::<u64>::default();
    let (told, heard) = oneshot::channel::<u64>();
    let waits = async move { Ok(heard.await.unwrap_or(0)) };
    {
        let mut first = std::pin::pin!(once.get(|| waits));
        assert!(poll!(first.as_mut()).is_pending());
    }
    told.send(7).unwrap();
    let again = || async { DataFusionResult::<u64>::Ok(8) };
    assert_eq!(*once.get(again).await.unwrap(), 7);
}
