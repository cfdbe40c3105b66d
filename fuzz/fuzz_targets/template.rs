//! Any text between the quotes of a template, and as a heredoc: read, printed, and evaluated with a few names in reach.
#![no_main]

use akson_config::Inputs;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for (before, after) in [("\"", "\""), ("<<-EOT\n", "\nEOT")] {
        let file = format!(
            "stack \"s\" {{}}\nlocals {{\n  list = [\"a\", \"b\"]\n  map = {{ a = 1 }}\n  yes = true\n}}\noutput \"x\" {{\n  value = {before}{text}{after}\n}}\n"
        );
        let Some(mut read) = akson_fuzz::read(file.as_bytes()) else { return };
        if !read.diagnostics.has_errors() {
            let id = read.file.source;
            assert!(akson_parser::format(&read.sources, id).is_ok(), "{file}");
        }
        akson_fuzz::evaluate(&read.sources, std::slice::from_ref(&read.file), Inputs::default(), &mut read.diagnostics);
        akson_fuzz::show(&read.sources, &read.diagnostics);
    }
});
