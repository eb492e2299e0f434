use martlet_core::TableSchema;

use super::*;
use crate::emergency::approval::EmergencyApproval;
use crate::testing::{
    EMERGENCY_PEOPLE, NOON, customer, emergency_text, moment, officer_secret, request_under, today,
};
use crate::{BundleText, Decision, Grant, StoredBundle, check, decide};

/// Two hours, asked for at noon, under the rules of a text.
struct Scene {
    text: BundleText,
    bundle: CheckedBundle,
    directory: Directory,
    edition: Edition,
}

impl Scene {
    fn of(text: BundleText, people: &str) -> Self {
        let bundle = check(&text, &[customer()]).unwrap_or_else(|all| panic!("{all:?}"));
        let directory = Directory::parse(people).unwrap();
        let edition = StoredBundle::first(text.clone()).edition();
        Self { text, bundle, directory, edition }
    }

    fn new() -> Self {
        Self::of(emergency_text(), EMERGENCY_PEOPLE)
    }

    fn request(&self, id: u8, principal: &str, access: &str, until: i64) -> EmergencyRequest {
        request_under(self.edition, id, principal, access, 0, until)
    }

    fn opening(&self, request: EmergencyRequest, by: &[(&str, u8)]) -> Opening {
        let sign = |(name, seed): &(&str, u8)| {
            EmergencyApproval::sign(name, &officer_secret(*seed), &request, NOON).unwrap()
        };
        Opening { approvals: by.iter().map(sign).collect(), request }
    }

    fn judged(&self, openings: &[Opening]) -> Emergencies {
        let mut ledger = EmergencyLedger::default();
        openings.iter().for_each(|opening| ledger.open(opening.clone()));
        self.judge(ledger)
    }

    fn judge(&self, ledger: EmergencyLedger) -> Emergencies {
        Emergencies::judge(ledger, self.edition, &self.bundle, &self.directory)
    }

    fn kims(&self, by: &[(&str, u8)]) -> Emergencies {
        self.judged(&[self.opening(self.request(1, "kim", "core outage", 7_200), by)])
    }

    fn principal(&self, name: &str) -> Principal {
        self.directory.principal(&self.directory.vouched_for(name).unwrap()).unwrap()
    }

    fn grant(&self, emergencies: &Emergencies, name: &str, at: i64) -> Option<Grant> {
        let principal = emergencies.elevate(self.principal(name), NOON + at);
        granted(&principal, &self.bundle)
    }

    /// How the only emergency stands at its beginning.
    fn state(&self, emergencies: &Emergencies) -> EmergencyState {
        emergencies.iter().next().unwrap().state(NOON)
    }
}

fn granted(principal: &Principal, bundle: &CheckedBundle) -> Option<Grant> {
    let table: TableSchema = customer();
    match decide(principal, &table, bundle, today()) {
        Decision::Granted(grant) => Some(grant),
        Decision::Denied => None,
    }
}

const TWO: [(&str, u8); 2] = [("ann", 1), ("bob", 2)];

#[test]
fn while_it_counts_its_role_decides_alone() {
    let scene = Scene::new();
    let open = scene.kims(&TWO);
    let ordinary = scene.grant(&Emergencies::default(), "kim", 0).unwrap();
    let during = scene.grant(&open, "kim", 0).unwrap();
    assert_eq!(during.rule_ids(), ["outage-all"], "not even kim's own restrictions are heard");
    let shown = |grant: &Grant, name: &str| {
        let mut columns = grant.columns().iter();
        columns.find(|column| column.name.as_str() == name).map(|one| one.access.to_string())
    };
    assert_eq!(shown(&ordinary, "balance").as_deref(), Some("mask:balance_band"));
    assert_eq!(shown(&during, "balance").as_deref(), Some("clear"));
    assert_eq!(shown(&during, "born"), None, "of which the role is silent");
    for (at, grant) in [(-1, &ordinary), (0, &during), (7_199, &during), (7_200, &ordinary)] {
        let now = scene.grant(&open, "kim", at).unwrap();
        assert!(now.shows_the_same_as(grant), "at {at}");
    }
    assert!(scene.grant(&open, "lee", 0).unwrap().shows_the_same_as(&ordinary), "and nobody else");
}

