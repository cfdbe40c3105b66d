//! What is left out by a condition, and what may have no value: `omit`, `try`, `can`.

use akson_catalog::Value;

use super::run::run;

const HEAD: &str = "stack \"s\" { location = \"westeurope\" }\nresource_group \"app\" { name = \"rg\" }\n";

#[track_caller]
fn gives(expression: &str, expected: &str) {
    let config = run(&format!(
        "{HEAD}locals {{\n  yes = true\n  no = false\n  map = {{ a = 1 }}\n}}\noutput \"a\" {{ value = {expression} }}\noutput \"b\" {{ value = {expected} }}\n"
    ))
    .good();
    assert_eq!(config.outputs[0].value, config.outputs[1].value, "{expression}");
}

#[track_caller]
fn fails(text: &str, expected: &[&str]) {
    let run = run(&format!("{HEAD}{text}"));
    let found: Vec<String> = run.lines().into_iter().map(|line| line.split_once(": ").unwrap().1.to_owned()).collect();
    assert_eq!(found, expected);
}

#[test]
fn elements_and_fields_are_left_out() {
    gives("[\"a\", local.no ? \"b\" : omit, \"c\"]", "[\"a\", \"c\"]");
    gives("[omit]", "[]");
    gives("{ a = 1, b = local.yes ? omit : 2, c = (local.no ? 3 : (local.yes ? omit : 4)) }", "{ a = 1 }");
    gives("[for omit in [1] : omit]", "[1]");
}

#[test]
fn attributes_are_left_out() {
    let config = run(&format!(
        "{HEAD}variable \"tagged\" {{ default = false }}\nidentity \"x\" {{\n  name           = \"xxx\"\n  resource_group = resource_group.app\n  tags           = var.tagged ? {{ a = \"b\" }} : omit\n}}\n"
    ))
    .good();
    let identity = &config.resources[1];
    assert!(identity.attributes.iter().all(|(name, ..)| name != "tags"), "{:?}", identity.attributes);
}

#[test]
fn arguments_of_modules_are_left_out() {
    let config = run(&format!(
        "{HEAD}module \"m\" {{\n  source = \"./m\"\n  a = true ? omit : \"given\"\n}}\noutput \"a\" {{ value = module.m.a }}\n//- m/main.aks\nvariable \"a\" {{ default = \"its own\" }}\noutput \"a\" {{ value = var.a }}\n"
    ))
    .good();
    assert_eq!(config.outputs[0].value, Value::Text("its own".to_owned()));
}

#[test]
fn what_cannot_be_left_out() {
    fails(
        "locals { x = omit }\nidentity \"x\" {\n  name           = true ? omit : \"xxx\"\n  resource_group = resource_group.app\n}\n",
        &["AKS0213 `omit` is not known here", "AKS0207 `name` cannot be left out: it is required"],
    );
    fails(
        "module \"m\" {\n  source = \"./m\"\n  a = omit\n}\n//- m/main.aks\nvariable \"a\" { type = string }\n",
        &["AKS0207 `a` cannot be left out: it has no default"],
    );
    fails(
        "identity \"x\" {\n  name           = \"xxx\"\n  resource_group = resource_group.app\n}\nidentity \"y\" {\n  name           = \"yyy\"\n  resource_group = resource_group.app\n  tags           = identity.x.client_id == \"a\" ? omit : {}\n}\n",
        &["AKS0234 whether this is left out is known only after apply"],
    );
}

#[test]
fn what_has_no_value_is_forgiven() {
    gives("try(local.map.b, local.map[\"a\"], 3)", "1");
    gives("try(regex(\"x\", \"abc\"), \"none\")", "\"none\"");
    gives("[can(local.map.a), can(local.map.b), can([1][1]), can(tonumber(\"x\"))]", "[true, false, false, false]");
    gives("try(try([][0], {}.a), \"inner\")", "\"inner\"");
}

#[test]
fn what_is_wrong_whatever_the_values_are_is_not_forgiven() {
    fails("locals { x = try(local.nothing, 1) }\n", &["AKS0210 there is no local `nothing`"]);
    fails("locals { x = try([][0], {}.a) }\n", &["AKS0223 none of these has a value"]);
    fails("locals { x = can(uper(\"a\")) }\n", &["AKS0212 there is no function `uper`"]);
}

#[test]
fn tables_and_documents_are_read() {
    gives("csvdecode(\"a,b\\n\\\"x, \\\"\\\"y\\\"\\\"\\\",2\\r\\n\")", "[{ a = \"x, \\\"y\\\"\", b = \"2\" }]");
    gives("yamldecode(\"a:\\n  - 1\\n  - b: c\\n\")", "{ a = [1, { b = \"c\" }] }");
    fails("locals { x = csvdecode(\"a,b\\n1\\n\") }\n", &["AKS0222 record 2 has 1 values, and there are 2 names"]);
    fails("locals { x = csvdecode(\"a\\n\\\"1\\n\") }\n", &["AKS0222 a quote is not closed"]);
    // Aliases that multiply are refused, not followed.
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\\n".to_owned();
    for level in 1..10 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\\n", before.trim_end_matches(", ")));
    }
    let run = run(&format!("{HEAD}locals {{ x = yamldecode(\"{bomb}\") }}\n"));
    assert!(run.diagnostics.has_errors());
}
