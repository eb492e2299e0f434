use martlet_policy::ReviewedColumn;

use super::findings::FindingKind;
use super::*;

fn line(principal: &str, table: &str, last_used: Option<i64>, is_unused: bool) -> Line {
    let column = |name: &str, shown: &str| ReviewedColumn {
        name: name.into(),
        shown: shown.into(),
        is_clear: shown == "clear",
        may_look_up: name == "mobile",
    };
    let columns = vec![
        column("outlet", "clear"),
        column("mobile", "mask:mobile"),
        column("income", "filter"),
    ];
    let grant = Reviewed {
        principal: principal.into(),
        roles: vec!["teller".into()],
        node: Some("4403".into()),
        table: table.into(),
        rows: "permit outlet within node = 4403".into(),
        rules: vec!["own".into()],
        columns,
        may_explain: false,
    };
    Line { grant, last_used, is_unused }
}

fn review_of(lines: Vec<Line>) -> Review {
    Review {
        policy_version: "1+abc".into(),
        day: "2026-11-22".parse().unwrap(),
        unused_days: 90,
        principals: 2,
        knows_uses: true,
        lines,
        findings: Vec::new(),
    }
}

#[test]
fn the_sheet_has_a_line_for_everybody_and_no_formula() {
    let review = review_of(vec![
        line("kim", "customer", Some(1_500_000), false),
        line("=cmd()", "customer", None, true),
    ]);
    let text = String::from_utf8(sheet::csv(&review).unwrap()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[1],
        "kim,teller,4403,customer,permit outlet within node = 4403,own,outlet,mobile mask:mobile,income,mobile,\
         no,1970-01-01 00:00:01Z,no"
    );
    assert!(lines[2].starts_with("'=cmd(),") && lines[2].ends_with(",,yes"), "{}", lines[2]);
}

#[test]
fn the_page_counts_people_and_escapes_names() {
    let mut odd = line("kim", "customer", None, true);
    odd.grant.roles = vec!["<b>".into()];
    let page = page::html(&review_of(vec![odd, line("lee", "customer", Some(1_500_000), false)]));
    assert!(page.contains("&lt;b&gt; on customer") && !page.contains("<b>"), "{page}");
    assert!(page.contains("<td class=n>1 of 1</td><td>never</td>"), "{page}");
    assert!(page.contains("mask:mobile, may be looked up"), "{page}");
}

fn finding(kind: FindingKind, who: &str) -> ReviewFinding {
    let what = "the duties `rules` and `load` do not go together".to_owned();
    ReviewFinding { kind, who: who.to_owned(), roles: vec!["loader".into(), "writer".into()], what }
}

#[test]
fn duty_conflicts_stand_in_a_sheet_of_their_own_and_on_the_page() {
    let mut review = review_of(vec![line("kim", "customer", None, false)]);
    assert!(page::html(&review).contains("Nobody holds what must not go together"));
    review.findings = vec![
        finding(FindingKind::DutyConflict, "=cmd()"),
        finding(FindingKind::AcceptedRisk, "<b>"),
    ];
    let text = String::from_utf8(findings::csv(&review.findings).unwrap()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "finding,who,roles,what");
    assert_eq!(
        lines[1],
        "duty conflict,'=cmd(),loader; writer,the duties `rules` and `load` do not go together"
    );
    let page = page::html(&review);
    assert!(
        page.contains("<td>duty conflict</td><td>=cmd()</td><td>loader, writer</td>"),
        "{page}"
    );
    assert!(page.contains("<td>accepted risk</td><td>&lt;b&gt;</td>"), "{page}");
}
