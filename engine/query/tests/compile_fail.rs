//! A read without a grant cannot be written: each file in `compile_fail/` tries, and must not
//! compile, for the reason that stands beside it.

#[test]
fn a_scan_without_a_grant_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/no_*.rs");
}
