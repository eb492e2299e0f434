//! Panels keep their width, with wide characters and answers of different heights.

use super::*;

fn panel(title: &str, rows: usize) -> Panel {
    let mut answer = Grid::with_headings(&["customer_id", "name", "id_number", ">balance"]);
    for row in 0..rows {
        answer.texts([&format!("C{row:07}"), "欧阳小明", "110101199003******", "1234.50"]);
    }
    Panel { title: title.to_owned(), answer, foot: "12.0 ms, then 3.1 ms".to_owned() }
}

fn three() -> [Panel; 3] {
    [
        panel("teller", 1),
        panel("manager of a very large province with a long name", 2),
        panel("analyst", 0),
    ]
}

#[test]
fn a_wide_terminal_has_them_side_by_side() {
    for width in [100, 101, 102, 120, 200] {
        let lines = layout(&three(), width);
        assert_eq!(lines[0].matches('┌').count(), 3, "{lines:#?}");
        let first = width_of(&lines[0]);
        assert!(first <= width && first + 3 > width, "{first} of {width}");
        assert!(lines.iter().all(|line| width_of(line) == first), "{lines:#?}");
    }
}

#[test]
fn a_narrow_one_has_them_below_each_other() {
    let lines = layout(&three(), 60);
    assert_eq!(lines.iter().filter(|line| line.starts_with('┌')).count(), 3);
    assert!(lines.iter().all(|line| width_of(line) == 60), "{lines:#?}");
}

#[test]
fn what_fits_is_a_table_and_what_does_not_is_a_list() {
    let narrow = layout(&three(), 100).join("\n");
    assert!(narrow.contains("│ name         欧阳小明"), "{narrow}");
    assert!(narrow.contains("no row"), "{narrow}");
    let wide = layout(&three(), 200).join("\n");
    assert!(wide.contains("customer_id  name      id_number"), "{wide}");
}
