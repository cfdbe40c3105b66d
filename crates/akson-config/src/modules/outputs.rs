//! References to modules: `module.x.out`, `module.x["k"].out`, `module.x` as a whole.

use std::sync::Arc;

use akson_catalog::SymbolicId;
use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Expr, Name};

use super::run::Called;
use crate::{
    codes,
    eval::{Evaluator, Scope, Want},
    operators::missing_key,
    val::{Entries, Val, quoted},
};

/// Which instances of a module a reference means.
enum Meant {
    Nothing,
    One(usize),
    All,
}

impl Evaluator<'_> {
    /// `module.name.output`, or with a key.
    pub(crate) fn output_of_module(
        &mut self,
        module: &Name,
        key: Option<&Expr>,
        output: &Name,
        scope: &Scope<'_>,
    ) -> Val {
        match self.meant(module, key, scope) {
            Meant::Nothing => Val::Poison,
            Meant::One(frame) => self.output_in(frame, module, output),
            Meant::All => {
                let address = format!("module.{}", module.text);
                self.sink.report(
                    Diagnostic::error(codes::INSTANCES, format!("`{address}` has `for_each`: it is several modules"))
                        .at(output.span, "")
                        .help(format!("pick one: `{address}[\"key\"].{}`", output.text))
                        .note(format!("its keys are {}", quoted(self.keys_of(module).iter().map(AsRef::as_ref)))),
                );
                Val::Poison
            }
        }
    }

    /// `module.name`, or with a key: its outputs by name, or all instances by key.
    pub(crate) fn whole_module(&mut self, module: &Name, key: Option<&Expr>, scope: &Scope<'_>) -> Val {
        match self.meant(module, key, scope) {
            Meant::Nothing => Val::Poison,
            Meant::One(frame) => self.outputs_of(frame),
            Meant::All => {
                let frames: Vec<(Arc<str>, usize)> = match self.call_of(module) {
                    Some(Called::Many(many)) => {
                        many.iter().filter_map(|(key, frame)| Some((Arc::clone(key), (*frame)?))).collect()
                    }
                    _ => Vec::new(),
                };
                let entries: Entries = frames.into_iter().map(|(key, frame)| (key, self.outputs_of(frame))).collect();
                self.sink.made(Val::map(entries), module.span)
            }
        }
    }

    /// The resources of a module, for `after`.
    pub(crate) fn resources_of_module(
        &mut self,
        module: &Name,
        key: Option<&Expr>,
        scope: &Scope<'_>,
    ) -> Vec<SymbolicId> {
        let frames: Vec<usize> = match self.meant(module, key, scope) {
            Meant::Nothing => Vec::new(),
            Meant::One(frame) => vec![frame],
            Meant::All => match self.call_of(module) {
                Some(Called::Many(many)) => many.values().flatten().copied().collect(),
                _ => Vec::new(),
            },
        };
        let inside = |mut frame: usize| loop {
            if frames.contains(&frame) {
                return true;
            }
            match self.frames.get(frame) {
                Some(above) if frame != 0 => frame = above.parent,
                _ => return false,
            }
        };
        self.instances
            .iter()
            .filter(|instance| inside(instance.frame))
            .map(|instance| instance.symbolic_id().clone())
            .collect()
    }

    fn call_of(&self, module: &Name) -> Option<&Called> {
        self.frames.get(self.at)?.calls.get(module.text.as_str())
    }

    fn keys_of(&self, module: &Name) -> Vec<Arc<str>> {
        match self.call_of(module) {
            Some(Called::Many(many)) => many.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    fn meant(&mut self, module: &Name, key: Option<&Expr>, scope: &Scope<'_>) -> Meant {
        if let Some(what) = scope.constant {
            self.sink.report(
                Diagnostic::error(codes::UNKNOWN_NAME, format!("{what} refers to nothing: it is the same everywhere"))
                    .at(module.span, "")
                    .help("write the value itself"),
            );
            return Meant::Nothing;
        }
        let value = key.map(|key| (self.eval(key, Want::Free, scope), key.span));
        if !self.names.modules.contains_key(module.text.as_str()) {
            if self.names.find(super::MODULE, &module.text).is_none() {
                let known = self.names.modules.keys().copied().collect();
                self.unknown("module", module, known, "declare it: `module \"NAME\" { source = \"./modules/NAME\" }`");
            }
            return Meant::Nothing;
        }
        let name = &module.text;
        match (self.call_of(module), value) {
            (Some(Called::Single(frame)), None) => Meant::One(*frame),
            (Some(Called::Many(_)), None) => Meant::All,
            (Some(Called::Single(_)), Some((_, span))) => {
                self.sink.report(
                    Diagnostic::error(codes::INSTANCES, format!("`module.{name}` is one module: it has no `for_each`"))
                        .at(span, "")
                        .help(format!("write `module.{name}` without a key")),
                );
                Meant::Nothing
            }
            (Some(Called::Many(many)), Some((key, span))) => {
                if key.traits().poison {
                    return Meant::Nothing;
                }
                let text = match key.plain() {
                    Val::Text(text) if !key.traits().sensitive => Arc::clone(text),
                    _ => {
                        let help = format!("instances are named by their keys: {}", {
                            let keys = self.keys_of(module);
                            quoted(keys.iter().map(AsRef::as_ref))
                        });
                        self.bad_key(&key, &help, span);
                        return Meant::Nothing;
                    }
                };
                match many.get(&text) {
                    Some(Some(frame)) => Meant::One(*frame),
                    Some(None) => {
                        self.module_excluded(module, Some(&text), span);
                        Meant::Nothing
                    }
                    None => {
                        let keys = self.keys_of(module);
                        let fault = missing_key(&text, keys.iter().map(AsRef::as_ref));
                        let help = match fault.help() {
                            Some(help) if help.starts_with("did you mean") => help.to_owned(),
                            _ => format!("its keys are {}", quoted(keys.iter().map(AsRef::as_ref))),
                        };
                        let mut diagnostic =
                            Diagnostic::error(codes::INDEX, format!("`module.{name}` has no instance `{text}`"))
                                .at(span, "")
                                .help(help);
                        if let Some(block) = self.names.modules.get(name.as_str()) {
                            diagnostic = diagnostic.also(block.header, "its instances are made by `for_each` here");
                        }
                        self.sink.report_value(diagnostic);
                        Meant::Nothing
                    }
                }
            }
            (Some(Called::Excluded), _) => {
                self.module_excluded(module, None, module.span);
                Meant::Nothing
            }
            (Some(Called::Poisoned) | None, _) => Meant::Nothing,
        }
    }

    fn module_excluded(&mut self, module: &Name, key: Option<&str>, span: Span) {
        let name = &module.text;
        let Some(block) = self.names.modules.get(name.as_str()).copied() else { return };
        let address = key.map_or_else(|| format!("module.{name}"), |key| format!("module.{name}[\"{key}\"]"));
        let place = block.attribute("when").map_or(block.header, |when| when.span);
        self.sink.report_value(
            Diagnostic::error(codes::EXCLUDED, format!("`{address}` does not exist in this configuration"))
                .at(span, "")
                .also(place, "left out by this condition")
                .help("give what refers to it the same `when`, or choose by a condition: `condition ? a : b`"),
        );
    }

    fn outputs_of(&self, frame: usize) -> Val {
        let Some(frame) = self.frames.get(frame) else { return Val::Poison };
        let named = frame.names.outputs.iter().filter_map(|block| block.labels.first());
        let value = |name: &str| frame.outputs.get(name).cloned().unwrap_or(Val::Poison);
        Val::map(named.map(|label| (Arc::from(label.text.as_str()), value(&label.text))).collect())
    }

    fn output_in(&mut self, frame: usize, module: &Name, output: &Name) -> Val {
        let Some(inner) = self.frames.get(frame) else { return Val::Poison };
        if let Some(value) = inner.outputs.get(output.text.as_str()) {
            return value.clone();
        }
        let names = inner.names;
        if names.output(&output.text).is_some()
            || names.broken_outputs.contains(output.text.as_str())
            || self.sink.incomplete
        {
            return Val::Poison;
        }
        let known: Vec<&str> =
            names.outputs.iter().filter_map(|block| block.labels.first()).map(|label| label.text.as_str()).collect();
        let word = &output.text;
        let mut diagnostic =
            Diagnostic::error(codes::MODULE_OUTPUT, format!("`module.{}` has no output `{word}`", module.text))
                .at(output.span, "");
        diagnostic = match did_you_mean(word, known.iter().copied()) {
            Some(near) => {
                diagnostic.help(format!("did you mean `{near}`?")).suggest(output.span, near, format!("write `{near}`"))
            }
            None if names.of_kind(word).next().is_some() => {
                let first = names.of_kind(word).next().unwrap_or_default();
                diagnostic
                    .note("what a module declares is its own: others see its outputs")
                    .help(format!("add `output \"{first}\" {{ value = {word}.{first} }}` to the module"))
            }
            None if names.variables.contains_key(word.as_str()) => diagnostic
                .note(format!("`{word}` is a variable of it"))
                .help(format!("use the value that is given to it, or add an `output \"{word}\"` to the module")),
            None if known.is_empty() => {
                diagnostic.help(format!("add `output \"{word}\" {{ value = … }}` to the module"))
            }
            None => diagnostic.help(format!("its outputs are {}", quoted(known.into_iter()))),
        };
        self.sink.report(diagnostic);
        Val::Poison
    }
}
