//! Variables from outside: which wins, and how text is read.

use akson_catalog::Value;
use akson_diagnostics::SourceMap;

use super::run::{Run, inputs, run_sources};

fn with_file(main: &str, values: &str, flags: &[(&str, &str)], environment: &[(&str, &str)]) -> Run {
    let mut sources = SourceMap::new();
    let main = sources.add("main.aks", main);
    let file = sources.add("prod.vars", values);
    let mut inputs = inputs();
    inputs.variable_files.push(file);
    inputs.variables = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    inputs.environment_variables =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    run_sources(sources, &[main], &inputs)
}

const MAIN: &str =
    "stack \"s\" {}\nvariable \"x\" {\n  type = any\n  default = \"default\"\n}\noutput \"x\" { value = var.x }\n";

#[track_caller]
fn check(values: &str, flags: &[(&str, &str)], environment: &[(&str, &str)], expected: &str) {
    let config = with_file(MAIN, values, flags, environment).good();
    assert_eq!(config.outputs[0].value, Value::Text(expected.to_owned()));
}

#[test]
fn flag_before_file_before_environment_before_default() {
    check("", &[], &[], "default");
    check("", &[], &[("x", "environment")], "environment");
    check("x = \"file\"\n", &[], &[("x", "environment")], "file");
    check("x = \"file\"\n", &[("x", "flag"), ("x", "last")], &[("x", "environment")], "last");
}

#[test]
fn text_is_read_by_type() {
    let read = |of: &str, text: &str| {
        let run = with_file(
            &format!("stack \"s\" {{}}\nvariable \"x\" {{ type = {of} }}\noutput \"x\" {{ value = var.x }}\n"),
            "",
            &[("x", text)],
            &[],
        );
        match run.config.as_ref().and_then(|config| config.outputs.first()) {
            Some(output) => format!("{:?}", output.value),
            None => run.lines().join("; "),
        }
    };
    assert_eq!(read("string", "5"), "Text(\"5\")");
    assert_eq!(read("int", "5"), "Int(5)");
    assert_eq!(read("bool", "true"), "Bool(true)");
    assert_eq!(read("list(string)", "[\"a\"]"), "List([Text(\"a\")])");
    assert_eq!(read("map(int)", "{ a = 1 }"), "Map({\"a\": Int(1)})");
    assert_eq!(read("map(int)", "{\"a\": 1}"), "Map({\"a\": Int(1)})");
    assert_eq!(read("enum(\"dev\", \"prod\")", "dev"), "Text(\"dev\")");
    assert_eq!(read("object({ a = optional(int, 7) })", "{}"), "Map({\"a\": Int(7)})");
    assert_eq!(read("list(string)", "a, b"), "2: AKS0229 the value of `x` given by `--var` is not a list(string)");
    assert_eq!(read("int", "var.x"), "2: AKS0229 the value of `x` given by `--var` is not a whole number");
    assert_eq!(read("any", "[1, {\"a\": true}]"), "List([Int(1), Map({\"a\": Bool(true)})])");
    assert_eq!(read("string", "${var.x}"), "Text(\"${var.x}\")");
}

#[test]
fn mistakes_in_a_file_of_values_are_shown_in_it() {
    let main = "stack \"s\" {}\nvariable \"count\" { type = list(int) }\n";
    let run = with_file(main, "# values\ncount = [1, \"two\"]\nother = 3\n", &[], &[]);
    let shown: Vec<String> = run
        .diagnostics
        .sorted()
        .into_iter()
        .map(|diagnostic| {
            let span = diagnostic.primary().unwrap();
            format!(
                "{} {} {} `{}`",
                run.sources.get(span.source).name,
                run.sources.start(span).line,
                diagnostic.code,
                run.sources.text(span)
            )
        })
        .collect();
    assert_eq!(shown, ["prod.vars 2 AKS0214 `\"two\"`", "prod.vars 3 AKS0228 `other`"]);
    let run = with_file(main, "count = [1,\n", &[], &[]);
    assert_eq!(run.lines().len(), 1, "{:?}", run.lines());
    assert!(run.diagnostics.iter().all(|diagnostic| {
        diagnostic.labels.iter().all(|label| run.sources.get(label.span.source).name == "prod.vars")
    }));
    let run = with_file(main, "count = [1]\n}\nlocals {\n", &[], &[]);
    assert!(run.diagnostics.has_errors());
    let run = with_file(main, "count = [1]\nblock { a = 1 }\n", &[], &[]);
    assert_eq!(run.lines(), ["2: AKS0250 a file of values has lines `name = value`, no blocks"]);
}

#[test]
fn a_sensitive_value_that_does_not_fit_is_not_shown() {
    let main = "stack \"s\" {}\nvariable \"x\" {\n  type = enum(\"one\", \"two\")\n  sensitive = true\n}\n";
    for (values, flags, environment) in [("", vec![("x", "hunter2")], vec![]), ("", vec![], vec![("x", "hunter2")])] {
        let run = with_file(main, values, &flags, &environment);
        assert!(run.diagnostics.has_errors());
        assert!(!format!("{:?}", run.diagnostics).contains("hunter2"), "{:?}", run.diagnostics);
    }
}
