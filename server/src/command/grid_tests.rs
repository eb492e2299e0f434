//! Grids fit the reader, with wide characters, nulls and numbers.

use super::*;

fn people() -> Grid {
    let mut grid = Grid::with_headings(&["name", ">balance", "note"]);
    grid.texts(["王小明", "1200.50", "a rather long note that nobody needs"]);
    grid.row([Some("Eva".into()), None, Some("NULL".into())]);
    grid
}

#[test]
fn every_line_of_a_grid_is_as_wide_as_the_first() {
    let text = people().render(Reader::Pipe);
    let widths: Vec<usize> = text.lines().map(width_of).collect();
    assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
}

#[test]
fn numbers_stand_right_and_nulls_differ_from_the_text() {
    let text = people().render(Reader::Pipe);
    assert!(text.contains("│ 王小明 ┆ 1200.50 ┆"), "{text}");
    assert!(text.contains("│ Eva    ┆    NULL ┆ \"NULL\" "), "{text}");
}

#[test]
fn a_long_text_gives_way_before_anything_else() {
    let text = people().render(Reader::Terminal { width: 40 });
    assert!(text.lines().all(|line| width_of(line) <= 40), "{text}");
    assert!(text.contains("1200.50") && text.contains('…'), "{text}");
}

#[test]
fn lines_are_cut_where_nothing_can_give_way() {
    let mut grid = Grid::with_headings(&[">a", ">b"]);
    grid.texts(["123456789", "123456789"]);
    let text = grid.render(Reader::Terminal { width: 12 });
    assert!(text.lines().all(|line| width_of(line) <= 12), "{text}");
}

#[test]
fn plain_lines_keep_within_a_panel() {
    let lines = people().plain_lines(28);
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| width_of(line) <= 28), "{lines:?}");
    assert!(lines[2].starts_with("王小明  1200.50  "), "{lines:?}");
}
