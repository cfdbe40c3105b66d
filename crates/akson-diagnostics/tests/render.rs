//! Every format on the same diagnostics, as snapshots, and what must hold of all of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use akson_diagnostics::render::{Format, Options, json, render, summary};
use akson_diagnostics::{Code, Diagnostic, Diagnostics, SourceMap, Span};

const FORMATS: [Format; 6] =
    [Format::Human, Format::Concise, Format::Json, Format::Github, Format::Sarif, Format::Junit];

const MAIN: &str = "\
stack \"myapp\" {
  location = \"westeurope\"
}

vault \"app\" {
  name           = \"myapp-kv\"
  resource_group = resource_group.apps
  purge_protecton = enabled
}
";

const OTHER: &str = "# Größe: äöü\nresource_group \"app\" {\n  name = \"myapp-rg\"\n}\n";

/// The span of the `n`th place, from 0, where `text` stands in a source.
#[track_caller]
fn span(sources: &SourceMap, file: &str, text: &str) -> Span {
    let (id, source) = sources.iter().find(|(_, source)| source.name == file).unwrap();
    let at = source.text.find(text).unwrap();
    Span::new(id, at, at + text.len())
}

/// An error with labels in two files, one with an edit, a warning without a place, a note about several lines.
fn sample() -> (Diagnostics, SourceMap) {
    let mut sources = SourceMap::new();
    sources.add("main.aks", MAIN);
    sources.add("groups.aks", OTHER);
    let mut list = Diagnostics::new();
    list.push(
        Diagnostic::error(Code(7207), "there is no resource group `apps`")
            .on("vault.app")
            .at(span(&sources, "main.aks", "resource_group.apps"), "not declared")
            .also(span(&sources, "groups.aks", "resource_group \"app\""), "this one is called `app`")
            .note("a name belongs to one kind")
            .help("write `resource_group.app`"),
    );
    let misspelt = span(&sources, "main.aks", "purge_protecton");
    list.push(
        Diagnostic::error(Code(901), "`vault` has no attribute `purge_protecton`")
            .on("vault.app")
            .at(misspelt, "")
            .help("did you mean `purge_protection`?")
            .suggest(misspelt, "purge_protection", "did you mean `purge_protection`?"),
    );
    list.push(Diagnostic::warning(Code(7304), "100% of a, b: c < d").on("lock.keep").note("first\nsecond"));
    let block = span(&sources, "groups.aks", &OTHER[OTHER.find("resource_group").unwrap()..OTHER.len() - 1]);
    list.push(Diagnostic::note_only(Code(7305), "nothing uses this block").at(block, "all of it"));
    (list, sources)
}

fn rendered(format: Format) -> String {
    let (list, sources) = sample();
    render(&list, &sources, format, &Options { folder: "infra/ä b".into(), ..Options::default() })
}

#[test]
fn human() {
    insta::assert_snapshot!(rendered(Format::Human));
}

#[test]
fn human_in_colour() {
    let (list, sources) = sample();
    let text = render(&list, &sources, Format::Human, &Options { color: true, ..Options::default() });
    insta::assert_snapshot!(text.replace('\u{1b}', "ESC"));
}

#[test]
fn concise() {
    insta::assert_snapshot!(rendered(Format::Concise));
}

#[test]
fn json_document() {
    insta::assert_snapshot!(rendered(Format::Json));
}

#[test]
fn github() {
    insta::assert_snapshot!(rendered(Format::Github));
}

#[test]
fn sarif() {
    let text = rendered(Format::Sarif);
    let mut log: serde_json::Value = serde_json::from_str(&text).unwrap();
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap() {
        if rule["help"].is_object() {
            rule["help"] = "the page".into();
        }
    }
    log["runs"][0]["tool"]["driver"]["semanticVersion"] = "the version".into();
    insta::assert_snapshot!(format!("{log:#}"));
}

#[test]
fn junit() {
    insta::assert_snapshot!(rendered(Format::Junit));
}

#[test]
fn nothing_to_say() {
    let said = FORMATS.map(|format| render(&Diagnostics::new(), &SourceMap::new(), format, &Options::default()));
    assert_eq!([&said[0], &said[1], &said[3]], ["", "", ""]);
    insta::assert_snapshot!(format!("{}{}{}", said[2], said[4], said[5]));
}

#[test]
fn an_instance_is_named() {
    let mut sources = SourceMap::new();
    sources.add("main.aks", MAIN);
    let place = span(&sources, "main.aks", "\"myapp-kv\"");
    let list = Diagnostics::from(Diagnostic::error(Code(1), "taken").on("vault.app[\"eu\"]").at(place, "here"));
    let text = render(&list, &sources, Format::Human, &Options::default());
    assert!(text.contains("= note: this is about `vault.app[\"eu\"]`\n"), "{text}");
}

#[test]
fn counts_in_words() {
    #[track_caller]
    fn check(errors: usize, warnings: usize, notes: usize, expected: &str) {
        let mut list = Diagnostics::new();
        (0..errors).for_each(|_| list.push(Diagnostic::error(Code(1), "x")));
        (0..warnings).for_each(|_| list.push(Diagnostic::warning(Code(1), "x")));
        (0..notes).for_each(|_| list.push(Diagnostic::note_only(Code(1), "x")));
        assert_eq!(summary(&list), expected);
    }
    check(2, 1, 3, "2 errors, 1 warning");
    check(1, 0, 0, "1 error");
    check(0, 2, 0, "2 warnings");
    check(0, 0, 1, "1 note");
    check(0, 0, 0, "");
}

