//! `akson explain`: the page of a code, a kind or a function.

use akson_catalog::Catalog;
use akson_diagnostics::{Code, Diagnostic, codes, did_you_mean};

use crate::{arguments::Global, codes::NO_PAGE, exit::Exit, load::Loaded, output};

/// Prints the page.
pub(crate) fn run(global: &Global, topic: &str) -> Exit {
    let mut loaded = Loaded::empty();
    if loaded.diagnostics.has_errors() {
        return loaded.refuse(global);
    }
    let page = code(topic)
        .and_then(codes::page)
        .map(str::to_owned)
        .or_else(|| loaded.catalog.get(topic).map(|kind| akson_catalog::docs::explain(kind)))
        .or_else(|| {
            akson_config::functions().iter().find(|function| function.name == topic).map(akson_config::Function::page)
        })
        .or_else(|| list(topic, loaded.catalog));
    match page {
        Some(page) => {
            output::result(&page);
            Exit::Done
        }
        None => {
            let words: Vec<String> = codes::all()
                .map(|code| code.to_string())
                .chain(loaded.catalog.iter().map(|kind| kind.keyword.clone()))
                .chain(akson_config::functions().iter().map(|function| function.name.to_owned()))
                .collect();
            let mut diagnostic = Diagnostic::error(
                NO_PAGE,
                format!("there is no code, kind or function `{}`", crate::views::literal::safe(topic)),
            );
            diagnostic = match did_you_mean(topic, words.iter().map(String::as_str)) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => {
                    let kinds: Vec<&str> = loaded.catalog.iter().map(|kind| kind.keyword.as_str()).collect();
                    diagnostic.help(format!(
                        "kinds are {}; `akson explain functions` lists the functions; codes look like AKS0207",
                        kinds.join(", ")
                    ))
                }
            };
            loaded.refuse_with(diagnostic, global)
        }
    }
}

/// All functions, kinds or codes, a line each.
fn list(topic: &str, catalog: &Catalog) -> Option<String> {
    let (title, lines): (&str, Vec<(String, String)>) = match topic {
        "functions" => (
            "Functions",
            akson_config::functions().iter().map(|function| (function.signature(), function.docs.to_owned())).collect(),
        ),
        "kinds" => (
            "Kinds",
            catalog
                .iter()
                .map(|kind| (kind.keyword.clone(), kind.docs.lines().next().unwrap_or_default().to_owned()))
                .collect(),
        ),
        "codes" => (
            "Codes",
            codes::all()
                .map(|code| {
                    let title = codes::page(code).and_then(|page| page.lines().next()?.split_once(": "));
                    (code.to_string(), title.map_or_else(String::new, |(_, title)| title.to_owned()))
                })
                .collect(),
        ),
        _ => return None,
    };
    let mut text = format!("# {title}\n\n");
    for (name, docs) in lines {
        text.push_str(&format!("- `{name}`: {docs}\n"));
    }
    Some(text)
}

fn code(topic: &str) -> Option<Code> {
    let digits = topic.get(..3).filter(|prefix| prefix.eq_ignore_ascii_case("AKS")).and_then(|_| topic.get(3..))?;
    (digits.len() == 4).then(|| digits.parse().ok().map(Code)).flatten()
}
