//! The interactive shell: lines with history, statements over several lines, `\` commands.
//!
//! Receives: keystrokes. Hands on: whole statements to `shell`.
//! Must never end on a failed statement, nor write a password into the history.

use std::path::PathBuf;

use martlet_core::ErrorKind;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};

use super::shell::{Shell, Timing};
use super::statements::{is_blank, split};
use crate::command::exit::{self, Failure};
use crate::command::terminal::{note, say};

const HELP: &str = "\
Statements end with `;` and may go over several lines.
  \\d          the tables that you may see
  \\d NAME     the columns of a table
  \\timing     times after answers, on or off
  \\q          end (so does Ctrl-D); Ctrl-C drops what is typed, or stops what is running
  \\?          this help";

const HISTORY_LINES_MAX: usize = 5_000;

/// What a `\` line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Meta<'a> {
    Tables,
    Table(&'a str),
    Timing,
    Help,
    Quit,
    Unknown(&'a str),
}

type LineEditor = Editor<(), FileHistory>;

/// Reads and answers until the user ends it.
pub(crate) async fn run(shell: &mut Shell) -> Result<(), Failure> {
    let mut editor = editor()?;
    let history = history_file();
    if let Some(file) = &history {
        // The first time there is none.
        let _ = editor.load_history(file);
    }
    say!("Martlet, signed in as {}. \\? helps, \\q ends.", shell.user());
    let outcome = answer_lines(shell, &mut editor).await;
    if let Some(file) = &history
        && let Err(error) = editor.save_history(file)
    {
        note!("the history could not be kept in `{}`: {error}", file.display());
    }
    outcome
}

async fn answer_lines(shell: &mut Shell, editor: &mut LineEditor) -> Result<(), Failure> {
    let mut pending = String::new();
    loop {
        let prompt = if is_blank(&pending) { "martlet> " } else { "      -> " };
        match tokio::task::block_in_place(|| editor.readline(prompt)) {
            Ok(line) if is_blank(&pending) && line.trim_start().starts_with('\\') => {
                remember(editor, line.trim());
                if answer_meta(shell, &meta(&line)).await == Next::End {
                    return Ok(());
                }
            }
            Ok(line) => {
                pending.push_str(&line);
                pending.push('\n');
                pending = answer_complete(shell, editor, &pending).await;
            }
            Err(ReadlineError::Interrupted) => pending.clear(),
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => {
                return Err(Failure::new(ErrorKind::Retry, error.to_string())
                    .during("reading from the terminal"));
            }
        }
    }
}

/// Runs the statements that are whole and gives back what is not.
async fn answer_complete(shell: &mut Shell, editor: &mut LineEditor, text: &str) -> String {
    let (statements, rest) = split(text);
    for statement in &statements {
        remember(editor, &format!("{statement};"));
        let outcome = tokio::select! {
            outcome = shell.run(statement) => outcome,
            _ = tokio::signal::ctrl_c() => {
                note!("stopped");
                Ok(())
            }
        };
        tell(outcome);
    }
    if is_blank(rest) { String::new() } else { rest.trim_start().to_owned() }
}

/// Whether the shell goes on.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Line,
    End,
}

async fn answer_meta(shell: &mut Shell, meta: &Meta<'_>) -> Next {
    match meta {
        Meta::Quit => return Next::End,
        Meta::Help => say!("{HELP}"),
        Meta::Tables => tell(shell.list_tables().await),
        Meta::Table(name) => tell(shell.describe(name).await),
        Meta::Timing => match shell.toggle_timing() {
            Timing::On => say!("times are printed"),
            Timing::Off => say!("times are not printed"),
        },
        Meta::Unknown(word) => note!("`{word}` is no command; \\? lists them"),
    }
    Next::Line
}

fn meta(line: &str) -> Meta<'_> {
    let line = line.trim().trim_end_matches(';');
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match (word, rest.trim()) {
        ("\\d" | "\\dt", "") => Meta::Tables,
        ("\\d" | "\\dt", name) => Meta::Table(name),
        ("\\timing", _) => Meta::Timing,
        ("\\q" | "\\quit", _) => Meta::Quit,
        ("\\?" | "\\h" | "\\help", _) => Meta::Help,
        _ => Meta::Unknown(word),
    }
}

fn tell(outcome: Result<(), Failure>) {
    if let Err(failure) = outcome {
        // A shell's failures do not end it, so their exit code is not used.
        let _ = exit::report(&failure);
    }
}

fn editor() -> Result<LineEditor, Failure> {
    let unusable = |error: ReadlineError| {
        Failure::new(ErrorKind::Retry, error.to_string()).during("opening the terminal")
    };
    let config = Config::builder()
        .max_history_size(HISTORY_LINES_MAX)
        .and_then(|builder| builder.history_ignore_dups(true))
        .map_err(unusable)?
        .history_ignore_space(true)
        .build();
    Editor::with_config(config).map_err(unusable)
}

fn remember(editor: &mut LineEditor, line: &str) {
    // A history that cannot grow is no reason to stop.
    let _ = editor.add_history_entry(line);
}

/// `martlet/history` in the user's data folder, made if absent; `None` if there is no such
/// folder.
fn history_file() -> Option<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(|| {
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local").join("share"))
    })?;
    let folder = data.join("martlet");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslash_lines_are_understood() {
        assert_eq!(meta("\\d"), Meta::Tables);
        assert_eq!(meta(" \\d  customer ; "), Meta::Table("customer"));
        assert_eq!(meta("\\timing on"), Meta::Timing);
        assert_eq!(meta("\\q;"), Meta::Quit);
        assert_eq!(meta("\\?"), Meta::Help);
        assert_eq!(meta("\\x y"), Meta::Unknown("\\x"));
    }
}
