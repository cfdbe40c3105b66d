//! Edits by tables of texts before and after, and over random texts: what is said afterwards is what was wanted, and everything else is
//! byte by byte as it was. Whole files and resources are tried end to end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails should say where")]

use akson_catalog::{Catalog, Type, Value};
use akson_diagnostics::{Diagnostics, SourceMap};
use akson_parser::ast::{Expr, ExprKind, Item, ObjectKey, TemplatePart};
use proptest::prelude::*;

use super::{Change, Edit, Refused, Site, apply, cut, plain_text, without};

/// A literal as the value that it is.
fn value_of(expr: &Expr) -> Value {
    match &expr.kind {
        ExprKind::Bool(flag) => Value::Bool(*flag),
        ExprKind::Number(text) => Value::Int(text.parse().unwrap()),
        ExprKind::Template(parts) => Value::Text(
            parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Literal(text) => text.as_str(),
                    _ => panic!("no literal"),
                })
                .collect(),
        ),
        ExprKind::List(items) => Value::List(items.iter().map(value_of).collect()),
        ExprKind::Object(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| {
                    let key = match key {
                        ObjectKey::Name(name) => name.text.clone(),
                        ObjectKey::Expr(expr) => plain_text(expr).unwrap(),
                    };
                    (key, value_of(value))
                })
                .collect(),
        ),
        ExprKind::Call(name, arguments) => {
            let variant = &network().attribute("network").unwrap().variants[&name.text];
            let mut given = indexmap::IndexMap::new();
            for (at, argument) in arguments.iter().enumerate() {
                let word = argument
                    .name
                    .as_ref()
                    .map_or_else(|| variant.arguments.keys().nth(at).unwrap().clone(), |name| name.text.clone());
                given.insert(word, value_of(&argument.value));
            }
            Value::Choice { name: name.text.clone(), arguments: given }
        }
        ExprKind::Parens(inner) => value_of(inner),
        ExprKind::Word(name) => Value::Text(name.text.clone()),
        other => panic!("no literal: {other:?}"),
    }
}

fn network() -> &'static akson_catalog::Kind {
    Catalog::builtin().unwrap().get("vault").unwrap()
}

/// The value of the only attribute of a text.
fn read(sources: &SourceMap, id: akson_diagnostics::SourceId) -> Expr {
    let mut found = Diagnostics::new();
    let mut items = akson_parser::parse_values(sources, id, &mut found);
    assert!(!found.has_errors(), "{}: {:#?}", sources.get(id).text, found.iter().collect::<Vec<_>>());
    match items.pop() {
        Some(Item::Attribute(attribute)) => attribute.value,
        other => panic!("no attribute: {other:?}"),
    }
}

/// The text after its value became that of another text.
fn changed(before: &str, now: &str, of: &Type) -> Result<String, Refused> {
    let mut sources = SourceMap::new();
    let (old, new) = (sources.add("a", before), sources.add("b", format!("x = {now}\n")));
    let (old, new) = (read(&sources, old), read(&sources, new));
    let follow = |_: &Expr| Ok(None);
    let mut change = Change { sources: &sources, follow: &follow, edits: Vec::new() };
    let attribute = matches!(of, Type::Choice).then(|| network().attribute("network").unwrap());
    change.value(&old, &value_or_hole(&old), &value_of(&new), &new, Site { attribute, of })?;
    Ok(apply(before, &change.edits).unwrap())
}

/// What cannot be told of a text without evaluation is something that nothing else is.
fn value_or_hole(expr: &Expr) -> Value {
    match &expr.kind {
        ExprKind::Conditional(..) | ExprKind::Binary(..) | ExprKind::For(_) => Value::Text("computed".to_owned()),
        ExprKind::Call(name, _) if name.text == "concat" => Value::Text("computed".to_owned()),
        ExprKind::Template(parts) if parts.iter().any(|part| !matches!(part, TemplatePart::Literal(_))) => {
            Value::Text("computed".to_owned())
        }
        ExprKind::List(items) => Value::List(items.iter().map(value_or_hole).collect()),
        _ => value_of(expr),
    }
}

