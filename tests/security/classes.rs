//! What a column is, the officers say with the rules; a load that says otherwise shows nothing.

use martlet_policy::OfficerSecret;
use martlet_query::Mart;

use crate::support::mart::Server;
use crate::support::{Bundle, Client, TestMart};

const ID_NUMBER: &str = "110101199003078515";
const PHONE: &str = "13800138000";

/// A load file that replaces the customers; to each column its class.
fn load_file(columns: &[(&str, &str)]) -> String {
    let mut text =
        "name = \"night\"\n[[table]]\nname = \"customer\"\nmode = \"replace\"\n".to_owned();
    for (name, class) in columns {
        text.push_str(&format!(
            "  [[table.column]]\n  name = \"{name}\"\n  type = \"text\"\n  class = \"{class}\"\n"
        ));
    }
    text + "  [[table.source]]\n  files = [\"customer.csv\"]\n"
}

const HONEST: [(&str, &str); 3] =
    [("outlet", "open"), ("id_number", "id_number"), ("phone", "mobile")];
const LOWERED: [(&str, &str); 3] = [("outlet", "open"), ("id_number", "open"), ("phone", "open")];

/// The phone is none of the columns of which the officers say what they are.
const COLUMNS: &str = "[[table]]\nname = \"customer\"\n\
    columns = { outlet = \"open\", id_number = \"id_number\" }\n";

const ROLES: &str = "[[role]]\nname = \"clerk\"\ntables = [\"customer\"]\nlookup = [\"open\"]\n\
    [role.classes]\nopen = \"clear\"\nid_number = \"mask\"\nmobile = \"mask\"\n\
    [[role]]\nname = \"officer\"\nmay = [\"explain_policy\"]\n";

/// Rules that nobody changes alone.
fn bundle() -> Bundle {
    let mut header = "name = \"b\"\nversion = \"1\"\nprofile = \"doc\"\napprovals = 2\n".to_owned();
    for (name, seed) in [("ann", 1), ("bob", 2)] {
        let key = OfficerSecret::from_bytes(&[seed; 32]).public();
        header.push_str(&format!("[[officer]]\nname = \"{name}\"\nkey = \"{key}\"\n"));
    }
    Bundle::default()
        .file("bundle.toml", &header)
        .file("organization.csv", "node,parent,level,name\nroot,,head_office,Root\n")
        .file(
            "classes.toml",
            "[[class]]\nname = \"open\"\n[[class]]\nname = \"id_number\"\nmask = \"id_number\"\n\
             [[class]]\nname = \"mobile\"\nmask = \"mobile\"\n",
        )
        .file("roles.toml", ROLES)
        .file(
            "rules.toml",
            "[[row_rule]]\nname = \"all\"\neffect = \"permit\"\nroles = [\"clerk\"]\n\
             tables = [\"customer\"]\nall = true\n",
        )
        .principal("kim", "clerk", "root")
        .principal("olga", "officer", "root")
}

async fn mart(bundle: &Bundle) -> TestMart {
    let mart = TestMart::new();
    mart.write("customer.csv", format!("outlet,id_number,phone\na,{ID_NUMBER},{PHONE}\n"));
    mart.write("honest.toml", load_file(&HONEST)).write("lowered.toml", load_file(&LOWERED));
    mart.load("honest.toml", "2026-11-20").await;
    mart.apply(bundle).await;
    mart
}

async fn lower(mart: &TestMart, server: &Server) {
    mart.load("lowered.toml", "2026-11-21").await;
    server.engine.refresh().await.unwrap();
}

