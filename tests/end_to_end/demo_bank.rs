//! The synthetic bank, generated, loaded and asked as the demo does it, against a recount of
//! the feed files.

use std::fs;

use bytes::Bytes;
use martlet_bank::{BankPlan, generate, recount};
use martlet_ingest::{LoadPlan, LoadRequest, ReplaceMode, Silent, load};
use martlet_policy::{BundleText, PasswordCost, hash_password};
use std::sync::Arc;

use crate::support::mart::PASSWORD;
use crate::support::{Client, TestMart};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_people_ask_the_same_and_get_their_own_answers() {
    let mart = TestMart::new();
    let hash = hash_password(PASSWORD, [5; 16], PasswordCost::Test);
    let mut plan = BankPlan::small();
    for name in martlet_bank::NAMED_PRINCIPALS {
        plan.named_passwords.insert(name.into(), hash.clone());
    }
    let bank = generate(&plan, &mart.folder.path().join("bank"), &|_, _, _| {}).unwrap();
    let request = LoadRequest {
        plan: LoadPlan::read(&bank.load_file, None).unwrap_or_else(|error| panic!("{error}")),
        date: martlet_core::BatchDate::new(bank.date),
        replace: ReplaceMode::Refuse,
        rejects_dir: mart.folder.path().join("rejects"),
        progress: Arc::new(Silent),
    };
    load(&mart.store, request).await.unwrap_or_else(|error| panic!("{error}"));
    let mut commit = mart.store.begin(&mart.store.latest().await.unwrap());
    commit.set_policy(Bytes::from(BundleText::read_dir(&bank.policy_dir).unwrap().to_bytes()));
    commit.set_principals(Bytes::from(fs::read(&bank.principals_file).unwrap()));
    let outcome = commit.publish().await.unwrap();
    assert!(matches!(outcome, martlet_store::CommitOutcome::Committed(_)));
    let truth = recount(&bank).unwrap();
    let server = mart.serve().await;

    for (user, node) in [
        ("teller", &bank.teller_outlet),
        ("manager", &bank.manager_node),
        ("analyst", &bank.head_office),
    ] {
        let mut client = Client::sign_in(server.address, user).await;
        let customers = client.number("SELECT count(*) FROM customer").await;
        assert_eq!(customers, i64::try_from(truth.customers_below(node)).unwrap(), "{user}");
        let transactions = truth.transactions_below(node);
        assert_eq!(
            client.number("SELECT count(*) FROM transaction").await,
            i64::try_from(transactions.count).unwrap(),
            "{user}"
        );
        let cents =
            client.number("SELECT cast(sum(amount) * 100 AS bigint) FROM transaction").await;
        assert_eq!(i128::from(cents), transactions.cents, "{user}");
        for (segment, count) in truth.segments_below(node) {
            let condition = segment
                .as_ref()
                .map_or("segment IS NULL".into(), |segment| format!("segment = '{segment}'"));
            let counted =
                client.number(&format!("SELECT count(*) FROM customer WHERE {condition}")).await;
            assert_eq!(counted, i64::try_from(count).unwrap(), "{user}: {condition}");
        }
    }
    let mut analyst = Client::sign_in(server.address, "analyst").await;
    let tokens = analyst.texts("SELECT customer_id FROM customer LIMIT 50").await;
    assert!(
        tokens
            .iter()
            .all(|token| token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()))
    );
    for user in ["auditor", "security"] {
        let mut client = Client::sign_in(server.address, user).await;
        assert!(client.query("SELECT * FROM customer").await.is_err(), "{user}");
    }
    let mut security = Client::sign_in(server.address, "security").await;
    assert!(security.number("SELECT count(*) FROM system.row_rule").await > 0);
}
