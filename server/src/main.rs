//! The binary `martlet`: one program for the bank's operators and users.
//!
//! Owns nothing but the way in: everything a command does stands in `command/`, and what
//! other programs may use stands in the library beside it. Must never hold logic of its own.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
