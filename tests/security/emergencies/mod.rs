//! Emergency access over a real socket: two officers open it, it shows what its role shows and
//! nothing longer, and whatever else is tried shows nothing more and stands on the record.

mod bank;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt as _;
use martlet_policy::{
    Approval, Closing, EmergencyApproval, EmergencyId, EmergencyLedger, EmergencyRequest,
    EmergencyVerdict, Span, Step, StoredBundle, TokenKeys, judge_emergency,
};
use martlet_query::{Engine, EngineOptions};
use martlet_server::alarm::newest;
use martlet_server::audit::verify::{Check, verify};
use martlet_store::CommitOutcome;

use self::bank::{
    ALL, COUNT, OWN, TWO, approved, begin, bundle, close, described, ending, in_force, mart, now,
    open_for_kim, publish, publish_opening, recorded, request, secret, serve, sign_in,
};
use crate::support::Bundle;
use crate::support::mart::NoRecords;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opened_by_two_it_shows_what_its_role_shows_and_all_of_it_is_on_record() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let (mut kim, mut lee, mut eve) = (
        sign_in(&server, "kim").await,
        sign_in(&server, "lee").await,
        sign_in(&server, "eve").await,
    );
    assert_eq!(kim.number(COUNT).await, OWN);
    assert!(kim.query("SELECT phone FROM account").await.is_err());

    let opening = open_for_kim(&mart, &server, 1).await;
    assert_eq!(kim.number(COUNT).await, ALL);
    let phones = kim.texts("SELECT phone FROM account WHERE account_id = 2").await;
    assert_eq!(phones, ["13800000002"]);
    assert_eq!(lee.number(COUNT).await, OWN, "it is kim's alone");

    let id = opening.request.id();
    let of_it = format!("emergency = '{id}' AND principal = 'kim'");
    let reason = "emergency_reason = 'the core is down'";
    let used =
        format!("{of_it} AND {reason} AND decision = 'allowed' AND statement LIKE 'SELECT%'");
    assert_eq!(recorded(&mut eve, "audit_record", &used).await, 4, "described and executed");
    let shown = format!("{used} AND column_access LIKE '%account.phone clear%'");
    assert_eq!(recorded(&mut eve, "audit_record", &shown).await, 2);
    let opened = format!(
        "{of_it} AND {reason} AND statement LIKE 'emergency opened: `core outage` for `kim` by the role `outage`%approved by ann, bob%'"
    );
    assert_eq!(recorded(&mut eve, "audit_record", &opened).await, 1);
    for rule in ["emergency-opened", "emergency-used"] {
        let alarm = format!(
            "kind = 'alarm' AND rule = '{rule}' AND severity = 'high' AND principal = 'kim'"
        );
        assert_eq!(
            recorded(&mut eve, "alarm", &alarm).await,
            1,
            "whatever the file of alarms says"
        );
    }
    assert_eq!(recorded(&mut eve, "alarm", &format!("kind = 'emergency' AND {of_it}")).await, 1);
    let mut written = String::new();
    for _ in 0..400 {
        written = newest(&mart.folder.path().join("alarms"), 9).unwrap().join("\n");
        if written.contains("emergency-opened") && written.contains("emergency-used") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(
        written.contains("emergency-opened") && written.contains("emergency-used"),
        "{written}"
    );
    let told = eve.texts("EXPLAIN POLICY FOR kim ON account").await.join("\n");
    for word in ["`core outage`, open", "in an emergency, alone by it", "role `outage`: grants"] {
        assert!(told.contains(word), "{word} in {told}");
    }
    assert!(lee.query("SELECT * FROM system.alarm").await.is_err(), "granted as the record is");

    close(&mart, &server, &opening).await;
    assert_eq!(kim.number(COUNT).await, OWN);
    let ended = format!("{of_it} AND statement = 'emergency ended: closed by bob: it is up again'");
    assert_eq!(recorded(&mut eve, "audit_record", &ended).await, 1);
    drop((kim, lee, eve));
    server.end().await;
    let folder = mart.folder.path().join("audit");
    let report = verify(
        &Check { folder, anchor: None, keys: Vec::new(), now: std::time::SystemTime::now() },
        &mut |_, _| (),
    )
    .unwrap();
    assert!(report.is_whole() && report.records > 10, "{:?}", report.findings);
}

