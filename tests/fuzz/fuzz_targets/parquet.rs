#![no_main]

#[path = "../parsers.rs"]
mod parsers;

use std::sync::Once;

static QUIET: Once = Once::new();

// A panic of a table reader refuses the file, so that only a panic on another thread is a finding.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    QUIET.call_once(|| {
        let found = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some(spillover::feed::formats::READER) {
                found(panic);
            }
        }));
    });
    parsers::parquet(bytes);
});
