//! Any text as a configuration: evaluation ends within its budget, without a panic, and comes to the same a second time.
#![no_main]

use akson_config::Inputs;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(mut read) = akson_fuzz::read(bytes) else { return };
    akson_fuzz::evaluate(&read.sources, std::slice::from_ref(&read.file), Inputs::default(), &mut read.diagnostics);
    akson_fuzz::show(&read.sources, &read.diagnostics);
});
