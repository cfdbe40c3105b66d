//! Instances of modules, and what is evaluated in each: its variables from the arguments of the `module` block, its outputs.

use std::{collections::HashMap, sync::Arc};

use akson_catalog::InstanceKey;
use akson_diagnostics::{Diagnostic, did_you_mean};
use akson_parser::ast::{Block, Item};
use indexmap::IndexMap;

use super::META;
use crate::{
    codes,
    eval::{BlockState, Evaluator, Omitted, Scope, Want},
    model::Dependency,
    names::Names,
    resources::body::plain_block,
    val::{Val, quoted},
};

/// One instance of a module: what is declared in it, evaluated. Of the one that is evaluated just now, the evaluator has the first
/// four itself.
pub(crate) struct Frame<'a> {
    pub names: &'a Names<'a>,
    pub variables: HashMap<&'a str, Val>,
    pub locals: HashMap<&'a str, Val>,
    pub blocks: Vec<BlockState>,
    pub outputs: HashMap<&'a str, Val>,
    pub calls: HashMap<&'a str, Called>,
    /// Place of its module in the tree.
    pub scope: usize,
    /// The instance that its block stands in.
    pub parent: usize,
    pub path: Vec<(String, Option<InstanceKey>)>,
    /// What `each` is in its block.
    pub each: Option<(Val, Val)>,
    /// Nothing of it will exist: it is evaluated for what is wrong whatever the values are.
    pub phantom: bool,
    /// What must exist before all that is in it.
    pub after: Vec<Dependency>,
}

/// What a `module` block has become.
pub(crate) enum Called {
    /// Wrong, which was reported.
    Poisoned,
    /// Left out by `when`.
    Excluded,
    /// One instance.
    Single(usize),
    /// By key; none where `when` leaves it out.
    Many(IndexMap<Arc<str>, Option<usize>>),
}

impl<'a> Frame<'a> {
    pub(crate) fn new(names: &'a Names<'a>, scope: usize) -> Self {
        Frame {
            names,
            variables: HashMap::new(),
            locals: HashMap::new(),
            blocks: names.resources.iter().map(|_| BlockState::Poisoned).collect(),
            outputs: HashMap::new(),
            calls: HashMap::new(),
            scope,
            parent: 0,
            path: Vec::new(),
            each: None,
            phantom: false,
            after: Vec::new(),
        }
    }
}

type Key = Option<(Arc<str>, (Val, Val))>;

impl<'a> Evaluator<'a> {
    /// Evaluates in an instance of a module.
    pub(crate) fn within<T>(&mut self, frame: usize, compute: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.at;
        self.switch(frame);
        let phantom = self.frames.get(frame).is_some_and(|frame| frame.phantom) && !self.sink.is_phantom();
        if phantom {
            self.sink.enter_phantom();
        }
        let value = compute(self);
        if phantom {
            self.sink.leave_phantom();
        }
        self.switch(before);
        value
    }

    fn switch(&mut self, to: usize) {
        if to == self.at {
            return;
        }
        for frame in [self.at, to] {
            let Some(frame) = self.frames.get_mut(frame) else { continue };
            std::mem::swap(&mut self.names, &mut frame.names);
            std::mem::swap(&mut self.variables, &mut frame.variables);
            std::mem::swap(&mut self.locals, &mut frame.locals);
            std::mem::swap(&mut self.blocks, &mut frame.blocks);
        }
        self.at = to;
    }

    /// The modules that lead to what is evaluated.
    pub(crate) fn path(&self) -> &[(String, Option<InstanceKey>)] {
        self.frames.get(self.at).map_or(&[], |frame| &frame.path)
    }

    /// How messages call a block of the module that is evaluated.
    pub(crate) fn title(&self, keyword: &str, name: &str) -> String {
        let mut title = String::new();
        for (module, key) in self.path() {
            title.push_str(&format!("module.{module}"));
            if let Some(key) = key {
                title.push_str(&key.to_string());
            }
            title.push('.');
        }
        title + &format!("{keyword}.{name}")
    }

