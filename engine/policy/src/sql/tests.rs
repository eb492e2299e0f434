//! SQL against the same rules written by hand.

use super::*;
use crate::check;
use crate::testing::{customer, example_text};

const ADDED: &str = r#"
[[role]]
name = "auditor_of_desks"
inherits = ["teller"]
tables = ["customer"]

[[role]]
name = "guest"
inherits = ["branch_reader"]
"#;

const RULES: &str = r#"
[[row_rule]]
name = "own_desk"
effect = "permit"
roles = ["auditor_of_desks", "analyst"]
tables = ["customer"]
column = "desk"
equals = "desk"
[[row_rule]]
name = "below"
effect = "permit"
roles = ["guest"]
tables = ["customer"]
column = "outlet"
within = "node"
[[row_rule]]
name = "mine"
effect = "permit"
roles = ["guest"]
tables = ["customer"]
column = "name"
equals = "name"
[[row_rule]]
name = "mass"
effect = "restrict"
roles = ["guest"]
tables = ["customer"]
column = "segment"
in = ["mass", "it's"]
[[row_rule]]
name = "young"
effect = "restrict"
roles = ["guest"]
tables = ["customer"]
column = "born"
at_least = "1990-01-01"
[[row_rule]]
name = "small"
effect = "restrict"
roles = ["guest"]
tables = ["customer"]
column = "balance"
at_least = "-10.50"
below = "1000"
[[row_rule]]
name = "desks"
effect = "restrict"
roles = ["guest"]
tables = ["customer"]
column = "desk"
in = [-3]
[[row_rule]]
name = "all_of_it"
effect = "permit"
roles = ["guest"]
tables = ["customer"]
all = true
"#;

const SQL: &str = "
CREATE ROLE auditor_of_desks IN ROLE teller;
GRANT SELECT ON mart.customer TO auditor_of_desks, Analyst;
CREATE ROLE guest;
GRANT branch_reader TO guest;
CREATE POLICY own_desk ON customer TO auditor_of_desks, analyst USING (desk = current_setting('martlet.desk'));
CREATE POLICY below ON customer AS PERMISSIVE FOR SELECT TO guest USING (within(outlet, current_setting('martlet.node')));
CREATE POLICY mine ON customer TO guest USING (name = current_user);
CREATE POLICY mass ON customer AS RESTRICTIVE TO guest USING (segment IN ('mass', 'it''s'));
CREATE POLICY young ON customer AS RESTRICTIVE TO guest USING (born >= DATE '1990-01-01');
CREATE POLICY small ON customer AS RESTRICTIVE TO guest USING ((balance < '1000') AND balance >= '-10.50');
CREATE POLICY desks ON customer AS RESTRICTIVE TO guest USING (desk = -3);
CREATE POLICY \"all_of_it\" ON customer FOR ALL TO guest USING (true);
";

fn changed(sql: &str) -> BundleText {
    change_by_sql(&example_text(), sql).unwrap_or_else(|refused| panic!("{sql}: {refused}"))
}

/// What a bundle means; its version is that of its text.
fn meaning(text: &BundleText) -> String {
    let checked = check(text, &[customer()]).unwrap();
    let roles: Vec<_> = checked.roles().collect();
    format!("{roles:#?}\n{:#?}", checked.rules())
}

#[test]
fn sql_and_files_give_the_same_rules() {
    let mut by_hand = example_text();
    by_hand.files.get_mut("roles.toml").unwrap().push_str(ADDED);
    by_hand.files.get_mut("rules.toml").unwrap().push_str(RULES);
    assert_eq!(meaning(&changed(SQL)), meaning(&by_hand));
}

#[test]
fn what_is_taken_back_leaves_the_text_as_it_was() {
    let undone = format!(
        "{SQL}
        DROP POLICY own_desk ON customer; DROP POLICY below ON customer; DROP POLICY mine ON customer;
        DROP POLICY mass ON customer; DROP POLICY young ON customer; DROP POLICY small ON customer;
        DROP POLICY desks ON customer; DROP POLICY all_of_it ON mart.customer;
        REVOKE branch_reader FROM guest; DROP ROLE guest;
        REVOKE SELECT ON customer FROM auditor_of_desks; REVOKE teller FROM auditor_of_desks;
        DROP ROLE auditor_of_desks;"
    );
    assert_eq!(changed(&undone), example_text());
}

#[test]
fn what_the_officers_say_of_columns_stays() {
    let mut text = example_text();
    let columns = "# as they are\n[[table]]\nname = \"customer\"\ncolumns = {desk = \"open\"}\n";
    text.files.insert("columns.toml".into(), columns.into());
    let changed = change_by_sql(&text, SQL).unwrap();
    assert_eq!(changed.files["columns.toml"], columns);
    assert_ne!(changed, text);
}

