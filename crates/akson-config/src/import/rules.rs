//! What must not be said together: what Azure refuses when an author writes it and has all the same is Azure's own doing, and nobody
//! says it. Not the finding of such mistakes in a configuration: that is the evaluation's.

use akson_catalog::{Kind, Value, kind::Needs};

use super::read::Written;

/// Leaves out what breaks a rule of its kind.
pub(super) fn keep(kind: &Kind, written: &mut Vec<Written>) {
    for rule in &kind.rules {
        if rule.when.iter().all(|(path, word)| holds(kind, written, path, word)) {
            for path in broken(kind, written, rule) {
                let name = path.split('.').next().unwrap_or_default();
                if kind.attributes.get(name).is_some_and(|attribute| !attribute.required) {
                    remove(written, &path);
                }
            }
        }
    }
}

/// The paths that are not to be said.
fn broken(kind: &Kind, written: &[Written], rule: &Needs) -> Vec<String> {
    if !rule.one_of.is_empty() {
        // The first of them says it.
        return rule.one_of.iter().filter(|path| holds(kind, written, path, "*")).skip(1).cloned().collect();
    }
    let lacks = rule.needs.iter().any(|(path, word)| !holds(kind, written, path, word));
    rule.when.first().filter(|_| lacks).map(|(path, _)| path.clone()).into_iter().collect()
}

fn holds(kind: &Kind, written: &[Written], path: &str, word: &str) -> bool {
    let Some(said) = find(written, path) else {
        // What Azure does without a word is what the rule is about, too.
        let default = kind.attribute(path).and_then(|attribute| attribute.default.as_ref());
        return word == "!" || (word != "*" && default.is_some_and(|value| is(value, word)));
    };
    match (word, said) {
        ("*", Said::Value(Value::None)) | ("!", Said::Block | Said::Value(_)) => false,
        ("*", _) => true,
        (words, Said::Value(value)) => is(value, words),
        (_, Said::Block) => false,
    }
}

fn is(value: &Value, words: &str) -> bool {
    match value {
        Value::Text(word) | Value::Choice { name: word, .. } => words.split('|').any(|other| other == word),
        _ => false,
    }
}

enum Said<'w> {
    Block,
    Value(&'w Value),
}

/// What a path says: an attribute, one in a block, or an argument of a constructor.
fn find<'w>(written: &'w [Written], path: &str) -> Option<Said<'w>> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    match (written.iter().find(|written| written.name() == head)?, rest) {
        (Written::Value(_, value), None) => Some(Said::Value(value)),
        (Written::Value(_, Value::Choice { arguments, .. }), Some(argument)) => {
            arguments.get(argument).map(Said::Value)
        }
        (Written::Value(..), Some(_)) => None,
        (Written::Block(..), None) => Some(Said::Block),
        (Written::Block(.., body), Some(rest)) => find(body, rest),
    }
}

fn remove(written: &mut Vec<Written>, path: &str) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let Some(at) = written.iter().position(|written| written.name() == head) else { return };
    match (written.get_mut(at), rest) {
        (Some(Written::Value(_, Value::Choice { arguments, .. })), Some(argument)) => {
            arguments.shift_remove(argument);
        }
        (Some(Written::Block(.., body)), Some(rest)) => remove(body, rest),
        _ => drop(written.remove(at)),
    }
}
