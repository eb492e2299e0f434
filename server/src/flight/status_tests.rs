//! Every kind has its own code, and messages are bounded.

use super::*;

#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Sample {
    kind: ErrorKind,
    text: String,
}

impl Kinded for Sample {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
}

#[test]
fn no_two_kinds_share_a_code_and_none_is_ok_or_unknown() {
    let mut codes: Vec<i32> = ErrorKind::ALL.into_iter().map(|kind| code(kind) as i32).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), ErrorKind::ALL.len());
    assert!(!codes.contains(&(Code::Ok as i32)) && !codes.contains(&(Code::Unknown as i32)));
}

#[test]
fn a_long_message_is_cut_at_a_character() {
    let text = "é".repeat(MESSAGE_BYTES_MAX);
    let status = of(&Sample { kind: ErrorKind::Invalid, text: text.clone() });
    assert!(status.message().len() <= MESSAGE_BYTES_MAX + '…'.len_utf8());
    assert!(text.starts_with(status.message().trim_end_matches('…')));
}

#[test]
fn the_statement_is_named_in_the_trailers() {
    let id = StatementId::from_bytes([0xab; 16]);
    let error = Sample { kind: ErrorKind::NotFound, text: "gone".into() };
    let status = naming(of(&error), id);
    assert_eq!(status.metadata().get(STATEMENT_ID).unwrap().to_str().unwrap(), "ab".repeat(16));
    assert_eq!(status.code(), Code::NotFound);
}
