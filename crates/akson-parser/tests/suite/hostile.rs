//! Texts made to hurt: each would take hours, all memory or the stack if reading were not linear and bounded.
//! They run on the stack that threads have if nobody asks for more. No times are asserted: what is not linear does not end.

use akson_diagnostics::{Diagnostics, SourceMap};

/// Reads and formats a text; how many errors it has.
#[track_caller]
fn errors(text: String) -> usize {
    let read = move || {
        let mut sources = SourceMap::new();
        let id = sources.add("main.aks", text);
        let mut diagnostics = Diagnostics::new();
        let file = akson_parser::parse(&sources, id, &mut diagnostics);
        drop(file);
        let _ = akson_parser::format(&sources, id);
        let mut of_expression = Diagnostics::new();
        let _ = akson_parser::parse_expression(&sources, id, &mut of_expression);
        diagnostics.iter().count()
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(read).unwrap().join().unwrap()
}

fn in_locals(value: &str) -> String {
    format!("locals {{\n  a = {value}\n}}\n")
}

const MANY: usize = 100_000;
const SOME: usize = 4_000;

#[test]
fn deep_brackets() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{ a = ", " }"),
        ("f(", ")"),
        ("\"${", "}\""),
        ("a[", "]"),
        ("[for x in ", " : x]"),
        ("a ? ", " : b"),
    ] {
        assert_eq!(errors(in_locals(&format!("{}a{}", open.repeat(MANY), close.repeat(MANY)))), 1, "{open}");
        assert_eq!(errors(in_locals(&open.repeat(MANY))), 1, "{open}");
        // as deep as is allowed
        let levels = 60;
        assert_eq!(errors(in_locals(&format!("{}a{}", open.repeat(levels), close.repeat(levels)))), 0, "{open}");
        let unclosed = errors(in_locals(&open.repeat(levels)));
        assert!((1..=2).contains(&unclosed), "{open}: {unclosed}");
    }
}

#[test]
fn deep_blocks() {
    assert_eq!(errors("a {\n".repeat(60) + &"}\n".repeat(60)), 0);
    assert_eq!(errors("  a {\n".repeat(MANY) + &"}\n".repeat(MANY)), 1);
    assert!(errors("a {\n".repeat(MANY)) > 0);
    assert!(errors("a {\n(\n".repeat(MANY)) > 0);
}

#[test]
fn long_chains() {
    for link in [" + 1", ".b", "[0]", " ? 1 : 2", ".f()", " && true", " == 1"] {
        assert_eq!(errors(in_locals(&format!("a{}", link.repeat(MANY)))), 1, "{link}");
        assert_eq!(errors(in_locals(&format!("a{}", link.repeat(250)))), 0, "{link}");
    }
    for sign in ["!", "-", "- "] {
        assert_eq!(errors(in_locals(&format!("{}1", sign.repeat(MANY)))), 1, "{sign}");
    }
}

#[test]
fn long_templates() {
    assert_eq!(errors(in_locals(&format!("\"{}\"", "${a}".repeat(SOME)))), 0);
    assert_eq!(errors(in_locals(&format!("\"{}{}\"", "%{if a}".repeat(SOME), "%{endif}".repeat(SOME)))), 1);
    assert_eq!(errors(in_locals(&format!("\"{}\"", "%{if a}b%{else}c%{endif}".repeat(SOME)))), 0);
    assert_eq!(errors(in_locals(&format!("\"{}\"", "\\x".repeat(500)))), 500);
}

#[test]
fn what_is_never_closed() {
    for bit in [
        "/*\na {\n",
        "\"",
        "\"\n",
        "<<A\n",
        "<<A\na {\n",
        "a = <<A\n",
        "${",
        "\"${",
        "\"${\n",
        "a {\n b = \"${\n",
        "{",
        "[\n",
        "(\n",
        "a {\n  b = (1]\n",
        ")",
        "}\n",
        "}",
        "(]",
        "a \"",
        "\\",
        "'",
        "@\n",
        "@",
        "a = <<-A\n${\n",
        "<",
        "#",
        "a = [1 2]\n",
        "a b\n",
        "[for ",
        "{for x in ",
        ",",
        "a {\n}\n}\n",
        "a =\n",
        "é",
        "\u{200b}",
        "\0",
    ] {
        let _ = errors(bit.repeat(SOME));
        let _ = errors(format!("a {{\n  b = {}\n}}\n", bit.repeat(SOME)));
        let _ = errors(format!("locals {{\n{}\n}}\n", bit.repeat(SOME)));
    }
    // markers that all differ
    let heredocs: String = (0..SOME).map(|n| format!("a {{\n  b = <<M{n}\n")).collect();
    assert!(errors(heredocs) > 0);
}

#[test]
fn many_of_everything() {
    assert_eq!(errors("a \"b\" {\n  c = \"d\"\n}\n\n".repeat(SOME)), 0);
    assert_eq!(errors(in_locals(&format!("[{}]", "1,".repeat(SOME)))), 0);
    assert_eq!(errors(format!("a {{\n{}}}\n", "b = 1\n".repeat(SOME))), 0);
    assert_eq!(errors(format!("a {{\n{}}}\n", "b = \n".repeat(SOME))), 1_001);
    assert_eq!(errors("\n".repeat(SOME)), 0);
    assert_eq!(errors(format!("# {}", "x".repeat(1 << 20))), 0);
    assert_eq!(errors(in_locals(&format!("\"{}\"", "x".repeat(1 << 20)))), 0);
}

#[test]
fn too_large() {
    assert_eq!(errors(" ".repeat(akson_parser::limits::MAX_BYTES)), 0);
    assert_eq!(errors(" ".repeat(akson_parser::limits::MAX_BYTES + 1)), 1);
}
