//! Broken kind files: each mistake is one diagnostic whose primary label points at it.

use akson_catalog::{
    Catalog,
    kind::{KindSource, embedded::KINDS},
};
use akson_diagnostics::{Diagnostics, SourceMap};

fn text_of(name: &str) -> &'static str {
    KINDS.iter().find(|kind| kind.name == name).unwrap().text
}

/// Changes a kind file and says what comes of it: `CODE LINE "TEXT UNDER THE PRIMARY LABEL" MESSAGE`.
fn load(name: &'static str, text: String) -> Vec<String> {
    let text: &'static str = Box::leak(text.into_boxed_str());
    let mut files: Vec<KindSource> = KINDS.iter().copied().filter(|kind| kind.name != name).collect();
    files.push(KindSource { name, text });
    let (mut sources, mut diagnostics) = (SourceMap::new(), Diagnostics::new());
    let catalog = Catalog::load(&files, &mut sources, &mut diagnostics);
    assert_eq!(
        catalog.iter().count(),
        if diagnostics.is_empty() { files.len() } else { files.len() - 1 },
        "a broken file yields no kind, the others do"
    );
    diagnostics
        .iter()
        .map(|diagnostic| {
            let span = diagnostic.primary().unwrap();
            assert_eq!(sources.get(span.source).name, format!("kinds/{name}"));
            let place = sources.text(span);
            let place = if place.starts_with("'''") { "EXAMPLE".to_owned() } else { format!("{place:?}") };
            format!("{} {place} {}", diagnostic.code, diagnostic.message)
        })
        .collect()
}

#[track_caller]
fn check(from: &str, to: &str, wanted: &[&str]) {
    let text = text_of("lock.toml");
    assert!(text.contains(from), "{from}");
    assert_eq!(load("lock.toml", text.replacen(from, to, 1)), wanted, "{from} -> {to}");
}

