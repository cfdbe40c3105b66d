//! Any bytes as a file of variables, and any text as a value of the command line, for variables of every shape of type.
#![no_main]

use akson_config::Inputs;
use libfuzzer_sys::fuzz_target;

const DECLARED: &str = r#"
stack "s" {}
variable "text" { type = string }
variable "number" { type = number }
variable "flag" { type = bool }
variable "ranges" { type = list(cidr) }
variable "teams" { type = map(object({ name = string, size = optional(int, 3), tags = optional(map(string)) })) }
variable "stage" { type = enum("dev", "prod") }
variable "free" { sensitive = true }
output "text" { value = var.text }
output "teams" { value = [for key, team in var.teams : "${key}-${team.size}"] }
"#;

fuzz_target!(|bytes: &[u8]| {
    let Some(mut read) = akson_fuzz::read(DECLARED.as_bytes()) else { return };
    let Ok(text) = akson_parser::decode("values.aksvars", bytes) else { return };
    let values = read.sources.add("values.aksvars", text.clone());
    let variables =
        ["number", "flag", "ranges", "teams", "stage"].map(|name| (name.to_owned(), text.clone())).to_vec();
    for inputs in [
        Inputs { variable_files: vec![values], ..Inputs::default() },
        Inputs { variables, ..Inputs::default() },
    ] {
        let mut found = akson_diagnostics::Diagnostics::new();
        akson_fuzz::evaluate(&read.sources, std::slice::from_ref(&read.file), inputs, &mut found);
        // What the values of the command line are is added to no source map that outlives the evaluation.
        assert!(found.iter().all(|diagnostic| diagnostic.help.is_some()));
    }
});
