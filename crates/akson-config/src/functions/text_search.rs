//! Functions that search in text. Patterns are those of the `regex` crate: linear time, no look-around.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::{
    Function, Shape,
    arguments::{Growing, text},
    parameter,
};
use crate::{
    fault::Fault,
    sink::limits,
    val::{Entries, Val},
};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure(
        "replace",
        &[parameter("text", Shape::Text), parameter("search", Shape::Text), parameter("replacement", Shape::Text)],
        Shape::Text,
        "The text with every occurrence replaced; a search of the form `/pattern/` is a regular expression, `$1` its first group.",
        ("replace(\"a.b.c\", \".\", \"-\")", "\"a-b-c\""),
        replace,
    ),
    Function::pure(
        "startswith",
        &[parameter("text", Shape::Text), parameter("prefix", Shape::Text)],
        Shape::Bool,
        "Whether a text begins with another.",
        ("startswith(\"https://x\", \"https://\")", "true"),
        |a| Ok(Val::Bool(text(a, 0)?.starts_with(text(a, 1)?))),
    ),
    Function::pure(
        "endswith",
        &[parameter("text", Shape::Text), parameter("suffix", Shape::Text)],
        Shape::Bool,
        "Whether a text ends with another.",
        ("endswith(\"a.aks\", \".aks\")", "true"),
        |a| Ok(Val::Bool(text(a, 0)?.ends_with(text(a, 1)?))),
    ),
    Function::pure(
        "strcontains",
        &[parameter("text", Shape::Text), parameter("part", Shape::Text)],
        Shape::Bool,
        "Whether a text contains another.",
        ("strcontains(\"repo:org/app\", \"org\")", "true"),
        |a| Ok(Val::Bool(text(a, 0)?.contains(text(a, 1)?))),
    ),
    Function::pure(
        "regex",
        &[parameter("pattern", Shape::Text), parameter("text", Shape::Text)],
        Shape::Any,
        "The first match of a pattern: text, or with groups a list of them, or with named groups a map. No match is an error; `regexall` gives a list.",
        ("regex(\"[0-9]+\", \"node12\")", "\"12\""),
        |a| {
            let pattern = compile(text(a, 0)?)?;
            let whole = text(a, 1)?;
            let found = pattern
                .captures(whole)
                .ok_or_else(|| Fault::Failed("the text has no match of the pattern".to_owned()))?;
            Ok(captured(&pattern, &found))
        },
    ),
    Function::pure(
        "regexall",
        &[parameter("pattern", Shape::Text), parameter("text", Shape::Text)],
        Shape::List,
        "Every match of a pattern, each as `regex` gives it.",
        ("regexall(\"[a-z]+\", \"ab1cd\")", "[\"ab\", \"cd\"]"),
        |a| {
            let pattern = compile(text(a, 0)?)?;
            let mut size = 0;
            let mut items = Vec::new();
            for found in pattern.captures_iter(text(a, 1)?) {
                let item = captured(&pattern, &found);
                size += item.traits().size;
                if size > 16 * limits::TEXT as u64 || items.len() >= limits::ELEMENTS {
                    return Err(Fault::TooLarge("there are too many matches"));
                }
                items.push(item);
            }
            Ok(Val::list(items))
        },
    ),
    Function::pure(
        "matches",
        &[parameter("pattern", Shape::Text), parameter("text", Shape::Text)],
        Shape::Bool,
        "Whether a text has a match of a pattern anywhere.",
        ("matches(\"^[a-z]+$\", \"dev\")", "true"),
        |a| Ok(Val::Bool(compile(text(a, 0)?)?.is_match(text(a, 1)?))),
    ),
];

/// A pattern within limits of size, so that none takes long to compile.
fn compile(pattern: &str) -> Result<Regex, Fault> {
    if pattern.len() > 4096 {
        return Err(Fault::Argument(0, "a pattern has at most 4096 bytes".to_owned()));
    }
    RegexBuilder::new(pattern).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(50).build().map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
        Fault::Argument(0, format!("this is no pattern: {reason}"))
    })
}

fn captured(pattern: &Regex, found: &regex::Captures<'_>) -> Val {
    let group = |at: usize| Val::text(found.get(at).map_or("", |group| group.as_str()));
    if found.len() == 1 {
        return group(0);
    }
    if pattern.capture_names().flatten().next().is_some() {
        let entries: Entries = pattern
            .capture_names()
            .enumerate()
            .filter_map(|(at, name)| name.map(|name| (Arc::from(name), group(at))))
            .collect();
        return Val::map(entries);
    }
    Val::list((1..found.len()).map(group).collect())
}

fn replace(a: &[Val]) -> Result<Val, Fault> {
    let (whole, search, replacement) = (text(a, 0)?, text(a, 1)?, text(a, 2)?);
    let mut made = Growing::default();
    if let Some(pattern) =
        search.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|pattern| !pattern.is_empty())
    {
        let pattern = compile(pattern).map_err(|fault| match fault {
            Fault::Argument(_, text) => Fault::Argument(1, text),
            other => other,
        })?;
        let mut from = 0;
        for found in pattern.captures_iter(whole) {
            let Some(span) = found.get(0) else { continue };
            made.push(whole.get(from..span.start()).unwrap_or(""))?;
            let mut expanded = String::new();
            found.expand(replacement, &mut expanded);
            made.push(&expanded)?;
            from = span.end();
        }
        made.push(whole.get(from..).unwrap_or(""))?;
        return Ok(made.finish());
    }
    if search.is_empty() {
        return Err(Fault::Argument(1, "there is nothing to search for".to_owned()));
    }
    for (at, part) in whole.split(search).enumerate() {
        if at > 0 {
            made.push(replacement)?;
        }
        made.push(part)?;
    }
    Ok(made.finish())
}