#[test]
fn beyond_the_limit_the_rest_is_counted_and_errors_stay() {
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", "x\n".repeat(80));
    let mut list = Diagnostics::new();
    for line in 0..80 {
        let place = Span::new(id, line * 2, line * 2 + 1);
        let message = format!("message {line}");
        let found =
            if line == 79 { Diagnostic::error(Code(2), message) } else { Diagnostic::warning(Code(1), message) };
        list.push(found.at(place, ""));
    }
    let text = render(&list, &sources, Format::Human, &Options::default());
    assert_eq!(text.matches("-->").count(), 50);
    assert!(text.starts_with("error[AKS0002]: message 79\n"), "{text}");
    assert!(text.ends_with("\nand 30 more, not shown\n1 error, 79 warnings\n"), "{text}");
}

/// Whatever a name, a file or an answer holds, no format lets it through to a terminal or lets it end a line early.
#[test]
fn nothing_unsafe_comes_out() {
    let evil = "a\u{1b}[31mb\u{7}\rc\u{202e}d\u{200b}e\u{9b}f\u{feff}g\u{e0041}h\u{2028}i";
    let mut sources = SourceMap::new();
    let id = sources.add(format!("{evil}.aks"), format!("x {evil} ##vso[x]\r\nnext\r\n"));
    let at = Span::new(id, 2, 2 + evil.len());
    let list =
        Diagnostics::from(Diagnostic::error(Code(901), evil).on(evil).at(at, evil).note(evil).help(evil).suggest(
            at,
            evil,
            format!("{evil}!"),
        ));
    for format in FORMATS {
        let text = render(&list, &sources, format, &Options::default());
        let bad: Vec<char> = text
            .chars()
            .filter(|c| (c.is_control() && *c != '\n') || "\u{202e}\u{200b}\u{feff}\u{e0041}\u{2028}".contains(*c))
            .collect();
        assert_eq!(bad, [], "{format:?}: {text:?}");
        assert!(!text.contains("##vso["), "{format:?}: {text:?}");
    }
    // JSON keeps the meaning all the same.
    let text = render(&list, &sources, Format::Json, &Options::default());
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["diagnostics"], json::value(&list, &sources));
    assert_eq!(value["diagnostics"][0]["message"], evil);
}

/// The mark stays under what it marks although the line is longer on the screen than in the file.
#[test]
fn marks_follow_what_is_made_safe() {
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", "\u{1b}a = \u{202e}b\r\nc\r\n");
    let place = Span::new(id, 8, 9);
    assert_eq!(sources.text(place), "b");
    let list = Diagnostics::from(Diagnostic::error(Code(1), "x").at(place, "here"));
    insta::assert_snapshot!(render(&list, &sources, Format::Human, &Options::default()));
}

/// Odd places are drawn, not refused: the end of a file, an empty file, past the end, inside of a character.
#[test]
fn odd_places() {
    #[track_caller]
    fn check(text: &str, start: usize, end: usize) {
        let mut sources = SourceMap::new();
        let id = sources.add("main.aks", text);
        let at = Span::new(id, start, end);
        let list = Diagnostics::from(Diagnostic::error(Code(1), "x").at(at, "here").suggest(at, "y", "try"));
        for format in FORMATS {
            let text = render(&list, &sources, format, &Options::default());
            assert!(text.contains("main.aks"), "{format:?}: {text}");
        }
    }
    check("", 0, 0);
    check("a", 1, 1);
    check("a\n", 2, 2);
    check("a", 5, 9);
    check("ä", 1, 1);
    check("ä\nö", 1, 4);
    check("\r\n\r\n", 1, 3);
    check(&"long ".repeat(100_000), 250_000, 250_004);
}

proptest::proptest! {
    /// No text and no place, however wrong, makes a format fail.
    #[test]
    fn any_text_and_place_can_be_drawn(
        text in "([ -~]|[äß日\u{1F600}\u{202e}\u{301}]|\t|\r|\n|##\\[){0,60}",
        places in proptest::collection::vec((0_usize..80, 0_usize..80), 1..5),
        words in ".{0,12}",
        width in 0_usize..200,
    ) {
        let mut sources = SourceMap::new();
        let one = sources.add("one.aks", text.as_str());
        let two = sources.add("two.aks", text.as_str());
        let mut diagnostic = Diagnostic::error(Code(1), words.as_str()).note(words.as_str());
        for (at, (start, end)) in places.into_iter().enumerate() {
            let span = Span::new(if at % 2 == 0 { one } else { two }, start, end);
            diagnostic = diagnostic.at(span, words.as_str()).suggest(span, words.as_str(), "try");
        }
        let list = Diagnostics::from(diagnostic);
        for format in FORMATS {
            for color in [false, true] {
                let options = Options { width, color, ..Options::default() };
                proptest::prop_assert!(!render(&list, &sources, format, &options).is_empty());
            }
        }
    }
}
