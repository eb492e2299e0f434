//! A read without a grant cannot be written: each file in `compile_fail/` tries, and must not
//! compile. One file must, so that the others fail for their own reason.

#[test]
fn a_scan_without_a_grant_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/compile_fail/the_way_there_is.rs");
    cases.compile_fail("tests/compile_fail/no_*.rs");
}