#[track_caller]
fn check_as(of: &Type, before: &str, now: &str, after: &str) {
    assert_eq!(changed(before, now, of).unwrap(), after);
}

#[track_caller]
fn check(before: &str, now: &str, after: &str) {
    check_as(&Type::Any, before, now, after);
}

fn list() -> Type {
    Type::List(Box::new(Type::String))
}

fn set() -> Type {
    Type::Set(Box::new(Type::String))
}

#[test]
fn plain_values() {
    check("x = \"a\" # why\n", "\"b\"", "x = \"b\" # why\n");
    check("x   =   1//y\n", "2", "x   =   2//y\n");
    check("x = (true)\n", "false", "x = (false)\n");
    check("/* a */ x /* b */ = \"a\"\n", "[\"a\"]", "/* a */ x /* b */ = [\"a\"]\n");
    check("x = \"a\"\n", "\"a\"", "x = \"a\"\n");
}

#[test]
fn elements_of_lists() {
    let of = list();
    check_as(&of, "x = [\"a\", \"b\"]\n", "[\"a\", \"b\", \"c\"]", "x = [\"a\", \"b\", \"c\"]\n");
    check_as(&of, "x = [\"a\",\"b\"]\n", "[\"b\"]", "x = [\"b\"]\n");
    check_as(&of, "x = [ \"a\", \"b\", \"c\" ]\n", "[\"a\", \"c\"]", "x = [ \"a\", \"c\" ]\n");
    check_as(&of, "x = [\"a\", \"b\"]\n", "[\"a\"]", "x = [\"a\"]\n");
    check_as(&of, "x = [\"a\", \"b\"]\n", "[]", "x = []\n");
    check_as(&of, "x = [ ]\n", "[\"a\", \"b\"]", "x = [\"a\", \"b\"]\n");
    check_as(&of, "x = [\"a\", \"b\"]\n", "[\"z\", \"a\", \"b\"]", "x = [\"z\", \"a\", \"b\"]\n");
    check_as(&of, "x = [\"a\", \"b\"]\n", "[\"c\"]", "x = [\"c\"]\n");
    let lines = "x = [\n  \"a\", # first\n\n  # of two\n  \"b\" # second\n]\n";
    check_as(
        &of,
        lines,
        "[\"a\", \"b\", \"c\"]",
        "x = [\n  \"a\", # first\n\n  # of two\n  \"b\", # second\n  \"c\"\n]\n",
    );
    check_as(&of, lines, "[\"b\"]", "x = [\n\n  # of two\n  \"b\" # second\n]\n");
    check_as(
        &of,
        lines,
        "[\"a\", \"m\", \"b\"]",
        "x = [\n  \"a\", # first\n  \"m\",\n\n  # of two\n  \"b\" # second\n]\n",
    );
    check_as(
        &of,
        lines,
        "[\"0\", \"a\", \"b\"]",
        "x = [\n  \"0\",\n  \"a\", # first\n\n  # of two\n  \"b\" # second\n]\n",
    );
    check_as(
        &of,
        "x = [\n  \"a\",\n  \"b\",\n]\n",
        "[\"a\", \"b\", \"c\"]",
        "x = [\n  \"a\",\n  \"b\",\n  \"c\",\n]\n",
    );
    check_as(&of, "x = [\r\n  \"a\"\r\n]\r\n", "[\"a\", \"b\"]", "x = [\r\n  \"a\",\r\n  \"b\"\r\n]\r\n");
    // Without order the old ones stay where they are.
    check_as(&set(), "x = [\"b\", \"a\"] # two\n", "[\"a\", \"c\", \"b\"]", "x = [\"b\", \"a\", \"c\"] # two\n");
}

