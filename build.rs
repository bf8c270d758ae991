//! Emits the linker arguments that a Node addon needs on this platform.

fn main() {
    if std::env::var_os("CARGO_FEATURE_BINDING").is_some() {
        napi_build::setup();
    }
}
