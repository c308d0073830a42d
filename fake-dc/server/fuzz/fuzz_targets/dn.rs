#![no_main]

#[path = "../../tests/fuzz/input.rs"]
mod input;
#[path = "../../../kerberos/tests/common/mod.rs"]
mod lab;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    input::dn(bytes);
});