#[test]
fn entries_of_objects() {
    check("x = { a = 1, b = 2 }\n", "{ a = 1, b = 3 }", "x = { a = 1, b = 3 }\n");
    check("x = { a = 1, b = 2 }\n", "{ a = 1, b = 2, \"c d\" = 3 }", "x = { a = 1, b = 2, \"c d\" = 3 }\n");
    check("x = { a = 1, b = 2 }\n", "{ b = 2 }", "x = { b = 2 }\n");
    check("x = { a = 1 }\n", "{}", "x = {}\n");
    check("x = {}\n", "{ a = 1 }", "x = { a = 1 }\n");
    check(
        "x = {\n  a    = 1 # one\n  long = [1, 2] // two\n}\n",
        "{ a = 1, long = [1, 2, 3], b = 2 }",
        "x = {\n  a    = 1 # one\n  long = [1, 2, 3] // two\n  b    = 2\n}\n",
    );
    check(
        "x = {\n  a = { b = { c = \"d\" } } # deep\n}\n",
        "{ a = { b = { c = \"e\" } } }",
        "x = {\n  a = { b = { c = \"e\" } } # deep\n}\n",
    );
}

#[test]
fn objects_in_lists() {
    let of = Type::List(Box::new(Type::Any));
    let before = "x = [\n  { name = \"a\", port = 1 }, # a\n  { name = \"b\", port = 2 }, # b\n]\n";
    check_as(
        &of,
        before,
        "[{ name = \"a\", port = 7 }, { name = \"b\", port = 2 }]",
        "x = [\n  { name = \"a\", port = 7 }, # a\n  { name = \"b\", port = 2 }, # b\n]\n",
    );
    check_as(
        &of,
        before,
        "[{ name = \"b\", port = 2 }, { name = \"c\", port = 3 }]",
        "x = [\n  { name = \"b\", port = 2 }, # b\n  { name = \"c\", port = 3 },\n]\n",
    );
}

#[test]
fn arguments_of_constructors() {
    let of = Type::Choice;
    check_as(&of, "x = selected([\"a\"]) # s\n", "selected([\"a\", \"b\"])", "x = selected([\"a\", \"b\"]) # s\n");
    check_as(
        &of,
        "x = selected(ips = [\"a\"], trusted_services = enabled)\n",
        "selected(ips = [\"a\"], trusted_services = disabled)",
        "x = selected(ips = [\"a\"], trusted_services = disabled)\n",
    );
    check_as(
        &of,
        "x = selected([\"a\"])\n",
        "selected([\"a\"], trusted_services = enabled)",
        "x = selected([\"a\"], trusted_services = enabled)\n",
    );
    check_as(
        &of,
        "x = selected([\"a\"], trusted_services = enabled)\n",
        "selected([\"a\"])",
        "x = selected([\"a\"])\n",
    );
    check_as(&of, "x = selected([\"a\"]) # s\n", "disabled", "x = disabled # s\n");
    check_as(&of, "x = disabled # s\n", "selected([\"a\"])", "x = selected([\"a\"]) # s\n");
}

#[test]
fn heredocs_stay_heredocs() {
    check(
        "x = <<-EOT\n    one\n      two\n  EOT\n",
        "\"one\\n  three ${x}\\n\\nfour\\n\"".replace("${", "$${").as_str(),
        "x = <<-EOT\n    one\n      three $${x}\n\n    four\n  EOT\n",
    );
    check("x = <<EOT\none\nEOT\n", "\"two\\n\"", "x = <<EOT\ntwo\nEOT\n");
    // What no heredoc says is a text in quotes.
    check("x = <<EOT\none\nEOT\n", "\"two\"", "x = \"two\"\n");
    check("x = <<EOT\none\nEOT\n", "\"EOT\\n\"", "x = \"EOT\\n\"\n");
}

