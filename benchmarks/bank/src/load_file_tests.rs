use super::*;

fn tables() -> Vec<toml::Table> {
    let text: toml::Table = super::text().parse().unwrap();
    let tables = text["table"].as_array().unwrap();
    tables.iter().map(|table| table.as_table().unwrap().clone()).collect()
}

#[test]
fn it_is_toml_and_holds_every_entity() {
    let names: Vec<String> =
        tables().iter().map(|table| table["name"].as_str().unwrap().to_owned()).collect();
    let entities: Vec<&str> = ENTITIES.iter().map(|entity| entity.table).collect();
    assert_eq!(names, entities);
}

#[test]
fn every_column_has_a_class_that_the_bundle_defines_and_keys_are_columns() {
    let classes: toml::Table = crate::bundle::CLASSES.parse().unwrap();
    let known: Vec<&str> =
        classes["class"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    for table in tables() {
        let columns = table["column"].as_array().unwrap();
        let names: Vec<&str> = columns.iter().map(|c| c["name"].as_str().unwrap()).collect();
        for column in columns {
            assert!(known.contains(&column["class"].as_str().unwrap()), "{column}");
        }
        for key in ["primary_key", "cluster_key"] {
            for column in table[key].as_array().unwrap() {
                assert!(names.contains(&column.as_str().unwrap()), "{key}: {column}");
            }
        }
    }
}

#[test]
fn dialects_are_told() {
    let tables = tables();
    let source = |name: &str| {
        let table = tables.iter().find(|table| table["name"].as_str() == Some(name)).unwrap();
        table["source"][0].as_table().unwrap().clone()
    };
    assert_eq!(source("customer")["quote"].as_str(), Some(""));
    assert_eq!(source("card")["decimal_point"].as_str(), Some(","));
    assert_eq!(source("card")["quote"].as_str(), Some("\""));
    assert_eq!(source("service_contact")["encoding"].as_str(), Some("gb18030"));
}
