#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ferronext::fuzzed::image_params(data));