#[test]
fn what_is_computed_is_refused() {
    for (before, why) in [
        ("x = true ? \"a\" : \"b\"\n", "it is computed"),
        ("x = 1 + 2\n", "it is computed"),
        ("x = \"a${1}\"\n", "it is a text that is put together"),
        ("x = concat([\"a\"], [\"b\"])\n", "it is computed"),
        ("x = [for y in [\"a\"] : y]\n", "it is computed"),
    ] {
        assert_eq!(changed(before, "\"z\"", &Type::Any).unwrap_err().why, why, "{before}");
    }
}

#[test]
fn items_go_with_their_lines() {
    let take = |text: &str, piece: &str, whole: bool| {
        let mut sources = SourceMap::new();
        let id = sources.add("a", text);
        let start = text.find(piece).unwrap();
        let span = akson_diagnostics::Span::new(id, start, start + piece.len());
        let edit = if whole { without(text, span) } else { cut(text, span) };
        apply(text, &[edit]).unwrap()
    };
    assert_eq!(take("a {\n  x = 1 # why\n  y = 2\n}\n", "x = 1", false), "a {\n  y = 2\n}\n");
    assert_eq!(take("a { x = 1 }\n", "x = 1", false), "a { }\n");
    assert_eq!(take("# one\na {\n}\n\nb {}\n", "a {\n}", true), "# one\nb {}\n");
    assert_eq!(take("a {}\n\n\nb {}\n", "a {}", true), "\nb {}\n");
    assert_eq!(take("b {}\n\na {}", "a {}", true), "b {}\n\n");
}

#[test]
fn edits_that_take_the_same_text_are_refused() {
    let mut sources = SourceMap::new();
    let id = sources.add("a", "abcdef");
    let edit =
        |start, end, text: &str| Edit { span: akson_diagnostics::Span::new(id, start, end), text: text.to_owned() };
    assert_eq!(apply("abcdef", &[edit(4, 5, "X"), edit(0, 1, "Y")]).unwrap(), "YbcdXf");
    assert_eq!(apply("abcdef", &[edit(1, 1, "X"), edit(1, 3, "")]).unwrap(), "aXdef");
    assert_eq!(apply("abcdef", &[edit(1, 3, ""), edit(2, 5, "")]).unwrap(), "af");
    assert_eq!(apply("abcdef", &[edit(1, 3, "x"), edit(1, 3, "x")]).unwrap(), "axdef");
    assert!(apply("abcdef", &[edit(1, 3, "x"), edit(2, 5, "y")]).is_err());
    assert!(apply("abcdef", &[edit(1, 3, "x"), edit(1, 3, "y")]).is_err());
}

/// How a random collection is laid out.
#[derive(Debug, Clone, Copy)]
struct Layout {
    lines: bool,
    trailing: bool,
    blanks: u8,
    comments: bool,
}

fn layouts() -> impl Strategy<Value = Layout> {
    (any::<bool>(), any::<bool>(), 0..3_u8, any::<bool>()).prop_map(|(lines, trailing, blanks, comments)| Layout {
        lines,
        trailing,
        blanks,
        comments,
    })
}

