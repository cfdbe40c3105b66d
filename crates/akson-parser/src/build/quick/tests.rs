//! The short way and the grammar come to the same tree, and where the grammar finds a mistake there is no short way.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests read the corpora and may fail")]

use std::path::Path;

use akson_diagnostics::SourceMap;
use pest::Parser as _;
use proptest::prelude::*;

use crate::build::Builder;
use crate::grammar::{Grammar, Rule};
use crate::report::Report;
use crate::{ast::Item, regions};

#[path = "../../../tests/suite/generate.rs"]
mod generate;

/// Reads every region of a text both ways. How many were read the short way, and how many could have been.
fn both(text: &str) -> (usize, usize) {
    let id = SourceMap::new().add("main.aks", "");
    let (mut short, mut sound) = (0, 0);
    for region in regions::cut(text, id) {
        if !region.faults.is_empty() {
            continue;
        }
        let Some(part) = region.readable(text) else { continue };
        let quick = super::items(&part, region.start, id);
        let mut report = Report::default();
        let pairs = Grammar::parse(Rule::file, &part).map(|mut pairs| pairs.next());
        let mut items: Vec<(Item, bool)> = Vec::new();
        if let Ok(Some(pair)) = pairs {
            items = Builder { text: &part, base: region.start, source: id, report: &mut report }.items(pair);
        }
        let right = report.count() == 0 && items.iter().all(|(_, sound)| *sound);
        sound += usize::from(right);
        let Some(quick) = quick else { continue };
        short += 1;
        assert!(right, "the grammar refuses it:\n{part}");
        let items: Vec<Item> = items.into_iter().map(|(item, _)| item).collect();
        assert_eq!(format!("{quick:#?}"), format!("{items:#?}"), "{part}");
    }
    (short, sound)
}

#[test]
fn files_of_the_corpora_become_the_same() {
    let (mut short, mut sound) = (0, 0);
    for folder in [
        "tests/corpus/ok",
        "tests/corpus/err",
        "tests/corpus/format",
        "../akson-config/tests/corpus",
        "../akson-config/tests/corpus/bad",
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let (one, other) = both(&text);
            short += one;
            sound += other;
        }
    }
    assert!(short * 20 >= sound * 19 && short > 300, "{short} of {sound} are read the short way");
}

#[test]
fn pieces_become_the_same() {
    for piece in [
        "a = 1",
        "a = -1",
        "a = !b",
        "a = - -1",
        "a = 1.5e3",
        "a = 1e",
        "a = 1.a",
        "a = b.c.d(1)[2]",
        "a = b (1)",
        "a = true(1)",
        "a = [for]",
        "a = [for, a]",
        "a = [for x in y : x]",
        "a = [for x in y : x if z]",
        "a = { for k, v in m : k => v... if k }",
        "a = { for = 1 }",
        "a = { in = 1, if = 2 }",
        "a = {a=1\nb=2,\n\n c=3}",
        "a = { a = 1 b = 2 }",
        "a = x ? y : z ? u : v",
        "a = [1,,2]",
        "a = [,]",
        "a = f(a = 1, b)",
        "a = f(a == 1)",
        "a = f(\n1,\n)",
        "a = \"\"",
        "a = \"$${x} %%{y}\"",
        "a = \"$$${x}\"",
        "a = \"$\"",
        "a = \"${~ x ~}\"",
        "a = \"${~}\"",
        "a = \"%{ if x }y%{ else }z%{ endif }\"",
        "a = \"%{ endif }\"",
        "a = \"\\u00e9\\U0001F600\\n\"",
        "a = \"\\u12\"",
        "a = \"\\ud800\"",
        "a = <<EOT\nx\nEOT",
        "a = <<-EOT\n    x\n      ${y}\n    EOT",
        "a = <<-EOT\r\n  x\r\n  EOT\r\n",
        "a = <<EOT\n  EOT x\nEOT",
        "a = <<A\n${<<B\nb\nB\n}\nA",
        "a {}",
        "a { b = 1 }",
        "a { b = 1\n}",
        "a {\n b = 1 }",
        "a {\n b = 1\n}",
        "a { b {} }",
        "a { b = 1 c = 2 }",
        "a {\n b = 1 c = 2\n}",
        "existing a \"b\" {}",
        "existing existing \"b\" {}",
        "exist a \"b\" {}",
        "a \"${b}\" {}",
        "stack \"${b}\" {}",
        "a b {}",
        "a \"b\" c {}",
        "a = 1 # c\nb = 2 // d\n/* e */ c = 3",
        "a = 1 b = 2",
        "a = 1 /* \n */ b = 2",
        "a = (\n1 +\n2\n)",
        "a = 1 +\n2",
        "a = 1\n+ 2",
        "a == 1",
        "a = = 1",
        "a = b => c",
        "a = b < c << d",
        "a = b / c",
        "a = b % c",
        "a.b = 1",
        "a = [1\n, 2]",
        "a = b[\n0\n]",
        "a = b\n[0]",
        "a = b\n.c",
        "a = (b\n.c)",
        "a = b .c",
        "a = b. c",
        "a = 1 ... 2",
        "\u{feff}a = 1",
        "a = \"b\r\n\"",
        "a\r= 1",
        "a = none",
        "a { //* b\nc = 1\n}",
        "a { #/* b\nc = 1\n}",
        "a { /* // */ c = 1 }",
        "a { /* b\n*/ c = 1 }",
        "a { c = 1 / 2 } //* d",
    ] {
        both(piece);
        both(&format!("x {{\n{piece}\n}}\n"));
        both(&format!("x = (\n{piece}\n)\n"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1_500), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn made_up_files_become_the_same(choices in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = generate::file(&choices);
        let (short, sound) = both(&text);
        // What it gives up for must be rare: calls of keywords and computed labels.
        prop_assert!(short == sound || ["true", "none", "default", "stack \""].iter().any(|rare| text.contains(rare)), "{}", text);
    }

    #[test]
    fn damaged_files_become_the_same(choices in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), bit in "[-a-z0-9{}()\\[\\]\"$%~=<>!?:,.# \n\\\\/*]{1,4}") {
        let mut text = generate::file(&choices);
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        text.insert_str(boundaries[at.index(boundaries.len())], &bit);
        both(&text);
    }
}
