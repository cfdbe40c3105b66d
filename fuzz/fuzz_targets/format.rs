//! Any bytes: canonical text has the tree of the text before it, and is canonical.
#![no_main]

use akson_diagnostics::SourceMap;
use akson_parser::outline::outline;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(read) = akson_fuzz::read(bytes) else { return };
    let Ok(once) = akson_parser::format(&read.sources, read.file.source) else {
        assert!(read.diagnostics.has_errors(), "it was read without errors, and not formatted");
        return;
    };
    let again = akson_fuzz::read(once.as_bytes()).expect("canonical text is text");
    assert!(!again.diagnostics.has_errors(), "{once}\n{:#?}", again.diagnostics);
    assert_eq!(outline(&again.file), outline(&read.file), "{once}");
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", once.clone());
    assert_eq!(akson_parser::format(&sources, id).ok().as_deref(), Some(once.as_str()));
});
