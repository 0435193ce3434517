//! Wrong uses of the macros, and what the compiler says of them: see `tests/mistakes/README.md`.

#[test]
fn messages() {
    trybuild::TestCases::new().compile_fail("tests/mistakes/*.rs");
}
