//! Arbitrary bytes are read as a chain: PEM, DER, PKCS#7 or text around them.

#![no_main]

#[path = "../../tests/fuzz/input.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| input::evidence(bytes));