/// Each is published in the mart by somebody who can write it, whatever a command would say.
/// There are two locks: an officer reads no data whatever is approved, and nobody's approval of their
/// own request counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_approves_their_own_request() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let state = server.engine.mart();
    let officers = state.bundle().unwrap().officers();
    let judged = async |who: &str| {
        let opening = approved(&request(&mart, 1, who, (-5, 3_600)).await, &TWO);
        judge_emergency(&opening.approvals, officers, &opening.request)
    };
    assert_eq!(judged("kim").await, [EmergencyVerdict::Counts, EmergencyVerdict::Counts]);
    assert_eq!(judged("ann").await, [EmergencyVerdict::OwnRequest, EmergencyVerdict::Counts]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_not_properly_approved_shows_nothing_and_is_on_record() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let (mut kim, mut lee, mut tom, mut eve) = (
        sign_in(&server, "kim").await,
        sign_in(&server, "lee").await,
        sign_in(&server, "tom").await,
        sign_in(&server, "eve").await,
    );
    let mut ann = sign_in(&server, "ann").await;
    assert!(ann.query(COUNT).await.is_err(), "an officer reads no data");
    let asked = |id: u8| request(&mart, id, "kim", (-5, 3_600));
    let hour = (-5, 3_600);
    let mut handed = approved(&asked(5).await, &TWO);
    handed.request = request(&mart, 5, "lee", hour).await;
    let mut reworded = approved(&asked(6).await, &TWO);
    let text = reworded.request.to_string().replace("the core is down", "none of your business");
    reworded.request = EmergencyRequest::parse(&text).unwrap();
    let mut longer = approved(&asked(7).await, &TWO);
    let until = Span { until: longer.request.span().until + 1, ..longer.request.span() };
    longer.request = EmergencyRequest::new(
        longer.request.id(),
        "kim",
        "core outage",
        "the core is down",
        until,
        longer.request.rules(),
    )
    .unwrap();
    let other = StoredBundle::first(bundle("other").text()).edition();
    let elsewhere = EmergencyRequest::new(
        EmergencyId::from_bytes([8; 16]),
        "kim",
        "core outage",
        "the core is down",
        asked(8).await.span(),
        other,
    )
    .unwrap();
    for (id, opening, why) in [
        (1, approved(&asked(1).await, &[]), "2 approvals of different officers"),
        (2, approved(&asked(2).await, &TWO[..1]), "2 approvals of different officers"),
        (3, approved(&asked(3).await, &[("ann", 1), ("ann", 1)]), "and 1 count"),
        (4, approved(&asked(4).await, &[("ann", 1), ("bob", 9)]), "and 1 count"),
        (5, handed, "and 0 count"),
        (6, reworded, "and 0 count"),
        (7, longer, "and 0 count"),
        (8, approved(&elsewhere, &TWO), "other rules are in force"),
        (
            9,
            approved(&request(&mart, 9, "kim", (-5, 14_400)).await, &TWO),
            "longer than the 4 hours",
        ),
        (10, approved(&request(&mart, 10, "ann", hour).await, &TWO), "separation of duties"),
        (11, approved(&request(&mart, 11, "tom", hour).await, &TWO), "separation of duties"),
        (12, approved(&request(&mart, 12, "eve", hour).await, &TWO), "no role of the principal"),
        (13, approved(&request(&mart, 13, "nobody", hour).await, &TWO), "there is no principal"),
    ] {
        publish_opening(&mart, &server, &opening).await;
        for client in [&mut kim, &mut lee, &mut tom] {
            assert_eq!(client.number(COUNT).await, OWN, "{id}: {why}");
        }
        assert!(ann.query(COUNT).await.is_err(), "{id}");
        assert!(eve.query(COUNT).await.is_err(), "{id}");
        let id = opening.request.id();
        let refused = format!(
            "emergency = '{id}' AND decision = 'alarm' AND statement LIKE 'emergency refused:%{why}%'"
        );
        assert_eq!(recorded(&mut eve, "audit_record", &refused).await, 1);
    }
    // In time neither.
    for (id, span) in [(21, (-60, -1)), (22, (600, 3_600))] {
        publish_opening(&mart, &server, &approved(&request(&mart, id, "kim", span).await, &TWO))
            .await;
        assert_eq!(kim.number(COUNT).await, OWN, "{span:?}");
    }
    // An approval of rules is none of an emergency, though the same key signs the same digest.
    let asked = asked(23).await;
    let step = Step { bundle: asked.digest(), base: asked.rules() };
    let of_rules = Approval::sign("ann", &secret(1), step, now()).unwrap().to_string();
    assert!(EmergencyApproval::parse(&of_rules).is_err());
    let mut thief = sign_in(&server, "thief").await;
    assert!(thief.query(COUNT).await.is_err(), "nobody holds the role by the feed");
    let none = "SELECT count(*) FROM system.alarm WHERE rule LIKE 'emergency-%'";
    assert_eq!(eve.number(none).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_by_itself_for_statements_tickets_handles_and_streams() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let (mut kim, mut eve) = (sign_in(&server, "kim").await, sign_in(&server, "eve").await);
    let opening = approved(&request(&mart, 1, "kim", (-5, 20)).await, &TWO);
    publish_opening(&mart, &server, &opening).await;
    let state = server.engine.mart();
    let (mut other, mut third) = (sign_in(&server, "kim").await, sign_in(&server, "kim").await);
    let running = begin(&mut other).await;
    let info = kim.inner.execute(COUNT.into(), None).await.unwrap();
    let hidden = third.inner.execute("SELECT phone FROM account".into(), None).await.unwrap();
    let mut prepared = third.inner.prepare("SELECT * FROM account".into(), None).await.unwrap();
    assert_eq!(described(&mut prepared).await, ["account_id", "outlet", "phone"]);
    assert_eq!(kim.number(COUNT).await, ALL, "open until here");
    assert!(now() < opening.request.span().until, "the machine was too slow for this test");
    while now() < opening.request.span().until {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Nothing was published: the clock alone ends it.
    assert!(Arc::ptr_eq(&state, &server.engine.mart()));
    assert_eq!(kim.number(COUNT).await, OWN);
    let batches = kim.fetch(info).await.unwrap();
    assert_eq!(
        arrow::util::display::array_value_to_string(batches[0].column(0), 0).unwrap(),
        OWN.to_string()
    );
    assert!(kim.query("SELECT phone FROM account").await.is_err());
    assert_eq!(described(&mut prepared).await, ["account_id", "outlet"]);
    assert!(third.fetch(hidden).await.is_err());
    let ended = tokio::time::timeout(Duration::from_secs(30), ending(running)).await.unwrap();
    assert!(ended.contains("the emergency has ended"), "{ended}");
    let cut = "principal = 'kim' AND outcome = 'cut' AND emergency IS NOT NULL";
    assert_eq!(recorded(&mut eve, "audit_record", cut).await, 1);
    let over = "statement = 'emergency ended: its time is over' AND principal = 'kim'";
    assert_eq!(recorded(&mut eve, "audit_record", over).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_early_it_cuts_what_is_open_and_does_not_come_back() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let mut kim = sign_in(&server, "kim").await;
    let opening = open_for_kim(&mart, &server, 1).await;
    let mut other = sign_in(&server, "kim").await;
    let running = begin(&mut other).await;
    close(&mart, &server, &opening).await;
    let ended = tokio::time::timeout(Duration::from_secs(30), ending(running)).await.unwrap();
    assert!(ended.contains("the emergency has ended"), "{ended}");
    assert_eq!(kim.number(COUNT).await, OWN);

    // Replayed without the closing, with a damaged ledger before it, and alone: it stays closed.
    publish_opening(&mart, &server, &opening).await;
    assert_eq!(kim.number(COUNT).await, OWN);
    publish(&mart, &server, b"nothing of ours".to_vec()).await;
    publish_opening(&mart, &server, &opening).await;
    assert_eq!(kim.number(COUNT).await, OWN);
    let keys = TokenKeys::from_master(&[9; 32]);
    let options = EngineOptions::default();
    let started =
        Engine::open(mart.store.clone(), options, Arc::new(NoRecords), keys).await.unwrap();
    let signed_in = started.mart().directory().vouched_for("kim").unwrap();
    let asker = started.asker(&signed_in, &started.mart()).unwrap();
    assert!(asker.emergency().is_none(), "nor for a server that starts");

    // Rules that nobody approved keep a snapshot from being taken over, but no closing.
    let held = open_for_kim(&mart, &server, 3).await;
    assert_eq!(kim.number(COUNT).await, ALL);
    let mut commit = mart.store.begin(&mart.store.latest().await.unwrap());
    commit.set_policy(Bytes::from(StoredBundle::first(bundle("evil").text()).to_bytes()));
    let mut ledger = EmergencyLedger::default();
    ledger.close(Closing::new(held.request.id(), "bob", "enough", now()).unwrap());
    commit.set_emergencies(Bytes::from(ledger.to_bytes()));
    let base = in_force(&mart).await;
    assert!(matches!(commit.publish().await.unwrap(), CommitOutcome::Committed(_)));
    assert!(server.engine.refresh().await.is_err());
    assert_eq!(kim.number(COUNT).await, OWN);
    let mut commit = mart.store.begin(&mart.store.latest().await.unwrap());
    commit.set_policy(Bytes::from(base.to_bytes()));
    assert!(matches!(commit.publish().await.unwrap(), CommitOutcome::Committed(_)));
    server.engine.refresh().await.unwrap();
    assert_eq!(kim.number(COUNT).await, OWN);

    let again = open_for_kim(&mart, &server, 2).await;
    assert_eq!(kim.number(COUNT).await, ALL, "another request, approved anew, counts");
    publish(&mart, &server, b"nothing of ours".to_vec()).await;
    assert_eq!(kim.number(COUNT).await, OWN, "what cannot be read may have been a closing");
    publish_opening(&mart, &server, &again).await;
    assert_eq!(kim.number(COUNT).await, OWN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_rules_end_it_and_cut_what_is_open() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let (mut kim, mut eve) = (sign_in(&server, "kim").await, sign_in(&server, "eve").await);
    open_for_kim(&mart, &server, 1).await;
    let mut other = sign_in(&server, "kim").await;
    let running = begin(&mut other).await;
    let base = in_force(&mart).await;
    let text = bundle("2").text();
    let step = Step { bundle: text.digest(), base: base.edition() };
    let sign = |(name, seed): &(&str, u8)| Approval::sign(name, &secret(*seed), step, 0).unwrap();
    let approvals: Vec<Approval> = TWO.iter().map(sign).collect();
    let next = StoredBundle::following(text, &base, &approvals).unwrap();
    let mut commit = mart.store.begin(&mart.store.latest().await.unwrap());
    commit.set_policy(Bytes::from(next.to_bytes()));
    assert!(matches!(commit.publish().await.unwrap(), CommitOutcome::Committed(_)));
    server.engine.refresh().await.unwrap();
    assert_eq!(kim.number(COUNT).await, OWN);
    let ended = tokio::time::timeout(Duration::from_secs(30), ending(running)).await.unwrap();
    assert!(ended.contains("the emergency has ended"), "{ended}");
    let over = "statement LIKE 'emergency ended: other rules are in force%'";
    assert_eq!(recorded(&mut eve, "audit_record", over).await, 1);
    let refused =
        "SELECT count(*) FROM system.audit_record WHERE statement LIKE 'emergency refused%'";
    assert_eq!(eve.number(refused).await, 0, "what was open ends, and is not refused beside");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_the_feed_or_the_role_leaves_the_emergency() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let mut kim = sign_in(&server, "kim").await;
    open_for_kim(&mart, &server, 1).await;
    assert_eq!(kim.number(COUNT).await, ALL);
    let moved =
        Bundle::default().principal("kim", "trainee", "a").principal("eve", "auditor", "root");
    mart.apply_people(&moved).await;
    server.engine.refresh().await.unwrap();
    assert_eq!(kim.number(COUNT).await, OWN, "trainees are kept from it");
    mart.apply_people(&Bundle::default().principal("eve", "auditor", "root")).await;
    server.engine.refresh().await.unwrap();
    assert!(kim.query(COUNT).await.unwrap_err().to_string().contains("the session has ended"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_begun_without_it_goes_on_and_a_restart_tells_nothing_twice() {
    let mart = mart().await;
    let server = serve(&mart).await;
    let mut kim = sign_in(&server, "kim").await;
    let mut running = begin(&mut kim).await;
    open_for_kim(&mart, &server, 1).await;
    let mut other = sign_in(&server, "kim").await;
    assert_eq!(other.number(COUNT).await, ALL);
    // Asked many times meanwhile.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for _ in 0..20 {
        assert!(running.try_next().await.unwrap().is_some(), "kim's own rights are what they were");
    }
    drop((kim, other, running));
    server.end().await;
    let folder = mart.folder.path().join("audit");
    for _ in 0..400 {
        if martlet_server::Journal::open(&folder).is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let server = serve(&mart).await;
    let (mut kim, mut eve) = (sign_in(&server, "kim").await, sign_in(&server, "eve").await);
    assert_eq!(kim.number(COUNT).await, ALL, "it is open over a restart");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let count = |table: &str, condition: &str| {
        format!("SELECT count(*) FROM system.{table} WHERE {condition}")
    };
    let opened = count("audit_record", "statement LIKE 'emergency opened%'");
    assert_eq!(eve.number(&opened).await, 1);
    let alarms = count("alarm", "rule LIKE 'emergency-%'");
    assert_eq!(eve.number(&alarms).await, 2, "the opening and the first use, once each");
}