/// A collection as text; each part that has a comment says in it which part that is.
fn laid_out(parts: &[String], (open, close): (&str, &str), layout: Layout) -> String {
    if parts.is_empty() {
        return format!("{open}{close}");
    }
    let gap = " ".repeat(usize::from(layout.blanks));
    if !layout.lines {
        let trailing = if layout.trailing { "," } else { "" };
        return format!("{open}{gap}{}{trailing}{gap}{close}", parts.join(&format!(",{gap}")));
    }
    let mut out = format!("{open}\n");
    for (at, part) in parts.iter().enumerate() {
        let comma = if at + 1 < parts.len() || layout.trailing { "," } else { "" };
        let comment = if layout.comments { format!(" # of {part}") } else { String::new() };
        if layout.comments && at % 2 == 0 {
            out.push_str(&format!("{gap}// above {part}\n"));
        }
        out.push_str(&format!("  {gap}{part}{comma}{comment}\n"));
    }
    out.push_str(close);
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(600), failure_persistence: None, ..ProptestConfig::default() })]

    /// A list says what it is to say afterwards, and what stays keeps its comment.
    #[test]
    fn any_list_becomes_any_other(
        was in prop::collection::vec(0..9_u8, 0..6),
        now in prop::collection::vec(0..9_u8, 0..6),
        layout in layouts(),
        ordered in any::<bool>(),
        around in "[ \t]{0,3}",
    ) {
        let once = |items: &[u8]| {
            let mut seen = Vec::new();
            for item in items {
                if !seen.contains(item) {
                    seen.push(*item);
                }
            }
            seen
        };
        let (was, now) = (once(&was), once(&now));
        let texts = |items: &[u8]| items.iter().map(|item| format!("\"v{item}\"")).collect::<Vec<_>>();
        let before = format!("# head\n{around}x{around}={around}{}{around}# tail\n", laid_out(&texts(&was), ("[", "]"), layout));
        let of = if ordered { list() } else { set() };
        let after = changed(&before, &format!("[{}]", texts(&now).join(", ")), &of).unwrap();
        let mut sources = SourceMap::new();
        let id = sources.add("a", after.as_str());
        let Value::List(mut said) = value_of(&read(&sources, id)) else { panic!("a list") };
        let mut wanted: Vec<Value> = now.iter().map(|item| Value::Text(format!("v{item}"))).collect();
        if !ordered {
            let key = |value: &Value| value.as_text().unwrap_or_default().to_owned();
            said.sort_by_key(key);
            wanted.sort_by_key(key);
        }
        prop_assert_eq!(said, wanted);
        let (head, tail) = (format!("# head\n{around}x{around}={around}["), format!("]{around}# tail\n"));
        prop_assert!(after.starts_with(&head), "{}", after);
        prop_assert!(after.ends_with(&tail), "{}", after);
        if layout.lines && layout.comments && !ordered {
            for item in was.iter().filter(|item| now.contains(item)) {
                let comment = format!("# of \"v{item}\"\n");
                prop_assert_eq!(after.matches(&comment).count(), 1, "{}", after);
            }
        }
        if was == now {
            prop_assert_eq!(before, after);
        }
    }

    /// The same of objects.
    #[test]
    fn any_object_becomes_any_other(
        was in prop::collection::vec(0..4_u8, 5),
        now in prop::collection::vec(0..4_u8, 5),
        layout in layouts(),
        around in "[ \t]{0,3}",
    ) {
        const KEYS: [&str; 5] = ["a", "\"b c\"", "long_key", "d", "e"];
        // Zero is left out.
        let texts = |values: &[u8]| {
            KEYS.iter().zip(values).filter(|(_, value)| **value > 0).map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>()
        };
        let before = format!("# head\nx{around}= {}{around}# tail\n", laid_out(&texts(&was), ("{", "}"), layout));
        let wanted = format!("{{ {} }}", texts(&now).join(", "));
        let after = changed(&before, &wanted, &Type::Any).unwrap();
        let mut sources = SourceMap::new();
        let (id, other) = (sources.add("a", after.as_str()), sources.add("b", format!("x = {wanted}\n")));
        let (Value::Map(said), Value::Map(wanted)) = (value_of(&read(&sources, id)), value_of(&read(&sources, other))) else {
            panic!("objects")
        };
        prop_assert_eq!(&said, &wanted);
        let (head, tail) = (format!("# head\nx{around}= {{"), format!("}}{around}# tail\n"));
        prop_assert!(after.starts_with(&head) && after.ends_with(&tail), "{}", after);
        if layout.lines && layout.comments {
            for (key, (was, now)) in KEYS.iter().zip(was.iter().zip(&now)) {
                if *was > 0 && *now > 0 {
                    let comment = format!("# of {key} = {was}\n");
                    prop_assert_eq!(after.matches(&comment).count(), 1, "{}", after);
                }
            }
        }
        if was == now {
            prop_assert_eq!(before, after);
        }
    }
}
