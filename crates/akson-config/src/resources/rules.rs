//! What attributes need of each other, as the kind file says: an error at the attribute that needs the other. Only what is known is
//! judged: a value that comes after apply breaks no rule.

use akson_catalog::{Value, kind::Needs};
use akson_diagnostics::{Code, Diagnostic, Span};

use super::Instance;
use crate::{eval::Evaluator, val::Val};

impl Evaluator<'_> {
    /// Checks the rules of an instance's kind.
    pub(super) fn rules(&mut self, at: usize) {
        let Some(instance) = self.instances.get(at).filter(|instance| !instance.existing) else { return };
        let mut found = Vec::new();
        for rule in &instance.kind.rules {
            let when = rule.when.iter().all(|(path, word)| holds(instance, path, word) == Some(true));
            if !when {
                continue;
            }
            let span = rule.when.first().and_then(|(path, _)| place(instance, path)).unwrap_or(instance.header);
            if let Broken::At(also) = broken(instance, rule) {
                let mut diagnostic = Diagnostic::error(Code(rule.code), rule.says.clone()).at(span, "");
                if let Some(also) = also.filter(|also| *also != span) {
                    diagnostic = diagnostic.also(also, "and this");
                }
                found.push(diagnostic.note(rule.why.clone()).help(rule.help.clone()));
            }
        }
        for diagnostic in found {
            self.sink.report(diagnostic);
        }
    }
}

/// Whether a rule that matters is broken.
enum Broken {
    No,
    /// By what stands there, if it is written.
    At(Option<Span>),
}

fn broken(instance: &Instance, rule: &Needs) -> Broken {
    if !rule.one_of.is_empty() {
        let written: Vec<&String> =
            rule.one_of.iter().filter(|path| holds(instance, path, "*") != Some(false)).collect();
        return match written.as_slice() {
            [_] => Broken::No,
            [_, second, ..] => Broken::At(place(instance, second)),
            [] => Broken::At(None),
        };
    }
    let lacking = rule.needs.iter().find(|(path, word)| holds(instance, path, word) == Some(false));
    lacking.map_or(Broken::No, |(path, _)| Broken::At(place(instance, path)))
}

/// Whether an attribute is what the word says; none if that is not known.
fn holds(instance: &Instance, path: &str, word: &str) -> Option<bool> {
    let value = find(instance, path);
    match (word, &value) {
        ("*", Found::Nothing) => Some(false),
        ("*", Found::Value(value)) => (!value.traits().poison).then(|| !matches!(value.plain(), Val::None)),
        ("!", found) => holds(instance, path, "*").map(|there| !there).or(match found {
            Found::Nothing => Some(true),
            Found::Value(_) => None,
        }),
        (_, Found::Nothing) => Some(false),
        (words, Found::Value(value)) => match value.plain() {
            Val::Text(text) => Some(words.split('|').any(|word| **text == *word)),
            Val::Choice(choice) => Some(words.split('|').any(|word| *choice.name == *word)),
            Val::Default => match instance.kind.attribute(path).and_then(|attribute| attribute.default.as_ref()) {
                Some(Value::Text(name) | Value::Choice { name, .. }) => Some(words.split('|').any(|word| name == word)),
                _ => None,
            },
            Val::Unknown(_) | Val::Poison => None,
            _ => Some(false),
        },
    }
}

/// What a path says, with its place.
pub(super) fn inherited(instance: &Instance, path: &str) -> Option<(Val, Span)> {
    match find(instance, path) {
        Found::Value(value) if !matches!(value.plain(), Val::None | Val::Default) => {
            Some((value.clone(), place(instance, path)?))
        }
        _ => None,
    }
}

enum Found<'i> {
    Nothing,
    Value(&'i Val),
}

/// The value of a path: an attribute, one in a nested block, or an argument of a constructor.
fn find<'i>(instance: &'i Instance, path: &str) -> Found<'i> {
    if let Some((value, _)) = instance.value(path) {
        return Found::Value(value);
    }
    if let Some((head, argument)) = path.rsplit_once('.')
        && let Some((value, _)) = instance.value(head)
        && let Val::Choice(choice) = value.plain()
        && let Some(value) =
            choice.arguments.iter().find(|(name, _)| name.as_ref() as &str == argument).map(|(_, value)| value)
    {
        return Found::Value(value);
    }
    Found::Nothing
}

fn place(instance: &Instance, path: &str) -> Option<Span> {
    let own = instance.value(path).map(|(_, span)| span);
    own.or_else(|| path.rsplit_once('.').and_then(|(head, _)| instance.value(head)).map(|(_, span)| span))
}