async fn columns(kim: &mut Client) -> Vec<String> {
    let columns = "SELECT column_name FROM information_schema.columns \
                   WHERE table_name = 'customer' ORDER BY column_name";
    kim.texts(columns).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_with_a_lower_class_shows_nothing_more() {
    let mart = mart(&bundle().file("columns.toml", COLUMNS)).await;
    let server = mart.serve().await;
    let mut kim = Client::sign_in(server.address, "kim").await;
    assert_eq!(columns(&mut kim).await, ["id_number", "outlet"], "the phone is not named");
    assert_eq!(kim.texts("SELECT id_number FROM customer").await, ["110101199003******"]);

    lower(&mart, &server).await;
    assert_eq!(columns(&mut kim).await, ["outlet"]);
    assert_eq!(kim.texts("SELECT outlet FROM customer").await, ["a"]);
    assert_eq!(kim.query("SELECT * FROM customer").await.unwrap()[0].num_columns(), 1);
    for sql in [
        "SELECT id_number FROM customer".to_owned(),
        "SELECT phone FROM customer".to_owned(),
        format!("SELECT outlet FROM customer WHERE id_number = '{ID_NUMBER}'"),
        format!("SELECT outlet FROM customer WHERE lookup(id_number, '{ID_NUMBER}')"),
        "SELECT outlet FROM customer ORDER BY phone".to_owned(),
    ] {
        assert!(kim.query(&sql).await.is_err(), "{sql}");
    }

    let mut olga = Client::sign_in(server.address, "olga").await;
    let told = olga.texts("EXPLAIN POLICY FOR kim ON customer").await.join("\n");
    for why in [
        "`id_number`: hidden, it was loaded as `open`, and columns.toml says `id_number`",
        "`phone`: hidden, it was loaded as `open`, and columns.toml does not name it",
    ] {
        assert!(told.contains(why), "{why} in {told}");
    }

    mart.load("honest.toml", "2026-11-22").await;
    server.engine.refresh().await.unwrap();
    assert_eq!(columns(&mut kim).await, ["id_number", "outlet"], "as before");
}

/// The mask of ID numbers finds fractions: nobody sees them, and everything else goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_no_mask_fits_hides_its_column_and_nothing_else() {
    let bundle = bundle().file("columns.toml", COLUMNS);
    let mart = mart(&bundle).await;
    let server = mart.serve().await;
    let mut kim = Client::sign_in(server.address, "kim").await;
    assert_eq!(columns(&mut kim).await, ["id_number", "outlet"]);
    let honest = load_file(&HONEST);
    let numbers =
        honest.replace("\"id_number\"\n  type = \"text\"", "\"id_number\"\n  type = \"float64\"");
    assert_ne!(numbers, honest);
    mart.write("numbers.toml", numbers).load("numbers.toml", "2026-11-21").await;
    server.engine.refresh().await.unwrap();
    assert_eq!(columns(&mut kim).await, ["outlet"]);
    assert_eq!(kim.texts("SELECT outlet FROM customer").await, ["a"]);

    mart.apply_people(&bundle.feed("name,roles,node,password\n")).await;
    let taken_over = server.engine.refresh().await.unwrap();
    assert_eq!(taken_over.directory().len(), 0, "leavers leave");
}

/// Persons are counted by the ID number, and the load hides it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_load_keeps_leavers_in() {
    let counted =
        ROLES.replace("lookup", "minimum_group = 2\nminimum_group_by = \"id_number\"\nlookup");
    let counted = counted.replace("id_number = \"mask\"", "id_number = \"filter\"");
    let bundle = bundle().file("columns.toml", COLUMNS).file("roles.toml", &counted);
    let mart = mart(&bundle).await;
    let server = mart.serve().await;
    let mut kim = Client::sign_in(server.address, "kim").await;
    assert!(columns(&mut kim).await.contains(&"outlet".to_owned()));
    lower(&mart, &server).await;
    assert!(columns(&mut kim).await.is_empty(), "nobody can be counted");

    let fewer = bundle.feed("name,roles,node,password\n");
    mart.apply_people(&fewer).await;
    let taken_over = server.engine.refresh().await.unwrap();
    assert_eq!(taken_over.directory().len(), 0);
    Mart::latest(&mart.store).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_file_whoever_loads_says_what_a_column_is() {
    let mart = mart(&bundle()).await;
    let server = mart.serve().await;
    let mut kim = Client::sign_in(server.address, "kim").await;
    assert_eq!(kim.texts("SELECT phone FROM customer").await, ["138****8000"]);
    lower(&mart, &server).await;
    assert_eq!(kim.texts("SELECT id_number FROM customer").await, [ID_NUMBER]);
}