#[test]
fn the_file_as_a_whole() {
    check("seconds = 1.0", "seconds = ", &[r#"AKS0290 "" the kind file is no TOML"#]);
    check(
        "seconds = 1.0",
        "second = 1.0",
        &[r#"AKS0292 "keyword = \"lock\"" `seconds` is missing"#, r#"AKS0291 "second" unknown key `second`"#],
    );
    check("seconds = 1.0", "seconds = \"1\"", &[r#"AKS0293 "\"1\"" `seconds` must be a number"#]);
    check("seconds = 1.0", "seconds = 0", &[r#"AKS0293 "0" `seconds` must be more than 0"#]);
    check("lock \"app\" {", "lock \"app\"", &["AKS0299 EXAMPLE braces of the example do not close"]);
    check("lock \"app\" {", "bolt \"app\" {", &["AKS0299 EXAMPLE the example has no `lock` block"]);
    check(
        "keyword = \"lock\"",
        "keyword = \"bolt\"",
        &[r#"AKS0293 "\"bolt\"" the file of `bolt` is not called `bolt.toml`"#],
    );
    check("title = \"Management lock\"\n", "", &[r#"AKS0292 "keyword = \"lock\"" `title` is missing"#]);
    check("write = \"replace\"", "write = \"replaces\"", &[r#"AKS0293 "\"replaces\"" `replaces` is no `write`"#]);
    check("quirks = [\"blocks\"]", "quirks = [\"block\"]", &[r#"AKS0293 "\"block\"" `block` is no `quirk`"#]);
    check(
        "quirks = [\"blocks\"]",
        "quirks = \"blocks\"",
        &[r#"AKS0293 "\"blocks\"" `quirks` must be a list of texts"#],
    );
    check(
        "marker = { text = \"/properties/notes\" }",
        "marker = \"tag\"",
        &[r#"AKS0297 "\"lock\"" `lock` is marked by a tag and has no tags"#],
    );
    check("marker = { text = \"/properties/notes\" }", "", &[r#"AKS0292 "keyword = \"lock\"" `marker` is missing"#]);
    check(
        "text = \"/properties/notes\"",
        "text = \"/properties/note\"",
        &[r#"AKS0297 "\"lock\"" no attribute stands at the marker's place `/properties/note`"#],
    );
}

#[test]
fn templates_and_names() {
    check(
        "id = \"{on}/",
        "id = \"{scope}/",
        &[
            r#"AKS0296 "\"{scope}/providers/Microsoft.Authorization/locks/{name}\"" the id names `scope`, which is no part of an id"#,
        ],
    );
    check(
        "id = \"{on}/",
        "id = \"/subscriptions/{subscription}/",
        &[r#"AKS0296 "on" `on` is a part of the id, which does not name it"#],
    );
    check("parent = \"on\"", "parent = \"in\"", &[r#"AKS0298 "\"in\"" there is no attribute `in`"#]);
    check(
        "parent = \"on\"",
        "parent = \"on\"\nconflict_domain = \"levl\"",
        &[r#"AKS0298 "\"levl\"" there is no attribute `levl`"#],
    );
    check(
        "parent = \"on\"",
        "parent = \"on\"\nname_from = [\"nots\"]",
        &[r#"AKS0298 "[\"nots\"]" there is no attribute `nots`"#],
    );
    check(
        "scope = \"subscription\"",
        "scope = \"parent\"",
        &[
            r#"AKS0296 "\"/subscriptions/{subscription}/providers/Microsoft.Authorization/locks\"" the list call does not name `parent`"#,
        ],
    );
    check("type = \"resource(*)\"", "type = \"resource(valt)\"", &[r#"AKS0298 "on" there is no kind `valt`"#]);
    check(
        "role = \"name\"\nrequired = true",
        "role = \"name\"",
        &[r#"AKS0297 "name" `name` may be left out and nothing says what it is then"#],
    );
}

#[test]
fn attributes() {
    check("type = \"enum\"", "type = \"enumm\"", &[r#"AKS0294 "\"enumm\"" `enumm` is no type"#]);
    check(
        "values = { cannot_delete = \"CanNotDelete\", read_only = \"ReadOnly\" }\n",
        "",
        &[r#"AKS0294 "\"enum\"" `enum` is no type"#],
    );
    check("pointer = \"/properties/level\"", "", &[r#"AKS0297 "\"enum\"" `level` has no place in the body"#]);
    check(
        "pointer = \"/properties/level\"",
        "pointer = \"properties/level\"",
        &[r#"AKS0293 "\"properties/level\"" `properties/level` is no JSON pointer"#],
    );
    check(
        "pointer = \"/properties/level\"",
        "pointer = \"/properties/notes\"",
        &[r#"AKS0297 "notes" `level` and `notes` stand at one place of the body"#],
    );
    check("pattern = '^(?s:.*)$'", "pattern = '^(?s:.*$'", &[r#"AKS0295 "'^(?s:.*$'" the pattern cannot be read"#]);
    check("pattern = '^(?s:.*)$'", "pattern = '.*'", &[r#"AKS0295 "'.*'" the pattern is not anchored"#]);
    check("pattern = '^(?s:.*)$'\n", "", &[r#"AKS0295 "notes" `words` and `length` belong to a `pattern`"#]);
    check(
        "length = [0, 400]",
        "length = [400, 0]",
        &[r#"AKS0293 "[400, 0]" `length` must be two whole numbers, the smaller one first"#],
    );
    check(
        "wrap_items = \"applicationId\"",
        "wrap_item = \"applicationId\"",
        &[r#"AKS0291 "wrap_item" unknown key `wrap_item`"#],
    );
    check("removable = true", "removable = \"yes\"", &[r#"AKS0293 "\"yes\"" `removable` must be true or false"#]);
    check(
        "reason = \"The name is a part of the lock's id.\"\n",
        "",
        &[r#"AKS0297 "\"replace\"" `name` says what a change does and not why"#],
    );
    check(
        "required = true\npointer = \"/properties/level\"",
        "on_create = \"delete\"\npointer = \"/properties/level\"",
        &[r#"AKS0293 "\"delete\"" `level` cannot be this"#],
    );
    check("docs = \"Its ARM id.\"\n", "", &[r#"AKS0292 "id" `docs` is missing"#]);
}

#[test]
fn a_keyword_twice() {
    let text = text_of("lock.toml");
    let files = [KindSource { name: "lock.toml", text }, KindSource { name: "lock.toml", text }];
    let (mut sources, mut diagnostics) = (SourceMap::new(), Diagnostics::new());
    let catalog = Catalog::load(&files, &mut sources, &mut diagnostics);
    assert_eq!(catalog.iter().count(), 1);
    assert_eq!(
        diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect::<Vec<_>>(),
        ["two kinds have the keyword `lock`"]
    );
}

#[test]
fn nonsense_never_panics() {
    for text in [
        "",
        "\0",
        "[[[",
        "a = 1\na = 2",
        "keyword = 1",
        "attributes = 3",
        "[attributes]\nx = 1",
        "lists = [1]",
        "marker = 7",
        "[attributes.x.fields.y]\ntype = 'choice'",
    ] {
        let found = load("lock.toml", text.to_owned());
        assert!(!found.is_empty(), "{text}");
    }
}

#[test]
fn rules_and_what_belongs_together() {
    let rule = |text: &str| format!("seconds = 1.0\n\n[[rules]]\n{text}");
    let good = "code = 255\nneeds = { level = \"read_only\" }\nsays = \"a\"\nwhy = \"b\"\nhelp = \"c\"\n";
    let moved = text_of("lock.toml").replacen("quirks = [\"blocks\"]\n", "", 1);
    let with = |text: &str| load("lock.toml", moved.replacen("seconds = 1.0", &rule(text), 1));
    assert_eq!(with(good), Vec::<String>::new());
    let without = with(&good.replacen("needs = { level = \"read_only\" }\n", "", 1));
    assert!(without[0].contains("a rule has either `needs` or `one_of`"), "{without:?}");
    let code = with(&good.replacen("255", "2.5", 1));
    assert!(code[0].contains("`code` is no number of a diagnostic"), "{code:?}");
    let word = with(&good.replacen("\"read_only\"", "1", 1));
    assert!(word[0].contains("`level` must be a word"), "{word:?}");

    check(
        "[attributes.level]",
        "[attributes.level]\ntakes = \"object_id\"",
        &[r#"AKS0297 "\"object_id\"" `level` takes an output and refers to nothing"#],
    );
    check(
        "[attributes.level]",
        "[attributes.level]\nkeyed = \"name\"",
        &[r#"AKS0297 "\"name\"" `level` has labels and is no list of objects"#],
    );
}

#[test]
fn a_severity_that_there_is_not() {
    check("severity = \"high\"", "severity = \"awful\"", &[r#"AKS0293 "\"awful\"" `awful` is no `severity`"#]);
    check("severity = \"low\"", "severity = \"lowest\"", &[r#"AKS0293 "\"lowest\"" `lowest` is no `severity`"#]);
}
