#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferronext::fuzzed::accept_encoding(data));