#[test]
fn nothing_counts_that_the_rules_and_the_officers_do_not_say() {
    let scene = Scene::new();
    let kim = |until| scene.request(1, "kim", "core outage", until);
    let too_few = |counted| EmergencyRefused::TooFew { needed: 2, counted };
    let asked = kim(7_200);
    let mut swapped = scene.opening(asked.clone(), &TWO);
    swapped.request = scene.request(1, "lee", "core outage", 7_200);
    let mut longer = scene.opening(asked.clone(), &TWO);
    longer.request = kim(7_199);
    for (opening, why) in [
        (scene.opening(asked.clone(), &[]), too_few(0)),
        (scene.opening(asked.clone(), &TWO[..1]), too_few(1)),
        (scene.opening(asked.clone(), &[("ann", 1), ("ann", 1)]), too_few(1)),
        (scene.opening(asked.clone(), &[("ann", 1), ("bob", 1)]), too_few(1)),
        (scene.opening(asked, &[("ann", 1), ("eve", 9)]), too_few(1)),
        (swapped, too_few(0)),
        (longer, too_few(0)),
        (scene.opening(kim(7_201), &TWO), EmergencyRefused::TooLong { hours: 2 }),
        (scene.opening(scene.request(1, "kim", "fire", 60), &TWO), EmergencyRefused::UnknownAccess),
        (
            scene.opening(scene.request(1, "nobody", "core outage", 60), &TWO),
            EmergencyRefused::UnknownPrincipal,
        ),
        (
            scene.opening(scene.request(1, "ana", "core outage", 60), &TWO),
            EmergencyRefused::MayNotAsk,
        ),
        (
            scene.opening(scene.request(1, "odd", "core outage", 60), &TWO),
            EmergencyRefused::UnknownRole(RoleName::new("ghost").unwrap()),
        ),
    ] {
        let name = opening.request.principal().to_owned();
        let judged = scene.judged(&[opening]);
        assert_eq!(scene.state(&judged), EmergencyState::Refused(why.clone()), "{why}");
        if let Some(signed_in) = scene.directory.vouched_for(&name) {
            let principal = scene.directory.principal(&signed_in).unwrap();
            assert_eq!(judged.elevate(principal, NOON).emergency(), None, "{why}");
        }
    }
}

#[test]
fn who_breaks_a_duty_under_it_is_not_given_it() {
    let scene = Scene::new();
    for name in ["ann", "wil", "dev"] {
        let opening = scene.opening(
            scene.request(1, name, "core outage", 60),
            &[("bob", 2), ("cas", 3), ("ann", 1)],
        );
        let judged = scene.judged(&[opening]);
        let state = scene.state(&judged);
        let is_duty = matches!(&state, EmergencyState::Refused(EmergencyRefused::Duty(_)));
        assert!(is_duty, "{name}: {state:?}");
        assert!(
            scene.grant(&judged, name, 0).is_none_or(|grant| grant.rule_ids() != ["outage-all"])
        );
    }
}

#[test]
fn nobody_holds_its_role_by_the_feed() {
    let scene = Scene::new();
    let people = format!("{EMERGENCY_PEOPLE}thief,outage,440301,,7\n");
    let directory = Directory::parse(&people).unwrap();
    let findings = directory.check_against(&scene.bundle);
    assert!(findings.iter().any(|one| one.message.contains("is for emergencies")), "{findings:?}");
    let thief = directory.principal(&directory.vouched_for("thief").unwrap()).unwrap();
    assert!(granted(&thief, &scene.bundle).is_none());
}

