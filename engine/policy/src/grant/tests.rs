use arrow::datatypes::DataType;

use crate::testing::{customer, example_with, granted, principal, table, today};
use crate::{Decision, check, decide};

#[test]
fn the_wire_schema_has_only_granted_columns_in_the_masks_types() {
    let grant = granted(&principal("teller", "4403", "7"));
    let schema = grant.output_schema();
    let fields: Vec<_> =
        schema.fields().iter().map(|f| (f.name().as_str(), f.data_type().clone())).collect();
    assert_eq!(
        fields,
        [
            ("customer_id", DataType::Utf8),
            ("outlet", DataType::Utf8),
            ("desk", DataType::Int32),
            ("segment", DataType::Utf8),
            ("name", DataType::Utf8),
            ("born", DataType::Int32),
            ("balance", DataType::Utf8),
        ]
    );
    let positions: Vec<usize> = grant.columns().iter().map(|column| column.position).collect();
    assert_eq!(positions, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn colleagues_share_a_fingerprint_and_nobody_else_does() {
    let of = |roles, node, desk| granted(&principal(roles, node, desk)).fingerprint();
    let teller = of("teller", "4403", "7");
    assert_eq!(teller, of("teller", "4403", "7"));
    assert_ne!(teller, of("teller", "44", "7"), "other rows");
    assert_ne!(teller, of("teller", "4403", "8"), "other rows");
    assert_ne!(teller, of("branch_reader", "4403", "7"), "other columns and rows");
    assert_ne!(of("analyst", "00", "7"), of("analyst;teller", "00", "7"), "other columns");
}

#[test]
fn another_policy_is_another_fingerprint() {
    let text = example_with("bundle.toml", |text| text.replace("22.1", "22.2"));
    let bundle = check(&text, &[customer()]).unwrap();
    let teller = principal("teller", "4403", "7");
    let Decision::Granted(tomorrow) = decide(&teller, &customer(), &bundle, today()) else {
        panic!("denied")
    };
    assert_ne!(granted(&teller).fingerprint(), tomorrow.fingerprint());
    assert!(granted(&teller).shows_the_same_as(&tomorrow), "though it shows the same");
}

#[test]
fn grants_that_differ_in_rows_or_columns_do_not_show_the_same() {
    let teller = granted(&principal("teller", "4403", "7"));
    assert!(teller.shows_the_same_as(&granted(&principal("teller", "4403", "7"))));
    for (roles, node, desk) in
        [("teller", "44", "7"), ("teller", "4403", "8"), ("branch_reader", "4403", "7")]
    {
        assert!(
            !teller.shows_the_same_as(&granted(&principal(roles, node, desk))),
            "{roles} {node}"
        );
    }
}

#[test]
fn one_digest_of_rows_is_one_set_of_rows() {
    let of = |roles, node, desk| granted(&principal(roles, node, desk)).rows_digest(&customer());
    let teller = of("teller", "4403", "7");
    assert_eq!(teller, of("teller", "4403", "7"));
    assert_ne!(teller, of("teller", "44", "7"), "another outlet");
    assert_ne!(teller, of("teller", "4403", "8"), "another desk");
    let mut moved = customer().columns().to_vec();
    moved.rotate_left(1);
    let moved = martlet_core::TableSchema::new(customer().name().clone(), moved, &[], &[]).unwrap();
    let grant = granted(&principal("teller", "4403", "7"));
    assert_ne!(grant.rows_digest(&moved), teller, "the columns lie elsewhere");
}

#[test]
fn only_all_rows_and_all_columns_clear_is_everything() {
    let mut text = example_with("roles.toml", |text| {
        format!(
            "{text}\n[[role]]\nname = \"owner\"\ntables = [\"customer\"]\nclasses = {{open = \"clear\"}}\n"
        )
    });
    let rules = format!(
        "{}\n[[row_rule]]\nname = \"owner\"\neffect = \"permit\"\nroles = [\"owner\"]\ntables = [\"customer\"]\nall = true\n",
        text.files["rules.toml"]
    );
    text.files.insert("rules.toml".into(), rules);
    let open = table(
        "customer",
        &[
            ("outlet", martlet_core::ColumnType::Text, "open"),
            ("desk", martlet_core::ColumnType::Int32, "open"),
            ("segment", martlet_core::ColumnType::Text, "open"),
        ],
    );
    let owner = principal("owner", "00", "7");
    let covers = |schema| match decide(
        &owner,
        schema,
        &check(&text, std::slice::from_ref(&open)).unwrap(),
        today(),
    ) {
        Decision::Granted(grant) => grant.covers_everything(),
        Decision::Denied => panic!("denied"),
    };
    assert!(covers(&open));
    assert!(!covers(&customer()), "a hidden column is not covered");
    assert!(!granted(&principal("analyst", "00", "7")).covers_everything());
}
