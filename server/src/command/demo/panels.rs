//! Panels: one answer per person, side by side where the terminal is wide enough.
//!
//! Owns the layout only. Must never let a line grow beyond the width it was given.

use crate::command::grid::{Grid, Side, pad};
use crate::command::terminal::{shorten, width_of};

/// From this width on panels stand side by side.
pub(crate) const SIDE_BY_SIDE_MIN: usize = 100;

/// The blank between two panels.
const GAP: usize = 1;

/// What one person sees.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// Who.
    pub(crate) title: String,
    /// The answer.
    pub(crate) answer: Grid,
    /// What stands below it: times.
    pub(crate) foot: String,
}

/// The panels as lines of at most `width` columns.
pub(crate) fn layout(panels: &[Panel], width: usize) -> Vec<String> {
    if width < SIDE_BY_SIDE_MIN || panels.len() < 2 {
        return panels.iter().flat_map(|panel| frame(panel, &body(panel, width), width)).collect();
    }
    let each = (width - GAP * (panels.len() - 1)) / panels.len();
    let mut bodies: Vec<Vec<String>> = panels.iter().map(|panel| body(panel, each)).collect();
    let height = bodies.iter().map(Vec::len).max().unwrap_or(0);
    for lines in &mut bodies {
        lines.resize(height, String::new());
    }
    let framed: Vec<Vec<String>> =
        panels.iter().zip(&bodies).map(|(panel, lines)| frame(panel, lines, each)).collect();
    let rows = framed.first().map_or(0, Vec::len);
    let line = |row: usize| {
        let parts: Vec<&str> = framed.iter().map(|lines| lines[row].as_str()).collect();
        parts.join(&" ".repeat(GAP))
    };
    (0..rows).map(line).collect()
}

/// The answer as a small table where it fits, else each row as a list of its fields.
fn body(panel: &Panel, width: usize) -> Vec<String> {
    let inner = width.saturating_sub(4);
    let answer = &panel.answer;
    if answer.len() == 0 {
        return vec!["no row".to_owned()];
    }
    if answer.plain_width() <= inner { answer.plain_lines(inner) } else { records(answer, inner) }
}

fn records(answer: &Grid, width: usize) -> Vec<String> {
    let names_width = answer.names().map(width_of).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (number, row) in answer.rows().enumerate() {
        if number > 0 {
            lines.push(String::new());
        }
        for (name, cell) in answer.names().zip(row) {
            let line = format!("{}  {cell}", pad(name, names_width, Side::Left));
            lines.push(shorten(&line, width).into_owned());
        }
    }
    lines
}

fn frame(panel: &Panel, body: &[String], width: usize) -> Vec<String> {
    let inner = width.saturating_sub(4);
    let edge = |left: char, text: &str, right: char| {
        let text = shorten(text, width.saturating_sub(6));
        let titled = if text.is_empty() { String::new() } else { format!(" {text} ") };
        let rule = "─".repeat(width.saturating_sub(3 + width_of(&titled)));
        format!("{left}─{titled}{rule}{right}")
    };
    let mut lines = vec![edge('┌', &panel.title, '┐')];
    lines.extend(
        body.iter().map(|line| format!("│ {} │", pad(&shorten(line, inner), inner, Side::Left))),
    );
    lines.push(edge('└', &panel.foot, '┘'));
    lines
}

#[cfg(test)]
#[path = "panels_tests.rs"]
mod tests;