#[test]
fn other_rules_end_it_even_where_they_say_the_same() {
    let scene = Scene::new();
    let opening = scene.opening(scene.request(1, "kim", "core outage", 7_200), &TWO);
    let other = scene.text.files["bundle.toml"].replace("2026-11-22.1", "2026-11-22.2");
    let mut text = scene.text.clone();
    text.files.insert("bundle.toml".into(), other);
    let later = Scene::of(text, EMERGENCY_PEOPLE);
    let judged = later.judged(std::slice::from_ref(&opening));
    assert_eq!(later.state(&judged), EmergencyState::Refused(EmergencyRefused::OtherRules));
    assert_eq!(judged.iter().next().unwrap().state(NOON + 7_200), EmergencyState::Over);
    // Whoever comes under it by the old rules is denied everything by the new ones.
    let elevated = scene.judged(&[opening]).elevate(scene.principal("kim"), NOON);
    assert!(elevated.emergency().is_some());
    assert!(granted(&elevated, &scene.bundle).is_some());
    assert!(granted(&elevated, &later.bundle).is_none());
}

#[test]
fn a_closing_ends_it_for_good_and_an_id_is_good_for_one() {
    let scene = Scene::new();
    let opening = scene.opening(scene.request(1, "kim", "core outage", 7_200), &TWO);
    let id = opening.request.id();
    let mut ledger = EmergencyLedger::default();
    ledger.open(opening.clone());
    assert!(scene.judge(ledger.clone()).is_open(id, NOON));
    ledger.close(Closing::new(id, "bob", "over", NOON).unwrap());
    ledger.open(opening.clone());
    let judged = scene.judge(ledger);
    assert!(!judged.is_open(id, NOON));
    assert!(judged.iter().all(|one| one.state(NOON) == EmergencyState::Closed));
    assert_eq!(judged.elevate_by(scene.principal("kim"), id, NOON).emergency(), None);

    let second = scene.opening(scene.request(1, "kim", "core outage", 3_600), &TWO);
    let judged = scene.judged(&[opening, second]);
    let refused = EmergencyState::Refused(EmergencyRefused::IdTwice);
    assert!(judged.iter().all(|one| one.state(NOON) == refused));
}

#[test]
fn of_two_that_are_open_the_first_decides_until_it_ends() {
    let scene = Scene::new();
    let first = scene.opening(scene.request(9, "kim", "core outage", 60), &TWO);
    let second = request_under(scene.edition, 1, "kim", "core outage", 30, 120);
    let second = scene.opening(second, &TWO);
    let judged = scene.judged(&[second, first]);
    let by = |at: i64| {
        let kim = judged.elevate(scene.principal("kim"), NOON + at);
        kim.emergency().map(|emergency| emergency.id())
    };
    let id = |byte| Some(EmergencyId::from_bytes([byte; 16]));
    assert_eq!([0, 45, 60, 119, 120].map(by), [id(9), id(9), id(1), id(1), None]);
    let kim =
        judged.elevate_by(scene.principal("kim"), EmergencyId::from_bytes([1; 16]), NOON + 45);
    assert_eq!(kim.emergency().map(|one| one.id()), id(1));
    let lee =
        judged.elevate_by(scene.principal("lee"), EmergencyId::from_bytes([1; 16]), NOON + 45);
    assert_eq!(lee.emergency(), None, "it is not lee's");
}

#[test]
fn an_officer_reads_how_each_stands() {
    let scene = Scene::new();
    let judged = scene.kims(&TWO);
    let line = judged.of("kim").next().unwrap().in_words(NOON);
    for word in
        ["`core outage`, open, 2026-11-23T00:00:00Z to", "role `outage`", "ann, bob: the core"]
    {
        assert!(line.contains(word), "{word} in {line}");
    }
    let refused = scene.kims(&TWO[..1]);
    let line = refused.of("kim").next().unwrap().in_words(NOON);
    assert!(
        line.contains("refused")
            && line.ends_with("2 approvals of different officers are needed, and 1 count"),
        "{line}"
    );
    assert_eq!(judged.of("lee").count(), 0);
    let told = crate::explain_named(
        &scene.directory,
        &judged,
        "kim",
        &customer(),
        &scene.bundle,
        moment(),
    );
    assert!(told.unwrap()[1].starts_with("in an emergency, alone by it: `core outage` for `kim`"));
}
