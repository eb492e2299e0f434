use martlet_ingest::{LoadPlan, LoadRequest, ReplaceMode, load};

use super::*;
use crate::command::progress::progress;

/// A mart of persons and rules that accept what their ID numbers tell of their days of birth.
struct Scene {
    folder: tempfile::TempDir,
    store: Store,
}

const ROLES: &str = r#"
[[role]]
name = "clerk"
tables = ["person"]
[role.classes]
id = "mask"
born = "mask"
[[accepted_risk]]
name = "month"
roles = ["clerk"]
hidden = "born"
beside = ["id"]
reason = "clerks need both"
"#;

const PEOPLE: &str = "name,roles,node,password\nkim,clerk,root,\nlee,clerk,root,\n";

fn rules(version: &str) -> BundleText {
    let header = format!("name = \"p\"\nversion = \"{version}\"\nprofile = \"doc\"\n");
    let files = [
        ("bundle.toml", header.as_str()),
        ("organization.csv", "node,parent,level,name\nroot,,head_office,Root\n"),
        (
            "classes.toml",
            "[[class]]\nname = \"id\"\nmask = \"id_number\"\n\
             [[class]]\nname = \"born\"\nmask = \"birth_date\"\n[[class]]\nname = \"open\"\n",
        ),
        (
            "columns.toml",
            "[[table]]\nname = \"person\"\ncolumns = { id_number = \"id\", born = \"born\" }\n",
        ),
        ("roles.toml", ROLES),
        ("rules.toml", ""),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    BundleText { files: files.into_iter().collect() }
}

impl Scene {
    /// With the days of birth loaded as what they are, and the rules in force.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("mart").to_str().unwrap()).unwrap();
        let scene = Self { folder, store };
        scene.load("date", "born", "2026-11-20").await;
        let change = Change {
            bundle: Some(rules("1")),
            principals: Some(PEOPLE.to_owned()),
            ..Change::default()
        };
        assert!(matches!(apply(&scene.store, &change).await, Ok(apply::Applied::Published(_))));
        scene
    }

    /// Loads the persons with this type and class for their days of birth.
    async fn load(&self, column_type: &str, class: &str, date: &str) {
        let write = |name: &str, text: &str| {
            let file = self.folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        write("person.csv", "id_number,born\n110101199003078515,1990-03-07\n");
        let file = write(
            "night.toml",
            &format!(
                "name = \"night\"\n[[table]]\nname = \"person\"\nmode = \"replace\"\n\
                 [[table.column]]\nname = \"id_number\"\ntype = \"text\"\nclass = \"id\"\n\
                 [[table.column]]\nname = \"born\"\ntype = \"{column_type}\"\nclass = \"{class}\"\n\
                 [[table.source]]\nfiles = [\"person.csv\"]\n"
            ),
        );
        let request = LoadRequest {
            plan: LoadPlan::read(&file, None).unwrap(),
            date: date.parse().unwrap(),
            replace: ReplaceMode::Refuse,
            rejects_dir: self.folder.path().join("rejects"),
            progress: progress(),
        };
        load(&self.store, request).await.unwrap();
    }

    async fn hidden(&self) -> Vec<String> {
        let latest = self.store.latest().await.unwrap();
        notes_on(&self.store, &latest).await
    }
}

#[tokio::test]
async fn what_a_load_hides_is_told() {
    let scene = Scene::new().await;
    assert_eq!(scene.hidden().await, [""; 0]);
    scene.load("date", "open", "2026-11-21").await;
    let expected = "`person.born` is hidden from everyone: it was loaded as `open`, and \
                    columns.toml says `born`";
    assert_eq!(scene.hidden().await, [expected]);
}

/// No mask hides the days of birth, so no officer would let it come into force.
#[tokio::test]
async fn no_load_keeps_people_from_being_applied() {
    let scene = Scene::new().await;
    scene.load("text", "born", "2026-11-21").await;
    let fewer = PEOPLE.replace("kim,clerk,root,\n", "");
    let people = |bundle: Option<BundleText>, principals: &str| Change {
        bundle,
        principals: Some(principals.to_owned()),
        ..Change::default()
    };
    for change in [people(None, &fewer), people(Some(rules("1")), PEOPLE)] {
        assert!(matches!(apply(&scene.store, &change).await, Ok(apply::Applied::Published(_))));
    }
    let next = people(Some(rules("2")), &fewer);
    assert!(apply(&scene.store, &next).await.is_err(), "other rules have to fit");
    let mut needless = rules("2");
    let columns = "[[table]]\nname = \"person\"\ncolumns = { id_number = \"id\" }\n";
    needless.files.insert("columns.toml".to_owned(), columns.to_owned());
    let refused = apply(&scene.store, &people(Some(needless), &fewer)).await.unwrap_err();
    assert!(refused.text().contains("there is 1 finding"), "{}", refused.text());
}
