//! The proof in a short form, and the proof that its oracles can object.

mod evidence;
mod grammar;
mod mutants;
mod planted;

use std::sync::Arc;

use martlet_tests::report::Finding;
use martlet_tests::run::{Ends, Plan, Watcher, run};

struct Silent;

impl Watcher for Silent {
    fn judged(&self) {}

    fn found(&self, finding: &Finding) {
        eprintln!("{finding}\n");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_hidden_has_no_effect_on_what_is_told() {
    let plan = Plan {
        seed: 20_261_122,
        first: 0,
        statements: 300,
        scale: 600,
        workers: 2,
        ends: Ends::Never,
    };
    let report = run(plan, Arc::new(Silent)).await;
    assert!(report.is_clean(), "{}", report.json());
    assert_eq!(report.statements, plan.statements);
    assert!(
        report.told * 2 > plan.statements,
        "most statements have to be answered: {}",
        report.json()
    );
}