#[test]
fn what_people_wrote_beside_stays() {
    let text = changed(
        "GRANT SELECT ON system.audit_record TO teller; DROP POLICY \"my-desk\" ON customer",
    );
    let roles = &text.files["roles.toml"];
    assert!(roles.contains("# clear | mask | token:<purpose> | deny; silence hides"), "{roles}");
    assert!(roles.contains("tables = [\"system.audit_record\"]"), "{roles}");
    let rules = &text.files["rules.toml"];
    assert!(
        rules.contains("# and whoever inherits from it") && !rules.contains("my-desk"),
        "{rules}"
    );
}

#[test]
fn what_a_bundle_cannot_say_is_refused_whole() {
    for (sql, line, word) in [
        ("GRANT ALL ON customer TO teller", 1, "grant select"),
        ("GRANT INSERT ON customer TO teller", 1, "only read"),
        ("GRANT SELECT (name) ON customer TO teller", 1, "classes"),
        ("GRANT SELECT ON customer TO PUBLIC", 1, "no `public`"),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA mart TO teller", 1, "one by one"),
        ("GRANT SELECT ON customer TO teller WITH GRANT OPTION", 1, "grant option"),
        ("GRANT teller TO kim", 1, "feed of principals"),
        ("GRANT nobody TO teller", 1, "no role `nobody`"),
        ("REVOKE SELECT ON customer FROM teller", 1, "by itself"),
        ("CREATE ROLE teller", 1, "already"),
        ("CREATE ROLE boss SUPERUSER", 1, "above the rules"),
        ("CREATE ROLE boss BYPASSRLS", 1, "above the rules"),
        ("CREATE ROLE kim LOGIN PASSWORD 'x'", 1, "feed of principals"),
        ("CREATE USER kim", 1, "rules are"),
        ("DROP ROLE branch_reader", 1, "inherits from"),
        ("DROP ROLE analyst", 1, "drop it first"),
        ("CREATE POLICY p ON customer USING (true)", 1, "names its roles"),
        ("CREATE POLICY p ON customer TO PUBLIC USING (true)", 1, "names its roles"),
        ("CREATE POLICY p ON customer TO teller", 1, "which rows"),
        ("CREATE POLICY p ON customer FOR UPDATE TO teller USING (true)", 1, "for select"),
        ("CREATE POLICY p ON customer TO teller USING (true) WITH CHECK (true)", 1, "with check"),
        (
            "CREATE POLICY p ON customer TO teller USING (desk = 1 OR desk = 2)",
            1,
            "rule's rows are",
        ),
        ("CREATE POLICY p ON customer TO teller USING (desk <> 1)", 1, "rule's rows are"),
        ("CREATE POLICY p ON customer TO teller USING (desk > 1)", 1, "rule's rows are"),
        ("CREATE POLICY p ON customer TO teller USING (NOT desk IN (1))", 1, "rule's rows are"),
        ("CREATE POLICY p ON customer TO teller USING (desk NOT IN (1))", 1, "rule's rows are"),
        ("CREATE POLICY p ON customer TO teller USING (false)", 1, "rule's rows are"),
        ("CREATE POLICY p ON customer TO teller USING (desk BETWEEN 1 AND 2)", 1, "upper end"),
        (
            "CREATE POLICY p ON customer TO teller USING (desk >= 1 AND born < '2000-01-01')",
            1,
            "one condition",
        ),
        (
            "CREATE POLICY p ON customer TO teller USING (desk >= 1 AND desk >= 2)",
            1,
            "one condition",
        ),
        (
            "CREATE POLICY p ON customer TO teller USING (lower(segment) = 'mass')",
            1,
            "rule's rows are",
        ),
        (
            "CREATE POLICY p ON customer TO teller USING (desk = current_setting('role'))",
            1,
            "rule's rows are",
        ),
        (
            "CREATE POLICY p ON customer TO teller USING (outlet IN (SELECT 'a'))",
            1,
            "rule's rows are",
        ),
        ("CREATE POLICY \"my-desk\" ON customer TO teller USING (true)", 1, "already"),
        ("DROP POLICY \"my-desk\" ON account", 1, "no policy"),
        ("ALTER TABLE customer DISABLE ROW LEVEL SECURITY", 1, "always on"),
        ("SELECT 1", 1, "rules are"),
        ("CREATE ROLE one;\n\nCREATE ROLE one", 3, "already"),
        ("CREATE ROLE", 1, "cannot be read"),
        ("CREATE ROLE a GRANT b TO c", 1, ""),
    ] {
        let refused = change_by_sql(&example_text(), sql).expect_err(sql);
        assert_eq!(refused.line, line, "{sql}: {refused}");
        assert!(refused.reason.contains(word), "{sql}: {refused}");
        assert!(!refused.to_string().contains("ParserError"), "{refused}");
    }
}
