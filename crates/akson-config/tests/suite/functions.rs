//! Every function's example, evaluated: what it gives is what the table says.

use akson_config::functions;

use super::run::{inputs, run_with};

#[test]
fn examples_give_what_they_say() {
    let mut inputs = inputs();
    inputs.files.insert("greeting.txt".to_owned(), "hello".into());
    inputs.environment.extend([("GREETING".to_owned(), "hello".to_owned())]);
    let mut text = "stack \"s\" {}\n".to_owned();
    for (at, function) in functions().iter().enumerate() {
        let (call, result) = function.example;
        assert!(call.contains(&format!("{}(", function.name)), "{call}");
        assert!(function.docs.ends_with('.') && !function.docs.contains('\n'), "{}", function.docs);
        text.push_str(&format!("output \"call_{at}\" {{\n  value     = {call}\n  sensitive = true\n}}\noutput \"result_{at}\" {{ value = {result} }}\n"));
    }
    let config = run_with(&[("main.aks", &text)], &inputs).good();
    let value = |name: String| config.outputs.iter().find(|output| output.name == name).unwrap().value.clone();
    for (at, function) in functions().iter().enumerate() {
        let (found, said) = (value(format!("call_{at}")), value(format!("result_{at}")));
        if function.name == "env" {
            assert!(found.is_sensitive());
        } else {
            assert_eq!(found, said, "{}", function.example.0);
        }
    }
}

#[test]
fn names_are_distinct_and_none_is_a_constructor() {
    let catalog = akson_catalog::Catalog::builtin().unwrap();
    let mut names: Vec<&str> = functions().iter().map(|function| function.name).collect();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for kind in catalog.iter() {
        for attribute in kind.attributes.values() {
            for variant in attribute.variants.keys() {
                assert!(!names.contains(&variant.as_str()), "`{variant}` of {} is a function too", kind.keyword);
            }
        }
    }
}

#[track_caller]
fn check(call: &str, expected: Result<&str, &str>) {
    let text = match expected {
        Ok(result) => {
            format!("stack \"s\" {{}}\noutput \"a\" {{ value = {call} }}\noutput \"b\" {{ value = {result} }}\n")
        }
        Err(_) => format!("stack \"s\" {{}}\noutput \"a\" {{ value = {call} }}\n"),
    };
    let run = run_with(&[("main.aks", &text)], &inputs());
    match expected {
        Ok(_) => {
            let config = run.good();
            assert_eq!(config.outputs[0].value, config.outputs[1].value, "{call}");
        }
        Err(code) => {
            let lines = run.lines();
            assert!(lines.len() == 1 && lines[0].contains(code), "{call}: {lines:?}");
        }
    }
}

#[test]
fn results_at_the_edges() {
    check("substr(\"héllo\", 1, 1)", Ok("\"é\""));
    check("substr(\"abc\", -2, -1)", Ok("\"bc\""));
    check("substr(\"abc\", 0, -5)", Err("AKS0222"));
    check("split(\"\", \"abc\")", Ok("[\"a\", \"b\", \"c\"]"));
    check("join(\",\", [])", Ok("\"\""));
    check("replace(\"aXbX\", \"/X([a-z])?/\", \"<$1>\")", Ok("\"a<b><>\""));
    check("replace(\"a\", \"\", \"b\")", Err("AKS0222"));
    check("regex(\"(?P<first>[a-z])(?P<second>[0-9])\", \"a1\")", Ok("{ first = \"a\", second = \"1\" }"));
    check("regex(\"x\", \"a\")", Err("AKS0223"));
    check("format(\"%-3s|%5d|%03d|%q|%%\", \"a\", 7, -7, \"x\")", Ok("\"a  |    7|-07|\\\"x\\\"|%\""));
    check("format(\"%x\", 1)", Err("AKS0222"));
    check("format(\"a\", 1)", Err("AKS0222"));
    check("format(\"%999999999s\", \"a\")", Err("AKS0222"));
    check("max(1, 2.5)", Ok("2.5"));
    check("0.5 + 0.5", Ok("1"));
    check("7 / 2", Ok("3.5"));
    check("-7 % 3", Ok("-1"));
    check("range(3, 0)", Ok("[3, 2, 1]"));
    check("range(0, 10, 0)", Err("AKS0222"));
    check("range(9223372036854775806, 9223372036854775807)", Ok("[9223372036854775806]"));
    check("tonumber(\"nan\")", Err("AKS0222"));
    check("tonumber(\" 1.50 \")", Ok("1.5"));
    check("parseint(\"zz\", 10)", Err("AKS0222"));
    check("sum([])", Ok("0"));
    check("element([], 0)", Err("AKS0223"));
    check("element([1, 2, 3], -1)", Ok("3"));
    check("slice([1, 2], 1, 5)", Err("AKS0223"));
    check("lookup({ a = 1 }, \"b\")", Err("AKS0226"));
    check("sort([2, 10, 1])", Ok("[1, 2, 10]"));
    check("sort([1, \"a\"])", Err("AKS0222"));
    check("distinct([1, \"1\", 1])", Ok("[1, \"1\"]"));
    check("setintersection([1, 2, 3], [3, 2], [2])", Ok("[2]"));
    check("zipmap([\"a\"], [])", Err("AKS0223"));
    check("flatten([[[1]], [[2, [3]]]])", Ok("[1, 2, 3]"));
    check("jsondecode(\"{\\\"a\\\": null, \\\"b\\\": 1.0}\")", Ok("{ b = 1 }"));
    check("jsondecode(\"[null]\")", Err("AKS0222"));
    check("jsonencode(1.5)", Ok("\"1.5\""));
    check("base64decode(\"//8=\")", Err("AKS0222"));
    check("cidrhost(\"10.0.0.0/24\", -1)", Ok("\"10.0.0.255\""));
    check("cidrhost(\"10.0.0.0/24\", 256)", Err("AKS0222"));
    check("cidrhost(\"fd00::/8\", 1)", Ok("\"fd00::1\""));
    check("cidrhost(\"::/0\", -1)", Ok("\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\""));
    check("cidrhost(\"10.0.0.0/24\", -257)", Err("AKS0222"));
    check("cidrsubnet(\"fd00::/48\", 16, 255)", Ok("\"fd00:0:0:ff::/64\""));
    check("cidrsubnet(\"10.0.0.0/16\", 8, 256)", Err("AKS0222"));
    check("cidrsubnet(\"::/0\", 128, 1)", Ok("\"::1/128\""));
    check("cidrsubnets(\"10.0.0.0/30\", 1, 1, 1)", Err("AKS0222"));
    check("cidrnetmask(\"fd00::/8\")", Err("AKS0222"));
    check("cidrcontains(\"10.0.0.0/8\", \"x\")", Err("AKS0222"));
    check("uuidv5(\"nothing\", \"x\")", Err("AKS0222"));
    check("one([])", Err("AKS0223"));
    check("coalesce(\"\", \"\")", Err("AKS0223"));
    check("urlencode(\"ü\")", Ok("\"%C3%BC\""));
}

#[test]
fn large_results_are_refused() {
    check("regexall(\"\", join(\"\", [for x in range(100000) : \"aa\"]))", Err("AKS0246"));
    check("setproduct(range(1000), range(1000))", Err("AKS0246"));
    check("split(\"\", join(\"\", [for x in range(100000) : \"aa\"]))", Err("AKS0246"));
    check("indent(1000, join(\"\\n\", [for x in range(10000) : \"a\"]))", Err("AKS0246"));
    check("regex(\"a{1000}{1000}\", \"a\")", Err("AKS0222"));
}
