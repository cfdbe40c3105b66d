//! What holds for every text: reading never panics, one mistake is one error, the formatter keeps the tree.

use akson_diagnostics::{Diagnostics, SourceMap};
use akson_parser::ast::{ExprKind, File, TemplatePart};
use akson_parser::outline::outline;
use proptest::prelude::*;

use crate::generate;

fn read(text: &str) -> (File, SourceMap, Diagnostics) {
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", text);
    let mut diagnostics = Diagnostics::new();
    let file = akson_parser::parse(&sources, id, &mut diagnostics);
    (file, sources, diagnostics)
}

fn formatted(text: &str) -> Result<String, Diagnostics> {
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", text);
    akson_parser::format(&sources, id)
}

/// Holds for any text: places lie in it, and nothing is only "unreadable".
fn read_any(text: &str) -> Result<(), TestCaseError> {
    let (_, sources, diagnostics) = read(text);
    for diagnostic in &diagnostics {
        prop_assert_ne!(&diagnostic.message, "this cannot be read");
        for label in &diagnostic.labels {
            prop_assert!(label.span.end as usize <= text.len());
            prop_assert!(text.is_char_boundary(label.span.start as usize));
            prop_assert!(text.is_char_boundary(label.span.end as usize));
        }
        let _ = sources.text(diagnostic.primary().unwrap());
    }
    let mut sources = SourceMap::new();
    let id = sources.add("value", text);
    let mut diagnostics = Diagnostics::new();
    let expr = akson_parser::parse_expression(&sources, id, &mut diagnostics);
    prop_assert_eq!(expr.is_none(), diagnostics.has_errors());
    if let Ok(once) = formatted(text) {
        let again = formatted(&once);
        prop_assert_eq!(again.as_ref(), Ok(&once), "{}", text);
    }
    Ok(())
}

/// Bits of the language in any order.
fn soup() -> impl Strategy<Value = String> {
    let bits = [
        "a",
        "for",
        "in",
        "if",
        "default",
        "1",
        "2m",
        "\"s\"",
        "\"",
        "${",
        "%{",
        "}",
        "{",
        "(",
        ")",
        "[",
        "]",
        "=",
        "==",
        "=>",
        ":",
        "?",
        ",",
        ".",
        "...",
        "+",
        "-",
        "!",
        "&",
        "&&",
        "<",
        "<<EOT\n",
        "<<-EOT\n",
        "\nEOT\n",
        "EOT",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "  ",
        "# c\n",
        "//",
        "/*",
        "*/",
        "~",
        "~}",
        "$${",
        "%%{",
        "\\",
        "\\n",
        "'",
        "é",
        "\u{200b}",
        "\0",
        "\u{feff}",
        "\nvault \"x\" {\n",
        "\n}\n",
        "name = ",
        "endif",
        "else",
        "%{ if x }",
        "%{ endif }",
        "@",
        ";",
    ];
    prop::collection::vec(prop::sample::select(bits.to_vec()), 0..60).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        read_any(&text)?;
    }

    #[test]
    fn any_soup_is_read(text in soup()) {
        read_any(&text)?;
    }

    #[test]
    fn any_bytes_are_decoded(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
        let decoded = akson_parser::decode("main.aks", &bytes);
        prop_assert_eq!(decoded.is_ok(), std::str::from_utf8(&bytes).is_ok());
    }

    #[test]
    fn a_text_that_is_quoted_is_read_back(text in prop_oneof![any::<String>(), soup(), "[\\PC\r\n\t\u{202e}$%{}~\"]{0,20}"]) {
        let mut sources = SourceMap::new();
        let id = sources.add("value", akson_parser::quote(&text));
        let mut diagnostics = Diagnostics::new();
        let expr = akson_parser::parse_expression(&sources, id, &mut diagnostics);
        prop_assert!(!diagnostics.has_errors(), "{:?}\n{:?}", sources.get(id).text, diagnostics);
        let parts = match expr.unwrap().kind {
            ExprKind::Template(parts) => parts,
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        let read: String = parts
            .iter()
            .map(|part| match part {
                TemplatePart::Literal(text) => text.as_str(),
                _ => "no text",
            })
            .collect();
        prop_assert_eq!(read, text);
    }

    #[test]
    fn a_damaged_file_is_read(choices in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), bit in soup()) {
        let mut text = generate::file(&choices);
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let place = boundaries[at.index(boundaries.len())];
        text.insert_str(place, &bit);
        read_any(&text)?;
    }

    #[test]
    fn the_formatter_keeps_the_tree(choices in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = generate::file(&choices);
        let (file, _, diagnostics) = read(&text);
        prop_assert!(!diagnostics.has_errors(), "{text}\n{diagnostics:?}");
        let once = formatted(&text).unwrap_or_default();
        let (again, _, diagnostics) = read(&once);
        prop_assert!(!diagnostics.has_errors(), "{text}\n{once}\n{diagnostics:?}");
        prop_assert_eq!(outline(&again), outline(&file), "{}\n{}", text, once);
        prop_assert_eq!(formatted(&once), Ok(once.clone()), "{}", text);
        for comment in (1..).map(|n| format!("c{n} ")).take_while(|comment| text.contains(comment.as_str())) {
            let shown = comment.trim_end();
            prop_assert_eq!(once.matches(shown).count() >= 1, true, "{} is lost:\n{}", comment, once);
        }
        prop_assert!(once.is_empty() || once.ends_with('\n'));
        let raw = ["EOT", "/*", "${", "%{"].iter().any(|raw| text.contains(raw));
        prop_assert!(raw || !once.contains("\n\n\n"), "blank lines in:\n{}", once);
    }

    #[test]
    fn one_mistake_is_one_error(choices in prop::collection::vec(any::<u8>(), 0..200), line in 0_usize..6) {
        let mistakes = ["a =", "a: 1", "= 2", "a = [1 2]", "a = )", "a = \"open"];
        let sound = generate::file(&choices);
        let (file, _, _) = read(&sound);
        let text = format!("{sound}\nbroken \"x\" {{\n  {}\n}}\n\nlast \"y\" {{\n}}\n", mistakes[line]);
        let (read, _, diagnostics) = read(&text);
        prop_assert_eq!(diagnostics.iter().count(), 1, "{}\n{:?}", text, diagnostics);
        prop_assert_eq!(read.blocks.len(), file.blocks.len() + 1);
        prop_assert_eq!(read.broken.len(), 1);
    }
}
