//! Any bytes: reading ends without a panic, all that is said has its place in the text, and whole trees can be printed.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(read) = akson_fuzz::read(bytes) else { return };
    akson_fuzz::show(&read.sources, &read.diagnostics);
    if read.diagnostics.has_errors() {
        return;
    }
    let printed: String = read.file.blocks.iter().map(akson_parser::print_block).collect();
    let again = akson_fuzz::read(printed.as_bytes()).expect("printed text is text");
    assert!(!again.diagnostics.has_errors(), "{printed}\n{:#?}", again.diagnostics);
    assert_eq!(akson_parser::outline::outline(&again.file), akson_parser::outline::outline(&read.file), "{printed}");
});
