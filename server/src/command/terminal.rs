//! What is known of the terminal, and text made safe and short enough to be shown on it.
//!
//! Owns the width and the decision to colour. Must never print a control character that came
//! from data: a value could otherwise steer the reader's terminal.

use std::borrow::Cow;
use std::fmt::Arguments;
use std::io::Write as _;

use console::Term;

/// Columns that lists and reports may take where no terminal says its width.
pub(crate) const WIDTH_DEFAULT: usize = 120;

/// Where a text will be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A person at a terminal of this many columns.
    Terminal {
        /// Columns of the terminal.
        width: usize,
    },
    /// A page of this many columns: fitted like a terminal, without styles.
    Page {
        /// Columns of the page.
        width: usize,
    },
    /// A file or another program: no styles, nothing cut.
    Pipe,
}

impl Reader {
    /// Who reads standard output.
    pub(crate) fn of_stdout() -> Self {
        let terminal = Term::stdout();
        match terminal.size_checked() {
            Some((_, width)) if terminal.is_term() && width > 0 => {
                Self::Terminal { width: usize::from(width) }
            }
            _ => Self::Pipe,
        }
    }

    /// The columns that a line may take, where there is a bound.
    pub(crate) const fn width(self) -> Option<usize> {
        match self {
            Self::Terminal { width } | Self::Page { width } => Some(width),
            Self::Pipe => None,
        }
    }

    /// Whether styles (dim, bold) may be used.
    pub(crate) fn styled(self) -> bool {
        matches!(self, Self::Terminal { .. }) && console::colors_enabled()
    }
}

/// Prints a line to standard output, as `println!` does, but never panics: whoever read it may
/// be gone (`| head`), and a load must go on even then.
macro_rules! say {
    ($($line:tt)*) => { $crate::command::terminal::write_output(format_args!($($line)*)) };
}

/// Prints a line to standard error; as `say!`.
macro_rules! note {
    ($($line:tt)*) => { $crate::command::terminal::write_error(format_args!($($line)*)) };
}

pub(crate) use {note, say};

/// What `say!` does.
pub(crate) fn write_output(line: Arguments<'_>) {
    // Nothing can be told where nobody listens.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// What `note!` does.
pub(crate) fn write_error(line: Arguments<'_>) {
    // As above.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Columns of a terminal that the text takes; a Chinese character takes two.
pub(crate) fn width_of(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The text in at most `width` columns; what is cut is shown as `…`.
pub(crate) fn shorten(text: &str, width: usize) -> Cow<'_, str> {
    console::truncate_str(text, width, "…")
}

/// The text with every control character written out (`\n`, `\u{1b}`).
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    // Besides control characters, those that turn the direction of writing can forge a line.
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if harmful(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!(width_of("王小明"), 6);
        assert_eq!(shorten("王小明", 5), "王小…");
        assert_eq!(shorten("王小明", 6), "王小明");
    }

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(harmless("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        assert_eq!(harmless("x\u{202e}y"), "x\\u{202e}y");
        assert!(matches!(harmless("王"), Cow::Borrowed("王")));
    }
}
