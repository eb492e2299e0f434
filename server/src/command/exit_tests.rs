//! What a failure prints and which exit code it ends with.

use super::*;

#[derive(Debug, thiserror::Error)]
#[error("the manifest could not be written: {inner}")]
struct Outer {
    #[source]
    inner: Inner,
}

#[derive(Debug, thiserror::Error)]
#[error("no space left on `/mart`")]
struct Inner;

impl Kinded for Outer {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Retry
    }
}

#[test]
fn a_cause_is_told_once() {
    let failure = Failure::from(Outer { inner: Inner }).during("loading `night.toml`");
    assert_eq!(
        failure.text(),
        "error: loading `night.toml`\n  because: the manifest could not be written: no space left \
         on `/mart`\n  what to do: try again"
    );
    assert_eq!(failure.kind().exit_code(), 75);
}

#[test]
fn own_advice_stands_in_place_of_the_kinds() {
    let failure = Failure::invalid("no port is free").advise("give --port 0");
    assert!(failure.text().ends_with("what to do: give --port 0"), "{}", failure.text());
    assert_eq!(failure.kind().exit_code(), 65);
}

#[test]
fn statuses_end_with_the_code_of_what_to_do_next() {
    let code = |code| kind_of_status(code).exit_code();
    assert_eq!(code(Code::Unavailable), 75);
    assert_eq!(code(Code::ResourceExhausted), 75);
    assert_eq!(code(Code::InvalidArgument), 65);
    assert_eq!(code(Code::NotFound), 65);
    assert_eq!(code(Code::Unauthenticated), 77);
    assert_eq!(code(Code::PermissionDenied), 77);
    assert_eq!(code(Code::DataLoss), 70);
    assert_eq!(code(Code::Internal), 70);
}

#[test]
fn a_status_is_told_on_one_line() {
    let failure = Failure::status(&Status::invalid_argument("no column\n  `x`"));
    assert!(failure.text().starts_with("error: no column `x`\n"), "{}", failure.text());
}

#[test]
fn a_reader_who_left_early_is_no_failure() {
    let gone = Failure::output(&std::io::ErrorKind::BrokenPipe.into());
    assert_eq!(gone.ending, Ending::Unread);
    let full = Failure::output(&std::io::ErrorKind::StorageFull.into());
    assert_eq!(full.ending, Ending::Told);
}
