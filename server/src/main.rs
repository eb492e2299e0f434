//! The binary `martlet`: one program for the bank's operators and users.
//!
//! Owns the way in, the allocator, and the question whether this processor can run the program
//! at all: everything a command does stands in `command/`, and what other programs may use
//! stands in the library beside it. Must never hold logic of its own.

mod command;
mod processor;

use std::process::ExitCode;

/// Queries take and give back megabytes from every thread; mimalloc keeps a heap per thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Err(refusal) = processor::suffices() {
        eprintln!("error: {refusal}");
        return ExitCode::from(70);
    }
    command::run()
}
