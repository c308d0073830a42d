//! A client is made from arbitrary files and judges an arbitrary chain.

#![no_main]

#[path = "../../tests/fuzz/input.rs"]
mod input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| input::judge(bytes));
