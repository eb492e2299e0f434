//! Who may come in, over a real socket: one-time codes, an issuer's tokens, certificates, the
//! passwords of an LDAP directory; and everything that looks like one of them and is none.

mod certificates;
mod codes;
mod issuer;
mod ldap;

use crate::support::{Bundle, Client, TestMart};

const LOAD: &str = r#"
name = "identities"
[[table]]
name = "customer"
mode = "replace"
primary_key = ["customer_id"]
  [[table.column]]
  name = "customer_id"
  type = "int64"
  class = "open"
  [[table.column]]
  name = "outlet"
  type = "text"
  class = "open"
  [[table.source]]
  files = ["customer.csv"]
"#;

const COUNT: &str = "SELECT count(*) FROM customer";
const IN_A: i64 = 3;
const IN_B: i64 = 2;

/// What whoever is refused is told, whatever was wrong.
const ONE_TEXT: &str = "the name or the password is wrong, or the name is locked for a while";

/// The rules: clerks see their node, auditors the record.
fn rules() -> Bundle {
    Bundle::default()
        .file("bundle.toml", "name = \"i\"\nversion = \"1\"\nprofile = \"doc\"\n")
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\na,root,outlet,A\nb,root,outlet,B\n")
        .file("classes.toml", "[[class]]\nname = \"open\"\nmask = \"redact\"\n[[class]]\nname = \"audit\"\nmask = \"redact\"\n")
        .file(
            "roles.toml",
            "[[role]]\nname = \"clerk\"\ntables = [\"customer\"]\n[role.classes]\nopen = \"clear\"\n\
             [[role]]\nname = \"auditor\"\ntables = [\"system.audit_record\"]\n[role.classes]\naudit = \"clear\"\n",
        )
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"own\"\neffect = \"permit\"\nroles = [\"clerk\"]\ntables = [\"customer\"]\ncolumn = \"outlet\"\nwithin = \"node\"\n\
             [[row_rule]]\nname = \"records\"\neffect = \"permit\"\nroles = [\"auditor\"]\ntables = [\"system.audit_record\"]\nall = true\n",
        )
}

/// A small mart with these people.
async fn mart(people: Bundle) -> TestMart {
    let mart = TestMart::new();
    mart.write("load.toml", LOAD)
        .write("customer.csv", "customer_id,outlet\n1,a\n2,a\n3,a\n4,b\n5,b\n");
    mart.load("load.toml", "2026-11-20").await;
    mart.apply(&people).await;
    mart
}

/// How many sign-ins the record holds of which this is true.
async fn sign_ins(eve: &mut Client, condition: &str) -> i64 {
    let records = "SELECT count(*) FROM system.audit_record WHERE statement = 'sign in'";
    eve.number(&format!("{records} AND {condition}")).await
}
