//! A sealed line is read back, its link covers every byte before it, and any other byte shows.

use proptest::prelude::*;

use super::*;

fn sealed(body: &str) -> (Vec<u8>, Head) {
    let mut head = Head { sequence: 41, link: Digest::new([7; 32]) };
    let mut out = Vec::new();
    head.seal(body.as_bytes(), &mut out);
    (out, head)
}

#[test]
fn a_line_is_its_body_with_number_and_link() {
    let (line, head) = sealed("{\"event\":\"end\"}");
    let text = String::from_utf8(line.clone()).unwrap();
    assert!(text.starts_with("{\"event\":\"end\",\"seq\":42,\"link\":\""), "{text}");
    assert!(text.ends_with("\"}\n"), "{text}");
    let read = Chained::read(line.strip_suffix(b"\n").unwrap()).unwrap();
    assert_eq!((read.head(), read.body().as_slice()), (head, b"{\"event\":\"end\"}".as_slice()));
    assert_eq!(linked(Digest::new([7; 32]), read.digest()), read.link);
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
}

#[test]
fn a_statement_that_looks_like_a_link_is_none() {
    let fake =
        format!("{{\"statement\":\"x\\\",\\\"seq\\\":1,\\\"link\\\":\\\"{}\"}}", "0".repeat(64));
    assert_eq!(Chained::read(fake.as_bytes()), None);
    for torn in ["", "{", "}", "{\"event\":\"end\"}"] {
        assert_eq!(Chained::read(torn.as_bytes()), None, "{torn}");
    }
}

proptest! {
    #[test]
    fn no_bit_changes_unseen(body in "[a-z\",{}:0-9]{0,60}", at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let (line, _) = sealed(&format!("{{{body}}}"));
        let line = line.strip_suffix(b"\n").unwrap();
        let mut changed = line.to_vec();
        let at = at.index(changed.len());
        changed[at] ^= 1_u8 << bit;
        let honest = Chained::read(&changed).filter(|read| {
            read.sequence == 42 && linked(Digest::new([7; 32]), read.digest()) == read.link
        });
        prop_assert_eq!(honest, None);
    }
}