    /// The folder of the module that is evaluated, relative to the configuration's.
    pub(crate) fn folder(&self) -> &'a str {
        let scope = self.frames.get(self.at).map_or(0, |frame| frame.scope);
        self.tree.and_then(|tree| tree.scopes.get(scope)).map_or("", |module| &module.folder)
    }

    /// Makes the instances of a `module` block of the module that is evaluated.
    pub(crate) fn module(&mut self, name: &'a str, cyclic: bool) {
        let Some(block) = self.names.modules.get(name).copied() else { return };
        let at = self.at;
        let scope = self.frames.get(at).map_or(0, |frame| frame.scope);
        let child = self.tree.and_then(|tree| tree.called(scope, name));
        let called = match child {
            Some(child) => {
                self.arguments(block, child);
                self.sink.address = Some(self.title("module", name));
                let made = self.made_modules(name, block, child, cyclic);
                self.sink.address = None;
                made
            }
            None => Called::Poisoned,
        };
        if let Some(frame) = self.frames.get_mut(at) {
            frame.calls.insert(name, called);
        }
    }

    fn made_modules(&mut self, name: &str, block: &'a Block, child: usize, cyclic: bool) -> Called {
        let phantom = self.frames.get(self.at).is_some_and(|frame| frame.phantom);
        if cyclic || phantom {
            self.phantom_module(name, block, child);
            return Called::Poisoned;
        }
        let keys: Vec<Key> = match block.attribute("for_each") {
            None => vec![None],
            Some(attribute) => match self.keys(&attribute.value) {
                Some(keys) => keys.into_iter().map(Some).collect(),
                None => {
                    self.phantom_module(name, block, child);
                    return Called::Poisoned;
                }
            },
        };
        let keyed = block.attribute("for_each").is_some();
        let mut single = Called::Excluded;
        let mut many = IndexMap::new();
        let mut any = false;
        for each in keys {
            let scope = Scope { each: each.as_ref().map(|(_, each)| each), ..Scope::default() };
            let key = each.as_ref().map(|(key, _)| Arc::clone(key));
            let made = match self.when(block, &scope) {
                Some(true) => {
                    any = true;
                    Some(self.instance_of_module(name, block, child, each))
                }
                Some(false) => None,
                None => {
                    single = Called::Poisoned;
                    continue;
                }
            };
            match (key, made) {
                (Some(key), made) => {
                    many.insert(key, made);
                }
                (None, Some(frame)) => single = Called::Single(frame),
                (None, None) => {}
            }
            if self.sink.is_exhausted() {
                break;
            }
        }
        if !any {
            self.phantom_module(name, block, child);
        }
        if keyed { Called::Many(many) } else { single }
    }

    fn instance_of_module(&mut self, name: &str, block: &'a Block, child: usize, each: Key) -> usize {
        let scope = Scope { each: each.as_ref().map(|(_, each)| each), ..Scope::default() };
        let mut after = self.frames.get(self.at).map(|frame| frame.after.clone()).unwrap_or_default();
        if let Some(attribute) = block.attribute("after") {
            self.after(&attribute.value, &scope, &mut after);
        }
        let key = each.as_ref().map(|(key, _)| InstanceKey(key.to_string()));
        self.new_frame(name, child, key, each.map(|(_, each)| each), after)
    }

    /// An instance that will not exist, so that what is wrong in it is still found.
    fn phantom_module(&mut self, name: &str, block: &Block, child: usize) {
        if self.frames_of.get(child).is_some_and(|frames| !frames.is_empty()) {
            return;
        }
        let each = block.attribute("for_each").map(|_| (Val::Poison, Val::Poison));
        let frame = self.new_frame(name, child, None, each, Vec::new());
        if let Some(frame) = self.frames.get_mut(frame) {
            frame.phantom = true;
        }
    }

    fn new_frame(
        &mut self,
        name: &str,
        child: usize,
        key: Option<InstanceKey>,
        each: Option<(Val, Val)>,
        after: Vec<Dependency>,
    ) -> usize {
        let place = self.frames.len();
        let Some(module) = self.tree.and_then(|tree| tree.scopes.get(child)) else { return place };
        let mut path = self.path().to_vec();
        path.push((name.to_owned(), key));
        self.frames.push(Frame { parent: self.at, path, each, after, ..Frame::new(&module.names, child) });
        if let Some(frames) = self.frames_of.get_mut(child) {
            frames.push(place);
        }
        place
    }

    /// Checks the attributes of a `module` block against the variables of its folder.
    fn arguments(&mut self, block: &Block, child: usize) {
        let Some(module) = self.tree.and_then(|tree| tree.scopes.get(child)) else { return };
        let names = &module.names;
        let mut first = HashMap::new();
        let mut satisfied: Vec<&str> = Vec::new();
        for item in &block.body {
            let attribute = match item {
                Item::Attribute(attribute) => attribute,
                Item::Block(inner) => {
                    let word = &inner.keyword.text;
                    self.sink.report(
                        Diagnostic::error(codes::NESTED, format!("`{word}` is a value, not a block"))
                            .at(inner.header, "")
                            .help(format!("write `{word} = {{ … }}`")),
                    );
                    satisfied.push(word);
                    continue;
                }
            };
            let word = attribute.name.text.as_str();
            if let Some(first) = first.insert(word, attribute.name.span) {
                self.sink.report(
                    Diagnostic::error(codes::DUPLICATE_ATTRIBUTE, format!("`{word}` is set twice"))
                        .at(attribute.name.span, "again here")
                        .also(first, "first here")
                        .help("remove one of them"),
                );
            }
            if META.contains(&word)
                || names.variables.contains_key(word)
                || names.broken_variables.contains(word)
                || self.sink.incomplete
            {
                continue;
            }
            let known = names.variables.keys().chain(META).copied();
            let text = format!("the module in `{}` has no variable `{word}`", module.folder);
            let mut diagnostic = Diagnostic::error(codes::UNKNOWN_ATTRIBUTE, text).at(attribute.name.span, "");
            diagnostic = match did_you_mean(word, known) {
                Some(near) => {
                    satisfied.push(near);
                    diagnostic.help(format!("did you mean `{near}`?")).suggest(
                        attribute.name.span,
                        near,
                        format!("write `{near}`"),
                    )
                }
                None if matches!(word, "protect" | "on_remove") => {
                    diagnostic.help(format!("write `{word}` in the blocks of the module, where it is meant"))
                }
                None if matches!(word, "count" | "depends_on" | "providers" | "version") => {
                    diagnostic.help(match word {
                        "count" => "use `for_each` for several instances, `when` for a condition",
                        "depends_on" => "write `after = [kind.name]`",
                        _ => "remove it: there are no providers, and a module is a folder of this configuration",
                    })
                }
                None if names.variables.is_empty() => diagnostic.help("it declares no variables: remove it"),
                None => diagnostic.help(format!("it has {}", quoted(names.variables.keys().copied()))),
            };
            self.sink.report(diagnostic);
        }
        let missing: Vec<(&str, &Block)> = names
            .variables
            .iter()
            .filter(|(name, variable)| {
                variable.attribute("default").is_none() && !first.contains_key(**name) && !satisfied.contains(name)
            })
            .map(|(name, block)| (*name, *block))
            .collect();
        if !missing.is_empty() {
            let list = quoted(missing.iter().map(|(name, _)| *name));
            let mut diagnostic = Diagnostic::error(
                codes::MISSING_ATTRIBUTES,
                format!("the module in `{}` needs a value of {list}", module.folder),
            )
            .at(block.header, "");
            for (_, variable) in &missing {
                diagnostic = diagnostic.also(variable.header, "declared here, without a default");
            }
            self.sink.report(diagnostic.help(format!("add {list} to the `module` block")));
        }
    }

    /// Gives a variable of the instance that is evaluated the value that its `module` block has for it.
    pub(crate) fn argument_of_module(&mut self, name: &'a str, cyclic: bool) {
        let Some(block) = self.names.variables.get(name).copied() else { return };
        let variable = self.read_variable(block);
        let Some((parent, scope)) = self.frames.get(self.at).map(|frame| (frame.parent, frame.scope)) else { return };
        let caller = self.tree.and_then(|tree| tree.scopes.get(scope)).and_then(|module| module.caller);
        let argument = caller.and_then(|(_, caller)| caller.attribute(name));
        let each = self.frames.get(self.at).and_then(|frame| frame.each.clone());
        let given = argument.filter(|_| !cyclic).and_then(|argument| {
            let want = variable.want();
            let scope = Scope { each: each.as_ref(), secret: variable.sensitive, ..Scope::default() };
            self.within(parent, |parent| match parent.omitted(&argument.value, &scope) {
                Omitted::No => Some(parent.eval(&argument.value, want, &scope)),
                Omitted::Unclear => Some(Val::Poison),
                Omitted::Yes => None,
            })
        });
        let value = if cyclic { Some(Val::Poison) } else { self.variable_value(&variable, given) };
        if let (None, Some(argument)) = (&value, argument) {
            self.sink.report(
                Diagnostic::error(codes::MISSING_ATTRIBUTES, format!("`{name}` cannot be left out: it has no default"))
                    .at(argument.value.span, "")
                    .also(block.header, "declared here")
                    .help("give a value in every case, or add a `default` to the variable"),
            );
        }
        // That an argument is missing was said at the block.
        let value = value.unwrap_or(Val::Poison);
        let value = if variable.sensitive { value.sensitive() } else { value };
        self.variables.insert(name, value);
    }

    /// Checks the conditions of the variables of the instance that is evaluated.
    pub(crate) fn module_validations(&mut self) {
        let scope = self.frames.get(self.at).map_or(0, |frame| frame.scope);
        let caller = self.tree.and_then(|tree| tree.scopes.get(scope)).and_then(|module| module.caller);
        let names = self.names;
        for (name, block) in &names.variables {
            let given = caller.and_then(|(_, caller)| caller.attribute(name)).map(|given| given.value.span);
            self.validations(name, block, given);
        }
    }

    /// Evaluates an output of the instance that is evaluated.
    pub(crate) fn module_output(&mut self, name: &'a str, cyclic: bool) {
        let Some(block) = self.names.output(name) else { return };
        let parts = plain_block(&mut self.sink, block, &["value", "description", "sensitive"], &[], &["value"]);
        let sensitive = parts.get("sensitive").is_some_and(|expr| self.flag(expr));
        let mut value = match parts.get("value") {
            Some(expr) if !cyclic => self.eval(expr, Want::Free, &Scope { secret: sensitive, ..Scope::default() }),
            _ => Val::Poison,
        };
        if sensitive {
            value = value.sensitive();
        }
        let at = self.at;
        if let Some(frame) = self.frames.get_mut(at) {
            frame.outputs.insert(name, value);
        }
    }
}
