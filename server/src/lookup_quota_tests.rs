use super::*;

#[test]
fn an_hour_has_so_many_look_ups_and_the_next_one_as_many() {
    let (quota, start) = (LookupQuota::default(), Instant::now());
    let at = |minutes: u64| start + Duration::from_secs(60 * minutes);
    assert!(quota.take("ann", 2, 3, at(0)).is_ok());
    assert!(quota.take("ann", 2, 3, at(10)).is_err(), "only one is left");
    assert!(quota.take("ann", 1, 3, at(10)).is_ok(), "what was refused was not counted");
    assert!(quota.take("ann", 1, 3, at(59)).is_err());
    assert!(quota.take("bob", 3, 3, at(59)).is_ok(), "others have their own");
    assert!(quota.take("ann", 2, 3, at(60)).is_ok(), "the first two are an hour old");
    assert!(quota.take("ann", 1, 3, at(60)).is_err(), "the third is not");
}

#[test]
fn statements_without_look_ups_are_not_counted() {
    let quota = LookupQuota::default();
    assert!((0..100).all(|_| quota.take("ann", 0, 1, Instant::now()).is_ok()));
    assert!(quota.take("ann", 1, 1, Instant::now()).is_ok());
}
