//! What a kind file says beyond its own attributes: blocks in it that are resources of their own, and what its attributes need of
//! each other. Whether a configuration keeps to it is the configuration's.

use akson_diagnostics::{Diagnostic, Diagnostics, Span};
use indexmap::IndexMap;

use super::view::{INCONSISTENT, View, WRONG_VALUE};
use crate::kind::{First, Gives, Needs, Nested};

/// `[blocks.NAME]`.
pub(super) fn blocks(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> IndexMap<String, Nested> {
    let mut blocks = IndexMap::new();
    for (name, mut block) in view.tables("blocks", diagnostics) {
        let kind = block.required_text("kind", diagnostics);
        let first = block.table("first").and_then(|mut table| {
            let attribute = table.required_text("attribute", diagnostics);
            let is = table.required_text("is", diagnostics);
            let place = table.required_text("place", diagnostics);
            table.finish(diagnostics);
            Some(First { attribute: attribute?.value, is: is?.value, place: place?.value })
        });
        let inherits = words(&mut block, "inherits", diagnostics).into_iter().collect();
        block.finish(diagnostics);
        if let Some(kind) = kind {
            blocks.insert(name.value, Nested { kind: kind.value, first, inherits });
        }
    }
    blocks
}

/// `[[gives]]`, each with its place.
pub(super) fn gives(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Vec<(Gives, Span)> {
    let mut all = Vec::new();
    for mut table in view.table_list("gives", diagnostics) {
        let who = table.required_text("who", diagnostics);
        let can = table.required_text("can", diagnostics);
        let on = table.required_text("on", diagnostics);
        let when = words(&mut table, "when", diagnostics).into_iter().next();
        let span = table.span;
        table.finish(diagnostics);
        if let (Some(who), Some(can), Some(on)) = (who, can, on) {
            all.push((Gives { who: who.value, can: can.value, on: on.value, when }, span));
        }
    }
    all
}

/// `[[rules]]`.
pub(super) fn rules(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Vec<Needs> {
    let mut rules = Vec::new();
    for mut rule in view.table_list("rules", diagnostics) {
        let code = rule.number("code", diagnostics);
        if !rule.has("code") {
            rule.missing("code", diagnostics);
        }
        let when = words(&mut rule, "when", diagnostics);
        let needs = words(&mut rule, "needs", diagnostics);
        let one_of: Vec<String> = rule.texts("one_of", diagnostics).into_iter().map(|name| name.value).collect();
        let says = rule.required_text("says", diagnostics);
        let why = rule.required_text("why", diagnostics);
        let help = rule.required_text("help", diagnostics);
        if needs.is_empty() == one_of.is_empty() {
            let diagnostic = Diagnostic::error(INCONSISTENT, "a rule has either `needs` or `one_of`");
            diagnostics.push(diagnostic.at(rule.span, "here"));
        }
        // A code is a small whole number; anything else is no page.
        let number = code.filter(|code| (1.0..1000.0).contains(code) && code.fract() == 0.0);
        if code.is_some() && number.is_none() {
            let span = rule.place("code");
            diagnostics
                .push(Diagnostic::error(WRONG_VALUE, "`code` is no number of a diagnostic").at(span, "from 1 to 999"));
        }
        rule.finish(diagnostics);
        let number = number.and_then(|code| format!("{code:.0}").parse::<u16>().ok());
        if let (Some(code), Some(says), Some(why), Some(help)) = (number, says, why, help) {
            let (says, why, help) = (says.value, why.value, help.value);
            rules.push(Needs { code, when, needs, one_of, says, why, help });
        }
    }
    rules
}

fn words(view: &mut View<'_, '_>, key: &'static str, diagnostics: &mut Diagnostics) -> Vec<(String, String)> {
    let mut words = Vec::new();
    for (path, word) in view.jsons(key, diagnostics) {
        match word.value.as_str() {
            Some(text) => words.push((path, text.to_owned())),
            None => diagnostics
                .push(Diagnostic::error(WRONG_VALUE, format!("`{path}` must be a word")).at(word.span, "as text")),
        }
    }
    words
}
